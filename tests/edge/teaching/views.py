"""What a camera sees, on a virtual clock, for tests of what is shown and taught."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from edge.core.images.preprocess import Box
from edge.flow import Frame, FrameSeen, Observation, PictureFault
from edge.runtime.clock import Flag
from edge.simulation.virtual_clock import VirtualClock
from edge.vision.region import Region
from edge.vision.seen_frames import SeenFrames

REGION = Region(left=40, top=20, width=64, height=48)


class View(SeenFrames):
    """The newest frame of a station, which a test sets.

    Attributes:
        seen: what the station looked at last.
        asked: how often somebody asked for it.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock, self.asked = clock, 0
        self.seen: FrameSeen | None = None

    def newest(self) -> FrameSeen | None:
        self.asked += 1
        return self.seen

    def show(
        self, *boxes: Box | None, size: tuple[int, int] = (160, 120), whole: bool = True,
        fault: PictureFault | None = None,
    ) -> None:  # fmt: skip
        """A new frame, in which boxes are in view."""
        image = np.full((size[1], size[0], 3), 90, np.uint8)
        image[30:60, 50:90] = (20, 60, 200)
        number = 1 if self.seen is None else self.seen.frame.sequence + 1
        found = tuple(Observation(item, box, whole) for item, box in enumerate(boxes, start=1))
        self.seen = FrameSeen(Frame(image, self.clock.now(), number, fault=fault), found)


@contextmanager
def virtual() -> Iterator[VirtualClock]:
    """A clock that stands still until `passes`."""
    clock = VirtualClock()
    clock.enter()
    try:
        yield clock
    finally:
        clock.leave()


def passes(clock: VirtualClock, seconds: float) -> None:
    """Lets so much time pass, and all threads do what they do in it."""
    Flag(clock).wait(clock.now() + seconds)
