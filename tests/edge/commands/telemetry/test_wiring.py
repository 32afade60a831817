"""What `doctor` says of pins: their levels at boot, and resistors that no program can see."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.commands.telemetry.wiring import (
    about_the_boot,
    about_the_pins,
    about_the_pwm,
    levels_at_rest,
    pins_apart,
)
from edge.config.reading import read_actuation_config, read_vision_config
from edge.config.station import ActuationConfig
from edge.core.errors import EXIT_OK, PinError
from edge.lanes.pulses import hardware
from edge.pins import i2c
from edge.pins.pins import open_pins
from edge.telemetry.finding import Health

LANES = """\
keep_alive: {pin: 21}
lanes:
  a: {actuator: {kind: solenoid, pin: 23, hold_seconds: 0.1}}
  b: {actuator: {kind: relay, pin: 5, active_high: false, hold_seconds: 0.1}}
  c: {actuator: {kind: servo, pin: 17, rest_angle: 0, active_angle: 9, hold_seconds: 1}}
  d: {actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 9, hold_seconds: 1,
      hardware_pwm: pwmchip0/pwm0}}
  e: {actuator: {kind: servo, board: {kind: pca9685, channel: 0}, rest_angle: 0, active_angle: 9,
      hold_seconds: 1}}
  f: {actuator: {kind: bin, position: 0, hold_seconds: 2}}
bin: {kind: carousel, step_pin: 20, direction_pin: 16, enable_pin: 26, max_steps_per_second: 500,
  steps_per_second_squared: 5000, home: {pin: 12, within_steps: 900}}
