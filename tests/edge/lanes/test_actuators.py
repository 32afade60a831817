from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.core.errors import PinError
from edge.flow import Missed
from edge.lanes.coil import CoilSettings
from edge.lanes.relay import Settings as RelaySettings
from edge.lanes.schedule import LaneAction, Schedule, Timing
from edge.lanes.servo import Settings as ServoSettings
from edge.lanes.solenoid import Settings as SolenoidSettings
from edge.pins.pins import Pins, open_pins

FRAME_SECONDS = 0.02
"""A servo gets a pulse every 20 ms; gpiozero gives the pin's state as a share of it."""


def states(pins: Pins, number: int) -> list[Any]:
    return [state.state for state in pins.factory.pin(number).states]


def solenoid(**options: Any) -> SolenoidSettings:
    return SolenoidSettings(kind="solenoid", pin=23, hold_seconds=0.3, **options)


def servo(**options: Any) -> ServoSettings:
    angles = {"rest_angle": 0, "active_angle": 45} | options
    return ServoSettings(kind="servo", hold_seconds=0.3, **{"pin": 18} | angles)


def relay(**options: Any) -> RelaySettings:
    return RelaySettings(kind="relay", pin=23, hold_seconds=0.3, **{"active_high": True} | options)


COILS = pytest.mark.parametrize("coil", [solenoid, relay])
Coils = Callable[..., CoilSettings]


@COILS
def test_a_coil_has_current_only_while_it_is_active(pins: Pins, coil: Coils) -> None:
    device = coil().open(pins)
    assert states(pins, 23) == [False]
    device.activate()
    device.rest()
    device.rest()
    assert states(pins, 23) == [False, True, False]
    device.close()
    device.close()
    assert states(pins, 23) == [False, True, False]


@COILS
def test_a_coil_closed_while_active_loses_its_current(pins: Pins, coil: Coils) -> None:
    device = coil().open(pins)
    device.activate()
    device.close()
    assert states(pins, 23) == [False, True, False]


@COILS
def test_a_coil_without_current_is_safe(pins: Pins, coil: Coils) -> None:
    device = coil().open(pins)
    device.activate()
    device.release()
    assert states(pins, 23)[-1] == 1
    device.safe()
    assert states(pins, 23) == [0, 1, 0]


@COILS
def test_a_coil_has_a_longest_time_and_must_cool_unless_told_otherwise(coil: Coils) -> None:
    assert coil().timing == Timing(0.3, 2, 2)
    assert coil(max_on_seconds=1).timing == Timing(0.3, 1, 1)
    assert coil(max_on_seconds=1, cool_seconds=0).timing == Timing(0.3, 1)
    with pytest.raises(ValidationError, match="every actuation would be cut short"):
        coil(max_on_seconds=0.2)


@COILS
def test_the_thread_of_the_lanes_alone_ends_a_coil_s_time(pins: Pins, coil: Coils) -> None:
    schedule = Schedule({"a": coil(max_on_seconds=0.5).timing})
    for number in range(50):  # an item each 0.1 s, for five seconds
        schedule.add("a", number / 10)
    on, since = 0.0, None
    for tick in range(700):
        for _, action in schedule.take_due(tick / 100):
            if action is LaneAction.ACTIVATE:
                since = tick / 100
            elif since is not None:
                assert tick / 100 - since <= 0.5 + 0.011
                on, since = on + tick / 100 - since, None
    assert since is None
    assert on <= 0.5 * 5 + 0.5  # half of the time, and the first half second
    assert schedule.missed[Missed.COOLING] > 0


@COILS
def test_a_coil_behind_a_driver_that_is_on_at_low_level(pins: Pins, coil: Coils) -> None:
    device = coil(active_high=False).open(pins)
    assert states(pins, 23)[-1] == 1
    device.activate()
    assert states(pins, 23)[-1] == 0
    device.close()
    # off before the pin is let go, which takes a mock pin to 0
    assert states(pins, 23) == [0, 1, 0, 1, 0]


def test_a_relay_must_be_told_which_level_switches_it_on() -> None:
    with pytest.raises(ValidationError, match="active_high"):
        RelaySettings.model_validate({"kind": "relay", "pin": 23, "hold_seconds": 0.3})


def test_a_servo_turns_between_its_angles(pins: Pins) -> None:
    device = servo().open(pins)
    device.activate()
    device.rest()
    device.close()
    device.close()
    # 1.5 ms is the middle; 45 of 90 degrees is half the way to 2 ms; no pulses after the end
    pulses = [state * FRAME_SECONDS * 1000 for state in states(pins, 18)]
    assert pulses == pytest.approx([0, 1.5, 1.75, 1.5, 0])


