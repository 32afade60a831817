"""A Raspberry Pi's pins through gpiozero and lgpio, without a wrong level or angle in between.

What gpiozero's own lgpio pins do otherwise: they round a pulse to whole per cent of its period, 0.2
ms of a servo's, which leaves it about six places to go; they claim a pin first as a floating input
and then as a low output before its level is set, on which a relay board that is on at a low level
switches on; and they let go of every output when it is closed.

Imported on a Raspberry Pi only: lgpio is nowhere else.
"""

from __future__ import annotations

from typing import Any

import lgpio
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin
from gpiozero.pins.local import LocalPiPin


class SteadyFactory(LGPIOFactory):  # type: ignore[misc]
    """gpiozero's pin factory with pins that are always where they were told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_class = SteadyPin


class SteadyPin(LGPIOPin):  # type: ignore[misc]
    """One pin: claimed with its level, pulses as long as asked for, an output until the end."""

    def __init__(self, factory: Any, info: Any) -> None:
        """Claims nothing as yet: LGPIOPin's own would let a level set by `gpio=` at boot float."""
        LocalPiPin.__init__(self, factory, info)
        self._pwm = self._bounce = self._callback = None
        self._edges = lgpio.BOTH_EDGES

    def output_with_state(self, state: Any) -> None:
        """Makes the pin an output that has the level `state` from the first moment."""
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))
        # Where it was an output already, claiming it changes nothing.
        lgpio.gpio_write(self.factory._handle, self._number, int(bool(state)))

    def close(self) -> None:
        """Ends the pulses; an output stays at its level until the factory is closed.

        Then the kernel decides: that of Raspberry Pi OS leaves the level, others (and this one with
        `dtparam=strict_gpiod`) make the pin an input, for which the wiring has its resistor.
        """
        if self.factory._handle is None:
            return
        if self._pwm:
            self.frequency = None
        if self.function != "output":
            super().close()

    def _set_state(self, value: Any) -> None:
        if not self._pwm:
            super()._set_state(value)
            return
        self._pwm = (self._pwm[0], 100 * value)
        lgpio.tx_pwm(self.factory._handle, self._number, *self._pwm)

    def _set_frequency(self, value: Any) -> None:
        ends = self._pwm and not value
        super()._set_frequency(value)
        if ends:  # lg stops at once, and in the middle of a pulse the pin would stay high
            lgpio.gpio_write(self.factory._handle, self._number, 0)