"""
LEVELS = {23: False, 5: True, 17: False, 20: False, 16: False, 26: True, 21: False}
LOW, HIGH = "gpio=16,17,20,21,23=op,dl", "gpio=5,26=op,dh"


def actuation(folder: Path) -> ActuationConfig:
    file = folder / "station.yaml"
    file.write_text(LANES)
    return read_actuation_config(file)[1]


def test_every_output_has_its_level_at_rest_and_inputs_have_none(tmp_path: Path) -> None:
    levels = levels_at_rest(actuation(tmp_path))
    assert levels == LEVELS


def test_pins_that_are_read_or_pulsed_by_hardware_are_no_outputs_at_boot(tmp_path: Path) -> None:
    place = tmp_path / "config.txt"
    place.write_text(f"{LOW},{HIGH}\ngpio=12,18=op,dl\ngpio=6=ip\ngpio=7=op\n")
    file = tmp_path / "station.yaml"
    file.write_text(f"{LANES}stops: {{emergency_stop: {{pin: 6}}, bins: {{a: {{pin: 7}}}}}}\n")
    config = read_actuation_config(file)[1]
    apart = pins_apart(config)
    assert sorted(apart) == [6, 7, 12, 18]
    found = [str(one) for one in about_the_boot({}, [place], apart=apart)]
    assert len(found) == 3
    for pin, line, why in (
        (12, 2, "a contact that closes would be a short circuit"),
        (18, 2, "the PWM hardware is to make its pulses"),
        (7, 4, "a contact that closes would be a short circuit"),
    ):
        begin = f"bad      boot       GPIO {pin} is an output at boot, by line {line} of {place}: "
        (told,) = [one for one in found if one.startswith(begin)]
        assert why in told
        assert told.endswith(": take the pin out of that line")


def test_a_line_below_a_filter_may_be_of_another_board(tmp_path: Path) -> None:
    place = tmp_path / "config.txt"
    place.write_text("[pi2]\ngpio=22=op,dl\n")
    (told,) = about_the_boot({}, [place], apart={22: "the station reads it"})
    assert str(told).startswith("warning  boot       GPIO 22 is an output at boot, by line 2")
    assert "where [pi2] counts: the station reads it" in str(told)


def test_the_pins_of_a_trigger_and_an_encoder_are_read(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(
        "station: a\ncamera: {kind: usb}\ntrigger: {kind: beam, pin: 22, delay_seconds: 0.1}\n"
        "lanes: {a: {}}\n"
    )
    vision, config = read_vision_config(file), read_actuation_config(file)[1]
    assert sorted(pins_apart(config, vision)) == [22]
    (told,) = about_the_pins(config, vision)
    assert "GPIO 22, read by the station" in str(told)


def said(folder: Path, text: str | None) -> list[tuple[Health, str]]:
    place = folder / "config.txt"
    if text is not None:
        place.write_text(text)
    levels = levels_at_rest(actuation(folder))
    return [(one.state, str(one)) for one in about_the_boot(levels, [folder / "no", place])]


def test_what_holds_no_pin_at_boot_is_a_line_to_add(tmp_path: Path) -> None:
    ((state, text), (_, asks)) = said(tmp_path, "dtparam=i2c_arm=on\n")
    assert state is Health.WARNING
    assert f"add to {tmp_path / 'config.txt'}: `{LOW}` and `{HIGH}`" in text
    assert "from GPIO 16, 17, 20, 21, 23 to ground" in asks
    assert "and from GPIO 5, 26 to 3.3 V" in asks


def test_a_file_that_holds_every_pin_is_in_order_and_resistors_are_asked_for(
    tmp_path: Path,
) -> None:
    found = said(tmp_path, f"{LOW}\n{HIGH}\n")
    assert [state for state, _ in found] == [Health.OK, Health.OK]
    assert "Are they there?" in found[1][1]


def test_a_line_that_switches_something_on_is_bad(tmp_path: Path) -> None:
    found = said(tmp_path, f"{LOW}\n{HIGH}\ngpio=23=dh\n")
    assert found[0][0] is Health.BAD
    assert f"GPIO 23 is set high at boot, by line 3 of {tmp_path / 'config.txt'}" in found[0][1]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ((state, text), _) = said(tmp_path, None)
    assert state is Health.WARNING
    assert "add to /boot/firmware/config.txt: " in text


def test_a_station_that_moves_nothing_is_asked_nothing() -> None:
    assert list(about_the_boot({})) == []


@pytest.mark.parametrize("answers", [True, False])
def test_on_a_pi_each_board_is_asked_whether_it_is_there(
    answers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Device:
        def __init__(self, bus: int, address: int) -> None:
            if not answers:
                raise PinError(f"bus {bus}, address {address}: nothing answers there")

        def read(self, register: int) -> int:
            return 0

        def close(self) -> None: ...

    pins = open_pins(tmp_path / "no board")
    pins.real, pins.title = True, "as if real"
    monkeypatch.setattr("edge.pins.pins.open_pins", lambda: pins)
    monkeypatch.setattr(i2c, "I2cDevice", Device)
    board = [one for one in about_the_pins(actuation(tmp_path)) if one.part == "board"]
    (finding,) = board
    assert finding.state is (Health.OK if answers else Health.BAD)
    assert ("pca9685 answers at 0x40 on bus 1" if answers else "nothing answers") in finding.said


@pytest.mark.parametrize(
    ("channels", "state", "words"),
    [
        (2, Health.OK, "pwmchip0/pwm0 is there"),
        (None, Health.BAD, "there is no .*pwmchip0 .found: none.. Put `dtoverlay=pwm-2chan`"),
    ],
)
def test_the_pwm_hardware_is_asked_for_its_channels(
    channels: int | None,
    state: Health,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "SYSFS", tmp_path / "pwm")
    if channels is not None:
        (tmp_path / "pwm" / "pwmchip0").mkdir(parents=True)
        (tmp_path / "pwm" / "pwmchip0" / "npwm").write_text(f"{channels}\n")
    (finding,) = about_the_pwm(actuation(tmp_path))
    assert finding.state is state
    assert re.search(words, finding.said)


def test_every_kind_is_safe_again_after_a_station_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lane safe`, which the service calls then, leaves each output as `doctor` says it is."""
    actuation(tmp_path)
    pins = open_pins(tmp_path / "no board")
    last: dict[int, bool] = {}
    close = pins.factory.pin_class.close

    def closed(pin: Any) -> None:
        if pin.function == "output":
            last.setdefault(int(pin.info.name.removeprefix("GPIO")), bool(pin.state))
        close(pin)

    monkeypatch.setattr(pins.factory.pin_class, "close", closed)
    monkeypatch.setattr("edge.pins.pins.open_pins", lambda: pins)
    board = pins.i2c(1, 0x40)
    board.write(6, 0, 0, 400 & 0xFF, 400 >> 8)  # the servo was held where an item is diverted
    assert main(["lane", "safe", str(tmp_path / "station.yaml")]) == EXIT_OK
    assert board.read(9) & 0x10  # no pulses: full off
    assert {pin: last[pin] for pin in LEVELS} == LEVELS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"[pi4]\n{LOW}\n[all]\n{HIGH}\n", "line 2, about GPIO 16, is below [pi4]"),
        (f"{LOW}\n{HIGH}\ninclude extra.txt\n", "line 3 includes extra.txt"),
    ],
)
def test_what_may_not_count_on_this_board_does_not_hold_the_pins_for_sure(
    tmp_path: Path, text: str, why: str
) -> None:
    (state, told), _ = said(tmp_path, text)
    assert state is Health.WARNING
    assert why in told
    assert "depends on what is not known here" in told


def test_a_filter_over_other_pins_is_no_matter(tmp_path: Path) -> None:
    (state, told), _ = said(tmp_path, f"[pi4]\ngpio=7=op,dl\n[all]\n{LOW}\n{HIGH}\n")
    assert state is Health.OK, told
