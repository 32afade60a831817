"""The newest frame that the sorting thread looked at, for other threads to show."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edge.flow import Frame, FrameSeen, Observation


class SeenFrames:
    """Holds the newest frame while somebody wants it; otherwise it holds none, and costs nothing.

    The thread that puts frames in takes no lock.
    """

    def __init__(self) -> None:
        """Nobody wants any yet."""
        self._alone = threading.Lock()
        self._wanting = 0
        self._newest: FrameSeen | None = None

    def put(self, frame: Frame, observations: tuple[Observation, ...]) -> None:
        """A frame was looked at.

        Args:
            frame: the whole picture of the camera.
            observations: what the trigger found in view, in the region's pixels.
        """
        if self._wanting:
            self._newest = FrameSeen(frame, observations)

    def newest(self) -> FrameSeen | None:
        """The newest one; None: there was none since somebody wants it."""
        return self._newest

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """A context in which the newest frame is held. Any thread may be in one."""
        with self._alone:
            self._wanting += 1
        try:
            yield
        finally:
            with self._alone:
                self._wanting -= 1
                if not self._wanting:
                    self._newest = None
