"""The kind `stepper`: its positions and times, and that its steps keep no other lane waiting."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.core.errors import HomeSwitchError
from edge.flow import Actuated, ItemKey, Missed
from edge.lanes.lanes import Lanes
from edge.lanes.schedule import Timing
from edge.lanes.servo import Settings as ServoSettings
from edge.lanes.solenoid import Settings as SolenoidSettings
from edge.lanes.stepper import Settings
from edge.pins.pins import Pins, open_pins
from tests.clocks import ToldClock
from tests.edge.lanes.motion.motor import Motor, MotorClock, as_if_real

KEYS = {
    "kind": "stepper", "step_pin": 20, "direction_pin": 21, "enable_pin": 26,
    "max_steps_per_second": 1000, "steps_per_second_squared": 10_000, "active_steps": 200,
    "hold_seconds": 0.5,
}  # fmt: skip


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Pins]:
    with open_pins(tmp_path / "no board") as pins:
        yield pins


def stepper(**options: Any) -> Settings:
    return Settings.model_validate(KEYS | options)


def test_its_times_are_those_of_its_way() -> None:
    settings = stepper()
    assert settings.travel_seconds == pytest.approx(0.3)
    assert settings.cycle_seconds == pytest.approx(0.8)
    assert settings.timing == Timing(0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hold_seconds": 0.2}, "needs 0.3 s to get from rest_steps to active_steps, but hold"),
        ({"active_steps": 0}, "it would never move"),
        (
            {"active_steps": 3000, "hold_seconds": 9},
            "needs 3.1 s from rest_steps to",
        ),
        ({"active_steps": -200, "home": {"pin": 16, "within_steps": 9}}, "behind its home switch"),
        ({"max_steps_per_second": 2001}, "less than or equal to 2000"),
    ],
)
def test_a_motor_that_cannot_do_it_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        stepper(**options)


def test_it_goes_out_and_back_and_is_left_at_rest(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    motor = Motor(pins)
    monkeypatch.setattr(pins, "wait", motor.follow)
    device = stepper().open(pins)
    device.activate()
    now = 0.0
    while (due := device.next_at) is not None:
        now = max(now, due)
        device.step(now)
        motor.follow(now)
    assert (motor.at, device.steps) == (200, 200)
    device.safe()
    device.close()
    device.close()
    motor.follow(now)
    assert motor.at == 0


def test_its_steps_keep_no_other_lane_waiting(pins: Pins) -> None:
    """Each call of `step` takes one step of the motor at most, and moves on time come first."""
    coil = SolenoidSettings(kind="solenoid", pin=23, hold_seconds=0.02, cool_seconds=0)
    motor, device, now = Motor(pins), stepper().open(pins), 0.0
    ended: list[Actuated] = []
    lanes = Lanes(
        {"slow": device, "quick": coil.open(pins)},
        {"slow": stepper().timing, "quick": coil.timing},
        clock=ToldClock(lambda: now),
        report=ended.append,
    )
    chance = random.Random(4)
    due = sorted(chance.uniform(0, 4) for _ in range(100))
    for number, at in enumerate(due):
        lanes.actuate("quick", at, ItemKey(number, at, ""))
    for at in range(1, 4):
        lanes.actuate("slow", at, ItemKey(1000 + at, at, ""))
    while not lanes.idle:
        now = max(now, lanes.next_at)
        lanes.step()
        before = len(motor.taken)
        motor.follow(now)
        assert len(motor.taken) - before <= 1
    quick = [one for one in ended if one.lane == "quick"]
    assert [one.done for one in quick] == pytest.approx(due)
    assert {one.missed for one in ended} == {None}
    assert len(motor.taken) == 3 * 2 * 200
    assert (motor.at, motor.powered) == (0, False)


def test_what_comes_while_the_home_switch_is_looked_for_is_missed_and_said(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ended = as_if_real(pins, monkeypatch), list[Actuated]()
    settings = stepper(home={"pin": 16, "within_steps": 300, "steps_per_second": 100})
    device, motor = settings.open(real), Motor(real, at=50)
    clock = MotorClock(motor)
    lanes = Lanes({"a": device}, {"a": settings.timing}, clock=clock, report=ended.append)
    lanes.actuate("a", 0.1, ItemKey(1, 0.1, ""))
    lanes.actuate("a", 2.0, ItemKey(2, 2.0, ""))
    lanes.finish()
    clock.enter()
    lanes.run()
    clock.leave()
    assert [(one.missed, one.done) for one in ended] == [
        (Missed.NOT_READY, pytest.approx(0.1, abs=0.02)),
        (None, pytest.approx(2.0)),
    ]
    assert lanes.begun.is_set()
    assert motor.at == pytest.approx(0, abs=1)


def test_a_motor_turns_back_by_its_steps_when_the_station_is_stopped(pins: Pins) -> None:
    motor, device = Motor(pins), stepper().open(pins)
    clock = MotorClock(motor)
    lanes = Lanes({"a": device}, {"a": stepper().timing}, clock=clock)
    lanes.actuate("a", 1.0)
    step = lanes.step

    def stop_on_the_way() -> None:
        step()
        if motor.at == 100:
            lanes.stop()

    lanes.step = stop_on_the_way  # type: ignore[method-assign]
    clock.enter()
    lanes.run()
    clock.leave()
    gaps = [after - before for before, after in itertools.pairwise(motor.taken)]
    assert (motor.at, motor.powered) == (0, False)
    assert max(motor.taken) < 1.7
    assert len(gaps) > 200  # it slows down first
    assert min(gaps) >= 0.001 * (1 - 1e-6)


def test_a_coil_does_not_wait_for_a_motor_when_the_station_is_stopped(pins: Pins) -> None:
    motor, found = Motor(pins), {"b": SolenoidSettings(kind="solenoid", pin=23, hold_seconds=2)}
    clock, off = MotorClock(motor), list[float]()
    devices = {"a": stepper().open(pins), "b": found["b"].open(pins)}
    safe = devices["b"].safe
    devices["b"].safe = lambda: (off.append(clock.now()), safe())  # type: ignore[method-assign]
    lanes = Lanes(devices, {"a": stepper().timing, "b": found["b"].timing}, clock=clock)
    lanes.actuate("b", 1.0)
    lanes.actuate("a", 1.0)
    step = lanes.step

    def stop_on_the_way() -> None:
        step()
        if motor.at == 100:
            lanes.stop()

    lanes.step = stop_on_the_way  # type: ignore[method-assign]
    clock.enter()
    lanes.run()
    clock.leave()
    assert motor.at == 0
    assert max(motor.taken) - off[0] > 0.15
    assert not pins.factory.pin(23).state


def test_an_arm_is_released_while_another_lane_looks_for_its_home(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = as_if_real(pins, monkeypatch)
    homed = stepper(home={"pin": 16, "within_steps": 300, "steps_per_second": 100})
    arm = ServoSettings(
        kind="servo", pin=18, rest_angle=0, active_angle=9, hold_seconds=1, pulses="while_turning"
    )
    clock = MotorClock(Motor(real, at=200))
    lanes = Lanes(
        {"a": homed.open(real), "b": arm.open(real)},
        {"a": homed.timing, "b": arm.timing},
        clock=clock,
    )
    looks, step = 0, lanes.step

    def count() -> None:
        nonlocal looks
        looks += 1
        step()

    lanes.step = count  # type: ignore[method-assign]
    lanes.finish()
    clock.enter()
    lanes.run()
    clock.leave()
    pulses = [state.state for state in pins.factory.pin(18).states]
    assert pulses[-2:] == [0, pytest.approx(0.075)]  # safe again at the end
    assert looks < 2 * 200  # one for each step, and few more


def test_after_an_emergency_stop_a_motor_looks_for_its_home_again(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its supply is cut in mid-move, and somebody pushes it."""
    real, ended = as_if_real(pins, monkeypatch), list[Actuated]()
    settings = stepper(home={"pin": 16, "within_steps": 400, "steps_per_second": 200})
    device, motor = settings.open(real), Motor(real)
    clock = MotorClock(motor)
    lanes = Lanes({"a": device}, {"a": settings.timing}, clock=clock, report=ended.append)
    for number, at in enumerate((2.0, 2.2, 5.3, 9.0)):
        lanes.actuate("a", at, ItemKey(number, at, ""))
    step, pushed = lanes.step, list[float]()

    def watched() -> None:
        step()
        if motor.at >= 100 and not pushed:
            lanes.hold()
            lanes.cut_off()
            pushed.append(clock.now())
            step()
            before = len(motor.taken)
            for _ in range(50):
                step()
                motor.follow(clock.now())
            assert (len(motor.taken), motor.powered) == (before, False)
            motor.at = 37  # by hand
            motor.show()
            lanes.go_on()
            lanes.actuate("a", pushed[0] + 0.1, ItemKey(7, 0.0, ""))
            lanes.actuate("a", pushed[0] + 5, ItemKey(8, 0.0, ""))
            lanes.finish()

    lanes.step = watched  # type: ignore[method-assign]
    clock.enter()
    lanes.run()
    clock.leave()
    assert [(one.key.item, one.missed) for one in ended if one.key] == [
        (0, Missed.CUT_SHORT),
        (1, Missed.HELD), (2, Missed.HELD), (3, Missed.HELD),
        (7, Missed.NOT_READY), (8, None),
    ]  # fmt: skip
    assert motor.at == pytest.approx(0, abs=1)