def test_a_servo_of_another_range(pins: Pins) -> None:
    wide = {"min_angle": 0, "max_angle": 180, "min_pulse_seconds": 0.0005}
    device = servo(rest_angle=0, active_angle=180, **wide).open(pins)
    device.activate()
    pulses = [state * FRAME_SECONDS * 1000 for state in states(pins, 18)]
    assert pulses == pytest.approx([0, 0.5, 2.0])


class Watched(Pins):
    """Mock pins on a clock of the test's own; what a device waits for, and the pulse meanwhile."""

    def __init__(self, pins: Pins) -> None:
        self.now = 100.0
        super().__init__(pins.factory, real=True, title="watched", clock=lambda: self.now)
        self.waits: list[tuple[float, float]] = []

    def wait(self, seconds: float) -> None:
        pulse = 1000 * FRAME_SECONDS * states(self, 18)[-1]
        self.waits.append((pytest.approx(seconds), pytest.approx(pulse)))


def test_a_servo_closed_while_active_gets_time_to_turn_back(pins: Pins) -> None:
    watched = Watched(pins)
    device = servo(turn_seconds=0.4).open(watched)
    device.activate()
    device.close()
    # then the last pulse is not cut
    assert watched.waits == [(0.4, 1.5), (0.04, 0)]
    assert states(pins, 18)[-1] == 0


def test_a_servo_on_its_way_back_when_it_is_closed_gets_the_time_that_it_still_needs(
    pins: Pins,
) -> None:
    watched = Watched(pins)
    device = servo(turn_seconds=0.4).open(watched)
    device.activate()
    watched.now += 1
    device.safe()  # as the lanes' thread does when it ends
    watched.now += 0.1
    device.close()
    assert watched.waits == [(0.3, 1.5), (0.04, 0)]


def test_a_servo_that_is_where_it_should_be_is_closed_at_once(pins: Pins) -> None:
    watched = Watched(pins)
    device = servo(turn_seconds=0.4).open(watched)
    watched.now += 1
    device.rest()
    device.safe()
    device.close()
    assert watched.waits == [(0.04, 0)]


def test_a_servo_has_a_safe_angle_while_nobody_sorts(pins: Pins) -> None:
    device = servo(safe_angle=-45).open(pins)
    device.rest()
    device.activate()
    device.safe()
    device.rest()
    device.close()
    pulses = [state * FRAME_SECONDS * 1000 for state in states(pins, 18)]
    assert pulses == pytest.approx([0, 1.25, 1.5, 1.75, 1.25, 1.5, 1.25, 0])


def test_a_servo_without_pulses_is_where_it_was_and_gets_them_again(pins: Pins) -> None:
    settings = servo(pulses="while_turning", turn_seconds=0.4)
    assert settings.timing == Timing(0.3, release_seconds=0.4)
    assert servo().timing == Timing(0.3)
    held = servo(pulses="while_active", turn_seconds=0.4).timing
    assert held == Timing(0.3, release_seconds=0.4, held_active=True)
    device = settings.open(pins)
    device.release()
    assert (states(pins, 18)[-1], device.angle) == (0, 0)
    device.rest()
    assert states(pins, 18)[-1] == pytest.approx(1.5 / 20)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"safe_angle": 91}, "between min_angle and max_angle (-90 to 90). Received: 91"),
        ({"pulses": "never"}, "'always', 'while_active' or 'while_turning'"),
        ({"hardware_pwm": "pwm0"}, "must be a channel such as pwmchip0/pwm0"),
        ({"hardware_pwm": "pwmchip0/pwm1"}, "but GPIO 18 is on pwm0 or, on a Pi 5, pwm2"),
        (
            {"pin": 23, "hardware_pwm": "pwmchip0/pwm0"},
            "cannot drive: put the wire on one of GPIO 12, GPIO 13, GPIO 18, GPIO 19",
        ),
    ],
)
def test_a_servo_that_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        servo(**options)


def test_every_angle_has_its_pulse() -> None:
    settings = servo()
    pulses = [1e6 * settings.pulse_seconds(angle) for angle in (-90, -1, 0, 1, 90)]
    assert pulses == pytest.approx([1000, 1494.4, 1500, 1505.6, 2000], abs=0.05)


def test_a_pin_in_use_is_named(pins: Pins) -> None:
    first = solenoid().open(pins)
    with pytest.raises(PinError, match="GPIO 23 cannot be used: GPIOPinInUse"):
        solenoid().open(pins)
    first.close()


def test_mock_pins_say_that_they_are_none(pins: Pins) -> None:
    assert not pins.real
    assert pins.title.startswith("mock (no Raspberry Pi")


def test_mock_pins_are_never_taken_on_a_raspberry_pi(tmp_path: Path) -> None:
    board = tmp_path / "model"
    board.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    with pytest.raises(PinError, match=r"^Raspberry Pi 4 Model B Rev 1\.4: "):
        open_pins(board)
