"""Time as an object: what a station reads it from, and the one way in which its threads wait.

A station on another clock (`edge/simulation/virtual_clock.py`) runs the same code in less time.
Waiting for a device or for another process is not waiting for time, and does not go through here.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """What time it is, and waiting for it. A moment `until` may be infinite: never by itself."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    def condition(self) -> threading.Condition:
        """A new condition, which threads can wait on by this clock."""
        ...

    def wait(self, condition: threading.Condition, until: float) -> None:
        """Waits until `condition`, which the caller holds, is notified, or for the moment `until`.

        As of any condition: whoever waits looks again at what it waits for.
        """
        ...

    def get(self, queue: SimpleQueue[T], until: float) -> T:
        """The next thing in `queue`, as soon as it is there: the one that signal handlers can fill.

        Raises:
            queue.Empty: nothing was there by the moment `until`.
        """
        ...

    def enter(self) -> None:
        """The calling thread works by this clock from now on: no time passes while it does."""
        ...

    def leave(self) -> None:
        """The calling thread does not any more."""
        ...


class SystemClock:
    """The time of this machine, which passes by itself."""

    def now(self) -> float:
        """See Clock."""
        return time.monotonic()

    def wall(self) -> float:
        """See Clock."""
        return time.time()

    def condition(self) -> threading.Condition:
        """See Clock."""
        return threading.Condition()

    def wait(self, condition: threading.Condition, until: float) -> None:
        """See Clock."""
        condition.wait(self._left(until))

    def get(self, queue: SimpleQueue[T], until: float) -> T:
        """See Clock."""
        return queue.get(timeout=self._left(until))

    def enter(self) -> None:
        """See Clock: this time passes, whoever works."""

    def leave(self) -> None:
        """See Clock."""

    def _left(self, until: float) -> float | None:
        return None if until == math.inf else max(0.0, until - self.now())


SYSTEM_CLOCK: Clock = SystemClock()
"""The clock of whoever is given no other."""


def wait_for(
    clock: Clock, condition: threading.Condition, there: Callable[[], bool], until: float
) -> bool:
    """Waits on `condition`, which the caller holds, until `there()` or for the moment `until`.

    Returns:
        Whether it is there.
    """
    while not there():
        over = clock.now() >= until
        clock.wait(condition, until)  # where it is over, too: others get hold of the condition
        if over:
            return there()
    return True


class Flag:
    """Is set once, and can be waited for by a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._changed = clock, clock.condition()
        self._set = False

    def set(self) -> None:
        """Sets it; may be called twice."""
        with self._changed:
            self._set = True
            self._changed.notify_all()

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def wait(self, until: float) -> bool:
        """Whether it is set, as soon as that is so, or at the moment `until`."""
        with self._changed:
            return wait_for(self._clock, self._changed, self.is_set, until)


class ClockedThread(threading.Thread):
    """A thread that works by a clock, from before `start` returns until it ends."""

    def __init__(self, name: str, body: Callable[[], None], clock: Clock) -> None:
        # A thread that hangs in a driver must not keep the process from ending.
        super().__init__(name=name, daemon=True)
        self._body, self._clock = body, clock
        self._entered, self._over = threading.Event(), Flag(clock)

    def start(self) -> None:
        """Starts it; whoever waits by the clock after that, waits for this thread, too."""
        super().start()
        self._entered.wait()

    def run(self) -> None:
        """The thread's body."""
        self._clock.enter()
        self._entered.set()
        try:
            self._body()
        finally:
            self._over.set()
            self._clock.leave()

    def join(self, timeout: float | None = None) -> None:
        """Waits, by the clock, for the thread to end, at most `timeout` seconds; None: for ever."""
        until = math.inf if timeout is None else self._clock.now() + timeout
        if self._over.wait(until):
            super().join()
