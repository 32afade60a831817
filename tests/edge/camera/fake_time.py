"""A clock for cameras that goes on only by waiting."""

from __future__ import annotations


class FakeTime:
    """Gives `clock` and `pause` of `CameraSettings.open`.

    Attributes:
        now: seconds.
        stopped: what the end of a pause tells.
        pauses: how long each pause was, in seconds.
    """

    def __init__(self) -> None:
        self.now = 100.0
        self.stopped = False
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        self.pauses.append(seconds)
        return self.stopped
