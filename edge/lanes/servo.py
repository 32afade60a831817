"""A servo: an arm that turns to an angle and stays there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from edge.lanes import Actuator, ActuatorSettings, Pin
from edge.lanes.pins import Pins, pin_errors
from edge.yaml_file import advised

Angle = Annotated[float, Field(ge=-360, le=360)]
Pulse = Annotated[float, Field(ge=0.0002, le=0.005)]


class Settings(ActuatorSettings):
    """`actuator: {kind: servo, ...}`."""

    kind: Annotated[Literal["servo"], Field(description="the kind of actuator")]
    pin: Annotated[Pin, Field(description="BCM number of the GPIO with the servo's signal wire")]
    min_angle: Annotated[Angle, Field(description="degrees at the shortest pulse")] = -90
    max_angle: Annotated[Angle, Field(description="degrees at the longest pulse")] = 90
    min_pulse_seconds: Annotated[Pulse, Field(description="shortest pulse")] = 0.001
    max_pulse_seconds: Annotated[Pulse, Field(description="longest pulse")] = 0.002
    rest_angle: Annotated[Angle, Field(description="degrees where items pass")]
    active_angle: Annotated[Angle, Field(description="degrees where items are diverted")]
    turn_seconds: Annotated[
        float, Field(ge=0, le=5, description="seconds the arm may need to turn back at the end")
    ] = 0.5

    @field_validator("max_angle", "max_pulse_seconds")
    @classmethod
    def _above_smallest(cls, largest: float, info: ValidationInfo) -> float:
        name = str(info.field_name).replace("max", "min")
        smallest = info.data.get(name)
        if smallest is not None and smallest >= largest:
            raise advised(f"must be above {name} ({smallest:g}). Received: {largest:g}")
        return largest

    @field_validator("rest_angle", "active_angle")
    @classmethod
    def _within_reach(cls, angle: float, info: ValidationInfo) -> float:
        low, high = info.data.get("min_angle"), info.data.get("max_angle")
        if low is not None and high is not None and not low <= angle <= high:
            raise advised(
                f"must lie within min_angle and max_angle ({low:g} to {high:g}). "
                f"Received: {angle:g}"
            )
        return angle

    def open(self, pins: Pins) -> Actuator:
        """The servo at its rest angle.

        Raises:
            PinError: its pin cannot be used.
        """
        return Servo(self, pins)


class Servo:
    """An arm on one pin, at its rest angle until it is activated."""

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Takes the pin and turns the arm to its rest angle.

        Raises:
            PinError: the pin cannot be used.
        """
        from gpiozero import AngularServo

        self._pin, self._pins = settings.pin, pins
        self._turn_seconds = settings.turn_seconds
        self._rest, self._active = settings.rest_angle, settings.active_angle
        with pin_errors(self._pin):
            self._device = AngularServo(
                settings.pin,
                initial_angle=settings.rest_angle,
                min_angle=settings.min_angle,
                max_angle=settings.max_angle,
                min_pulse_width=settings.min_pulse_seconds,
                max_pulse_width=settings.max_pulse_seconds,
                pin_factory=pins.factory,
            )

    def activate(self) -> None:
        """Turns the arm to its active angle."""
        with pin_errors(self._pin):
            self._device.angle = self._active

    def rest(self) -> None:
        """Turns the arm to its rest angle; may be called twice."""
        with pin_errors(self._pin):
            self._device.angle = self._rest

    def close(self) -> None:
        """Turns the arm to its rest angle and frees the pin; may be called twice.

        Without pulses an arm stops wherever it is, so they end only when it had time to turn back.
        """
        if self._device.closed:
            return
        try:
            if self._device.angle != self._rest:
                self.rest()
                self._pins.wait(self._turn_seconds)
        finally:
            self._device.close()
