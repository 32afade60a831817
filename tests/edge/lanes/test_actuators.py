from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.errors import PinError
from edge.lanes.pins import Pins, open_pins
from edge.lanes.servo import Settings as ServoSettings
from edge.lanes.solenoid import Settings as SolenoidSettings

FRAME_SECONDS = 0.02
"""A servo gets a pulse every 20 ms; gpiozero gives the pin's state as a share of it."""


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Pins]:
    with open_pins(tmp_path / "no board") as pins:
        yield pins


def states(pins: Pins, number: int) -> list[Any]:
    return [state.state for state in pins.factory.pin(number).states]


def solenoid(**options: Any) -> SolenoidSettings:
    return SolenoidSettings(kind="solenoid", pin=23, hold_seconds=0.3, **options)


def servo(**options: Any) -> ServoSettings:
    angles = {"rest_angle": 0, "active_angle": 45} | options
    return ServoSettings(kind="servo", pin=18, hold_seconds=0.3, **angles)


def test_a_solenoid_has_current_only_while_it_is_active(pins: Pins) -> None:
    device = solenoid().open(pins)
    assert states(pins, 23) == [False]
    device.activate()
    device.rest()
    device.rest()
    assert states(pins, 23) == [False, True, False]
    device.close()
    device.close()
    assert states(pins, 23) == [False, True, False]


def test_a_solenoid_closed_while_active_loses_its_current(pins: Pins) -> None:
    device = solenoid().open(pins)
    device.activate()
    device.close()
    assert states(pins, 23) == [False, True, False]


def test_a_solenoid_behind_a_driver_that_is_on_at_low_level(pins: Pins) -> None:
    device = solenoid(active_high=False).open(pins)
    assert states(pins, 23)[-1] == 1
    device.activate()
    assert states(pins, 23)[-1] == 0
    device.close()
    # off before the pin is let go, which takes a mock pin to 0
    assert states(pins, 23) == [0, 1, 0, 1, 0]


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


def test_a_servo_closed_while_active_gets_time_to_turn_back(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = servo(turn_seconds=0.4).open(pins)
    waits: list[tuple[float, float]] = []
    monkeypatch.setattr(pins, "wait", lambda s: waits.append((s, states(pins, 18)[-1])))
    device.activate()
    device.close()
    assert waits == [(0.4, pytest.approx(1.5 / 20))]
    assert states(pins, 18)[-1] == 0


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
