"""Clocks of which a test says what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from edge.runtime.clock import SystemClock


class ToldClock(SystemClock):
    """A clock that says what it is told; waiting takes as long as it does by that."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        """Says what the two functions say.

        Args:
            now: seconds, monotonic.
            wall: seconds since 1970.
        """
        self._told_now, self._told_wall = now, wall

    def now(self) -> float:
        return self._told_now()

    def wall(self) -> float:
        return self._told_wall()
