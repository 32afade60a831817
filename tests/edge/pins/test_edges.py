"""Signals on a pin: which edges begin one, and at which time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge.pins.edges import Debounce, EdgeInput, EdgeSettings
from edge.pins.pins import Pins, open_pins
from tests.clocks import ToldClock


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Pins]:
    with open_pins(tmp_path / "no board") as pins:
        yield pins


def found(*edges: float, now: float = 1000.0) -> list[float]:
    """The signals in edges at these times, of which the first, third and so on are active ones."""
    debounce = Debounce(0.005)
    for number, at in enumerate(edges):
        debounce.edge(at, active=number % 2 == 0)
    return debounce.take(now)


@pytest.mark.parametrize(
    ("edges", "signals"),
    [
        ((), []),
        ((1.0, 1.1), [1.0]),
        ((1.0, 1.1, 2.0, 2.1), [1.0, 2.0]),
        ((1.0, 1.004), []),  # a disturbance
        ((1.0, 1.001, 1.002, 1.1), [1.002]),  # the contact bounces when it closes
        ((1.0, 1.1, 1.101, 1.103, 1.2, 1.3), [1.0, 1.2]),  # and when it opens
        ((1.0, 1.1, 1.102, 1.2), [1.0]),  # a short gap in a long signal
        ((1.0,), [1.0]),  # it lasts still
    ],
)
def test_what_is_too_short_is_no_signal(edges: tuple[float, ...], signals: list[float]) -> None:
    assert found(*edges) == signals


def test_a_signal_is_told_once_it_has_lasted_long_enough() -> None:
    debounce = Debounce(0.005)
    debounce.edge(1.0, active=True)
    assert debounce.take(1.004) == []
    assert debounce.take(1.0051) == [1.0]
    assert debounce.take(1.1) == []
    debounce.edge(1.2, active=False)
    assert debounce.take(1.3) == []


@given(some.lists(some.floats(0.0001, 1), max_size=60), some.integers(1, 7))
def test_when_it_is_asked_makes_no_difference(lengths: list[float], often: int) -> None:
    at, edges = 0.0, list[float]()
    for length in lengths:
        at += length
        edges.append(at)
    debounce, asked = Debounce(0.01), list[float]()
    for number, when in enumerate(edges):
        debounce.edge(when, active=number % 2 == 0)
        if number % often == 0:
            asked += debounce.take(when)
    whole = Debounce(0.01)
    for number, when in enumerate(edges):
        whole.edge(when, active=number % 2 == 0)
    asked += debounce.take(at + 1)
    assert asked == whole.take(at + 1)
    assert asked == sorted(set(asked))


class Wire:
    """A pin of which the kernel tells edges, by a clock of the test's own."""

    def __init__(self, pins: Pins, **options: Any) -> None:
        self.now, self.pin = 50.0, pins.factory.pin(17)
        clock = ToldClock(lambda: self.now, lambda: self.now + 1.7e9)
        settings = EdgeSettings.model_validate({"pin": 17} | options)
        self.input = EdgeInput(settings, pins, clock=clock)

    def edge(self, ticks: float, level: int) -> None:
        self.pin.when_changed(ticks, level)


@pytest.mark.parametrize(
    ("ticks", "told"),
    [
        (49.98, 49.98),  # of the monotonic clock
        (49.98 + 1.7e9, pytest.approx(49.98, abs=1e-6)),  # of the time of day, from older kernels
        (12.0, 50.0),  # too old to be believed: when it arrived
        (50.5, 50.0),  # in the future
    ],
)
def test_an_edge_has_the_kernel_s_time_where_that_can_be_believed(
    ticks: float, told: float, pins: Pins
) -> None:
    wire = Wire(pins)
    wire.edge(ticks, 0)
    wire.now = 50.4
    assert wire.input.take(50.4) == [told]


def test_a_level_that_is_active_is_what_the_file_says(pins: Pins) -> None:
    wire = Wire(pins, active_high=True)
    assert wire.pin.pull == "down"
    wire.edge(49.9, 0)
    assert wire.input.take(50.0) == []
    wire.edge(49.91, 1)
    assert wire.input.take(50.0) == [49.91]
    wire.input.close()
    wire.input.close()


def test_mock_pins_tell_their_edges(pins: Pins) -> None:
    wire = Wire(pins)
    wire.pin.drive_low()
    wire.now += 0.1
    assert wire.input.take(wire.now) == [50.0]
