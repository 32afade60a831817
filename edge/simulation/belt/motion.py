"""How far a belt has moved, and when it will have; its speed may change for a while. Pure."""

from __future__ import annotations

import math

from edge.simulation.belt.wire import SpeedChanges
from edge.simulation.windows import Windows


class BeltMotion:
    """The motion of a belt since it began: forwards, at one speed but for its changes.

    Attributes:
        pixels_per_second: its usual speed.
    """

    def __init__(self, pixels_per_second: float, changes: SpeedChanges | None = None) -> None:
        """Computes nothing yet.

        Args:
            pixels_per_second: the usual speed.
            changes: when the speed is another; None: never.
        """
        self.pixels_per_second = pixels_per_second
        if changes is not None and not changes.every:  # another speed all the time
            pixels_per_second, changes = pixels_per_second * changes.factor, None
        self._speed, self._changes = pixels_per_second, changes
        self._windows = None if changes is None else Windows(
            every=changes.every, seconds=changes.seconds, seed=changes.seed
        )  # fmt: skip

    def moved(self, seconds: float) -> float:
        """The pixels that the belt has moved."""
        changes, windows = self._changes, self._windows
        if changes is None or windows is None or seconds <= 0:
            return seconds * self._speed
        period = math.floor(seconds / changes.every)
        rest = seconds - period * changes.every
        odd = min(max(0.0, rest - windows.start(period)), changes.seconds)
        return period * self._of_a_period + (rest + odd * (changes.factor - 1)) * self._speed

    def when(self, pixels: float) -> float:
        """The first moment at which the belt has moved so far, in seconds since it began."""
        changes, windows = self._changes, self._windows
        if changes is None or windows is None or pixels <= 0:
            return pixels / self._speed
        period = math.floor(pixels / self._of_a_period)
        left = pixels - period * self._of_a_period
        began, start = period * changes.every, windows.start(period)
        if left <= start * self._speed:
            return began + left / self._speed
        left -= start * self._speed
        in_window = changes.seconds * changes.factor * self._speed
        if left <= in_window:
            return began + start + left / (changes.factor * self._speed)
        return began + start + changes.seconds + (left - in_window) / self._speed

    @property
    def _of_a_period(self) -> float:
        assert self._changes is not None
        changes = self._changes
        return (changes.every + changes.seconds * (changes.factor - 1)) * self._speed
