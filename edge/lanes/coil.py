"""A coil on one pin: it is on while current flows, and gets hot when it flows for long.

`solenoid` and `relay` are kinds of it. The thread of the lanes alone limits its on-time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from edge.lanes import ActuatorSettings
from edge.lanes.schedule import Timing
from edge.pins.header import Pin
from edge.pins.pins import Pins, pin_errors


class CoilSettings(ActuatorSettings):
    """The keys that all kinds of coils have in a station file."""

    pin: Annotated[Pin, Field(description="BCM number of the GPIO that switches the coil")]
    active_high: Annotated[
        bool, Field(description="false where the driver board switches on at a low level")
    ] = True
    max_on_seconds: Annotated[
        float,
        Field(gt=0, le=60, description="seconds after which the coil is switched off in any case"),
    ] = 2.0
    cool_seconds: Annotated[
        float | None,
        Field(
            ge=0,
            le=600,
            description="seconds without current that the coil needs after max_on_seconds, and "
            "proportionally less after a shorter on-time; items that come earlier are missed. "
            "Without it, the same as max_on_seconds, so that the coil is on for half of the time "
            "at most. 0: the coil may be on all the time",
        ),
    ] = None

    @property
    def timing(self) -> Timing:
        """The on-times of the coil, and the time that it must cool."""
        return Timing(self.hold_seconds, self.max_on_seconds, cool_seconds=self._cool_seconds)

    @property
    def cycle_seconds(self) -> float:
        """The shortest time between two items in which the coil cools."""
        return self.hold_seconds * (1 + max(1.0, self._cool_seconds / self.max_on_seconds))

    @property
    def _cool_seconds(self) -> float:
        return self.max_on_seconds if self.cool_seconds is None else self.cool_seconds

    @property
    def levels_at_rest(self) -> Mapping[int, bool]:
        """See ActuatorSettings."""
        return {self.pin: not self.active_high}

    def open(self, pins: Pins) -> Coil:
        """Opens the coil without current.

        Raises:
            PinError: its pin cannot be used.
        """
        return Coil(self.pin, active_high=self.active_high, pins=pins)


class Coil:
    """A coil on one pin, without current until it is activated."""

    def __init__(self, pin: int, *, active_high: bool, pins: Pins) -> None:
        """Claims the pin and switches it off.

        Raises:
            PinError: the pin cannot be used.
        """
        from gpiozero import OutputDevice

        self._pin = pin
        with pin_errors(pin):
            self._device = OutputDevice(
                pin, active_high=active_high, initial_value=False, pin_factory=pins.factory
            )

    @property
    def active(self) -> bool:
        """Whether current flows."""
        return bool(self._device.is_active)

    def activate(self) -> None:
        """Lets current flow."""
        with pin_errors(self._pin):
            self._device.on()

    def rest(self) -> None:
        """Switches the current off; may be called twice."""
        with pin_errors(self._pin):
            self._device.off()

    def release(self) -> None:
        """Does nothing, because a coil without current holds nothing."""

    def safe(self) -> None:
        """Switches the current off, because the on-time is limited only while the station sorts."""
        self.rest()

    def close(self) -> None:
        """Switches the current off and frees the pin; may be called twice."""
        if not self._device.closed:
            try:
                self.rest()
            finally:
                self._device.close()
