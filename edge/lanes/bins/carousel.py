"""A bin with a carousel: a stepper motor that turns a chute, or the bins themselves."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.core.yaml_messages import advised
from edge.lanes.bins import BinSettings
from edge.lanes.motion.drive import Drive, Driven, DriveSettings
from edge.pins.pins import Pins

_FARTHEST = 100_000


class Settings(DriveSettings, BinSettings):
    """`bin: {kind: carousel, ...}`."""

    kind: Annotated[Literal["carousel"], Field(description="the kind of bin")]
    steps_per_turn: Annotated[
        int | None,
        Field(
            gt=0,
            le=_FARTHEST,
            description="steps of a whole turn, where it may turn round and round: it takes the "
            "shorter way then. Without it, it goes to and fro",
        ),
    ] = None

    @model_validator(mode="after")
    def _knows_where_it_is(self) -> Self:
        if self.home is None:
            raise advised(
                "needs `home: {pin: ..., within_steps: ...}`: without a home switch nobody knows "
                "which lane it stands at"
            )
        turn, within = self.steps_per_turn, self.home.within_steps
        if turn is not None and within < turn:
            raise advised(
                f"has home.within_steps ({within:,}) below steps_per_turn ({turn:,}): from most "
                f"places the home switch would not be found. Write somewhat more than {turn:,}"
            )
        if self.rest_position is not None and (refusal := self.refusal(self.rest_position)):
            raise advised(f"has a rest_position ({self.rest_position:g}) that {refusal}")
        return self

    @property
    def release_seconds(self) -> float | None:
        """None: the motor is released by itself."""
        return None

    def way(self, start: int, end: int) -> int:
        """The steps from one position to another by the shorter way; negative ones go back."""
        if self.steps_per_turn is None:
            return end - start
        half = self.steps_per_turn // 2
        return (end - start + half) % self.steps_per_turn - half

    def travel_seconds(self, start: float, end: float) -> float:
        """The seconds from one position to another."""
        return self.profile.travel_seconds(abs(self.way(round(start), round(end))))

    def refusal(self, position: float) -> str | None:
        """See BinSettings."""
        if position != round(position):
            return "is no whole number of steps"
        end = _FARTHEST if self.steps_per_turn is None else self.steps_per_turn - 1
        if 0 <= position <= end:
            return None
        return f"is not from 0, the home switch, to {end:,} steps"

    def open(self, pins: Pins) -> Carousel:
        """Opens the carousel, which looks for its home switch with its first steps.

        Raises:
            PinError: a pin cannot be used.
        """
        return Carousel(self, pins)


class Carousel(Driven):
    """A carousel on a stepper motor."""

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Claims the pins.

        Raises:
            PinError: a pin cannot be used.
        """
        self._settings = settings
        super().__init__(Drive(settings, pins, endless=settings.steps_per_turn is not None))
        rest = settings.rest_position
        self._rest = None if rest is None else round(rest)
        self._target = 0 if self._rest is None else self._rest
        """Where it is sent, counted on over whole turns."""

    def lose_position(self) -> None:
        """See TimedActuator."""
        super().lose_position()
        self._target = self._drive.target

    def go(self, position: float) -> None:
        """Turns to a position, in steps from the home switch."""
        self._go(round(position), rests=False)

    def rest(self) -> None:
        """See Mover."""
        self._go(self._target if self._rest is None else self._rest, rests=True)

    def close(self) -> None:
        """See Mover."""
        try:
            self.rest()
            self._drive.finish()
        finally:
            self._drive.close()

    def _go(self, position: int, *, rests: bool) -> None:
        self._target += self._settings.way(self._target, position)
        self._drive.go(self._target, rests=rests)
