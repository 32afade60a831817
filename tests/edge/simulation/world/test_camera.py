"""The camera of a simulated station: pictures at their times, and an end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.flow import Frame
from edge.simulation.faults.table import Faults
from edge.simulation.world import Shot
from edge.simulation.world.camera import SimulatedCamera


class Pictures:
    """Pictures of noise at given times."""

    def __init__(self, times: Sequence[float]) -> None:
        self.left, self.closed = list(times), 0

    def take(self) -> Shot | None:
        if not self.left:
            return None
        captured = self.left.pop(0)
        image = np.random.default_rng(len(self.left)).integers(0, 255, (48, 64, 3), np.uint8)
        return Shot(captured, lambda: image)

    def close(self) -> None:
        self.closed += 1


class Time:
    """A clock that a pause moves on, and that stops a camera at some time."""

    def __init__(self, stops: float = float("inf")) -> None:
        self.now, self.stops = 0.0, stops

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.stops


def seen(pictures: Pictures, time: Time) -> list[tuple[float, float]]:
    """(the time, the capture) of every frame that the camera gives."""
    camera = SimulatedCamera(
        pictures,
        Faults(seed=0),
        clock=lambda: time.now,
        pause=time.pause,
        tell=lambda level, text: None,
    )
    frames = []
    while isinstance(frame := camera.read(), Frame):
        frames.append((time.now, frame.captured))
    assert frame is None
    camera.close()
    return frames


def test_a_picture_comes_when_its_time_has_come() -> None:
    pictures = Pictures([0.5, 1.0, 7.0])
    assert seen(pictures, Time()) == [(0.5, 0.5), (1.0, 1.0), (7.0, 7.0)]
    assert pictures.closed


def test_a_station_that_stops_gets_no_more_pictures() -> None:
    assert seen(Pictures([0.5, 1.0, 7.0]), Time(stops=0.9)) == [(0.5, 0.5)]
