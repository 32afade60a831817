"""What becomes of a station's camera, as incidents: from its frames, its losses and its silence."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from edge.config.station import StationConfig
from edge.flow import CameraChange, Frame, PictureFault, UnreadableFrame
from edge.ledger.journal import Journal
from edge.runtime.clock import Clock
from edge.state.incidents.camera import CameraDamage, CameraExposure, CameraFaults, CameraScene
from edge.state.incidents.notice import Notice
from edge.state.incidents.register import IncidentRegister
from edge.state.incidents.silence import CameraSilence, slowest

_log = logging.getLogger(__name__)


class CameraWatch:
    """Notices what is the matter with a camera.

    The camera's thread calls `changed` and `frame`, the sorting thread `look` and asks `next_at`.
    """

    def __init__(
        self, config: StationConfig, *, journal: Journal, register: IncidentRegister, clock: Clock
    ) -> None:
        """Nothing is the matter.

        Args:
            config: the station file.
            journal: takes that the camera is lost, and is back.
            register: takes the incidents.
        """
        self._journal, self._register, self._clock = journal, register, clock
        self._faults, self._damage = CameraFaults(), CameraDamage()
        self._scene = CameraScene(config.reference, patience=config.trigger.fills_picture_seconds)
        camera = config.camera
        self._exposure = CameraExposure(camera.locked)
        self._lock = threading.Lock()
        self._silence: CameraSilence | None = None
        if camera.watched_name is not None:
            interval = slowest(camera.seconds_per_frame, camera.locked)
            self._silence = CameraSilence(camera.watched_name, interval)

    def changed(self, change: CameraChange) -> None:
        """The camera is lost, or is back, as it tells itself."""
        with self._lock:
            if self._silence is None:
                self._tell(change)
            elif (told := self._silence.changed(change, self._clock.now())) is not None:
                self._tell(told)

    def frame(self, frame: Frame | UnreadableFrame) -> PictureFault | None:
        """The camera gave a frame; what is wrong with the scene that it shows, or None."""
        if self._silence is not None:
            with self._lock:
                if (back := self._silence.frame(self._clock.now())) is not None:
                    _log.info(f"camera     {back.camera} is back after {back.lost_seconds:.1f} s")
                    self._tell(back)
        self._take_all(self._damage.see(frame))
        if isinstance(frame, UnreadableFrame):
            return None
        self._take_all(self._faults.see(frame))
        self._take_all(self._scene.see(frame))
        self._take_all(self._exposure.see(frame))
        return self._scene.fault

    @property
    def next_at(self) -> float | None:
        """When `look` is to be called at the latest, in seconds on the station's clock; None: it
        need not be."""
        if self._silence is None:
            return None
        with self._lock:
            return self._silence.next_at(self._clock.now())

    def look(self) -> None:
        """Notices that no frame comes."""
        if self._silence is None:
            return
        with self._lock:
            if (lost := self._silence.look(self._clock.now())) is not None:
                _log.warning(
                    f"camera     {lost.camera} has given no picture for "
                    f"{self._silence.seconds:.1f} s"
                )
                self._tell(lost)

    def _tell(self, change: CameraChange) -> None:
        now = at = self._clock.now()
        lost = change.lost_seconds is None
        if lost:
            self._take_all(self._faults.lost(now))
            if self._silence is not None:
                at = self._silence.since  # nothing was counted after the last picture
        event = self._journal.camera_changed(change, ago=now - at)
        self._register.told(Notice("camera_lost", lost, at), event.id)

    def _take_all(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self._register.take(notice)
