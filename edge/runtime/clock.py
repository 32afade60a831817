"""The clock of a station, as an object: its threads read the time and wait through it only.

A station on another clock (`edge/simulation/virtual_clock.py`) runs the same code in less time.
Waiting for a device or for another process is not waiting for time, and does not use the clock.
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
    """Gives the time and waits for it. A moment `until` may be infinite: wait without a limit."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    def condition(self) -> threading.Condition:
        """A new condition on which threads can wait by this clock."""
        ...

    def wait(self, condition: threading.Condition, until: float) -> None:
        """Waits until `condition`, which the caller holds, is notified, or for the moment `until`.

        As with any condition, the caller must check again whether what it waits for is true.
        """
        ...

    def get(self, queue: SimpleQueue[T], until: float) -> T:
        """The next object in `queue`, as soon as it is there. Signal handlers can fill this queue.

        Raises:
            queue.Empty: nothing was there by the moment `until`.
        """
        ...

    def enter(self) -> None:
        """Registers the calling thread: while it works, no time passes on a virtual clock."""
        ...

    def leave(self) -> None:
        """Ends the registration of the calling thread."""
        ...


class SystemClock:
    """The clock of this machine, whose time passes by itself."""

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
        """See Clock. This time passes whether a thread works or not."""

    def leave(self) -> None:
        """See Clock."""

    def _left(self, until: float) -> float | None:
        return None if until == math.inf else max(0.0, until - self.now())


SYSTEM_CLOCK: Clock = SystemClock()
"""The default clock."""


def wait_for(
    clock: Clock, condition: threading.Condition, there: Callable[[], bool], until: float
) -> bool:
    """Waits on `condition`, which the caller holds, until `there()` or for the moment `until`.

    Returns:
        What `there()` returned last.
    """
    while not there():
        over = clock.now() >= until
        clock.wait(condition, until)  # also when time is up: others can then take the condition
        if over:
            return there()
    return True


class Flag:
    """A flag that is set once and that threads can wait for by a clock."""

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
        """Waits until the flag is set or for the moment `until`; returns whether it is set."""
        with self._changed:
            return wait_for(self._clock, self._changed, self.is_set, until)


class ClockedThread(threading.Thread):
    """A thread that is registered with a clock, from before `start` returns until it ends."""

    def __init__(self, name: str, body: Callable[[], None], clock: Clock) -> None:
        # A thread that hangs in a driver must not keep the process from ending.
        super().__init__(name=name, daemon=True)
        self._body, self._clock = body, clock
        self._entered, self._over = threading.Event(), Flag(clock)

    def start(self) -> None:
        """Starts the thread and returns when it is registered with the clock."""
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
        """Waits for the thread to end, at most `timeout` seconds by the clock; None: no limit."""
        until = math.inf if timeout is None else self._clock.now() + timeout
        if self._over.wait(until):
            super().join()
