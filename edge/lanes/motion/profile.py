"""When the steps of a stepper motor are due: it speeds up and slows down evenly. Pure.

A step of constant acceleration a takes a motor from the speed v to w = sqrt(v² + 2a), both in steps
per second, in 2 / (v + w) seconds: the equations of even motion over a distance of one step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST_TRAVEL = 3.0
"""Seconds that a way may take: a station that ends has so much time to go back to rest."""


class Step(NamedTuple):
    """The next step of a move."""

    direction: int
    """1 or -1."""
    seconds: float
    """The time from the step before it, or from the start of the move."""


@dataclass(slots=True)
class Profile:
    """The speed of a motor that goes from target to target, which may change while it moves.

    Attributes:
        position: in steps.
        target: where it is to stop, in steps.
        speed: steps per second at the last step, 0 or more.
        direction: of the last step, 1 or -1.
    """

    max_speed: float
    """Steps per second."""
    acceleration: float
    """Steps per second, in each second."""
    position: int = 0
    target: int = 0
    speed: float = field(default=0.0, init=False)
    direction: int = field(default=1, init=False)

    def next_step(self) -> Step | None:
        """Takes the next step towards the target; None if the motor stands there.

        A motor that must turn round, or has come too close to its target to stop there, slows down
        first.
        """
        ahead = self.target - self.position
        if self.speed == 0:
            if ahead == 0:
                return None
            self.direction = 1 if ahead > 0 else -1
        twice, before = 2 * self.acceleration, self.speed
        left = max(0, ahead * self.direction - 1)
        fastest = min(self.max_speed, math.sqrt(twice * left), math.sqrt(before**2 + twice))
        slower = before**2 - twice
        # Less than that is an error of rounding, and such a step would take for ever.
        slowest = math.sqrt(slower) if slower > 1e-6 * twice else 0.0
        self.speed = max(fastest, slowest)
        self.position += self.direction
        if before + self.speed == 0:
            return Step(self.direction, self.travel_seconds(1))
        return Step(self.direction, 2 / (before + self.speed))

    def stall(self, *, untaken: bool = False) -> None:
        """Stands still where it is, because its steps did not come in time: it must ramp up anew.

        Args:
            untaken: whether the step that `next_step` gave last will not be taken.
        """
        if untaken:
            self.position -= self.direction
        self.speed = 0.0

    def halt(self, position: int) -> None:
        """Stands still at once, at what is `position` from now on."""
        self.position = self.target = position
        self.speed = 0.0

    def travel_seconds(self, steps: int) -> float:
        """The time of a move over so many steps, from standing to standing."""
        if steps == 0:
            return 0.0
        ramp = self.max_speed**2 / self.acceleration
        if steps < ramp:
            return 2 * math.sqrt(steps / self.acceleration)
        return steps / self.max_speed + self.max_speed / self.acceleration
