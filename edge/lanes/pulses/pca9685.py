"""Pulses made by a PCA9685, the chip of most boards that drive sixteen servos by I2C.

Its registers and times are those of NXP's data sheet PCA9685, revision 4.
"""

from __future__ import annotations

import logging
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from edge.lanes.pulses import PERIOD_SECONDS
from edge.pins.i2c import Registers
from edge.pins.pins import Pins

_log = logging.getLogger(__name__)

_CLOCK = 25_000_000
"""The frequency of its own oscillator in Hz; within some per cent, as the angle is."""
_STEPS = 4096
"""The steps of one period."""
PRESCALE = round(_CLOCK / _STEPS * PERIOD_SECONDS) - 1
"""The value of its register for a period of 20 ms, by formula 1 of the data sheet: 121."""
_STEPS_PER_SECOND = _CLOCK / (PRESCALE + 1)

MODE1, MODE2, FIRST_CHANNEL, PRE_SCALE = 0x00, 0x01, 0x06, 0xFE
SLEEP, INCREMENT, PUSH_PULL = 0x10, 0x20, 0x04
FULL_OFF = 0x1000
_WAKING_SECONDS = 0.001
"""Twice the time that its oscillator needs to start."""
_LOWEST = 0x40
"""The lowest address of a board."""
_FOR_ALL = 0x70
"""The address to which every PCA9685 answers until it is told otherwise."""


def _an_address(received: Any) -> Any:
    """The number in a text such as `0x40`: addresses are written so on boards and by i2cdetect."""
    found = received
    digits = str(received) if isinstance(received, int | str) else ""
    if re.fullmatch("[4-7][0-9A-Fa-f]", digits) and not (
        isinstance(received, int) and received >= _LOWEST
    ):  # as `i2cdetect` shows it
        raise advised(
            f"must be a board's address, 0x40 to 0x77. Received: {received!r}: `i2cdetect` shows "
            f"them as hexadecimal: if that is meant, write 0x{digits.lower()}"
        )
    if isinstance(received, str) and received[:2].lower() == "0x":
        try:
            found = int(received, 16)
        except ValueError:
            return received
    if found == _FOR_ALL and not isinstance(found, bool):
        raise advised(
            "0x70 is the address to which every PCA9685 answers: give this board another one by "
            "its solder bridges"
        )
    return found


class BoardSettings(Section, title="ServoBoard"):
    """`board` of a servo: the output of a servo board that its signal wire is on."""

    kind: Annotated[Literal["pca9685"], Field(description="the kind of board")]
    bus: Annotated[
        int, Field(ge=0, le=31, description="the I2C bus; 1 is the one on the header, GPIO 2 and 3")
    ] = 1
    address: Annotated[
        int,
        Field(
            ge=_LOWEST,
            le=0x77,
            description="the board's address on the bus, such as 0x40; its solder bridges add to "
            "it, and `i2cdetect -y 1` shows it",
        ),
        BeforeValidator(_an_address),
    ] = 0x40
    channel: Annotated[
        int, Field(ge=0, le=15, description="the output of the board, as it is printed there")
    ]


class BoardPulses:
    """Pulses on one output of a board, which nothing on this machine can delay."""

    def __init__(self, board: BoardSettings, pins: Pins) -> None:
        """Starts the board, if it does not run; pulses on its other outputs go on if it does.

        Raises:
            PinError: the board does not answer.
        """
        self._name = f"servo board {board.address:#04x} on I2C bus {board.bus}"
        self._register = FIRST_CHANNEL + 4 * board.channel
        self._device: Registers | None = pins.i2c(board.bus, board.address)
        try:
            if not _runs(self._device.read(MODE1)) or self._device.read(PRE_SCALE) != PRESCALE:
                _start(self._device)
                pins.wait(_WAKING_SECONDS)
        except BaseException:
            self._device.close()
            raise

    def set(self, seconds: float) -> None:
        """See Pulses.

        Raises:
            PinError: the board does not answer.
        """
        if self._device is None:
            return
        # A board that lost its 3.3 V for a moment sleeps, and acknowledges everything.
        if not _runs(self._device.read(MODE1)):
            _log.warning(f"{self._name}: it was reset, and is started again: is its 3.3 V steady?")
            _start(self._device)
        # All four bytes in one message, at whose end the chip takes them up together.
        ends = round(seconds * _STEPS_PER_SECOND) or FULL_OFF
        self._device.write(self._register, 0, 0, ends & 0xFF, ends >> 8)

    def close(self) -> None:
        """See Pulses. The board goes on for the sake of its other outputs.

        Raises:
            PinError: the board does not answer.
        """
        if self._device is not None:
            try:
                self.set(0)
            finally:
                device, self._device = self._device, None
                device.close()


def _runs(mode: int) -> bool:
    return bool(mode & INCREMENT) and not mode & SLEEP


def _start(device: Registers) -> None:
    device.write(MODE1, SLEEP | INCREMENT)  # the period can be set only while it sleeps
    device.write(PRE_SCALE, PRESCALE)
    device.write(MODE2, PUSH_PULL)
    device.write(MODE1, INCREMENT)
