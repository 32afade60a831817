"""What the events of one delivery come to: a pure fold.

The figures depend on which events there are and which of them were undone, and on no order of
those that count: a correction changes a figure by the difference that it made when it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

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
    """How far a delivery has come."""

    EXPECTED = "expected"
    COUNTING = "counting"
    CHECKED = "checked"
    """All is counted, differs from what was announced, and a person was told so."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    """Nobody counted it, and it is expected no more."""


COUNTABLE = (Phase.COUNTING, Phase.CHECKED)


@dataclass(frozen=True, slots=True)
class Count:
    """What is there of one line."""

    counted: int = 0
    """Pieces, the damaged ones too."""
    damaged: int = 0
    seen: int = 0
    """Of `counted`, those that the station saw."""
    serials: frozenset[str] = frozenset()
    """Those that were ticked off."""
    lots: Mapping[tuple[str | None, str | None], int] = field(default_factory=dict)
    """Pieces by the lot and the expiry that their codes had; only those whose codes had one."""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """What the events of one delivery come to."""

    expected: Expected
    phase: Phase = Phase.EXPECTED
    counts: Mapping[int, Count] = field(default_factory=dict)
    """By the number of the line; a line of which nothing is there may be missing."""
    asides: tuple[PutAside, ...] = ()
    disagreements: tuple[PictureDisagreed, ...] = ()
    damages: tuple[MarkedDamaged, ...] = ()
    arrived: tuple[str, ...] = ()
    """The containers whose codes were scanned, the latest last."""
    container: str | None = None
    """The one that pieces are taken out of now."""
    outcome: Outcome | None = None
    source: str = ""
    back_order_of: str | None = None
    back_order: str | None = None
    reopens: str | None = None
    reopened_as: str | None = None
    opened: str | None = None
    """When counting began first, and by whom: as `Event.time`."""
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
        """What is there of the line with that number."""
        return self.counts.get(line, Count())

    def difference(self, line: Line) -> int:
        """Pieces too many, or, as a negative number, missing."""
        return self.count(line.number).counted - line.expected

    @property
    def differs(self) -> bool:
        """Whether anything is otherwise than announced: a count, a serial, damage, things aside."""
        return bool(self.asides or self.disagreements) or any(
            self.difference(line)
            or self.count(line.number).damaged
            or set(line.serials) - self.count(line.number).serials
            for line in self.lines
        )

    @property
    def reckoned(self) -> Outcome:
        """What it would be closed as: short where any line is, over where only some line is."""
        found = [self.difference(line) for line in self.lines]
        return "short" if min(found) < 0 else "over" if max(found) > 0 else "complete"

    @property
    def impossible(self) -> str | None:
        """Why these figures cannot be true, in a sentence; None: they can."""
        for line in self.lines:
            count = self.count(line.number)
            if count.counted < 0:
                return f"{line.sku} would have {count.counted} pieces"
            if not 0 <= count.damaged <= count.counted:
                return f"{line.sku} would have {count.damaged} damaged of {count.counted} pieces"
        return None


def undone_ids(events: Sequence[DeliveryEvent]) -> Set[str]:
    """The ids of those that count no more. An undo that was undone has no effect."""
    gone: set[str] = set()
    for event in reversed(events):  # an undo comes after what it undoes
        if isinstance(event, CountUndone) and event.id not in gone:
            gone.add(event.undone)
    return gone


def fold(events: Sequence[DeliveryEvent]) -> DeliveryState | None:
    """What `events` come to, which are all of one delivery and in the order they were written in.

    Returns:
        None where the first of them is no announcement: there is no such delivery.
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
    """`state` after something was counted: what was checked has to be checked again."""
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
