"""A camera that shows pictures of the memory, one after the other, as often as a real one would."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from edge.benchmark.drawn_belt import FRAMES_PER_SECOND
from edge.core.images.image_file import Image
from edge.flow import Frame
from edge.vision.camera import FROZEN_SECONDS, Camera
from edge.vision.camera.picture_checks import PictureChecker


class DrawnCameraSettings:
    """Stands in for the section `camera` of a station file."""

    kind, oldest = "drawn", math.inf
    size = device_name = watched_name = locked = seconds_per_frame = seconds_per_item = None

    def __init__(
        self, images: Sequence[Image], *, frames_per_second: float = FRAMES_PER_SECOND
    ) -> None:
        """Opens nothing yet.

        Args:
            images: uint8 (height, width, 3) BGR, all of one size; they are shown again and again.
                With one alone, a station takes its camera for frozen.
            frames_per_second: of the camera.
        """
        self._images, self._rate = images, frames_per_second

    def open(
        self, *, clock: Callable[[], float], pause: Callable[[float], bool], **_: Any
    ) -> Camera:
        """Opens the camera; see `CameraSettings.open`."""
        return _DrawnCamera(self._images, 1 / self._rate, clock, pause)


class _DrawnCamera:
    """A live camera, whose pictures are judged as those of any camera."""

    live = True

    def __init__(
        self,
        images: Sequence[Image],
        step: float,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
    ) -> None:
        self._images, self._step, self._clock, self._pause = images, step, clock, pause
        self._judge = PictureChecker(frozen_seconds=FROZEN_SECONDS)
        self._sequence, self._due = 0, clock()

    def read(self) -> Frame | None:
        """The next frame when its time has come; None when stopped."""
        now = self._clock()
        if self._due > now and self._pause(self._due - now):
            return None
        captured = self._clock()
        self._due = max(self._due, now) + self._step
        self._sequence += 1
        image = self._images[self._sequence % len(self._images)]
        return Frame(image, captured, self._sequence, fault=self._judge.look(image, captured))

    def close(self) -> None:
        """Has nothing to free."""
