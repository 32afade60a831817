"""A pin that changes its level as long as a station works, for a watchdog circuit.

Software that hangs cannot switch anything off. A circuit can: it cuts the actuators' supply when
the changes stop. `deploy/wiring.md` describes one.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.core.yaml_file import Section
from edge.pins.header import Pin
from edge.pins.pins import Pins, pin_errors


class Settings(Section, title="KeepAlive"):
    """`keep_alive` in a station file."""

    pin: Annotated[Pin, Field(description="BCM number of the GPIO whose level changes")]
    change_seconds: Annotated[
        float,
        Field(
            ge=0.02,
            le=1,
            description="seconds from one change to the next; the circuit must tolerate three "
            "times as long without a change",
        ),
    ] = 0.25

    def open(self, pins: Pins) -> KeepAlive:
        """Opens the pin at a low level.

        Raises:
            PinError: the pin cannot be used.
        """
        return KeepAlive(self.pin, change_seconds=self.change_seconds, pins=pins)


class KeepAlive:
    """A pin that is low at first, and changes its level at regular times while that is allowed.

    The lanes' thread calls all methods but `allow`.

    Attributes:
        next_at: when the next change is due, in seconds on the clock of `step`.
    """

    def __init__(self, pin: int, *, change_seconds: float, pins: Pins) -> None:
        """Claims the pin and sets it low.

        Raises:
            PinError: the pin cannot be used.
        """
        from gpiozero import OutputDevice

        self._pin, self._change_seconds = pin, change_seconds
        self.next_at = float("-inf")
        self._until = float("-inf")
        with pin_errors(pin):
            self._device = OutputDevice(pin, initial_value=False, pin_factory=pins.factory)

    def allow(self, until: float) -> None:
        """Allows changes up to the time `until`; may be called by any thread."""
        self._until = until

    def step(self, now: float) -> None:
        """Changes the level if a change is due at the time `now` and allowed.

        Raises:
            PinError: the pin cannot be written.
        """
        if now < self.next_at:
            return
        self.next_at = now + self._change_seconds
        if now <= self._until:
            with pin_errors(self._pin):
                self._device.toggle()

    def rest(self) -> None:
        """Sets the pin low; may be called twice."""
        with pin_errors(self._pin):
            self._device.off()

    def close(self) -> None:
        """Sets the pin low and frees it; may be called twice."""
        if not self._device.closed:
            try:
                self.rest()
            finally:
                self._device.close()
