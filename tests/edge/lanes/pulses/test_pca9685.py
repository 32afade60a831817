"""A servo board, on a socket that stands in for the file of its bus, and in memory."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from edge.core.errors import PinError
from edge.lanes.pulses.pca9685 import (
    FIRST_CHANNEL,
    MODE1,
    MODE2,
    PRE_SCALE,
    PRESCALE,
    BoardPulses,
    BoardSettings,
)
from edge.lanes.servo import Settings
from edge.pins import i2c
from edge.pins.i2c import HANGING_SECONDS, BusHangs, I2cDevice
from edge.pins.pins import Pins, open_pins
from tests.logged import listen

ASLEEP, AWAKE = 0x11, 0x20
"""Its mode after power-on, and while it runs."""


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Pins]:
    with open_pins(tmp_path / "no board") as pins:
        yield pins


def board(**options: Any) -> BoardSettings:
    return BoardSettings.model_validate({"kind": "pca9685", "channel": 3} | options)


def servo(**options: Any) -> Settings:
    where = {"board": {"kind": "pca9685", "channel": 3}, "rest_angle": 0, "active_angle": 90}
    return Settings.model_validate({"kind": "servo", "hold_seconds": 0.3} | where | options)


def pulse_ms(pins: Pins, channel: int, *, address: int = 0x40) -> float:
    """The length of the pulses on an output, by the registers of its board; 0 for none."""
    registers = pins.boards[1, address].registers
    low, high = (registers.get(FIRST_CHANNEL + 4 * channel + part, 0) for part in (2, 3))
    return 0 if high & 0x10 else (high << 8 | low) * (PRESCALE + 1) / 25_000


class Bus:
    """A file of a bus whose other end is in the test's hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.descriptor = near.detach()
        self.asked: list[tuple[int, int]] = []
        self.far.setblocking(False)
        monkeypatch.setattr(i2c, "open_bus", self.opened)

    def opened(self, bus: int, address: int) -> int:
        self.asked.append((bus, address))
        return self.descriptor

    def answers(self, *values: int) -> None:
        for value in values:
            self.far.send(bytes([value]))

    @property
    def messages(self) -> list[bytes]:
        """What was written since the last look."""
        found = []
        while True:
            try:
                message = self.far.recv(64)
            except BlockingIOError:
                return found
            if not message:
                return found
            found.append(message)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    found = Bus(monkeypatch)
    with found.far:
        yield found


def real(pins: Pins, monkeypatch: pytest.MonkeyPatch) -> Pins:
    found = Pins(pins.factory, real=True, title="as if real", clock=lambda: 0.0)
    monkeypatch.setattr(found, "wait", lambda seconds: None)
    return found


def test_a_sleeping_board_is_started_at_fifty_pulses_a_second(
    bus: Bus, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.answers(ASLEEP)
    pulses = BoardPulses(board(address="0x41"), real(pins, monkeypatch))
    assert bus.asked == [(1, 0x41)]
    # asked for its mode; asleep, the period of 25 MHz / 4096 / 122 = 50 Hz, push-pull, awake
    assert bus.messages == [b"\x00", b"\x00\x30", b"\xfe\x79", b"\x01\x04", b"\x00\x20"]
    bus.answers(AWAKE, AWAKE)
    pulses.set(0.0015)
    # 1.5 ms of 4.88 us each: 307; the channel's four bytes in one message
    assert bus.messages == [b"\x00", bytes([FIRST_CHANNEL + 12, 0, 0, 307 & 0xFF, 307 >> 8])]
    pulses.close()
    pulses.close()
    assert bus.messages == [b"\x00", bytes([FIRST_CHANNEL + 12, 0, 0, 0, 0x10])]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(bus.descriptor)


def test_a_board_that_runs_is_left_alone_for_the_sake_of_its_other_servos(
    bus: Bus, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.answers(AWAKE, PRESCALE)
    BoardPulses(board(), real(pins, monkeypatch))
    assert bus.messages == [bytes([MODE1]), bytes([PRE_SCALE])]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOENT, r"bus 1, address 0x40: there is no /dev/i2c-1\. Put `dtparam=i2c_arm=on`"),
        (errno.EACCES, "this user may not use /dev/i2c-1: is it in the group i2c"),
        (errno.EBUSY, "a driver of the kernel uses this device"),
        (errno.EREMOTEIO, "nothing answers there"),
        (errno.EMFILE, "cannot be used: Too many open files"),
    ],
)
def test_a_bus_that_cannot_be_used_says_what_to_do(number: int, said: str) -> None:
    def opened(bus: int, address: int) -> int:
        raise OSError(number, os.strerror(number))

    with pytest.raises(PinError, match=said):
        I2cDevice(1, 0x40, opened=opened)


