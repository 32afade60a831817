"""A motor on mock pins, which turns as the levels of its driver's pins say and reaches switches."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from edge.pins.pins import Pins
from edge.simulation.virtual_clock import VirtualClock


@dataclass
class Motor:
    """What a motor does with the pulses of GPIO 20, at the direction of GPIO 21.

    Attributes:
        at: where it stands, in steps, as nobody in the station knows.
        home: the home switch, on GPIO 16, is closed at and below this step.
        end: the end switch, on GPIO 12, is closed at and above this step.
        taken: the time of each step.
    """

    pins: Pins
    at: int = 0
    home: int = 0
    end: int = 10_000
    lost: int = 0
    """How many of the next steps it loses."""
    taken: list[float] = field(default_factory=list)
    _seen: int = 1
    _forward: bool = False

    def follow(self, now: float) -> None:
        """Turns by the pulses since the last call."""
        states = self.pins.factory.pin(20).states
        for state in states[self._seen :]:
            if not state.state:
                continue
            self.taken.append(now)
            if self.lost:
                self.lost -= 1
            else:
                self.at += 1 if self._forward else -1
        self._seen = len(states)
        self._forward = bool(self.pins.factory.pin(21).state)  # of the next pulse
        self.show()

    def show(self) -> None:
        """Sets the levels of the switches, which close to ground."""
        for gpio, closed in ((16, self.at <= self.home), (12, self.at >= self.end)):
            pin = self.pins.factory.pin(gpio)
            if pin.function == "input":
                (pin.drive_low if closed else pin.drive_high)()

    @property
    def powered(self) -> bool:
        """By the level of GPIO 26, at which low means on."""
        return not self.pins.factory.pin(26).state


def as_if_real(pins: Pins, monkeypatch: pytest.MonkeyPatch) -> Pins:
    """Pins whose switches are looked at, and where nobody waits in real time."""
    found = Pins(pins.factory, real=True, title="as if real", clock=lambda: 0.0)
    monkeypatch.setattr(found, "wait", lambda seconds: None)
    return found


class MotorClock(VirtualClock):
    """A clock that jumps, by which a motor turns."""

    def __init__(self, motor: Motor) -> None:
        super().__init__()
        self._motor = motor
        motor.show()

    def now(self) -> float:
        self._motor.follow(super().now())
        return super().now()
