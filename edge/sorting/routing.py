"""From a verdict to a lane and a moment. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge.core.verdict import RejectReason, Verdict
from edge.flow import Missed


@dataclass(frozen=True, slots=True)
class Destination:
    """A lane, as the decision sees it."""

    lane: str
    moves: bool
    """It has an actuator; items fall through into one that has none."""
    delay_seconds: float | None = None
    """From the passing of an item to the moment its actuator must move; None: at once."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an item goes, and when."""

    verdict: Verdict
    """The decision's, or a reject where it came too late."""
    lane: str
    at: float | None
    """When the lane's actuator is to move, on the clock of the captures; None: it stays at rest."""
    missed: Missed | None = None
    """Why the lane's actuator, where it has one, is not to move."""


def route(
    verdict: Verdict,
    *,
    destinations: Mapping[str, Destination],
    default: Destination,
    passed: float,
    now: float,
    deadline: float | None = None,
) -> Routing:
    """Where an item goes: the lane of its label, or the default lane when rejected or too late.

    Args:
        destinations: the lane of every label.
        default: the lane of rejects.
        passed: when the item passed the middle of the region, in seconds; may lie ahead.
        now: when the verdict was there, on the same clock.
        deadline: by when the verdict was to be there, on the same clock; None: whenever.
    """
    late = deadline is not None and now > deadline
    if verdict.accepted:
        target = destinations[verdict.label]
        if not late and not _is_over(target, passed, now):
            return Routing(verdict, target.lane, _moment(target, passed, now))
        verdict = replace(verdict, reject=RejectReason.LATE)
    # A reject must not move the default lane's actuator in front of the next item either.
    over = _is_over(default, passed, now) or (late and default.delay_seconds is None)
    if default.moves and over:
        return Routing(verdict, default.lane, None, missed=Missed.LATE)
    return Routing(verdict, default.lane, _moment(default, passed, now))


def _is_over(lane: Destination, passed: float, now: float) -> bool:
    delay = lane.delay_seconds
    return lane.moves and delay is not None and now > passed + delay


def _moment(lane: Destination, passed: float, now: float) -> float | None:
    if not lane.moves:
        return None
    return now if lane.delay_seconds is None else passed + lane.delay_seconds
