"""The state of a delivery, computed from its events (pure).

The figures depend on which events there are and which of them were undone, and on no order of
those that count: a correction changes a figure by the difference that it made when it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

from edge.core.terminal.sentence import Sentence
from edge.receiving.delivery import Expected, Line
from edge.receiving.events import (
    ContainerArrived,
    CountCorrected,
    CountUndone,
    DeliveryChecked,
    DeliveryClosed,
    DeliveryEvent,
    DeliveryImported,
    DeliveryOpened,
    DeliveryReopened,
    DeliveryWithdrawn,
    MarkedDamaged,
    Outcome,
    PictureDisagreed,
    PieceCounted,
    PutAside,
)


class Phase(StrEnum):
    """The phases of a delivery."""

    EXPECTED = "expected"
    COUNTING = "counting"
    CHECKED = "checked"
    """A person has counted everything, and was told that it differs from the announcement."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    """Nobody counted it, and it is no longer expected."""

    @property
    def words(self) -> str:
        """The phase in a sentence that begins with "the delivery is"."""
        return "being counted" if self is Phase.COUNTING else self.value


COUNTABLE = (Phase.COUNTING, Phase.CHECKED)


@dataclass(frozen=True, slots=True)
class Count:
    """The counts of one line."""

    counted: int = 0
    """The counted pieces, including the damaged ones."""
    damaged: int = 0
    seen: int = 0
    """How many of the counted pieces the station saw."""
    serials: frozenset[str] = frozenset()
    """The announced serial numbers that were counted."""
    lots: Mapping[tuple[str | None, str | None], int] = field(default_factory=dict)
    """The number of pieces by the lot and the expiry of their codes, for codes that have one."""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """The state of one delivery after its events."""

    expected: Expected
    phase: Phase = Phase.EXPECTED
    counts: Mapping[int, Count] = field(default_factory=dict)
    """The counts by the number of the line; a line without any piece may be missing."""
    asides: tuple[PutAside, ...] = ()
    disagreements: tuple[PictureDisagreed, ...] = ()
    damages: tuple[MarkedDamaged, ...] = ()
    arrived: tuple[str, ...] = ()
    """The SSCCs of the containers whose codes were scanned, the latest last."""
    container: str | None = None
    """The container out of which pieces are taken now."""
    outcome: Outcome | None = None
    source: str = ""
    back_order_of: str | None = None
    back_order: str | None = None
    reopens: str | None = None
    reopened_as: str | None = None
    opened: str | None = None
    """When counting began for the first time, as in `Event.time`."""
    closed: str | None = None
    closed_by: str | None = None

    @property
    def delivery(self) -> str:
        """The delivery's name."""
        return self.expected.delivery

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that were announced."""
        return self.expected.lines

    @property
    def hidden(self) -> bool:
        """Whether the expected figures are shown to nobody now."""
        return self.expected.blind and self.phase is not Phase.CLOSED

    def count(self, line: int) -> Count:
        """The counts of the line with that number."""
        return self.counts.get(line, Count())

    def difference(self, line: Line) -> int:
        """How many pieces are too many; a negative number if pieces are missing."""
        return self.count(line.number).counted - line.expected

    @property
    def differs(self) -> bool:
        """Whether anything differs from the announcement: counts, serials, damage, pieces put
        aside."""
        return bool(self.asides or self.disagreements) or any(
            self.difference(line)
            or self.count(line.number).damaged
            or set(line.serials) - self.count(line.number).serials
            for line in self.lines
        )

    @property
    def reckoned(self) -> Outcome:
        """The outcome if it were closed now: short if any line is, else over if any line is."""
        found = [self.difference(line) for line in self.lines]
        return "short" if min(found) < 0 else "over" if max(found) > 0 else "complete"

    @property
    def impossible(self) -> Sentence | None:
        """Why these figures are impossible, as a sentence; None if they are possible."""
        for line in self.lines:
            count = self.count(line.number)
            if count.counted < 0:
                return Sentence(
                    "{sku} would have {pieces} pieces", sku=line.sku, pieces=str(count.counted)
                )
            if not 0 <= count.damaged <= count.counted:
                return Sentence(
                    "{sku} would have {damaged} damaged of {pieces} pieces",
                    sku=line.sku,
                    damaged=str(count.damaged),
                    pieces=str(count.counted),
                )
        return None


def undone_ids(events: Sequence[DeliveryEvent]) -> Set[str]:
    """The ids of the events that no longer count. An undo that was undone has no effect."""
    gone: set[str] = set()
    for event in reversed(events):  # an undo comes after what it undoes
        if isinstance(event, CountUndone) and event.id not in gone:
            gone.add(event.undone)
    return gone


def fold(events: Sequence[DeliveryEvent]) -> DeliveryState | None:
    """The state of a delivery after all its `events`, given in the order they were written in.

    Returns:
        None if the first event is not an announcement: there is no such delivery.
    """
    gone = undone_ids(events)
    return advance(None, (event for event in events if event.id not in gone))


def advance(state: DeliveryState | None, events: Iterable[DeliveryEvent]) -> DeliveryState | None:
    """`state` after further events, none of which is undone or undoes another."""
    for event in events:
        if isinstance(event, DeliveryImported):
            state = _announced(event)
        elif state is not None:
            state = _after(state, event)
    return state


def _announced(event: DeliveryImported) -> DeliveryState:
    return DeliveryState(
        Expected(delivery=event.delivery, lines=event.lines, blind=event.blind),
        counts={
            old.line: Count(old.counted, old.damaged, 0, frozenset(old.serials))
            for old in event.carried
        },
        source=event.source,
        back_order_of=event.back_order_of,
        reopens=event.reopens,
    )


def _after(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    match event:
        case DeliveryOpened():
            return replace(state, phase=Phase.COUNTING, opened=state.opened or event.time)
        case DeliveryWithdrawn():
            return replace(state, phase=Phase.WITHDRAWN)
        case DeliveryChecked():
            return replace(state, phase=Phase.CHECKED)
        case DeliveryClosed():
            return replace(
                state,
                phase=Phase.CLOSED,
                outcome=event.outcome,
                back_order=event.back_order,
                closed=event.time,
                closed_by=event.by,
            )
        case DeliveryReopened():
            return replace(state, reopened_as=event.reopened_as)
    return _counting(_counted(state, event))


def _counting(state: DeliveryState) -> DeliveryState:
    """`state` after something was counted: a checked delivery has to be checked again."""
    return replace(state, phase=Phase.COUNTING) if state.phase is Phase.CHECKED else state


def _counted(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    match event:
        case ContainerArrived():
            known = tuple(sscc for sscc in state.arrived if sscc != event.sscc)
            return replace(state, arrived=(*known, event.sscc), container=event.sscc)
        case PutAside():
            return replace(state, asides=(*state.asides, event))
        case PictureDisagreed():
            return replace(state, disagreements=(*state.disagreements, event))
        case PieceCounted():
            old = state.count(event.line)
            lots = dict(old.lots)
            if event.lot is not None or event.expiry is not None:
                key = event.lot, event.expiry
                lots[key] = lots.get(key, 0) + event.pieces
            return _with(
                state,
                event.line,
                replace(
                    old,
                    counted=old.counted + event.pieces,
                    seen=old.seen + (event.pieces if event.item_id is not None else 0),
                    serials=old.serials | ({event.serial} if event.serial else set()),
                    lots=lots,
                ),
            )
        case MarkedDamaged():
            old = state.count(event.line)
            new = replace(old, damaged=old.damaged + event.pieces)
            return replace(_with(state, event.line, new), damages=(*state.damages, event))
        case CountCorrected():
            old, by = state.count(event.line), event.now - event.was
            if event.figure == "damaged":
                return _with(state, event.line, replace(old, damaged=old.damaged + by))
            return _with(state, event.line, replace(old, counted=old.counted + by))
    return state


def _with(state: DeliveryState, line: int, count: Count) -> DeliveryState:
    return replace(state, counts={**state.counts, line: count})


def lines_missing(state: DeliveryState) -> Iterator[Line]:
    """The lines of a back-order: those of which pieces are missing, with how many."""
    number = 0
    for line in state.lines:
        pieces = -state.difference(line)
        if pieces > 0:
            number += 1
            left = [one for one in line.serials if one not in state.count(line.number).serials]
            serials = tuple(left) if len(left) == pieces else ()
            yield replace(line, number=number, expected=pieces, serials=serials)
