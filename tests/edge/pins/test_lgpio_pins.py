from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import PinError
from edge.lanes.servo import Settings as ServoSettings
from edge.lanes.solenoid import Settings as SolenoidSettings
from edge.pins.edges import EdgeInput, EdgeSettings
from edge.pins.pins import Pins, open_pins
from tests.clocks import ToldClock
from tests.edge.pins.lgpio_fake import Chip

PI_3B = 0xA02082


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chip]:
    """lgpio with a chip behind it, and a Raspberry Pi 3B around it."""
    chip = Chip()
    monkeypatch.setitem(sys.modules, "lgpio", chip)
    yield chip
    for module in ("gpiozero.pins.lgpio", "edge.pins.lgpio_pins"):
        sys.modules.pop(module, None)


@pytest.fixture
def pins(chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pins]:
    from gpiozero.pins.local import LocalPiFactory

    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda self: PI_3B)
    board = tmp_path / "model"
    board.write_bytes(b"Raspberry Pi 3 Model B Rev 1.2\0")
    with open_pins(board) as pins:
        monkeypatch.setattr(pins, "wait", lambda seconds: None)
        yield pins


def test_real_pins_say_so(pins: Pins, chip: Chip) -> None:
    assert pins.real
    assert pins.title == "real, Raspberry Pi 3 Model B Rev 1.2"
    assert chip.open == 1
    pins.close()
    assert chip.open == 0


@pytest.mark.parametrize("active_high", [True, False])
def test_a_solenoid_never_has_another_level_than_it_should(
    pins: Pins, chip: Chip, active_high: bool
) -> None:
    on, off = int(active_high), int(not active_high)
    settings = SolenoidSettings(kind="solenoid", pin=23, hold_seconds=0.3, active_high=active_high)
    device = settings.open(pins)
    # from what the wiring makes of it to off: neither on nor floating in between
    assert chip.wire(23).seen == ["floating", off]
    device.activate()
    device.rest()
    device.close()
    pins.close()
    # the kernel decides what becomes of it now; until then it was held
    assert chip.wire(23).seen == ["floating", off, on, off]


def test_a_level_set_at_boot_stays(pins: Pins, chip: Chip) -> None:
    chip.wire(23).seen = [1]  # gpio=23=op,dh
    settings = SolenoidSettings(kind="solenoid", pin=23, hold_seconds=0.3, active_high=False)
    settings.open(pins).close()
    assert chip.wire(23).seen == [1]


def test_a_pin_that_is_opened_again_gets_its_level_again(pins: Pins, chip: Chip) -> None:
    for active_high, level in ((True, 0), (False, 1)):
        settings = SolenoidSettings(
            kind="solenoid", pin=23, hold_seconds=0.3, active_high=active_high
        )
        device = settings.open(pins)
        assert chip.wire(23).seen[-1] == level
        device.close()


def test_a_servo_turns_by_less_than_a_degree_and_ends_low(pins: Pins, chip: Chip) -> None:
    settings = ServoSettings(kind="servo", pin=18, rest_angle=0, active_angle=0.5, hold_seconds=0.3)
    device = settings.open(pins)
    device.activate()
    device.close()
    seen = chip.wire(18).seen
    assert seen == [
        "floating",
        0,
        (50, 0),
        (50, pytest.approx(7.5)),
        (50, pytest.approx(7.5 + 0.5 / 180 * 5)),
        (50, pytest.approx(7.5)),
        (50, 0),  # the last pulse is not cut
        0,
    ]


def test_an_output_closed_in_the_middle_of_a_pulse_is_low(pins: Pins, chip: Chip) -> None:
    from gpiozero import PWMOutputDevice

    device = PWMOutputDevice(18, initial_value=0.5, pin_factory=pins.factory)
    device.close()
    assert chip.wire(18).seen[-3:] == [(100, 50), 1, 0]


def test_an_input_is_an_input(pins: Pins, chip: Chip) -> None:
    from gpiozero import InputDevice

    with InputDevice(24, pull_up=False, pin_factory=pins.factory) as device:
        assert chip.wire(24).mode == "input"
        assert not device.is_active
    assert chip.wire(24).mode == "input"


def test_edges_come_with_the_kernel_s_time(pins: Pins, chip: Chip) -> None:
    clock = ToldClock(lambda: 50.0, lambda: 1.7e9)
    beam = EdgeInput(EdgeSettings(pin=24), pins, clock=clock)
    told = chip.listening[24]
    assert told.func is not None
    told.func(0, 24, 0, 49_900_000_000)
    told.func(0, 24, 1, 49_980_000_000)
    assert beam.take(50.0) == [49.9]
    beam.close()
    assert told.func is None


def test_lgpio_is_loaded_in_a_folder_that_it_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "lgpio.py").write_text(
        "import pathlib\n"
        f"pathlib.Path({str(tmp_path / 'where')!r}).write_text(str(pathlib.Path.cwd()))\n"
        "raise ImportError('as asked')\n"
    )
    board = tmp_path / "model"
    board.write_bytes(b"Raspberry Pi 5\0")
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    with pytest.raises(PinError, match="lgpio cannot be loaded"):
        open_pins(board)
    assert (tmp_path / "where").read_text() != str(here)
    assert Path.cwd() == here
    assert os.access((tmp_path / "where").read_text(), os.F_OK) is False


@pytest.mark.parametrize("goes", ["before", "meanwhile"])
def test_a_current_folder_that_cannot_be_gone_back_to_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    going = f"import pathlib\npathlib.Path({str(here)!r}).rmdir()\n" if goes == "meanwhile" else ""
    (tmp_path / "lgpio.py").write_text(going + "raise ImportError('as asked')\n")
    board = tmp_path / "model"
    board.write_bytes(b"Raspberry Pi 5\0")
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    if goes == "before":
        here.rmdir()
    with pytest.raises(PinError, match="lgpio cannot be loaded"):
        open_pins(board)
    assert Path.cwd() == Path("/")
