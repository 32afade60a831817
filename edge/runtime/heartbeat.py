"""Heartbeats of a station's threads, by which another thread sees whether they still work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from edge.core.errors import StuckError

BEAT_SECONDS = 0.5
"""How often a waiting thread gives a heartbeat."""
_ASLEEP_SECONDS = 3.0
"""A monitor that checks about once a second, and could not for so long, was held up itself."""


class Heartbeat:
    """The heartbeat of one thread, expected from its first beat until it stops.

    A waiting thread beats too, every BEAT_SECONDS: one that hangs while it waits would not return
    for its next work either.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """No beat is expected yet.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._last: float | None = None

    def beat(self) -> None:
        """Gives one beat; more are expected from now on."""
        self._last = self._clock()

    def stop(self) -> None:
        """Ends the heartbeat: no more beats are expected."""
        self._last = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """A context in which beats are expected; after it, none are."""
        self.beat()
        try:
            yield
        finally:
            self.stop()

    @property
    def silent_seconds(self) -> float:
        """The seconds since the last beat; 0 if no beat is expected."""
        last = self._last  # one read: the other thread may change it in between
        return 0.0 if last is None else self._clock() - last


class ThreadMonitor:
    """Checks the heartbeats of threads, about once a second.

    If the whole machine or process pauses (it swaps to a busy card, or was halted and continues),
    all threads miss beats, and so does the monitor. Only beats missed while the monitor itself runs
    count.
    """

    def __init__(
        self,
        heartbeats: Mapping[str, Heartbeat],
        *,
        stuck_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """Begins to watch.

        Args:
            heartbeats: the threads' heartbeats, by the thread's name.
            stuck_seconds: a thread without a beat for longer is taken to hang.
            clock: seconds, monotonic.
        """
        self._heartbeats, self._stuck_seconds, self._clock = heartbeats, stuck_seconds, clock
        self._since = self._last = clock()

    def look(self) -> None:
        """Checks that every thread works.

        Raises:
            StuckError: a thread has given no beat for `stuck_seconds`.
        """
        now = self._clock()
        if now - self._last > _ASLEEP_SECONDS:
            self._since = now
        self._last = now
        # If one hangs, others that wait for it may follow: the first one is named.
        silent, name = max((heart.silent_seconds, name) for name, heart in self._heartbeats.items())
        if min(silent, now - self._since) > self._stuck_seconds:
            raise StuckError(
                f"the thread {name} has not responded for {silent:.0f} seconds. The program ends, "
                "so that it can be started again"
            )
