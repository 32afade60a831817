"""The way of a belt by its encoder: where it was, where it will be, and lanes that go by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge.config.reading import read_config
from edge.core.errors import ConfigError
from edge.flow import Actuated, ItemKey, Missed
from edge.lanes.belt_travel import FARTHEST_SECONDS, BeltTravel
from edge.lanes.encoder import BeltWithEncoder, EncoderSettings
from edge.lanes.lanes import Lanes
from edge.lanes.opening import open_lanes
from edge.lanes.schedule import Schedule, Timing
from edge.lanes.solenoid import Settings as SolenoidSettings
from edge.pins.pins import open_pins
from edge.sorting.routing import Destination
from tests.clocks import ToldClock
from tests.edge.stations import STATION, make_station

PULSES = 200
STEP = 1 / PULSES


def steady(speed: float, *, until: float) -> BeltTravel:
    """A belt that has gone at one speed since 0."""
    travel = BeltTravel(PULSES, metres_per_second=1)
    for number in range(1, int(until * speed * PULSES) + 1):
        travel.pulse(number / (speed * PULSES))
    return travel


def test_where_a_steady_belt_is_was_and_will_be() -> None:
    travel = steady(0.5, until=4)
    assert travel.speed(4.0) == pytest.approx(0.5)
    for at in (0.5, 1.234, 3.999, 4.0, 5.0, 8.0):
        assert travel.metres(at, 4.0) == pytest.approx(at / 2, abs=STEP / 100)
    assert travel.seconds_until(2.25, 4.0) == pytest.approx(0.5)
    assert travel.seconds_until(1.75, 4.0) == pytest.approx(-0.5)


def test_a_place_has_a_time_once_it_is_before_the_next_pulse() -> None:
    travel = steady(0.5, until=4)
    assert travel.time_of(1.999, 4.001) == 4.001  # it is there
    assert travel.time_of(2.0 + STEP / 2, 4.001) == pytest.approx(4.005)
    assert travel.time_of(2.0 + 1.01 * STEP, 4.001) is None


def test_a_belt_that_stops_goes_no_farther_than_the_next_pulse() -> None:
    travel = steady(0.5, until=4)
    assert travel.metres(9.0, 9.0) == pytest.approx(2 + STEP)
    assert travel.speed(9.0) == pytest.approx(STEP / 5)
    assert travel.seconds_until(5.0, 9.0) > 1000
    assert travel.seconds_until(50.0, 99.0) == FARTHEST_SECONDS


def test_before_its_first_pulse_a_belt_goes_as_the_file_says() -> None:
    travel = BeltTravel(PULSES, metres_per_second=0.4)
    assert (travel.metres(1.0, 1.0), travel.speed(1.0)) == (0, 0.4)
    assert travel.time_of(0.001, 1.0) is None


@given(some.lists(some.floats(0, 0.2), min_size=2, max_size=40))
def test_a_belt_never_goes_back(gaps: list[float]) -> None:
    travel, at = BeltTravel(PULSES, metres_per_second=0.5), 0.0
    for gap in gaps:
        at += gap
        travel.pulse(at)
    places = [travel.metres(at * share / 20, at) for share in range(20)]
    places.append(travel.metres(at, at))
    assert places == sorted(places)
    assert len(gaps) * STEP <= places[-1] * (1 + 1e-9) <= (len(gaps) + 1.01) * STEP


def going(at: float) -> float:
    """Metres of a belt that gets faster and slower, and stands from 6 to 9 s."""
    moved = min(at, 6.0) + max(0.0, at - 9.0)
    return 0.4 * moved + 0.15 * (1 - math.cos(moved))


def fast(at: float) -> float:
    return 1.2 * at


@pytest.mark.parametrize("place", [going, fast])
def test_items_are_met_where_they_are_whatever_the_belt_does(
    place: Callable[[float], float],
) -> None:
    """The landing error is one pulse at most, also where the belt stops on the way."""
    now, ended = 0.0, list[Actuated]()
    travel = BeltTravel(PULSES, metres_per_second=0.5)
    lanes = Lanes(
        {"a": Quiet()},
        {"a": Timing(0.05)},
        clock=ToldClock(lambda: now),
        travel=travel,
        report=ended.append,
    )
    lane, passed = Destination("a", True, 2.0, 0.8), dict[int, float]()
    pulses, items = 0, 0
    for tick in range(14_000):
        now = tick / 1000
        while place(now) >= (pulses + 1) * STEP:
            pulses += 1
            travel.pulse(now)
        if tick % 700 == 350:  # an item is decided on 0.1 s before it passes, or after
            passed[items] = now + (0.1 if items % 2 else -0.1)
            there = lane.on_belt(travel, passed=passed[items], now=now)
            assert there.delay_seconds is not None
            key = ItemKey(items, 0.0, "")
            lanes.actuate("a", passed[items] + there.delay_seconds, key, metres=there.metres)
            items += 1
        lanes.step()
    done = {one.key.item: one.done for one in ended if one.key is not None and one.missed is None}
    assert len(done) >= 15
    for item, at in done.items():
        # where it is decided before it passes, a belt that changes its speed then adds to that
        slack = 1.1 * STEP + (0.006 if item % 2 else 0.0)
        assert place(at) - place(passed[item]) == pytest.approx(0.8, abs=slack)


class Quiet:
    """An actuator of which nothing is asked."""

    def activate(self) -> None: ...

    def rest(self) -> None: ...

    def release(self) -> None: ...

    def safe(self) -> None: ...

    def close(self) -> None: ...


def test_what_waits_for_a_belt_is_left_out_when_the_station_stops() -> None:
    schedule = Schedule({"a": Timing(0.1)})
    schedule.add("a", 5.0, ItemKey(1, 0.0, ""), metres=3.0)
    assert not schedule.idle
    assert schedule.next_at is None
    schedule.cancel_all(1.0)
    (ended,) = schedule.take_ended()
    assert (ended.at, ended.missed) == (5.0, Missed.STOPPED)
    assert schedule.idle


def test_a_belt_without_pulses_is_noticed_and_keeps_nothing_from_ending() -> None:
    now = 0.0
    travel = BeltTravel(PULSES, metres_per_second=0.5)
    lanes = Lanes({"a": Quiet()}, {"a": Timing(0.05)}, clock=ToldClock(lambda: now), travel=travel)
    for number in range(3):
        lanes.actuate("a", 1.0, ItemKey(number, 0.0, ""), metres=1.0 + number)
    lanes.step()
    assert (lanes.belt_stands, lanes.idle) == (False, False)
    now = 5.1
    lanes.step()
    assert (lanes.belt_stands, lanes.idle) == (True, True)
    lanes.finish()
    lanes.run()
    assert lanes.missed[Missed.STOPPED] == 3


def test_more_items_than_can_be_on_a_belt_are_missed() -> None:
    schedule = Schedule({"a": Timing(0.1)})
    for number in range(1001):
        schedule.add("a", 5.0, ItemKey(number, 0.0, ""), metres=3.0)
    (ended,) = schedule.take_ended()
    assert ended.key is not None
    assert (ended.key.item, ended.missed, schedule.on_belt) == (0, Missed.OVERDUE, 1000)


def test_mock_pins_give_no_pulses_so_that_the_speed_counts(tmp_path: Path) -> None:
    encoder = EncoderSettings.model_validate({"pin": 17, "pulses_per_metre": PULSES})
    coil = SolenoidSettings(kind="solenoid", pin=23, hold_seconds=0.1)
    with ExitStack() as parts:
        lanes = open_lanes(
            {"a": coil},
            None,
            pins=lambda: open_pins(tmp_path / "no board"),
            parts=parts,
            clock=ToldClock(),
            report=lambda ended: None,
            belt=BeltWithEncoder(0.5, encoder),
        )
        assert lanes.travel is None


@pytest.mark.parametrize("pin", ["17", "BOARD12", "18"])
def test_the_encoder_of_a_station_file(pin: str, tmp_path: Path, tiny_bundle: Path) -> None:
    encoder = f"encoder: {{pin: {pin}, pulses_per_metre: 200}}"
    text = STATION + f"belt: {{metres_per_second: 0.5, {encoder}}}\n"
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    if pin == "17":
        belt = read_config(station).belt_with_encoder
        assert belt is not None
        assert (belt.metres_per_second, belt.encoder.pin) == (0.5, 17)
        return
    with pytest.raises(ConfigError) as caught:
        read_config(station)
    said = "belt.encoder.pin: " + ("must be a BCM number" if pin == "BOARD12" else "pin 18 is used")
    assert any(said in problem for problem in caught.value.problems)


def test_an_item_that_has_passed_its_lane_by_the_belt_is_late() -> None:
    lane = Destination("a", True, 2.0, 0.25)
    there = lane.on_belt(steady(0.5, until=4), passed=3.0, now=4.0)
    assert there.delay_seconds == pytest.approx(0.5)  # which was at 3.5
    timed = Destination("b", True, 2.0)
    assert timed.on_belt(steady(0.5, until=4), passed=3.0, now=4.0) is timed


def test_the_pulses_of_a_pin_move_the_belt(tmp_path: Path) -> None:
    travel, told = BeltTravel(PULSES, metres_per_second=1), list[float]()
    settings = EncoderSettings.model_validate({"pin": 17, "pulses_per_metre": PULSES})
    with open_pins(tmp_path / "no board") as pins:
        clock = ToldClock(lambda: 50.0, lambda: 0.0)
        encoder = settings.open(pins, travel, clock=clock, moved=lambda: told.append(1))
        pin = pins.factory.pin(17)
        for at in (49.5, 49.6, 49.7):
            pin.when_changed(at, 0)
            pin.when_changed(at + 0.01, 1)
        encoder.close()
        encoder.close()
    assert travel.metres(49.7, 50.0) == pytest.approx(3 * STEP)
    assert len(told) == 3
