"""Pins that are read: switches, light barriers and buttons."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from edge.core.yaml_file import Section
from edge.pins.header import Pin
from edge.pins.pins import Pins, pin_errors


class InputKeys(Section):
    """The keys of a pin that is read."""

    pin: Annotated[Pin, Field(description="BCM number of the GPIO that is read")]
    active_high: Annotated[
        bool,
        Field(
            description="the level of the pin while the switch is reached, the beam is broken or "
            "the button is pressed: false for a low one, as where a contact closes to ground"
        ),
    ] = False
    pull: Annotated[
        Literal["up", "down", "none"] | None,
        Field(
            description="the Pi's own resistor on this pin; none where the sensor drives both "
            "levels. Without it, the one against the active level"
        ),
    ] = None


class InputSettings(InputKeys, title="Input"):
    """A pin that is read."""

    def open(self, pins: Pins) -> Input:
        """Opens the pin as an input.

        Raises:
            PinError: the pin cannot be used.
        """
        return Input(self, pins)


class Input:
    """A pin that is read.

    Attributes:
        pin: its BCM number.
        device: gpiozero's device.
    """

    def __init__(self, settings: InputKeys, pins: Pins) -> None:
        """Claims the pin.

        Raises:
            PinError: the pin cannot be used.
        """
        from gpiozero import InputDevice

        self.pin, self._active_high, self._pins = settings.pin, settings.active_high, pins
        pull = settings.pull or ("down" if settings.active_high else "up")
        with pin_errors(self.pin):
            # gpiozero wants to know what is active only where it does not pull.
            self.device: Any = InputDevice(
                self.pin,
                pull_up={"up": True, "down": False, "none": None}[pull],
                active_state=True if pull == "none" else None,
                pin_factory=pins.factory,
            )
            # Nothing is wired to mock pins: a contact that opens would seem to be pressed.
            if not pins.real and self._active_high == (pull == "up"):
                pin = self.device.pin
                pin.drive_low() if self._active_high else pin.drive_high()
        pins.inputs[self.pin] = lambda: self.active

    @property
    def active(self) -> bool:
        """Whether the switch is reached, the beam broken, or the button pressed now.

        Raises:
            PinError: the pin cannot be read.
        """
        with pin_errors(self.pin):
            return bool(self.device.pin.state) == self._active_high

    def close(self) -> None:
        """Frees the pin; may be called twice."""
        self._pins.inputs.pop(self.pin, None)
        self.device.close()
