"""A stepper motor: it turns an arm or a flap by steps that the thread of the lanes takes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.core.yaml_messages import advised
from edge.lanes import ActuatorSettings
from edge.lanes.motion.drive import Drive, Driven, DriveSettings
from edge.lanes.motion.profile import LONGEST_TRAVEL
from edge.pins.pins import Pins

Position = Annotated[int, Field(ge=-100_000, le=100_000)]


class Settings(DriveSettings, ActuatorSettings):
    """`actuator: {kind: stepper, ...}`."""

    kind: Annotated[Literal["stepper"], Field(description="the kind of actuator")]
    rest_steps: Annotated[
        Position, Field(description="position where items pass, in steps from the home switch")
    ] = 0
    active_steps: Annotated[
        Position, Field(description="position where items are diverted, in steps likewise")
    ]

    @model_validator(mode="after")
    def _time_to_get_there(self) -> Self:
        if self.active_steps == self.rest_steps:
            raise advised("has active_steps equal to rest_steps: it would never move")
        if self.home is not None and min(self.active_steps, self.rest_steps) < 0:
            raise advised("has a position below 0, which is behind its home switch")
        farthest = max(self.active_steps, self.rest_steps)
        if self.home is not None and self.home.within_steps < farthest:
            raise advised(
                f"has home.within_steps ({self.home.within_steps:,}) below its farthest position "
                f"({farthest:,}): from there the home switch would not be found after a crash. "
                f"Write somewhat more than {farthest:,}"
            )
        seconds = self.travel_seconds
        if seconds > LONGEST_TRAVEL:
            raise advised(
                f"needs {seconds:.3g} s from rest_steps to active_steps: {LONGEST_TRAVEL:g} s at "
                "most, or a station that ends could not wait for the way back"
            )
        if self.hold_seconds < seconds:
            raise advised(
                f"needs {seconds:.3g} s to get from rest_steps to active_steps, but hold_seconds, "
                f"which counts from its start, is {self.hold_seconds:g}: it would turn back before"
            )
        return self

    @property
    def travel_seconds(self) -> float:
        """The seconds from rest to the active position."""
        return self.profile.travel_seconds(abs(self.active_steps - self.rest_steps))

    @property
    def cycle_seconds(self) -> float:
        """The shortest time between two items in which it returns to rest."""
        return self.hold_seconds + self.travel_seconds

    def open(self, pins: Pins) -> Stepper:
        """Opens the motor where it stands.

        Raises:
            PinError: a pin cannot be used.
        """
        return Stepper(self, pins)


class Stepper(Driven):
    """A stepper motor between two positions, which stands where it is until it is asked to move.

    Attributes:
        rest_steps: position where items pass.
        active_steps: position where items are diverted.
    """

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Claims the pins.

        Raises:
            PinError: a pin cannot be used.
        """
        self.rest_steps, self.active_steps = settings.rest_steps, settings.active_steps
        self._homes = settings.home is not None
        super().__init__(Drive(settings, pins))

    def turn(self, steps: int) -> None:
        """Sends the motor to a position, where it is held; none is behind a home switch."""
        self._drive.go(max(0, steps) if self._homes else steps)

    def activate(self) -> None:
        """Sends the motor to its active position."""
        self._drive.go(self.active_steps)

    def rest(self) -> None:
        """Sends the motor to its rest position; may be called twice."""
        self._drive.go(self.rest_steps, rests=True)

    def safe(self) -> None:
        """Sends the motor to its rest position, which `close` waits for; may be called twice."""
        self.rest()

    def close(self) -> None:
        """Goes to rest, switches the current off and frees the pins; may be called twice."""
        try:
            self._drive.finish()
        finally:
            self._drive.close()
