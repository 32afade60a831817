from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import PinError
from edge.lanes.pulses import hardware
from edge.lanes.pulses.hardware import HardwarePulses
from edge.lanes.servo import Settings
from edge.pins.pins import Pins, open_pins

CHANNEL = "pwmchip0/pwm0"


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A PWM chip with its first channel exported."""
    folder = tmp_path / CHANNEL
    folder.mkdir(parents=True)
    for name in ("period", "duty_cycle", "enable"):
        (folder / name).write_text("0\n")
    (tmp_path / "pwmchip0/export").write_text("")
    return tmp_path


def state(sysfs: Path) -> tuple[int, int, int]:
    """(period, pulse, whether there are any), the first two in nanoseconds."""
    names = ("period", "duty_cycle", "enable")
    period, pulse, enable = (int((sysfs / CHANNEL / name).read_text()) for name in names)
    return period, pulse, enable


def no_wait(seconds: float) -> None:
    raise AssertionError("there is nothing to wait for")


def test_pulses_come_every_20_ms_as_long_as_asked_for(sysfs: Path) -> None:
    found = HardwarePulses(CHANNEL, wait=no_wait, sysfs=sysfs)
    assert state(sysfs) == (20_000_000, 0, 1)
    found.set(0.0014944)
    assert state(sysfs) == (20_000_000, 1_494_400, 1)
    found.close()
    found.close()
    assert state(sysfs) == (20_000_000, 0, 0)


def test_a_pulse_left_by_another_program_is_ended_first(sysfs: Path) -> None:
    (sysfs / CHANNEL / "duty_cycle").write_text("1500000\n")
    HardwarePulses(CHANNEL, wait=no_wait, sysfs=sysfs)
    assert state(sysfs) == (20_000_000, 0, 1)


def test_a_channel_is_exported_and_its_permissions_are_waited_for(
    sysfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = sysfs / "away"
    (sysfs / CHANNEL).rename(away)
    refused: list[str] = []
    waits: list[float] = []
    write = Path.write_text

    def write_text(path: Path, text: str, *args: Any) -> int:
        done = write(path, text, *args)
        if path.name == "export":
            away.rename(sysfs / CHANNEL)
        elif path.name == "enable" and len(waits) < 2:
            refused.append(text)
            raise PermissionError(13, "Permission denied", str(path))
        return done

    monkeypatch.setattr(Path, "write_text", write_text)
    HardwarePulses(CHANNEL, wait=waits.append, sysfs=sysfs)
    assert (sysfs / "pwmchip0/export").read_text() == "0"
    assert (len(refused), len(waits)) == (2, 2)
    assert state(sysfs) == (20_000_000, 0, 1)


def test_a_chip_that_is_not_there_says_which_are_and_what_to_do(sysfs: Path) -> None:
    with pytest.raises(PinError) as caught:
        HardwarePulses("pwmchip2/pwm2", wait=no_wait, sysfs=sysfs)
    assert "(found: pwmchip0). Put `dtoverlay=pwm-2chan` into" in str(caught.value)


def test_a_channel_that_the_chip_does_not_have_is_said_before_it_is_asked_for(sysfs: Path) -> None:
    (sysfs / "pwmchip0" / "npwm").write_text("2\n")
    with pytest.raises(PinError, match="pwmchip0/pwm2: pwmchip0 has the channels 0 to 1 only"):
        HardwarePulses("pwmchip0/pwm2", wait=no_wait, sysfs=sysfs)
    assert (sysfs / "pwmchip0/export").read_text() == ""
    HardwarePulses(CHANNEL, wait=no_wait, sysfs=sysfs)


def test_a_channel_that_cannot_be_written_is_named(sysfs: Path) -> None:
    (sysfs / CHANNEL / "period").unlink()
    (sysfs / CHANNEL / "period").mkdir()
    with pytest.raises(PinError, match=r"pwmchip0/pwm0 cannot be used: Is a directory: .*period"):
        HardwarePulses(CHANNEL, wait=no_wait, sysfs=sysfs)


@pytest.mark.parametrize("real", [True, False])
def test_a_servo_takes_its_channel_on_a_raspberry_pi_only(
    sysfs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real: bool
) -> None:
    monkeypatch.setattr(hardware, "SYSFS", sysfs)
    settings = Settings(
        kind="servo",
        pin=18,
        rest_angle=0,
        active_angle=90,
        hold_seconds=1,
        hardware_pwm=CHANNEL,
    )
    with open_pins(tmp_path / "no board") as mock:
        found = Pins(mock.factory, real=real, title="as asked", clock=lambda: 0.0)
        monkeypatch.setattr(found, "wait", lambda seconds: None)
        servo = settings.open(found)
        servo.activate()
        assert state(sysfs)[1] == (2_000_000 if real else 0)
        servo.close()
        assert state(sysfs)[2] == 0
        used = [state.state for state in mock.factory.pin(18).states]
        assert used == ([0] if real else pytest.approx([0, 0.075, 0.1, 0.075, 0]))
