"""A virtual clock that jumps: a station runs through an hour in seconds, with the same code."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from edge.runtime.clock import T

_WALL = 1_767_225_600.0
"""2026-01-01T00:00:00Z, the default time of day at which the clock begins."""


class VirtualClock:
    """A clock that stands still while a thread works, and jumps when all of them wait.

    It jumps to the next moment that one of them waits for. What a thread computes, reads or writes
    takes no time by it: on no machine is a station late. Threads that entered are waited for;
    others may wait by it, too, but nobody knows what they do in between.
    """

    def __init__(self, *, wall: float = _WALL) -> None:
        """Starts at 0, without threads.

        Args:
            wall: the time of day, in seconds since 1970.
        """
        self._mutex = threading.Lock()
        self._now, self._wall = 0.0, wall
        self._threads: set[int] = set()
        self._working = 0
        """The number of these threads that are not waiting."""
        self._sleepers: list[_Sleeper] = []
        """In the order in which they began to wait."""

    def now(self) -> float:
        """See Clock."""
        return self._now

    def wall(self) -> float:
        """See Clock."""
        return self._wall + self._now

    def condition(self) -> threading.Condition:
        """See Clock."""
        return _VirtualCondition(self)

    def wait(self, condition: threading.Condition, until: float) -> None:
        """See Clock. The caller must hold the condition once only.

        Raises:
            ValueError: the condition is not of this clock, which would not learn of its notifying.
        """
        if not isinstance(condition, _VirtualCondition) or condition.clock is not self:
            raise ValueError(f"a condition of another clock (received {condition!r})")
        sleeper = None if until <= self._now else _Sleeper(until, condition)
        if sleeper is not None:
            self._lie_down(sleeper)
        condition.release()  # in any case: others may wait for it
        try:
            if sleeper is not None:
                self._sleep(sleeper)
        finally:
            condition.acquire()

    def get(self, queue: SimpleQueue[T], until: float) -> T:
        """See Clock. What is put in is seen when all the others wait."""
        while True:
            try:
                return queue.get_nowait()
            except Empty:
                if self._now >= until:
                    raise
            sleeper = _Sleeper(until, None, lambda: not queue.empty())
            self._lie_down(sleeper)
            self._sleep(sleeper)

    def enter(self) -> None:
        """See Clock."""
        with self._mutex:
            if threading.get_ident() not in self._threads:
                self._threads.add(threading.get_ident())
                self._working += 1

    def leave(self) -> None:
        """See Clock."""
        with self._mutex:
            if threading.get_ident() in self._threads:
                self._threads.remove(threading.get_ident())
                self._working -= 1
                self._go_on()

    def notified(self, condition: threading.Condition, count: float) -> None:
        """Wakes the first `count` threads that wait on `condition`."""
        with self._mutex:
            waiting = [sleeper for sleeper in self._sleepers if sleeper.condition is condition]
            for sleeper in waiting if count == math.inf else waiting[: int(count)]:
                self._wake(sleeper)

    def _lie_down(self, sleeper: _Sleeper) -> None:
        with self._mutex:
            sleeper.counted = threading.get_ident() in self._threads
            self._sleepers.append(sleeper)
            self._working -= sleeper.counted
            self._go_on()

    def _sleep(self, sleeper: _Sleeper) -> None:
        try:
            sleeper.gate.acquire()
        finally:
            with self._mutex:
                self._wake(sleeper)  # a Ctrl-C came in between

    def _wake(self, sleeper: _Sleeper) -> None:
        if sleeper in self._sleepers:
            self._sleepers.remove(sleeper)
            self._working += sleeper.counted  # now: it may take a while to be there
            sleeper.gate.release()

    def _go_on(self) -> None:
        """While no thread works, wakes one whose queue was filled, or otherwise jumps to the next
        moment and wakes one that waits for it.

        One at a time, and those of one moment in the order of their names: who comes first does not
        depend on the machine, and a run can be repeated.
        """
        while not self._working:
            called = [sleeper for sleeper in self._sleepers if sleeper.called()]
            if not called:
                moment = min((sleeper.until for sleeper in self._sleepers), default=math.inf)
                if moment == math.inf:
                    return
                self._now = max(self._now, moment)
                called = [sleeper for sleeper in self._sleepers if sleeper.until <= self._now]
            self._wake(min(called, key=lambda sleeper: (sleeper.until, sleeper.name)))


class _Sleeper:
    """A waiting thread."""

    __slots__ = ("called", "condition", "counted", "gate", "name", "until")

    def __init__(
        self,
        until: float,
        condition: threading.Condition | None,
        called: Callable[[], bool] = lambda: False,
    ) -> None:
        self.until, self.condition, self.called = until, condition, called
        self.counted, self.name = False, threading.current_thread().name
        self.gate = threading.Lock()
        self.gate.acquire()


class _VirtualCondition(threading.Condition):
    """A condition that tells its clock which threads it wakes."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock

    def notify(self, n: int = 1) -> None:
        """Wakes the first `n` threads that wait."""
        self.clock.notified(self, n)

    def notify_all(self) -> None:
        """Wakes all threads that wait."""
        self.clock.notified(self, math.inf)

    def wait(self, timeout: float | None = None) -> bool:
        """Refused: it would not be seen.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("wait by the clock: clock.wait(condition, until)")
