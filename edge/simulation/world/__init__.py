"""The worlds that a simulated station looks at, and acts on: a belt, and a bin.

A world gives the station's camera its pictures, and knows what really is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TrueItem:
    """An item as it really is; times are in seconds on the clock of the run."""

    number: int
    """From 1, in the order of appearance."""
    label: str
    source: str
    """The photograph's path, or the seed from which the item was drawn."""
    entered: float
    """When its first pixel comes into view."""
    passes: float | None
    """When its middle passes the middle of the station's region; None if it does not travel."""
    ride: Callable[[float], float] | None = None
    """When it is so far from there as it usually comes in the given number of seconds; None: when
    that number of seconds has passed."""

    def arrives(self, seconds: float) -> float:
        """When it comes by at a place that is usually `seconds` from where it passes."""
        assert self.passes is not None
        return self.passes + seconds if self.ride is None else self.ride(seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture of the world."""

    captured: float
    """In seconds on the clock of the run; may be in the future."""
    draw: Callable[[], Image]
    """Returns the picture, uint8 (height, width, 3) BGR; to be called once, at that time."""


class Shots(Protocol):
    """The pictures of a world, in the order of their times."""

    def take(self) -> Shot | None:
        """The next picture; None after the last item, or when closed."""
        ...

    def close(self) -> None:
        """Ends whatever draws them; may be called twice."""
        ...


class World(Protocol):
    """What a simulated station looks at."""

    kind: ClassVar[str]

    @property
    def count(self) -> int:
        """How many items there will be."""
        ...

    @property
    def metres_per_second(self) -> float | None:
        """How fast its items travel; None if they do not, or if that is not known."""
        ...

    @property
    def rate(self) -> float:
        """Items a second, if nothing holds them up."""
        ...

    @property
    def items_from(self) -> str:
        """Where its items are from: `drawn`, `photographed` or `recorded`."""
        ...

    def appeared(self) -> Iterable[TrueItem]:
        """The items that have come into view since this was called last."""
        ...

    def item_at(self, moment: float, box: Box | None) -> int | None:
        """The number of the item at a place, at a time of the last few seconds.

        Args:
            box: in pixels of the whole picture; None: anywhere in the region.

        Returns:
            The item that covers most of `box`, or is close beside it; None if none is.
        """
        ...

    @property
    def longest_stay(self) -> float:
        """The most seconds for which an item that does not travel is in view; else 0."""
        ...

    def lane_moved(self, lane: str, at: float) -> None:
        """The actuator of a lane begins to divert items at this time; for the lanes' thread."""
        ...

    def judged(self, number: int | None, at: float) -> None:
        """The station has a verdict for an item at this time; for the sorting thread."""
        ...

    def close(self) -> None:
        """Removes what it wrote; may be called twice."""
        ...


class DrawnWorld(World, Protocol):
    """A world of which there are pictures."""

    def open(self, clock: Clock) -> Shots:
        """Begins to draw; the first picture is of the time `clock.now()` or later."""
        ...

    def announced(self) -> Iterable[TrueItem]:
        """The same items as `appeared` gives, for another reader."""
        ...
