"""The place between camera and sorting, which holds one frame: the newest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

from edge.flow import Frame, PictureFaultKind, UnreadableFrame
from edge.runtime import heartbeat
from edge.runtime.clock import SYSTEM_CLOCK, Clock, wait_for


class LatestFrame:
    """Hands frames from the camera's thread to the sorting thread.

    Attributes:
        dropped: frames that nobody looked at: a newer one replaced them here, or already in the
            camera, as the gaps between the sequence numbers tell.
        faults: frames of a live camera whose picture could not be decoded or is not to be
            believed, by the reason. They are passed over, unless the fault lasts.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """No frame is there."""
        self._clock, self._changed = clock, clock.condition()
        self._frame: Frame | UnreadableFrame | None = None
        self._ended = False
        self._sequence: int | None = None
        self.dropped = 0
        self.faults: Counter[PictureFaultKind] = Counter()

    def put(self, frame: Frame | UnreadableFrame) -> None:
        """Leaves `frame` to be taken, in place of one that still lies there.

        A live camera's damaged frame is counted, and replaces none; so is one whose picture has a
        fault, until that lasts.
        """
        with self._changed:
            if self._sequence is not None:
                self.dropped += max(0, frame.sequence - self._sequence - 1)
            self._sequence = frame.sequence
            if isinstance(frame, UnreadableFrame):
                if not frame.source:
                    self.faults[PictureFaultKind.DAMAGED] += 1
                    return
            elif frame.fault is not None:
                self.faults[frame.fault.kind] += 1
                if not frame.fault.lasting:
                    return
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def wait_until_taken(self, beat: Callable[[], None] = lambda: None) -> bool:
        """Waits until no frame lies here; False: it was closed, nothing is taken any more.

        Args:
            beat: called every BEAT_SECONDS meanwhile.
        """
        with self._changed:
            while not self._wait_for(
                lambda: self._frame is None or self._ended, heartbeat.BEAT_SECONDS
            ):
                beat()
            return not self._ended

    def finish(self) -> None:
        """No more frames will be put; one that lies there can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Ends both sides at once; a frame that lies there is gone."""
        with self._changed:
            self._ended, self._frame = True, None
            self._changed.notify_all()

    def frames(
        self, patience: Callable[[], float] = lambda: math.inf
    ) -> Iterator[Frame | UnreadableFrame | None]:
        """Each frame as it is taken; ends when no more will come.

        Args:
            patience: seconds to wait for the next one before a None is given instead, so that
                whoever sorts can look at the clock.
        """
        while True:
            with self._changed:
                self._wait_for(lambda: self._frame is not None or self._ended, patience())
                frame, self._frame = self._frame, None
                ended = self._ended
                self._changed.notify_all()
            if frame is None and ended:
                return
            yield frame

    def _wait_for(self, there: Callable[[], bool], seconds: float) -> bool:
        return wait_for(self._clock, self._changed, there, self._clock.now() + seconds)
