"""Writes the answers to items and scans, and publishes the events that follow from them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from edge.events import Event, PictureContradicted, Stamps
from edge.receiving.events import PictureDisagreed, PieceCounted
from edge.receiving.pieces.answers import (
    Answered,
    Cause,
    HandScan,
    PieceRules,
    answer_to,
    recent_to,
)
from edge.receiving.pieces.consequences import AnswerGiven, consequences
from edge.receiving.scan import Reply
from edge.receiving.state import COUNTABLE, DeliveryState
from edge.receiving.store import Deliveries

_log = logging.getLogger(__name__)


class PieceAnswers:
    """Answers items and scans; used by one thread at a time.

    Attributes:
        publish: takes incidents and corrections of items; must not wait.
        alarm: called when an item is stopped that went to another lane before; must not wait.
        find_photograph: has the photograph of the item with an id kept, and returns its file; None:
            there is none. Must not wait.
        told: the ids of what was published, until somebody clears it.
    """

    def __init__(self, rules: PieceRules, stamps: Stamps) -> None:
        """Has answered nothing.

        Args:
            stamps: gives the events their ids and times.
        """
        self._rules, self._stamps = rules, stamps
        self._recent: dict[str, Cause] = {}
        self.find_photograph: Callable[[str], str | None] = lambda item_id: None
        self.told: set[str] = set()
        self.publish: Callable[[Event], object] = lambda event: None
        self.alarm: Callable[[], object] = lambda: None

    def write(self, file: Deliveries, causes: Sequence[Cause]) -> int:
        """Answers each item and scan that has no answer, in one transaction; returns how many.

        Raises:
            DeliveryFileError: the file cannot be written; none is answered.
        """
        answered: list[tuple[Cause, Answered, DeliveryState]] = []
        with file.writing():
            for cause in causes:
                found = self._answered(file, cause)
                if found is not None:
                    file.append(found.events)
                    state = file.state(cause.delivery)
                    assert state is not None
                    answered.append((cause, found, state))
        for cause, found, state in answered:
            self._tell(cause, found, state)
        return len(answered)

    @contextmanager
    def looking_back(self) -> Iterator[None]:
        """While items of earlier are answered, those of late are not forgotten: what comes next may
        be one piece with them."""
        recent = self._recent
        try:
            yield
        finally:
            self._recent = {**self._recent, **recent}

    def _answered(self, file: Deliveries, cause: Cause) -> Answered | None:
        """The answer to an item or a scan; None if it has one already, or gets none."""
        recent = self._recent = recent_to(cause, self._recent, self._rules)
        if file.has_answer(cause.id):
            recent[cause.id] = cause
            return None
        state = file.state(cause.delivery)
        if state is None or state.phase not in COUNTABLE:
            _log.warning(
                f"warning    {cause} was sorted or scanned while the delivery {cause.delivery} was "
                "being closed, and is not counted. Its row in the ledger has the delivery"
            )
            return None
        history = file.events(cause.delivery)
        found = answer_to(cause, history, state, recent, self._rules, self._stamps.now)
        recent[cause.id] = cause
        return None if found is None else self._with_photograph(found)

    def _with_photograph(self, found: Answered) -> Answered:
        """The answer with the photograph of the stopped item, if its row does not name one."""
        last, item = found.events[-1], found.item
        if item is None or not isinstance(last, PictureDisagreed) or last.photograph is not None:
            return found
        stopped = replace(last, photograph=self.find_photograph(item.id))
        return found._replace(events=[*found.events[:-1], stopped])

    def _tell(self, cause: Cause, found: Answered, state: DeliveryState) -> None:
        """Logs an answer that was written, and publishes the events that follow from it."""
        reply, words = found.answer.reply, found.answer.words(state)
        if reply is Reply.STOP:
            _log.warning(f"receiving  {cause}: {words}")
        elif isinstance(cause, HandScan):
            _log.info(f"receiving  {cause}: {words}")
        last = found.events[-1]
        if found.item is None or not isinstance(last, PieceCounted | PictureDisagreed):
            return
        given = AnswerGiven(last, found.before)
        for event in consequences(given, found.answer.lines[0], found.item):
            self.told.add(event.id)
            self.publish(event)
            if isinstance(event, PictureContradicted) and not event.in_time:
                self.alarm()
