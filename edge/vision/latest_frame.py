"""The slot between the camera's thread and the sorting thread, which holds the latest frame."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from edge.flow import Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.runtime import heartbeat
from edge.runtime.clock import SYSTEM_CLOCK, Clock, wait_for

LASTING_SECONDS = 0.5
"""For so long all frames must be too old before the items in view are rejected. After a moment in
which a busy machine did not look, one or two frames may be."""
_APART_SECONDS = 5.0
"""Late frames that are further apart than this have nothing to do with each other: the camera was
lost meanwhile. None is waited for so long."""


class LatestFrame:
    """Hands frames from the camera's thread to the sorting thread.

    Attributes:
        dropped: the number of frames that were not taken, because a newer one replaced them here
            or already in the camera, as gaps between the sequence numbers show.
        faults: the number of frames of a live camera whose picture could not be decoded or has a
            fault, by the kind of fault. They are skipped, unless the fault lasts.
        captured: when the newest frame that was put was captured, whatever became of it, in seconds
            on the clock; None: there was none.
        oldest: as it was given.
        late_since: since when all frames have been too old when they were taken, by the clock, if
            that has lasted; else None.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, *, oldest: float = math.inf) -> None:
        """The slot is empty at first.

        Args:
            clock: that of the frames' capture times.
            oldest: a live frame that is older than so many seconds when it is taken is left out.
        """
        self._clock, self._changed = clock, clock.condition()
        self.oldest = oldest
        self._late_since: float | None = None
        self._late_last = -math.inf
        self.late_since: float | None = None
        self._frame: Frame | UnreadableFrame | None = None
        self._ended = self._woken = False
        self._sequence: int | None = None
        self.dropped = 0
        self.faults: Counter[PictureFaultKind] = Counter()
        self.captured: float | None = None

    def put(self, frame: Frame | UnreadableFrame) -> None:
        """Puts `frame` into the slot, in place of one that has not been taken.

        A damaged frame of a live camera is only counted. So is a frame whose picture has a fault,
        until the fault lasts.
        """
        self.captured = frame.captured
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
        """Waits until the slot is empty; False if it was closed and no frame will be taken.

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
        """Reports that no more frames will be put; one in the slot can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Ends both sides at once; a frame in the slot is dropped."""
        with self._changed:
            self._ended, self._frame = True, None
            self._changed.notify_all()

    def wake(self) -> None:
        """Lets `frames` give None at once, as after its patience, or `wait_until_woken` return."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait_until_woken(self, seconds: float) -> None:
        """Waits for `wake`, for so many seconds at most."""
        with self._changed:
            self._wait_for(lambda: self._woken, seconds)
            self._woken = False

    def frames(
        self, patience: Callable[[], float] = lambda: math.inf
    ) -> Iterator[Frame | UnreadableFrame | None]:
        """Takes the frames one after the other; ends when no more will come.

        Args:
            patience: returns the seconds to wait for the next frame before None is given instead,
                so that the caller can look at the clock.
        """
        while True:
            with self._changed:
                self._wait_for(
                    lambda: self._frame is not None or self._ended or self._woken, patience()
                )
                frame, self._frame, self._woken = self._frame, None, False
                frame = self._in_time(frame)
                ended = self._ended
                self._changed.notify_all()
            if frame is None and ended:
                return
            yield frame

    def _in_time(self, frame: Frame | UnreadableFrame | None) -> Frame | UnreadableFrame | None:
        """The frame; None if it is too old. Once that lasts, it has a fault instead."""
        if not isinstance(frame, Frame) or frame.source:
            return frame
        now = self._clock.now()
        if now - frame.captured <= self.oldest:
            self._late_since = self.late_since = None
            return frame
        if now - self._late_last > _APART_SECONDS:
            self._late_since = self.late_since = None
        self._late_last = now
        if self._late_since is None:
            self._late_since = now
        if frame.fault is not None:
            return frame
        self.faults[PictureFaultKind.LATE] += 1
        if now - self._late_since < LASTING_SECONDS:
            return None
        self.late_since = self._late_since
        return replace(frame, fault=PictureFault(PictureFaultKind.LATE, lasting=True))

    def _wait_for(self, there: Callable[[], bool], seconds: float) -> bool:
        return wait_for(self._clock, self._changed, there, self._clock.now() + seconds)
