"""What is read and waited for by this machine's own time."""

from __future__ import annotations

import math
import queue
import threading
import time

import pytest

from edge.runtime.clock import SYSTEM_CLOCK, ClockedThread, Flag, SystemClock, wait_for
from tests.clocks import ToldClock


def test_the_system_s_time_is_that_of_this_machine() -> None:
    assert time.monotonic() <= SYSTEM_CLOCK.now() <= time.monotonic()
    assert time.time() <= SYSTEM_CLOCK.wall() <= time.time()


def test_a_wait_ends_at_its_moment_where_nobody_notifies() -> None:
    condition, until = SYSTEM_CLOCK.condition(), SYSTEM_CLOCK.now() + 0.01
    with condition:
        assert not wait_for(SYSTEM_CLOCK, condition, lambda: False, until)
    assert SYSTEM_CLOCK.now() >= until


@pytest.mark.parametrize("until", [-math.inf, 0.0])
def test_what_is_there_already_is_not_waited_for(until: float) -> None:
    with SYSTEM_CLOCK.condition() as held:
        assert held
        assert wait_for(SYSTEM_CLOCK, SYSTEM_CLOCK.condition(), lambda: True, until)


def test_a_queue_gives_what_comes_and_is_empty_at_its_moment() -> None:
    filled: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Timer(0.01, lambda: filled.put("there")).start()
    assert SYSTEM_CLOCK.get(filled, math.inf) == "there"
    with pytest.raises(queue.Empty):
        SYSTEM_CLOCK.get(filled, SYSTEM_CLOCK.now() + 0.01)


def test_how_long_a_wait_takes_is_told_by_the_clock_it_is_waited_by() -> None:
    moments = iter((0.0, 99.99, 100.0, 100.0))  # by this machine's own it would be 100 seconds
    clock = ToldClock(lambda: next(moments))
    assert not Flag(clock).wait(100.0)


def test_a_thread_is_joined_as_soon_as_it_ends_and_no_longer_than_asked() -> None:
    flag = Flag(SYSTEM_CLOCK)
    thread = ClockedThread("waiting", lambda: flag.wait(math.inf) and None, SYSTEM_CLOCK)
    thread.start()
    thread.join(0.01)
    assert thread.is_alive()
    flag.set()
    thread.join()
    assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_has_entered_its_clock_when_it_is_started_and_leaves_it_however_it_ends() -> None:
    log: list[str] = []

    class Watched(SystemClock):
        def enter(self) -> None:
            log.append("enter")

        def leave(self) -> None:
            log.append("leave")

    def body() -> None:
        raise ValueError

    thread = ClockedThread("failing", body, Watched())
    thread.start()
    assert log[0] == "enter"
    thread.join(60)
    assert log == ["enter", "leave"]
