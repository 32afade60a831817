"""A stand-in for the module lgpio: its documented calls on pins that remember what they saw.

Documented at https://abyz.me.uk/lg/py_lgpio.html; that claiming an output anew keeps its level, and
that ending pulses keeps the level of the moment, is in the library's source (lgGpio.c, lgPthTx.c).
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field


class error(Exception):  # noqa: N801, N818 - lgpio calls it so
    """What lgpio raises."""


@dataclass
class Listening:
    """Who is told of the edges of a pin: (chip, gpio, level, time in nanoseconds)."""

    func: Callable[..., None] | None

    def cancel(self) -> None:
        self.func = None


@dataclass
class Wire:
    """What is to be seen on one pin: `floating`, 0, 1, or (frequency, duty in per cent)."""

    mode: str = "free"
    seen: list[object] = field(default_factory=lambda: ["floating"])
    pulses: tuple[float, float] | None = None

    def show(self, state: object) -> None:
        if state != self.seen[-1]:
            self.seen.append(state)


class Chip(types.ModuleType):
    """The module, with one chip behind it."""

    error = error
    SET_PULL_NONE = SET_PULL_UP = SET_PULL_DOWN = 0
    BOTH_EDGES, RISING_EDGE, FALLING_EDGE = 3, 1, 2

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.wires: dict[int, Wire] = {}
        self.listening: dict[int, Listening] = {}
        self.open = 0

    def wire(self, gpio: int) -> Wire:
        return self.wires.setdefault(gpio, Wire())

    def gpiochip_open(self, gpiochip: int) -> int:
        self.open += 1
        return 0

    def gpiochip_close(self, handle: int) -> int:
        self.open -= 1
        return 0

    def gpio_claim_input(self, handle: int, gpio: int, lFlags: int = 0) -> int:  # noqa: N803
        wire = self.wire(gpio)
        wire.mode, wire.pulses = "input", None
        wire.show("floating")
        return 0

    def gpio_claim_output(
        self,
        handle: int,
        gpio: int,
        level: int = 0,
        lFlags: int = 0,  # noqa: N803
    ) -> int:
        wire = self.wire(gpio)
        if wire.mode != "output":
            wire.mode = "output"
            wire.show(level)
        return 0

    def gpio_claim_alert(
        self,
        handle: int,
        gpio: int,
        eFlags: int,  # noqa: N803
        lFlags: int = 0,  # noqa: N803
    ) -> int:
        self.wire(gpio).mode = "input"
        return 0

    def callback(self, handle: int, gpio: int, edge: int, func: Callable[..., None]) -> Listening:
        return self.listening.setdefault(gpio, Listening(func))

    def gpio_free(self, handle: int, gpio: int) -> int:
        if self.wire(gpio).mode == "free":
            raise error("GPIO not allocated")
        self.wire(gpio).mode = "free"
        return 0

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        return 2 if self.wire(gpio).mode == "output" else 0

    def gpio_write(self, handle: int, gpio: int, level: int) -> int:
        assert self.wire(gpio).mode == "output"
        self.wire(gpio).show(int(level))
        return 0

    def gpio_read(self, handle: int, gpio: int) -> int:
        return int(self.wire(gpio).seen[-1] == 1)

    def tx_pwm(self, handle: int, gpio: int, pwm_frequency: float, pwm_duty_cycle: float) -> int:
        wire = self.wire(gpio)
        assert wire.mode == "output"
        if not 0 <= pwm_duty_cycle <= 100:
            raise error("bad PWM duty cycle")
        if pwm_frequency:
            wire.pulses = (pwm_frequency, pwm_duty_cycle)
            wire.show(wire.pulses)
        elif wire.pulses:
            wire.show(1 if wire.pulses[1] else 0)  # the worst: in the middle of a pulse
            wire.pulses = None
        return 9
