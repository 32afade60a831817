"""Time that jumps when all threads wait, and only then."""

from __future__ import annotations

import math
import queue
import threading

import pytest

from edge.runtime.clock import SYSTEM_CLOCK, ClockedThread, Flag, wait_for
from edge.simulation.virtual_clock import VirtualClock


class Bench:
    """Threads on a virtual clock, and what they noted, with the time."""

    def __init__(self) -> None:
        self.clock = VirtualClock(wall=1000.0)
        self.notes: list[tuple[float, str]] = []
        self.clock.enter()

    def note(self, what: str) -> None:
        self.notes.append((self.clock.now(), what))

    def sleep(self, seconds: float) -> None:
        assert not Flag(self.clock).wait(self.clock.now() + seconds)

    def all_end(self, *threads: ClockedThread) -> None:
        for thread in threads:
            thread.join(1e6)
            assert not thread.is_alive()
        self.clock.leave()


def test_waiting_takes_no_time_and_is_noted_in_the_order_of_the_moments() -> None:
    bench = Bench()

    def worker(name: str, seconds: float) -> ClockedThread:
        def body() -> None:
            for _ in range(3):
                bench.sleep(seconds)
                bench.note(name)

        thread = ClockedThread(name, body, bench.clock)
        thread.start()
        return thread

    bench.all_end(worker("slow", 3600), worker("quick", 1001))
    assert bench.notes == [
        (1001, "quick"), (2002, "quick"), (3003, "quick"),
        (3600, "slow"), (7200, "slow"), (10800, "slow"),
    ]  # fmt: skip
    assert bench.clock.now() == 10800
    assert bench.clock.wall() == 1000 + 10800


def test_no_time_passes_while_a_thread_works() -> None:
    bench = Bench()
    waits, go_on = threading.Event(), threading.Event()

    def busy() -> None:
        waits.set()
        go_on.wait(60)
        bench.note("worked")

    def waiting() -> None:
        assert waits.wait(60)
        threading.Timer(0.02, go_on.set).start()
        bench.sleep(5)
        bench.note("waited")

    threads = [ClockedThread("", body, bench.clock) for body in (busy, waiting)]
    for thread in threads:
        thread.start()
    bench.all_end(*threads)
    assert bench.notes == [(0, "worked"), (5, "waited")]


def test_whoever_is_notified_works_from_that_moment_on() -> None:
    """Were it only from where it wakes, the clock would jump meanwhile."""
    bench = Bench()
    condition, items = bench.clock.condition(), list[int]()

    def take() -> None:
        for _ in range(200):
            with condition:
                assert wait_for(bench.clock, condition, lambda: bool(items), math.inf)
                bench.note(f"took {items.pop()}")

    def give() -> None:
        for number in range(200):
            bench.sleep(1)
            with condition:
                items.append(number)
                condition.notify()

    threads = [ClockedThread("", body, bench.clock) for body in (take, give)]
    for thread in threads:
        thread.start()
    bench.all_end(*threads)
    assert bench.notes == [(number + 1, f"took {number}") for number in range(200)]


def test_one_notification_wakes_one_thread_and_the_first() -> None:
    bench = Bench()
    condition = bench.clock.condition()

    def body(name: str, begins: float) -> ClockedThread:
        def wait() -> None:
            bench.sleep(begins)
            with condition:
                bench.clock.wait(condition, 100.0)
                bench.note(name)

        thread = ClockedThread(name, wait, bench.clock)
        thread.start()
        return thread

    threads = [body("second", 2), body("first", 1)]
    bench.sleep(3)
    with condition:
        condition.notify()
    bench.all_end(*threads)
    assert bench.notes == [(3, "first"), (100, "second")]


def test_a_queue_is_seen_before_the_next_jump() -> None:
    bench = Bench()
    given: queue.SimpleQueue[str] = queue.SimpleQueue()

    def give() -> None:
        bench.sleep(2)
        given.put("there")
        bench.sleep(50)

    thread = ClockedThread("giving", give, bench.clock)
    thread.start()
    assert bench.clock.get(given, math.inf) == "there"
    assert bench.clock.now() == 2
    with pytest.raises(queue.Empty):
        bench.clock.get(given, 7.0)
    assert bench.clock.now() == 7
    bench.all_end(thread)


def test_a_moment_that_is_over_is_not_waited_for_although_others_work() -> None:
    bench = Bench()
    end = threading.Event()
    thread = ClockedThread("busy", lambda: end.wait(60) and None, bench.clock)
    thread.start()
    with (condition := bench.clock.condition()):
        bench.clock.wait(condition, 0.0)
    with pytest.raises(queue.Empty):
        bench.clock.get(queue.SimpleQueue[int](), 0.0)
    end.set()
    bench.all_end(thread)


def test_whoever_is_interrupted_while_it_waits_works_on() -> None:
    """As by Ctrl-C: it must not be taken for one that waits for ever after."""
    bench = Bench()
    condition = bench.clock.condition()
    other = ClockedThread("other", lambda: bench.sleep(1), bench.clock)

    class Broken:
        """A gate at which the waiting is broken off."""

        def acquire(self) -> None:
            raise KeyboardInterrupt

        def release(self) -> None:
            pass

    lie_down = bench.clock._lie_down

    def broken(sleeper: object) -> None:
        sleeper.gate = Broken()  # type: ignore[attr-defined]
        lie_down(sleeper)  # type: ignore[arg-type]

    bench.clock._lie_down = broken  # type: ignore[method-assign]
    with condition, pytest.raises(KeyboardInterrupt):
        bench.clock.wait(condition, math.inf)
    bench.clock._lie_down = lie_down  # type: ignore[method-assign]
    assert bench.clock._working == 1
    other.start()
    bench.all_end(other)
    assert bench.clock.now() == 1


def test_a_condition_of_another_clock_is_refused() -> None:
    clock = VirtualClock()
    for other in (VirtualClock().condition(), SYSTEM_CLOCK.condition()):
        with other, pytest.raises(ValueError, match="another clock"):
            clock.wait(other, 1.0)
    with pytest.raises(NotImplementedError, match="by the clock"):
        clock.condition().wait()
