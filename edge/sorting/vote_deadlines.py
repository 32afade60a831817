"""When the vote on an item ends even if it is not clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.lanes.belt_travel import BeltTravel


_SOON_SECONDS = 0.01
"""What is nearer is now: who waits for a belt that stands must not wake up all the time."""


@dataclass(frozen=True, slots=True)
class VoteDeadlines:
    """The times at which an item's vote is closed even if it is not clear."""

    deadline_seconds: float | None = None
    """The seconds after the item's first frame; None if there is no limit."""
    shortest_delay_seconds: float | None = None
    """The shortest delay of the lanes that move at a set time after an item's passing; None if
    there is no such lane."""
    margin_seconds: float = 0.0
    """The time that a verdict takes besides the inferences; a vote is closed earlier by it."""
    min_gap_seconds: float | None = None
    """Items that pass the middle closer together than this are rejected, and a vote is not closed
    sooner than so long after the item has passed, unless its time is up. None: they may follow each
    other as they like."""
    alone: bool = False
    """Whether items that are in view together are rejected, because one mover takes them all."""
    travel: BeltTravel | None = None
    """The way of the belt, where an encoder tells it; None: the time between two items counts."""
    shortest_metres: float | None = None
    """How far the belt goes from an item's passing to the nearest lane that `travel` moves."""

    def at(
        self, first: float, passed: float, *, inference_seconds: float, now: float
    ) -> float | None:
        """When the vote is closed, on the frames' clock; None if there is no limit.

        Where the way of the belt counts, it is the earliest moment from `now` on: later, on a belt
        that gets slower or stands.

        Args:
            first: when the item was first seen.
            passed: when the item passes the middle of the region.
            now: the time on the frames' clock.
            inference_seconds: the time of an inference of the item's model. Two of them may be
                needed between this moment and the verdict: one in progress, and that of the last
                frame.
        """
        ends, margin = [], self.margin_seconds + 2 * inference_seconds
        if self.deadline_seconds is not None:
            ends.append(first + self.deadline_seconds - margin)
        if self.shortest_delay_seconds is not None:
            ends.append(passed + self.shortest_delay_seconds - margin)
        if self.shortest_metres is not None and self.travel is not None:
            left = self.travel.least_seconds(passed, self.shortest_metres, now) - margin
            ends.append(now + left if left > _SOON_SECONDS else now)
        return min(ends, default=None)

    def are_close(self, one: float, other: float, *, now: float) -> bool:
        """Whether items that pass the middle at these two times are closer than they may be.

        Args:
            now: the time on the frames' clock.
        """
        if self.min_gap_seconds is None:
            return False
        way = self.travel
        apart = abs(one - other) if way is None else way.seconds_apart(one, other, now)
        return apart < self.min_gap_seconds
