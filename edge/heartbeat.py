"""Whether a thread gets on with its work, as another thread can see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Heartbeat:
    """One thread's signs of life, given while it works; while it waits, none are expected."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing is being worked on.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._last: float | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """A piece of work that should be done soon."""
        self.beat()
        try:
            yield
        finally:
            self._last = None

    def beat(self) -> None:
        """A sign of life in the midst of a piece of work."""
        self._last = self._clock()

    @property
    def silent_seconds(self) -> float:
        """How long the work under way has given no sign; 0 where there is none."""
        last = self._last  # one read: the other thread may change it in between
        return 0.0 if last is None else self._clock() - last
