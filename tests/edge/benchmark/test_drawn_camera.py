"""A drawn camera gives its pictures in turns, each when its time has come."""

from __future__ import annotations

import numpy as np

from edge.benchmark.drawn_camera import DrawnCameraSettings
from edge.vision.camera import CameraSettings


def test_pictures_come_in_turns_as_often_as_was_said_until_it_is_stopped() -> None:
    now = [10.0]

    def pause(seconds: float) -> bool:
        now[0] += seconds
        return now[0] > 10.5

    images = [np.full((4, 4, 3), level, np.uint8) for level in (50, 60)]
    settings = DrawnCameraSettings(images, frames_per_second=4)
    camera = settings.open(clock=lambda: now[0], pause=pause)
    frames = [camera.read() for _ in range(4)]
    camera.close()
    shown = [frame and (frame.captured, int(frame.image[0, 0, 0])) for frame in frames]
    assert shown == [(10.0, 60), (10.25, 50), (10.5, 60), None]


def test_it_has_all_that_a_section_camera_tells() -> None:
    told = [name for name, value in vars(CameraSettings).items() if isinstance(value, property)]
    assert "watched_name" in told
    settings = DrawnCameraSettings([np.zeros((4, 4, 3), np.uint8)])
    assert [name for name in told if not hasattr(settings, name)] == []
