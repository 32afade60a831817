"""The answers of a station to items that it saw and codes that its hand scanner read. Pure.

Each gets one answer, and each piece counts once: an item and a scan by hand are one piece where
they come within `pair_seconds` of each other, and the item has no code that was read, or the same
one. Each goes with one other at most, the oldest. What was written for the first of the two is
undone then, and the second's event tells of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from edge.core.verdict import RejectReason
from edge.events import ItemSorted, Stamp
from edge.receiving import asides
from edge.receiving.code import Code, is_same_code, read_code
from edge.receiving.delivery import Line
from edge.receiving.events import (
    CountUndone,
    DeliveryEvent,
    PictureDisagreed,
    PutAside,
    cause_of,
)
from edge.receiving.scan import (
    NO_CODE,
    Answer,
    Reply,
    Scan,
    answer,
    answer_to_item,
    named_lines,
    put_aside,
)
from edge.receiving.state import DeliveryState, fold, undone_ids

STATION = "station"
"""The name of the station itself as the one who counted, in events."""
_LATE_SECONDS = 30.0
"""How long after a later one an item may be answered whose picture waited to be looked at."""


@dataclass(frozen=True, slots=True)
class SeenItem:
    """An item that the station sorted, with the codes that were read on it."""

    item: ItemSorted
    codes: tuple[Code, ...] = ()

    @property
    def id(self) -> str:
        """The id of the item's event."""
        return self.item.id

    @property
    def delivery(self) -> str:
        """The delivery that was open when it was sorted."""
        return self.item.delivery_id or ""

    @property
    def time(self) -> str:
        """When its picture was taken, as `Event.time`."""
        return self.item.time

    def __str__(self) -> str:
        return f"item {self.item.item}"

    @property
    def rejected(self) -> str | None:
        """Why the station rejected the item; None if it accepted its label."""
        reject = self.item.reject
        if self.item.accepted or reject == RejectReason.CONTRADICTED:
            return None
        return reject or "no reason"

    def scan(self, code: Code = NO_CODE) -> Scan:
        """The item as a scan to be answered, with a code that was read on it."""
        item = self.item
        return Scan(
            code=code,
            times=1 if code.text else item.quantity or 1,
            seen=item.label if self.rejected is None else None,
            trained=item.scores,
            item_id=item.id,
            photograph=item.photograph,
        )


@dataclass(frozen=True, slots=True)
class HandScan:
    """A code that the station's hand scanner read."""

    id: str
    """The id of its event."""
    time: str
    """When it was read, as `Event.time`."""
    delivery: str
    """The delivery that was open when it was read."""
    code: Code

    def __str__(self) -> str:
        return f"scan {self.code.text}"


Cause = SeenItem | HandScan


class PieceRules(NamedTuple):
    """The rules by which pieces are distinguished; see `receiving` in the station file."""

    by_label: bool
    """Whether an item whose code was not read counts by its label."""
    pair_seconds: float


class Answered(NamedTuple):
    """The answer of a station, with the events to be written."""

    answer: Answer
    events: Sequence[DeliveryEvent]
    """The events to be written: the last is the answer, one before it undoes what it replaces."""
    item: ItemSorted | None
    """The item in which the piece was seen."""
    before: DeliveryEvent | None
    """The event that had been written for the piece before."""


def answer_to(
    cause: Cause,
    history: Sequence[DeliveryEvent],
    state: DeliveryState,
    recent: Mapping[str, Cause],
    rules: PieceRules,
    stamp: Callable[[], Stamp],
) -> Answered | None:
    """The answer to an item or a hand scan.

    None for an item that does not count by its label, and for one that a scan counted already.

    Args:
        history: the events of the delivery, none of which answers `cause`.
        state: what they come to.
        recent: items and scans of late, by their ids.
        stamp: gives the events their ids and times.
    """
    if isinstance(cause, SeenItem) and cause.id in _counted_items(history):
        return None
    partner, before = _partner(cause, history, recent, rules) or (None, None)
    if partner is None and isinstance(cause, HandScan):
        before = waiting_for(cause.code, state)
    undone: list[DeliveryEvent] = []
    if before is not None:
        undone = [CountUndone(*stamp(), state.delivery, STATION, undone=before.id)]
        state = fold([*history, *undone]) or state
    seen = next((one for one in (cause, partner) if isinstance(one, SeenItem)), None)
    hand = next((one for one in (cause, partner) if isinstance(one, HandScan)), None)
    if hand is not None:
        scan = Scan(code=hand.code) if seen is None else seen.scan(hand.code)
        scan = replace(scan, scan_id=hand.id if hand is cause else None)
        if before is not None:
            item_id = scan.item_id or getattr(before, "item_id", None)
            scan = replace(replacing(scan, before), item_id=item_id)
        found = _decided(answer(state, scan))
    elif seen is not None and (mine := _answer_to_seen(seen, state, rules)) is not None:
        found = mine
    else:
        return None
    event = found.event(stamp(), state.delivery, STATION)
    assert event is not None  # `_decided`: nobody is asked to choose
    return Answered(found, [*undone, event], None if seen is None else seen.item, before)


