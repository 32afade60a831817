from __future__ import annotations

import pytest

from edge.core.errors import StuckError
from edge.runtime.heartbeat import Heartbeat, ThreadMonitor


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_thread_is_silent_from_its_last_sign_until_it_stops() -> None:
    clock = Clock()
    heartbeat = Heartbeat(clock)
    clock.now = 103.0
    assert heartbeat.silent_seconds == 0  # it has not begun
    with heartbeat.working():
        clock.now = 110.0
        assert heartbeat.silent_seconds == 7
        heartbeat.beat()
        clock.now = 112.0
        assert heartbeat.silent_seconds == 2
    assert heartbeat.silent_seconds == 0


def test_a_thread_that_says_nothing_is_found_by_its_name() -> None:
    clock = Clock()
    camera, lanes = Heartbeat(clock), Heartbeat(clock)
    monitor = ThreadMonitor(
        {"camera": camera, "lanes": lanes},
        stuck_seconds=6,
        clock=clock,
    )
    camera.beat()
    lanes.beat()
    for _ in range(6):
        clock.now += 1
        lanes.beat()
        monitor.look()
    clock.now += 1
    with pytest.raises(StuckError, match="the thread camera has not responded for 7 seconds"):
        monitor.look()


def test_a_machine_that_stood_still_as_a_whole_finds_nobody_stuck() -> None:
    clock = Clock()
    sorting = Heartbeat(clock)
    monitor = ThreadMonitor({"sorting": sorting}, stuck_seconds=6, clock=clock)
    sorting.beat()
    clock.now += 60  # nobody ran, whoever looks neither
    monitor.look()
    clock.now += 1
    sorting.beat()
    monitor.look()
    for _ in range(6):
        clock.now += 1
        monitor.look()
    clock.now += 1
    with pytest.raises(StuckError, match="sorting"):
        monitor.look()
