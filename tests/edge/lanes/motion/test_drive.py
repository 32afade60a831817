"""A stepper motor on mock pins: where it goes, when it has current, and what its switches do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.core.errors import EndSwitchError, HomeSwitchError
from edge.lanes.motion.drive import Drive, DriveSettings
from edge.pins.inputs import Input
from edge.pins.pins import Pins, open_pins
from tests.edge.lanes.motion.motor import Motor, as_if_real

PINS = {"step_pin": 20, "direction_pin": 21, "enable_pin": 26}
SPEEDS = {"max_steps_per_second": 1000, "steps_per_second_squared": 10_000}
HOME = {"pin": 16, "within_steps": 300, "steps_per_second": 200}


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pins]:
    with open_pins(tmp_path / "no board") as mock:
        yield as_if_real(mock, monkeypatch)


def settings(**options: Any) -> DriveSettings:
    return DriveSettings.model_validate(PINS | SPEEDS | options)


def run(drive: Drive, motor: Motor, *, now: float = 0.0, late: float = 0.0) -> float:
    """Takes every step, each `late`; returns when nothing is left to do."""
    motor.show()
    while (due := drive.next_at) is not None:
        now = max(now, due + late)
        drive.step(now)
        motor.follow(now)
        assert len(motor.taken) < 10_000
    return now


def test_a_motor_goes_where_it_is_sent_and_is_released_at_rest_only(pins: Pins) -> None:
    drive, motor = Drive(settings(), pins), Motor(pins)
    assert not motor.powered
    drive.go(150)
    now = run(drive, motor)
    assert (motor.at, drive.position, motor.powered) == (150, 150, True)
    assert now == pytest.approx(150 / 1000 + 0.1, abs=0.01)
    drive.go(0, rests=True)
    ends = run(drive, motor, now=now)
    assert (motor.at, motor.powered) == (0, False)
    assert ends == pytest.approx(2 * now + 0.1, abs=0.02)  # held for a moment, then released
    assert drive.next_at is None
    drive.go(0, rests=True)
    assert drive.next_at is None or run(drive, motor, now=ends) == ends


def test_a_motor_that_is_held_has_current_until_it_is_closed(pins: Pins) -> None:
    drive, motor = Drive(settings(at_rest="held"), pins), Motor(pins)
    assert motor.powered
    drive.go(-20, rests=True)
    run(drive, motor)
    assert (motor.at, motor.powered) == (-20, True)
    drive.close()
    drive.close()
    last = pins.factory.pin(26).states[-2:]  # off, then the mock pin is let go
    assert last[0].state


def test_a_reversed_motor_turns_the_other_way(pins: Pins) -> None:
    drive, motor = Drive(settings(reverse=True), pins), Motor(pins)
    drive.go(10)
    run(drive, motor)
    assert motor.at == -10


def test_late_steps_make_a_move_slower_and_never_a_step_sooner_than_meant(pins: Pins) -> None:
    drive, motor = Drive(settings(), pins), Motor(pins)
    drive.go(100)
    run(drive, motor, late=0.002)
    gaps = [after - before for before, after in itertools.pairwise(motor.taken)]
    assert motor.at == 100
    assert min(gaps) >= 0.002
    drive.go(0)
    motor.taken.clear()
    run(drive, motor, now=10, late=0.0002)
    gaps = [after - before for before, after in itertools.pairwise(motor.taken)]
    assert min(gaps) >= 0.001 * (1 - 1e-6)  # a little lateness does not add up
    assert motor.taken[-1] - motor.taken[0] < 0.19


@pytest.mark.parametrize("start", [-3, 0, 40, 250])
def test_the_home_switch_is_looked_for_from_wherever_the_motor_stands(
    start: int, pins: Pins
) -> None:
    drive, motor = Drive(settings(home=HOME), pins), Motor(pins, at=start)
    assert not drive.ready
    drive.go(30, rests=True)
    run(drive, motor)
    assert drive.ready
    assert motor.at == pytest.approx(30, abs=1)  # the switch is seen with the step after it
    assert not motor.powered
    homing = motor.taken[: max(1, abs(start))]
    gaps = [after - before for before, after in itertools.pairwise(homing)]
    assert min(gaps, default=1) >= 1 / 200 * (1 - 1e-6)


def test_a_home_switch_that_is_not_reached_is_named(pins: Pins) -> None:
    drive, motor = Drive(settings(home=HOME), pins), Motor(pins, at=5000)
    drive.go(0, rests=True)
    with pytest.raises(
        HomeSwitchError,
        match=r"the motor on GPIO 20: its home switch on GPIO 16 was not reached within 300 steps",
    ):
        run(drive, motor)
    assert not motor.powered
    assert drive.next_at is None
    drive.finish()  # its position is not known: it stays
    assert len(motor.taken) == 299


def test_a_home_switch_that_does_not_open_is_named(pins: Pins) -> None:
    drive, motor = Drive(settings(home=HOME), pins), Motor(pins, at=-5000)
    with pytest.raises(HomeSwitchError, match=r"did not open within 300 steps\. Has the motor its"):
        run(drive, motor)


def test_steps_that_were_lost_are_made_up_for_at_the_home_switch(pins: Pins) -> None:
    drive, motor = Drive(settings(home=HOME), pins), Motor(pins)
    now = run(drive, motor)
    drive.go(100)
    motor.lost = 7
    now = run(drive, motor, now=now)
    assert motor.at == pytest.approx(93, abs=1)
    drive.go(0, rests=True)
    now = run(drive, motor, now=now)
    assert motor.at == pytest.approx(0, abs=1)
    drive.go(100)
    run(drive, motor, now=now)
    assert motor.at == pytest.approx(100, abs=1)


def test_a_home_switch_that_closes_far_from_its_place_is_named(pins: Pins) -> None:
    drive, motor = Drive(settings(home=HOME), pins), Motor(pins)
    now = run(drive, motor)
    drive.go(200)
    now = run(drive, motor, now=now)
    motor.home = 120  # its wire touches ground, or the motor lost eighty steps
    drive.go(0, rests=True)
    with pytest.raises(HomeSwitchError, match=r"closed at step 1\d\d, far from where it is"):
        run(drive, motor, now=now)
    assert not motor.powered


def test_a_short_disturbance_is_no_home_switch(pins: Pins, monkeypatch: pytest.MonkeyPatch) -> None:
    drive, motor = Drive(settings(home=HOME), pins), Motor(pins)
    now = run(drive, motor)
    drive.go(200)
    now = run(drive, motor, now=now)
    real, reads = Input.active.fget, itertools.count()  # type: ignore[attr-defined]
    monkeypatch.setattr(Input, "active", property(lambda one: next(reads) == 60 or real(one)))
    drive.go(0, rests=True)
    run(drive, motor, now=now)
    assert motor.at == pytest.approx(0, abs=1)


def test_the_end_switch_stops_a_motor_and_is_named(pins: Pins) -> None:
    drive, motor = Drive(settings(end={"pin": 12}), pins), Motor(pins, end=60)
    drive.go(100)
    with pytest.raises(EndSwitchError, match=r"reached its end switch on GPIO 12 at step 6[01]"):
        run(drive, motor)
    assert not motor.powered
    drive.close()


def test_away_from_a_raspberry_pi_no_switch_is_waited_for(tmp_path: Path) -> None:
    with open_pins(tmp_path / "no board") as mock:
        drive = Drive(settings(home=HOME, end={"pin": 12}), mock)
        assert drive.ready
        drive.go(5, rests=True)
        drive.finish()
        assert drive.position == 5


def test_a_move_that_is_cut_short_is_ended_when_the_station_ends(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, motor = Drive(settings(), pins), Motor(pins)
    monkeypatch.setattr(pins, "wait", motor.follow)
    drive.go(120)
    for _ in range(60):
        now = drive.next_at
        assert now is not None
        drive.step(max(0.0, now))
        motor.follow(now)
    drive.go(0, rests=True)
    drive.finish()
    motor.follow(0)
    assert (motor.at, drive.standing) == (0, True)


def test_a_motor_whose_step_came_far_too_late_gets_faster_again_from_standing(pins: Pins) -> None:
    drive, motor = Drive(settings(), pins), Motor(pins)
    drive.go(300)
    now = 0.0
    while motor.at < 150:
        now = max(now, drive.next_at or 0.0)
        drive.step(now)
        motor.follow(now)
    assert motor.taken[-1] - motor.taken[-2] == pytest.approx(0.001)
    now += 0.1
    drive.step(now)
    motor.follow(now)
    run(drive, motor, now=now)
    assert motor.at == 300
    gaps = [after - before for before, after in itertools.pairwise(motor.taken[150:])]
    assert gaps[0] == pytest.approx((2 / 10_000) ** 0.5)


def test_a_move_that_is_ended_after_a_pause_begins_from_standing(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, motor, waits = Drive(settings(), pins), Motor(pins), list[float]()
    drive.go(300)
    now = 0.0
    while motor.at < 150:
        now = max(now, drive.next_at or 0.0)
        drive.step(now)
        motor.follow(now)
    drive.go(0, rests=True)

    def wait(seconds: float) -> None:
        motor.follow(0)
        waits.append(seconds)

    monkeypatch.setattr(pins, "wait", wait)
    drive.finish()
    motor.follow(0)
    assert (motor.at, len(waits)) == (0, 150)
    assert waits[0] == pytest.approx((2 / 10_000) ** 0.5)
    assert min(waits) >= 0.001 * (1 - 1e-9)


def test_the_end_switch_stops_a_motor_that_turns_the_wrong_way_to_its_home(pins: Pins) -> None:
    drive, motor = Drive(settings(home=HOME, end={"pin": 12}, reverse=True), pins), Motor(pins)
    motor.at, motor.end, motor.home = 40, 60, -1000
    drive.go(0, rests=True)
    with pytest.raises(EndSwitchError, match="turns the wrong way"):
        run(drive, motor)
    assert motor.at == pytest.approx(60, abs=1)


def test_a_motor_that_stands_on_its_end_switch_may_leave_it_for_its_home(pins: Pins) -> None:
    drive, motor = Drive(settings(home=HOME, end={"pin": 12}), pins), Motor(pins, at=70, end=60)
    drive.go(0, rests=True)
    run(drive, motor)
    assert motor.at == pytest.approx(0, abs=1)


def test_a_held_motor_without_a_home_switch_is_held_again_after_its_supply_was_cut(
    pins: Pins,
) -> None:
    drive, motor = Drive(settings(at_rest="held"), pins), Motor(pins)
    drive.go(20, rests=True)
    now = run(drive, motor)
    drive.lose_position()
    assert (motor.powered, drive.ready) == (True, True)
    homed = Drive(
        settings(at_rest="held", home=HOME, step_pin=5, direction_pin=6, enable_pin=13), pins
    )
    homed.lose_position()
    assert (bool(pins.factory.pin(13).state), homed.ready) == (True, False)
    drive.go(0, rests=True)
    run(drive, motor, now=now)
    assert (motor.at, motor.powered) == (0, True)


def test_a_motor_that_can_be_released_has_a_pin_for_it() -> None:
    with pytest.raises(ValidationError, match="at_rest: released, which needs enable_pin"):
        settings(enable_pin=None)
    assert settings(enable_pin=None, at_rest="held").enable_pin is None


def test_a_home_switch_is_looked_for_no_faster_than_the_motor_may_turn(pins: Pins) -> None:
    slow = settings(max_steps_per_second=50, home={"pin": 16, "within_steps": 300})
    drive, motor = Drive(slow, pins), Motor(pins, at=40)
    run(drive, motor)
    assert drive.ready
    apart = [after - before for before, after in itertools.pairwise(motor.taken)]
    assert min(apart) >= 1 / 50 - 1e-9
