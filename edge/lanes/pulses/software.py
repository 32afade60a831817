"""Pulses timed by a thread of this machine."""

from __future__ import annotations

from edge.lanes.pulses import PERIOD_SECONDS
from edge.pins.pins import Pins


class SoftwarePulses:
    """Pulses timed by a thread of lgpio, on any pin; their length varies on a busy machine."""

    def __init__(self, pin: int, pins: Pins) -> None:
        from gpiozero import PWMOutputDevice

        self._pins = pins
        self._device = PWMOutputDevice(
            pin, frequency=round(1 / PERIOD_SECONDS), pin_factory=pins.factory
        )

    def set(self, seconds: float) -> None:
        """See Pulses."""
        self._device.value = seconds / PERIOD_SECONDS

    def close(self) -> None:
        """See Pulses."""
        if not self._device.closed:
            try:
                self.set(0)
                self._pins.wait(2 * PERIOD_SECONDS)  # 0 takes effect when the period is over
            finally:
                self._device.close()
