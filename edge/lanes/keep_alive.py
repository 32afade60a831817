"""A pin that changes its level as long as a station is well: what a watchdog circuit waits for.

Software that stands still switches nothing off. A circuit that cuts the actuators' supply when the
changes stop does; `deploy/wiring.md` has one.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.core.yaml_file import Section
from edge.lanes import Pin
from edge.lanes.pins import Pins, pin_errors


class Settings(Section, title="KeepAlive"):
    """`keep_alive` in a station file."""

    pin: Annotated[Pin, Field(description="BCM number of the GPIO whose level changes")]
    change_seconds: Annotated[
        float,
        Field(
            ge=0.02,
            le=1,
            description="seconds from one change to the next; the circuit must wait for three "
            "times as long",
        ),
    ] = 0.25

    def open(self, pins: Pins) -> KeepAlive:
        """The pin at low.

        Raises:
            PinError: it cannot be used.
        """
        return KeepAlive(self.pin, change_seconds=self.change_seconds, pins=pins)


class KeepAlive:
    """A pin at low, which changes its level at its times once it is begun, while that is allowed.

    Used by the lanes' thread, but for `allow`.

    Attributes:
        next_at: when the next change is due, seconds on the clock of `step`.
    """

    def __init__(self, pin: int, *, change_seconds: float, pins: Pins) -> None:
        """Takes the pin and makes it low.

        Raises:
            PinError: it cannot be used.
        """
        from gpiozero import OutputDevice

        self._pin, self._change_seconds = pin, change_seconds
        self.next_at = float("-inf")
        self._until = float("-inf")
        with pin_errors(pin):
            self._device = OutputDevice(pin, initial_value=False, pin_factory=pins.factory)

    def allow(self, until: float) -> None:
        """All is well: it may change its level up to the time `until`. May be called any time."""
        self._until = until

    def step(self, now: float) -> None:
        """Changes its level where that is due at the time `now`, and allowed.

        Raises:
            PinError: it cannot be written.
        """
        if now < self.next_at:
            return
        self.next_at = now + self._change_seconds
        if now <= self._until:
            with pin_errors(self._pin):
                self._device.toggle()

    def rest(self) -> None:
        """Makes it low; may be called twice."""
        with pin_errors(self._pin):
            self._device.off()

    def close(self) -> None:
        """Leaves it low and frees it; may be called twice."""
        if not self._device.closed:
            try:
                self.rest()
            finally:
                self._device.close()
