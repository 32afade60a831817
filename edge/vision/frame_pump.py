"""The camera's thread: it reads the camera, and passes the latest frame to the sorting thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from edge.flow import Frame, PictureFault, UnreadableFrame
from edge.runtime import heartbeat
from edge.runtime.clock import Clock, Flag
from edge.runtime.heartbeat import Heartbeat
from edge.vision.camera import Camera
from edge.vision.latest_frame import LatestFrame

_log = logging.getLogger(__name__)


class FramePump:
    """Moves frames from a camera to `latest`, until the camera has no more or `stop` is called.

    Attributes:
        heartbeat: the heartbeat of `run`, also while the camera waits by `pause`.
    """

    def __init__(
        self,
        latest: LatestFrame,
        *,
        clock: Clock,
        look: Callable[[Frame | UnreadableFrame], PictureFault | None] = lambda frame: None,
    ) -> None:
        """Reads nothing yet.

        Args:
            look: called with each frame, damaged or not, before anybody can take it; returns a
                fault that the frame is to have besides its own, or None. Must not wait.
        """
        self._latest, self._clock, self._look = latest, clock, look
        self._stopping = Flag(clock)
        self.heartbeat = Heartbeat(clock.now)

    def run(self, camera: Camera) -> None:
        """Reads `camera`: the body of the camera's thread. The caller closes the camera.

        Raises:
            CameraError: the camera gives no more pictures.
        """
        try:
            with self.heartbeat.working():
                while not self._stopping.is_set():
                    if not camera.live and not self._latest.wait_until_taken(self.heartbeat.beat):
                        return
                    self.heartbeat.beat()
                    frame = camera.read()
                    if frame is None:
                        return
                    fault = self._look(frame)
                    if isinstance(frame, Frame):
                        if fault is not None:
                            frame = replace(frame, fault=fault)
                    elif frame.source:
                        _log.warning(f"unreadable: {frame.message}")
                    self._latest.put(frame)
        finally:
            self._latest.finish()

    def pause(self, seconds: float) -> bool:
        """Waits in the camera's thread; True if it was stopped. See `CameraSettings.open`."""
        until = self._clock.now() + seconds
        while True:
            self.heartbeat.beat()
            step = min(until, self._clock.now() + heartbeat.BEAT_SECONDS)
            if self._stopping.wait(step) or step == until:
                return self._stopping.is_set()

    def stop(self) -> None:
        """Lets `run` and the thread that takes frames end; may be called twice, by any thread."""
        self._stopping.set()
        self._latest.close()
