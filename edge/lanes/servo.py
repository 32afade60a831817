"""A servo: an arm that turns to an angle and stays there."""

from __future__ import annotations

import math
import re
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from edge.core.yaml_messages import advised
from edge.lanes import ActuatorSettings
from edge.lanes.pulses import Pulses
from edge.lanes.pulses.hardware import HardwarePulses
from edge.lanes.pulses.pca9685 import BoardPulses, BoardSettings
from edge.lanes.pulses.software import SoftwarePulses
from edge.lanes.schedule import Timing
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


class Settings(ActuatorSettings):
    """`actuator: {kind: servo, ...}`."""

    kind: Annotated[Literal["servo"], Field(description="the kind of actuator")]
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
    rest_angle: Annotated[Angle, Field(description="degrees where items pass")]
    active_angle: Annotated[Angle, Field(description="degrees where items are diverted")]
    safe_angle: Annotated[
        Angle | None,
        Field(
            description="degrees while the station does not sort: before it is ready and after it "
            "has ended for any reason; without it, rest_angle"
        ),
    ] = None
    turn_seconds: Annotated[
        float, Field(ge=0, le=5, description="seconds the arm may need to turn")
    ] = 0.5
    pulses: Annotated[
        Literal["always", "while_turning"],
        Field(
            description="always: the arm holds its position against a push. while_turning: pulses "
            "end after turn_seconds, so that the arm neither trembles nor hums, but can be pushed"
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

    @field_validator("rest_angle", "active_angle", "safe_angle")
    @classmethod
    def _within_reach(cls, angle: float | None, info: ValidationInfo) -> float | None:
        low, high = info.data.get("min_angle"), info.data.get("max_angle")
        if angle is None or low is None or high is None or low <= angle <= high:
            return angle
        raise advised(
            f"must be between min_angle and max_angle ({low:g} to {high:g}). Received: {angle:g}"
        )

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
    def timing(self) -> Timing:
        """The on-times of the servo, and the time after a turn at which its pulses end."""
        release = self.turn_seconds if self.pulses == "while_turning" else None
        return Timing(self.hold_seconds, self.max_on_seconds, release_seconds=release)

    @property
    def cycle_seconds(self) -> float:
        """The shortest time between two items in which the arm returns to rest."""
        return self.hold_seconds + self.turn_seconds

    def pulse_seconds(self, angle: float) -> float:
        """The length in seconds of the pulse that turns the arm to `angle` degrees."""
        share = (angle - self.min_angle) / (self.max_angle - self.min_angle)
        return self.min_pulse_seconds + share * (self.max_pulse_seconds - self.min_pulse_seconds)

    def open(self, pins: Pins) -> Servo:
        """Opens the servo at its safe angle.

        Raises:
            PinError: its pin cannot be used.
        """
        return Servo(self, pins)


class Servo:
    """A servo on a pin or on a servo board, at its safe angle at first.

    Attributes:
        angle: degrees to which it was last turned.
        rest_angle: degrees where items pass.
        active_angle: degrees where items are diverted.
    """

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Claims the pin, or starts the board, and turns the arm to its safe angle.

        Raises:
            PinError: the pin cannot be used, or the board does not answer.
        """
        self._settings, self._pins = settings, pins
        self.rest_angle, self.active_angle = settings.rest_angle, settings.active_angle
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
            self.safe()
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

    def activate(self) -> None:
        """Turns the arm to its active angle."""
        self.turn(self.active_angle)

    def rest(self) -> None:
        """Turns the arm to its rest angle; may be called twice."""
        self.turn(self.rest_angle)

    def release(self) -> None:
        """Ends the pulses that hold the arm."""
        self._pulse(0)

    def safe(self) -> None:
        """Turns the arm to its safe angle; may be called twice."""
        self.turn(self._safe_angle)

    def close(self) -> None:
        """Leaves the arm at its safe angle and frees the pin; may be called twice.

        Without pulses an arm stops wherever it is, so they end only after it had time to turn.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self.angle != self._safe_angle:
                self.safe()
            left = self._turned_at + self._settings.turn_seconds - self._pins.clock()
            if left > 0:
                self._pins.wait(left)
        finally:
            with self._named_errors():
                self._pulses.close()

    @property
    def _safe_angle(self) -> float:
        angle = self._settings.safe_angle
        return self.rest_angle if angle is None else angle

    def _pulse(self, seconds: float) -> None:
        with self._named_errors():
            self._pulses.set(seconds)

    def _named_errors(self) -> AbstractContextManager[None]:
        """Names the pin in errors; a board names itself."""
        pin = self._settings.pin
        return nullcontext() if pin is None else pin_errors(pin)
