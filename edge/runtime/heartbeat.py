"""Whether the threads of a station get on with their work, as another thread can see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from edge.core.errors import StuckError

BEAT_SECONDS = 0.5
"""How often a thread that waits gives a sign of life."""
_ASLEEP_SECONDS = 3.0
"""Whoever looks about once a second, and could not for so long, was held up itself."""


class Heartbeat:
    """One thread's signs of life, from its first one until it stops.

    They are given while it waits, too, every BEAT_SECONDS: one that was stopped while it waited
    would not come back for the next piece of work either.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """None is expected yet.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._last: float | None = None

    def beat(self) -> None:
        """A sign of life; others are expected from now on."""
        self._last = self._clock()

    def stop(self) -> None:
        """None is expected any more."""
        self._last = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """Within it signs are expected, and after it none."""
        self.beat()
        try:
            yield
        finally:
            self.stop()

    @property
    def silent_seconds(self) -> float:
        """How long no sign has come; 0 where none is expected."""
        last = self._last  # one read: the other thread may change it in between
        return 0.0 if last is None else self._clock() - last


class ThreadMonitor:
    """Looks after threads, about once a second.

    A machine that stands still as a whole (its memory is on the card and the card is busy, a
    process that was halted and goes on) silences them all, and whoever looks, too: only what they
    miss while somebody looks counts.
    """

    def __init__(
        self,
        heartbeats: Mapping[str, Heartbeat],
        *,
        stuck_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """Begins to look.

        Args:
            heartbeats: of the threads, by their names.
            stuck_seconds: a thread that has been silent for so long will say nothing more.
        """
        self._heartbeats, self._stuck_seconds, self._clock = heartbeats, stuck_seconds, clock
        self._since = self._last = clock()

    def look(self) -> None:
        """Passes where every thread is getting on.

        Raises:
            StuckError: one is not.
        """
        now = self._clock()
        if now - self._last > _ASLEEP_SECONDS:
            self._since = now
        self._last = now
        # Where one hangs, others that wait for it may follow: the first is the one to be named.
        silent, name = max((heart.silent_seconds, name) for name, heart in self._heartbeats.items())
        if min(silent, now - self._since) > self._stuck_seconds:
            raise StuckError(
                f"{name}: no sign of life for {silent:.0f} seconds. The station ends, so that it "
                "can be started again"
            )
