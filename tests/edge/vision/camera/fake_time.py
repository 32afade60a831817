"""A clock for cameras that goes on only by waiting."""

from __future__ import annotations

from collections.abc import Callable


class FakeTime:
    """Gives `clock` and `pause` of `CameraSettings.open`.

    Attributes:
        now: seconds.
        stopped: what the end of a pause tells.
        pauses: how long each pause was, in seconds.
        at_pause: what happens in the first, second ... pause that is longer than nothing.
    """

    def __init__(self) -> None:
        self.now = 100.0
        self.stopped = False
        self.pauses: list[float] = []
        self.at_pause: dict[int, Callable[[], None]] = {}

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        self.pauses.append(seconds)
        if seconds:
            self.at_pause.get(sum(pause > 0 for pause in self.pauses), lambda: None)()
        return self.stopped
