"""A bin with a flap: a plate on a servo, on which an item lies until it tips it into a lane."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.core.yaml_messages import advised
from edge.lanes.arm import Arm, ArmSettings
from edge.lanes.bins import BinSettings
from edge.pins.pins import Pins


class Settings(ArmSettings, BinSettings):
    """`bin: {kind: flap, ...}`."""

    kind: Annotated[Literal["flap"], Field(description="the kind of bin")]

    @model_validator(mode="after")
    def _rests_within_reach(self) -> Self:
        if self.pulses == "while_active":
            raise advised(
                "has pulses: while_active, which is for an arm that nothing rests on: items lie on "
                "this flap. Leave the line out, and it is always held"
            )
        if refusal := self.refusal(self.rest_angle):
            raise advised(f"has a rest_position ({self.rest_angle:g}) that {refusal}")
        return self

    @property
    def rest_angle(self) -> float:
        """Degrees at which it waits for items."""
        return 0.0 if self.rest_position is None else self.rest_position

    @property
    def waits_at(self) -> float | None:
        """Where it waits for items, degrees."""
        return self.rest_angle

    def travel_seconds(self, start: float, end: float) -> float:
        """The seconds from one angle to another: `turn_seconds`, whatever they are."""
        return 0.0 if start == end else self.turn_seconds

    def refusal(self, position: float) -> str | None:
        """See BinSettings."""
        if self.min_angle <= position <= self.max_angle:
            return None
        return (
            f"is outside of min_angle to max_angle of the bin ({self.min_angle:g} to "
            f"{self.max_angle:g} degrees)"
        )

    def open(self, pins: Pins) -> FlapMover:
        """Opens the flap where it waits for items.

        Raises:
            PinError: its pin or board cannot be used.
        """
        return FlapMover(self, pins)


class FlapMover:
    """A flap on a servo. It turns by itself, so no step of it is ever due."""

    next_at = None
    ready = True

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Turns the flap to where it waits for items.

        Raises:
            PinError: its pin or board cannot be used.
        """
        self._rest_angle = settings.rest_angle
        self._arm = Arm(settings, pins, angle=self._rest_angle)

    def go(self, position: float) -> None:
        """Turns to an angle in degrees."""
        self._arm.turn(position)

    def rest(self) -> None:
        """See Mover."""
        self._arm.turn(self._rest_angle)

    def release(self) -> None:
        """See Mover."""
        self._arm.release()

    def lose_position(self) -> None:
        """Does nothing: a servo knows its angle as soon as it has its supply again."""

    def step(self, now: float) -> None:
        """Does nothing."""

    def close(self) -> None:
        """See Mover."""
        self._arm.close(self._rest_angle)