def recent_to(cause: Cause, recent: Mapping[str, Cause], rules: PieceRules) -> dict[str, Cause]:
    """Those of `recent` of which one may still be of the same piece as `cause`, or as one that came
    somewhat earlier and is answered later. What has a time far ahead of it is from before the clock
    was set back."""
    window = rules.pair_seconds + _LATE_SECONDS
    return {key: other for key, other in recent.items() if _seconds_apart(other, cause) <= window}


def main_code(state: DeliveryState, codes: Sequence[Code]) -> Code | None:
    """The code that says what an item is: of those that name a line, the one that says most; else
    the first. None if there are no codes."""
    naming = [code for code in codes if code.sscc or named_lines(state, code)]
    return max(naming or codes[:1], key=_says, default=None)


def _answer_to_seen(seen: SeenItem, state: DeliveryState, rules: PieceRules) -> Answer | None:
    """The answer to an item that nobody scanned by hand."""
    code = main_code(state, seen.codes)
    if code is None:
        if not rules.by_label:
            return None
        return answer_to_item(state, seen.scan(), rejected=seen.rejected)
    scan = seen.scan(code)
    named = [named_lines(state, one) for one in seen.codes]
    lines = [line for line in named_lines(state, code) if all(line in n for n in named if n)]
    if any(named) and not lines:
        return put_aside(scan, asides.SEVERAL_CODES)
    if seen.rejected is not None and any(_could_be_seen(line, seen) for line in lines):
        return put_aside(scan, asides.REJECTED_SCAN_CODE.format(reject=seen.rejected))
    found = _decided(answer(state, scan))
    if seen.item.reject == RejectReason.CONTRADICTED and found.reply is not Reply.STOP:
        # What was announced changed since it went where contradicted items go.
        return put_aside(scan, asides.REJECTED_SCAN.format(reject=seen.item.reject))
    return found


def _could_be_seen(line: Line, seen: SeenItem) -> bool:
    """Whether the model knows what the line is, so that it should have accepted the picture."""
    return line.label is not None and line.label in (seen.item.scores or {line.label})


def _decided(found: Answer) -> Answer:
    """An answer that needs no person: if several lines have the code, the piece is put aside."""
    if found.reply is not Reply.SEVERAL:
        return found
    numbers = ", ".join(str(line.number) for line in found.lines)
    return put_aside(found.scan, asides.SEVERAL_LINES.format(lines=numbers))


def _partner(
    cause: Cause, history: Sequence[DeliveryEvent], recent: Mapping[str, Cause], rules: PieceRules
) -> tuple[Cause, DeliveryEvent | None] | None:
    """The other item or scan of the same piece, with the event that was written for it."""
    near = [
        other
        for other in sorted(recent.values(), key=lambda one: one.id)
        if type(other) is not type(cause)
        and _seconds_apart(other, cause) <= rules.pair_seconds
        and _may_be_one(cause, other)
    ]
    if not near or not rules.pair_seconds:
        return None
    gone = undone_ids(history)
    answers = {known: event for event in history if (known := cause_of(event)) is not None}
    used = _counted_items(history)
    for other in near:
        event = answers.get(other.id)
        if event is not None:
            if event.id not in gone and not _has_both(event):
                return other, event
        elif isinstance(other, SeenItem) and not rules.by_label and other.id not in used:
            return other, None  # it is seen, and did not count by that
    return None


def _counted_items(history: Sequence[DeliveryEvent]) -> set[str | None]:
    """The ids of the items that the events of a delivery name."""
    return {getattr(event, "item_id", None) for event in history}


def _has_both(event: DeliveryEvent) -> bool:
    """Whether a piece with that event was both seen and scanned by hand, or decided on."""
    both = getattr(event, "item_id", None) and getattr(event, "scan_id", None)
    return bool(both or getattr(event, "replaces", None))


def _may_be_one(one: Cause, other: Cause) -> bool:
    """Whether an item and a scan by hand may be of one piece, by their codes."""
    seen, hand = (one, other) if isinstance(one, SeenItem) else (other, one)
    assert isinstance(seen, SeenItem)
    assert isinstance(hand, HandScan)
    if hand.code.sscc is not None:  # that of a container is of no piece
        return False
    return not seen.codes or any(is_same_code(code, hand.code) for code in seen.codes)


def waiting_for(code: Code, state: DeliveryState) -> PictureDisagreed | PutAside | None:
    """The oldest item with that code that the station stopped, or else that it put aside until its
    code is scanned by hand; None if there is no such item."""
    found: tuple[PictureDisagreed | PutAside, ...] = (*state.disagreements, *state.asides)
    for one in found:
        if one.item_id and one.code and is_same_code(read_code(one.code), code):
            return one
    return None


def replacing(scan: Scan, before: DeliveryEvent) -> Scan:
    """A scan of a piece that has an event already. Where that says that the picture says otherwise,
    it does so still."""
    if isinstance(before, PictureDisagreed) and scan.seen is None:
        scan = replace(scan, seen=before.seen)
    return replace(scan, replaces=before.id)


def _seconds_apart(one: Cause, other: Cause) -> float:
    """By the times of the two. Not by their ids: those do not go back when the clock is set back,
    and the times that all later ids tell are one and the same then."""
    between = datetime.fromisoformat(one.time) - datetime.fromisoformat(other.time)
    return abs(between.total_seconds())


def _says(code: Code) -> int:
    """How many values a code has."""
    values = (code.gtin, code.sscc, code.serial, code.lot, code.expiry)
    return sum(value is not None for value in values)