@pytest.mark.parametrize("has_home", [False, True], ids=["no home switch", "home switch"])
@pytest.mark.parametrize("steps_on", [True, False], ids=["later", "in the same moment"])
def test_after_an_emergency_stop_the_end_of_the_station_takes_no_step(
    pins: Pins, monkeypatch: pytest.MonkeyPatch, has_home: bool, steps_on: bool
) -> None:
    real = as_if_real(pins, monkeypatch)
    home = {"pin": 16, "within_steps": 400, "steps_per_second": 200}
    settings = stepper(**({"home": home} if has_home else {}))
    device, motor = settings.open(real), Motor(real)
    clock = MotorClock(motor)
    lanes = Lanes({"a": device}, {"a": settings.timing}, clock=clock)
    lanes.actuate("a", 2.0)
    step, at_the_stop = lanes.step, list[int]()

    def watched() -> None:
        step()
        motor.follow(clock.now())
        if motor.at >= 60 and not at_the_stop:
            at_the_stop.append(len(motor.taken))
            lanes.hold()
            lanes.cut_off()
            if steps_on:
                step()
            lanes.stop()

    lanes.step = watched  # type: ignore[method-assign]
    clock.enter()
    lanes.run()
    assert not motor.powered
    device.safe()
    device.close()
    motor.follow(clock.now())
    clock.leave()
    assert (len(motor.taken), motor.at) == (at_the_stop[0], 60)