@pytest.mark.parametrize(("number", "tried"), [(errno.ETIMEDOUT, 1), (errno.EREMOTEIO, 16)])
def test_a_bus_that_hangs_costs_one_time_out_and_a_board_that_is_gone_only_itself(
    number: int, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, messages = [0.0], list[int]()

    def write(descriptor: int, message: bytes) -> None:
        messages.append(descriptor)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(i2c, "os", SimpleNamespace(write=write, strerror=os.strerror))
    hangs = BusHangs(lambda: now[0])
    boards = [
        I2cDevice(1, 0x40 + one, opened=lambda bus, address: address, hangs=hangs)
        for one in range(16)
    ]
    for board in boards:
        with pytest.raises(PinError, match="nothing answers there"):
            board.write(MODE1, 0)
    assert len(messages) == tried
    now[0] += HANGING_SECONDS  # it is tried again, for it may be well
    with pytest.raises(PinError):
        boards[3].write(MODE1, 0)
    assert messages[tried:] == [0x43]


def test_a_bus_that_is_not_there_is_named() -> None:
    with pytest.raises(PinError, match="there is no /dev/i2c-31"):
        I2cDevice(31, 0x40)


def test_a_board_that_does_not_answer_is_named_and_its_file_closed(
    bus: Bus, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.far.close()
    with pytest.raises(PinError, match="bus 1, address 0x40: "):
        servo().open(real(pins, monkeypatch))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(bus.descriptor)


def test_servos_on_one_board_turn_by_themselves(pins: Pins) -> None:
    first = servo().open(pins)
    second = servo(board={"kind": "pca9685", "channel": 15}).open(pins)
    first.activate()
    assert pulse_ms(pins, 3) == pytest.approx(2.0, abs=0.0025)
    assert pulse_ms(pins, 15) == pytest.approx(1.5, abs=0.0025)
    first.release()
    assert (pulse_ms(pins, 3), pulse_ms(pins, 15) > 1) == (0, True)
    second.close()
    first.close()
    assert (pulse_ms(pins, 3), pulse_ms(pins, 15)) == (0, 0)
    modes = [message for message in pins.boards[1, 0x40].messages if message[0] in (MODE1, MODE2)]
    assert modes == [(MODE1, 0x30), (MODE2, 0x04), (MODE1, 0x20)]  # once


def test_a_board_that_was_reset_is_started_again_and_that_is_said(pins: Pins) -> None:
    said: list[str] = []
    listen(said.append)
    device = servo().open(pins)
    registers = pins.boards[1, 0x40].registers
    registers.clear()
    registers[MODE1] = ASLEEP  # as after a dip of its 3.3 V; it acknowledges all the same
    device.activate()
    assert pulse_ms(pins, 3) == pytest.approx(2.0, abs=0.0025)
    assert (registers[MODE1], registers[PRE_SCALE]) == (AWAKE, PRESCALE)
    device.rest()
    (line,) = said
    assert line.startswith("servo board 0x40 on I2C bus 1: it was reset, and is started again")


def test_a_message_on_a_bus_that_hangs_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "open", lambda path, flags: 77)
    monkeypatch.setattr(fcntl, "ioctl", lambda fd, request, value: asked.append((request, value)))
    assert i2c.open_bus(1, 0x41) == 77
    assert asked == [(0x0702, 2), (0x0703, 0x41)]  # 20 ms; the address


def test_every_angle_is_within_a_step_of_the_board(pins: Pins) -> None:
    device = servo().open(pins)
    for angle in range(-90, 91):
        device.turn(angle)
        assert pulse_ms(pins, 3) == pytest.approx(1.5 + angle / 180, abs=0.0025)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pin": 18}, "has pin and board: keep one of them"),
        ({"board": None}, "needs `pin`, or `board` if the signal wire is on a servo board"),
        ({"hardware_pwm": "pwmchip0/pwm0"}, "has hardware_pwm and board"),
        ({"board": {"kind": "pca9685", "channel": 16}}, "less than or equal to 15"),
        ({"board": {"kind": "pca9685", "channel": 0, "address": 0x70}}, "every PCA9685 answers"),
        ({"board": {"kind": "pca9685", "channel": 0, "address": "0x3f"}}, "greater than or equal"),
        ({"board": {"kind": "pca9685", "channel": 0, "address": "0xzz"}}, "valid integer"),
    ],
)
def test_a_servo_is_on_a_pin_or_on_an_output_of_a_board(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        servo(**options)
