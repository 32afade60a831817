"""A Raspberry Pi's pins through gpiozero and lgpio, without a wrong level or angle in between.

gpiozero's own lgpio pins differ in three ways. They round a pulse to whole per cent of its period,
which is 0.2 ms for a servo and leaves it about six positions. They claim a pin first as a floating
input and then as a low output before its level is set, which briefly switches on a relay board that
is active at a low level. And they release every output when it is closed.

This module is imported on a Raspberry Pi only, because lgpio exists only there.
"""

from __future__ import annotations

from typing import Any

import lgpio
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin
from gpiozero.pins.local import LocalPiPin


class SteadyFactory(LGPIOFactory):  # type: ignore[misc]
    """gpiozero's pin factory with pins that never have another level than the one asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_class = SteadyPin


class SteadyPin(LGPIOPin):  # type: ignore[misc]
    """A pin that is claimed with its level, makes exact pulses, and stays an output to the end."""

    def __init__(self, factory: Any, info: Any) -> None:
        """Claims nothing yet: LGPIOPin would let a level that `gpio=` set at boot float."""
        LocalPiPin.__init__(self, factory, info)
        self._pwm = self._bounce = self._callback = None
        self._edges = lgpio.BOTH_EDGES

    def output_with_state(self, state: Any) -> None:
        """Makes the pin an output that has the level `state` from the first moment."""
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))
        # If the pin is an output already, claiming it does not change its level.
        lgpio.gpio_write(self.factory._handle, self._number, int(bool(state)))

    def close(self) -> None:
        """Ends the pulses; an output keeps its level until the factory is closed.

        After that the kernel decides: that of Raspberry Pi OS keeps the level. Others (and this one
        with `dtparam=strict_gpiod`) make the pin an input; the wiring has a resistor for this case.
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
        if ends:  # lgpio stops at once, and in the middle of a pulse the pin would stay high
            lgpio.gpio_write(self.factory._handle, self._number, 0)
