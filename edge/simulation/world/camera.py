"""The camera of a simulated station: a real one's code, over the pictures of a world."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from edge.core.errors import CameraError
from edge.flow import Exposure, Frame, UnreadableFrame
from edge.runtime.clock import Clock
from edge.simulation.faults.table import Faults
from edge.simulation.world import DrawnWorld, Shots
from edge.vision.camera import Camera
from edge.vision.camera.reopening import CapturedPicture, ReopeningCamera

_SILENT_SECONDS = 3.0
"""A camera that gives no picture for so long is lost, as those of kind usb and picamera are."""


class SimulatedCameraSettings:
    """Stands in for the section `camera` of a station file, and opens the world's camera.

    Attributes:
        locked: nothing: a world's light is what it is.
        oldest: no frame is too old, as a world takes as long for a picture as it does.
        watched_name: its name for the operator: it is one that should give pictures all the time.
        seconds_per_frame: its pictures tell it.
    """

    locked: Exposure | None = None
    oldest = math.inf
    watched_name = "the simulated camera"
    seconds_per_frame: float | None = None

    def __init__(self, world: DrawnWorld, clock: Clock, faults: Faults) -> None:
        """Opens nothing yet."""
        self._world, self._clock, self._faults = world, clock, faults
        self.kind = f"simulated {world.kind}"

    def open(
        self, *, clock: Callable[[], float], pause: Callable[[float], bool], **told: Any
    ) -> Camera:
        """Opens the camera; see `CameraSettings.open`."""
        return SimulatedCamera(
            self._world.open(self._clock), self._faults, clock=clock, pause=pause, **told
        )


class SimulatedCamera:
    """A live camera whose pictures come at their times by the clock, and end with the world's."""

    live = True

    def __init__(
        self,
        shots: Shots,
        faults: Faults,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        **told: Any,
    ) -> None:
        """Opens the camera.

        Args:
            faults: what becomes of its pictures.
            clock, pause, told: as of `CameraSettings.open`.
        """
        self._shots, self._faults, self._clock, self._pause = shots, faults, clock, pause
        self._camera = ReopeningCamera(
            self._device,
            name=SimulatedCameraSettings.watched_name,
            clock=clock,
            pause=pause,
            **told,
        )

    def read(self) -> Frame | UnreadableFrame | None:
        """The next frame, when its time has come; None after the last one, or when closed."""
        return self._camera.read()

    def close(self) -> None:
        """Ends the world's pictures; may be called twice."""
        self._camera.close()
        self._shots.close()

    def shoot(self) -> CapturedPicture | None:
        """The next picture, at its time; None after the last one, or if the camera is lost."""
        began = self._clock()
        while True:
            shot = self._shots.take()
            if shot is None or self._pause(max(0.0, shot.captured - self._clock())):
                self._camera.close()  # so that it is not taken for lost, and opened again
                return None
            if self._faults.camera_is_gone(self._clock()):
                return None
            if shot.captured < self._clock():
                continue  # it was taken while the camera was gone
            if not self._faults.camera_hangs(shot.captured):
                return self._faults.picture(CapturedPicture(shot.draw(), shot.captured))
            if shot.captured - began >= _SILENT_SECONDS:
                return None

    def _device(self) -> _Device:
        now = self._clock()
        if self._faults.camera_is_gone(now) or self._faults.camera_hangs(now):
            raise CameraError("the simulated camera gives no pictures, as was planned")
        return _Device(self)


class _Device:
    """The camera's device, as long as it is open."""

    title = "simulated"
    notes: Sequence[str] = ()

    def __init__(self, camera: SimulatedCamera) -> None:
        self._camera: SimulatedCamera | None = camera

    def shoot(self) -> CapturedPicture | None:
        if self._camera is None:
            raise CameraError("the simulated camera is closed")
        return self._camera.shoot()

    def close(self) -> None:
        self._camera = None
