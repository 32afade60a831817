"""From a verdict to a lane and a moment. Pure: no clock of its own, no input or output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.verdict import RejectReason, Verdict
from edge.flow import Missed

if TYPE_CHECKING:
    from edge.lanes.belt_travel import BeltTravel


@dataclass(frozen=True, slots=True)
class Destination:
    """The properties of a lane that routing needs."""

    lane: str
    moves: bool
    """Whether the lane has an actuator; items fall through into a lane without one."""
    delay_seconds: float | None = None
    """The seconds from the passing of an item to the moment at which its actuator must move; None
    if it moves at once."""
    distance_metres: float | None = None
    """How far its actuator is from the middle of the region; None: that is not said."""
    metres: float | None = None
    """Where the belt must be for an item, by its encoder; None: the time counts."""

    def on_belt(self, travel: BeltTravel, *, passed: float, now: float) -> Destination:
        """The destination for one item, as the belt goes at the moment.

        Args:
            travel: the way of the belt.
            passed, now: as of `route`.
        """
        if self.distance_metres is None:
            return self
        metres = travel.metres(passed, now) + self.distance_metres
        delay = now + travel.seconds_until(metres, now) - passed
        return replace(self, delay_seconds=delay, metres=metres)


@dataclass(frozen=True, slots=True)
class Routing:
    """The lane of an item, and the time at which its actuator moves."""

    verdict: Verdict
    """The item's verdict, changed into a reject if it came too late."""
    lane: str
    at: float | None
    """When the lane's actuator is to move, on the clock of the captures; None if it stays at rest.
    """
    metres: float | None = None
    """Where the belt must be for that; `at` is an estimate then. None: the time counts."""
    missed: Missed | None = None
    """Why the lane's actuator is not to move although it should; None if it is not missed."""


def route(
    verdict: Verdict,
    *,
    destinations: Mapping[str, Destination],
    default: Destination,
    passed: float,
    now: float,
    deadline: float | None = None,
) -> Routing:
    """Routes an item to the lane of its label, or to the default lane if rejected or too late.

    Args:
        verdict: the item's verdict.
        destinations: the lane of every label.
        default: the lane of rejects.
        passed: when the item passes the middle of the region, in seconds; may be in the future.
        now: the time of the verdict, on the same clock.
        deadline: the latest time for the verdict, on the same clock; None if there is none.
    """
    late = deadline is not None and now > deadline
    if verdict.accepted:
        target = destinations[verdict.label]
        if not late and not _is_over(target, passed, now):
            return Routing(verdict, target.lane, _moment(target, passed, now), target.metres)
        verdict = replace(verdict, reject=RejectReason.LATE)
    # A reject must not move the default lane's actuator in front of the next item either.
    over = _is_over(default, passed, now) or (late and default.delay_seconds is None)
    if default.moves and over:
        return Routing(verdict, default.lane, None, missed=Missed.LATE)
    return Routing(verdict, default.lane, _moment(default, passed, now), default.metres)


def _is_over(lane: Destination, passed: float, now: float) -> bool:
    delay = lane.delay_seconds
    return lane.moves and delay is not None and now > passed + delay


def _moment(lane: Destination, passed: float, now: float) -> float | None:
    if not lane.moves:
        return None
    return now if lane.delay_seconds is None else passed + lane.delay_seconds