def test_an_emergency_stop_ends_the_way_back_of_a_station_that_ends(pins: Pins) -> None:
    motor, device = Motor(pins), stepper().open(pins)
    clock = MotorClock(motor)
    lanes = Lanes({"a": device}, {"a": stepper().timing}, clock=clock)
    lanes.actuate("a", 1.0)
    step, take = lanes.step, device.step

    def stop_on_the_way() -> None:
        step()
        if motor.at == 150:
            lanes.stop()

    def press_on_the_way_back(now: float) -> None:
        take(now)
        motor.follow(now)
        if lanes.held is False and motor.at == 80 and max(motor.taken) > 1.2:
            lanes.hold()
            lanes.cut_off()

    lanes.step = stop_on_the_way  # type: ignore[method-assign]
    device.step = press_on_the_way_back  # type: ignore[method-assign]
    clock.enter()
    lanes.run()
    assert not motor.powered
    device.close()
    motor.follow(clock.now())
    clock.leave()
    assert motor.at == 80
    assert max(motor.taken) < 2


def test_no_key_sends_a_motor_behind_its_home_switch(pins: Pins) -> None:
    device = stepper(home={"pin": 16, "within_steps": 300}).open(pins)
    device.turn(-10)
    assert device.next_at is None
    device = stepper(step_pin=5, direction_pin=6, enable_pin=13).open(pins)
    device.turn(-10)
    assert device.next_at is not None


def test_a_home_switch_that_is_not_reached_ends_the_lanes(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = as_if_real(pins, monkeypatch)
    settings = stepper(home={"pin": 16, "within_steps": 300})
    device = settings.open(real)
    clock = MotorClock(Motor(real, at=5000))
    lanes = Lanes({"a": device}, {"a": settings.timing}, clock=clock)
    clock.enter()
    with pytest.raises(HomeSwitchError):
        lanes.run()
    clock.leave()
    assert not lanes.begun.is_set()
    device.close()
