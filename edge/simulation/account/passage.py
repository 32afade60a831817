"""Where an item falls on a belt: into the first lane whose actuator is out when it comes by. Pure.

The station says where it sends an item. Where the item goes is another question, which this answers
from the times at which the actuators were out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Interval = tuple[float, float]
"""(from, to) in seconds on the clock of the run."""


@dataclass(frozen=True, slots=True)
class Flap:
    """The flap of a lane, at its place along the belt."""

    lane: str
    seconds: float
    """How long an item rides from the place at which it passes to this flap, at the usual speed."""
    out: Sequence[Interval]
    """When it stood out."""
    after_seconds: float = 0.0
    """How long after the item has come to that place it must stand out."""


def lane_of(arrives: Callable[[float], float], flaps: Sequence[Flap], *, end: str) -> str:
    """The lane that an item falls into.

    Args:
        arrives: when the item is at a place that is so many seconds from where it passes.
        flaps: in the order in which items come to them.
        end: the lane at the end of the belt, for what no flap takes.
    """
    for flap in flaps:
        there = arrives(flap.seconds) + flap.after_seconds
        if any(start <= there < stop for start, stop in flap.out):
            return flap.lane
    return end
