"""An arm that a servo turns to angles: its wire, its range, and the pulses that turn it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from edge.lanes.pulses import Pulses
from edge.lanes.pulses.hardware import HardwarePulses
from edge.lanes.pulses.pca9685 import BoardPulses, BoardSettings
from edge.lanes.pulses.software import SoftwarePulses
from edge.pins.header import PWM_CHANNELS, Pin
from edge.pins.pins import Pins, pin_errors

Angle = Annotated[float, Field(ge=-360, le=360)]
Pulse = Annotated[float, Field(ge=0.0002, le=0.005)]

_CHANNEL = re.compile(r"^pwmchip[0-9]+/pwm([0-9]+)$")


def _a_channel(received: str) -> str:
    if _CHANNEL.fullmatch(received) is None:
        raise advised(
            f"must be a channel such as pwmchip0/pwm0 (`ls /sys/class/pwm` shows the chips). "
            f"Received: {received!r}"
        )
    return received


class ArmSettings(Section):
    """The keys of a servo and of the arm on it."""

    pin: Annotated[
        Pin | None,
        Field(description="BCM number of the GPIO with the servo's signal wire, if it is on one"),
    ] = None
    board: Annotated[
        BoardSettings | None,
        Field(
            description="instead of pin: the output of a servo board, "
            "`{kind: pca9685, address: 0x40, channel: 0}`"
        ),
    ] = None
    min_angle: Annotated[Angle, Field(description="degrees at the shortest pulse")] = -90
    max_angle: Annotated[Angle, Field(description="degrees at the longest pulse")] = 90
    min_pulse_seconds: Annotated[Pulse, Field(description="shortest pulse")] = 0.001
    max_pulse_seconds: Annotated[Pulse, Field(description="longest pulse")] = 0.002
    turn_seconds: Annotated[
        float, Field(ge=0, le=5, description="seconds the arm may need to turn")
    ] = 0.5
    pulses: Annotated[
        Literal["always", "while_active", "while_turning"],
        Field(
            description="always: the arm holds its position against a push. while_active: it holds "
            "while it diverts, and pulses end turn_seconds after it has turned back to rest, so "
            "that it neither trembles nor hums there, but can be pushed. while_turning: they end "
            "turn_seconds after each turn"
        ),
    ] = "always"
    hardware_pwm: Annotated[
        str | None,
        AfterValidator(lambda received: received if received is None else _a_channel(received)),
        Field(
            description="the channel of /sys/class/pwm that is on this pin, such as pwmchip0/pwm0 "
            "with `dtoverlay=pwm-2chan`: exact pulses, so that the arm does not tremble; without "
            "it, software makes the pulses",
        ),
    ] = None

    @field_validator("max_angle", "max_pulse_seconds")
    @classmethod
    def _above_smallest(cls, largest: float, info: ValidationInfo) -> float:
        name = str(info.field_name).replace("max", "min")
        smallest = info.data.get(name)
        if smallest is not None and smallest >= largest:
            raise advised(f"must be above {name} ({smallest:g}). Received: {largest:g}")
        return largest

    @model_validator(mode="after")
    def _one_signal(self) -> Self:
        if (self.pin is None) == (self.board is None):
            both = "has pin and board: keep one of them" if self.pin is not None else ""
            raise advised(both or "needs `pin`, or `board` if the signal wire is on a servo board")
        if self.hardware_pwm is not None:
            self._check_channel(self.hardware_pwm)
        return self

    def _check_channel(self, channel: str) -> None:
        if self.pin is None:
            raise advised("has hardware_pwm and board, which makes its own pulses: remove one")
        if self.pin not in PWM_CHANNELS:
            raise advised(
                f"has hardware_pwm on GPIO {self.pin}, which the PWM hardware cannot drive: put "
                f"the wire on one of {', '.join(f'GPIO {pin}' for pin in PWM_CHANNELS)}"
            )
        found = _CHANNEL.fullmatch(channel)
        if found is not None and int(found.group(1)) not in PWM_CHANNELS[self.pin]:
            right = " or, on a Pi 5, ".join(f"pwm{n}" for n in PWM_CHANNELS[self.pin])
            raise advised(f"has hardware_pwm: {channel}, but GPIO {self.pin} is on {right}")

    @property
    def levels_at_rest(self) -> Mapping[int, bool]:
        """Low on its pin, where it has one that software drives."""
        plain = self.pin is not None and self.hardware_pwm is None
        return {self.pin: False} if plain and self.pin is not None else {}

    @property
    def release_seconds(self) -> float | None:
        """The seconds after a turn at which its pulses end; None: they do not."""
        return None if self.pulses == "always" else self.turn_seconds

    def pulse_seconds(self, angle: float) -> float:
        """The length in seconds of the pulse that turns the arm to `angle` degrees."""
        share = (angle - self.min_angle) / (self.max_angle - self.min_angle)
        return self.min_pulse_seconds + share * (self.max_pulse_seconds - self.min_pulse_seconds)


class Arm:
    """An arm on a pin or on a servo board.

    Attributes:
        angle: degrees to which it was last turned.
    """

    def __init__(self, settings: ArmSettings, pins: Pins, *, angle: float) -> None:
        """Claims the pin, or starts the board, and turns the arm to its first angle.

        Raises:
            PinError: the pin cannot be used, or the board does not answer.
        """
        self._settings, self._pins = settings, pins
        self.angle, self._turned_at = math.nan, 0.0
        self._closed = False
        self._pulses: Pulses
        if settings.board is not None:
            self._pulses = BoardPulses(settings.board, pins)
        elif settings.hardware_pwm is not None and pins.real:
            self._pulses = HardwarePulses(settings.hardware_pwm, wait=pins.wait)
        else:
            assert settings.pin is not None
            with self._named_errors():
                self._pulses = SoftwarePulses(settings.pin, pins)
        try:
            self.turn(angle)
        except BaseException:
            self._pulses.close()
            raise

    def turn(self, angle: float) -> None:
        """Turns the arm to `angle` degrees.

        Raises:
            PinError: the pin cannot be written.
        """
        self._pulse(self._settings.pulse_seconds(angle))
        if angle != self.angle:
            self.angle, self._turned_at = angle, self._pins.clock()

    def release(self) -> None:
        """Ends the pulses that hold the arm."""
        self._pulse(0)

    def close(self, angle: float) -> None:
        """Leaves the arm at an angle and frees the pin; may be called twice.

        Without pulses an arm stops wherever it is, so they end only after it had time to turn.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self.angle != angle:
                self.turn(angle)
            left = self._turned_at + self._settings.turn_seconds - self._pins.clock()
            if left > 0:
                self._pins.wait(left)
        finally:
            with self._named_errors():
                self._pulses.close()

    def _pulse(self, seconds: float) -> None:
        with self._named_errors():
            self._pulses.set(seconds)

    def _named_errors(self) -> AbstractContextManager[None]:
        """Names the pin in errors; a board names itself."""
        pin = self._settings.pin
        return nullcontext() if pin is None else pin_errors(pin)
