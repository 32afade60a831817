"""A pin whose level changes only while a station is well, for a circuit that waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from edge.lanes.keep_alive import KeepAlive, Settings
from edge.lanes.lanes import Lanes
from edge.pins.pins import Pins, open_pins
from edge.runtime.clock import SYSTEM_CLOCK


@pytest.fixture
def pins(tmp_path: Path) -> Pins:
    return open_pins(tmp_path / "no board")


def states(pins: Pins, number: int = 21) -> list[int]:
    return [int(state.state) for state in pins.factory.pin(number).states]


def opened(pins: Pins, change_seconds: float = 0.25) -> tuple[KeepAlive, Any]:
    wire = pins.factory.pin(21)
    return Settings(pin=21, change_seconds=change_seconds).open(pins), wire


def test_its_level_changes_at_its_times_while_that_is_allowed(pins: Pins) -> None:
    alive, wire = opened(pins)
    levels = []
    alive.allow(11.0)
    for tenth in range(1000, 1150):
        alive.step(tenth / 100)
        levels.append(int(wire.state))
    changes = [index for index in range(1, 150) if levels[index] != levels[index - 1]]
    # Every 0.25 s, and never again once nobody has said that all is well.
    assert changes == [25, 50, 75, 100]
    assert levels[0] == 1


def test_before_it_is_allowed_and_after_it_is_closed_it_is_low(pins: Pins) -> None:
    alive, wire = opened(pins)
    alive.step(5.0)
    assert wire.state == 0
    alive.allow(100.0)
    alive.step(6.0)
    assert wire.state == 1
    alive.close()
    alive.close()
    assert wire.state == 0


def test_the_thread_of_the_lanes_changes_it_and_leaves_it_at_rest(pins: Pins) -> None:
    alive, wire = opened(pins, change_seconds=0.02)
    risen = threading.Semaphore(0)
    change = wire._change_state

    def watched(value: float) -> Any:
        changed = change(value)
        if value:
            risen.release()
        return changed

    wire._change_state = watched
    lanes = Lanes({}, {}, clock=SYSTEM_CLOCK, keep_alive=alive)
    alive.allow(float("inf"))
    thread = threading.Thread(target=lanes.run)
    thread.start()
    for _ in range(3):  # with nothing planned at all
        assert risen.acquire(timeout=120)
    lanes.stop()
    thread.join(120)
    assert not thread.is_alive()
    assert wire.state == 0
