"""A servo: an arm that turns to an angle and stays there."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from edge.core.yaml_messages import advised
from edge.lanes import ActuatorSettings
from edge.lanes.arm import Angle, Arm, ArmSettings
from edge.lanes.schedule import Timing
from edge.pins.pins import Pins


class Settings(ArmSettings, ActuatorSettings):
    """`actuator: {kind: servo, ...}`."""

    kind: Annotated[Literal["servo"], Field(description="the kind of actuator")]
    rest_angle: Annotated[Angle, Field(description="degrees where items pass")]
    active_angle: Annotated[Angle, Field(description="degrees where items are diverted")]
    safe_angle: Annotated[
        Angle | None,
        Field(
            description="degrees while the station does not sort: before it is ready and after it "
            "has ended for any reason; without it, rest_angle"
        ),
    ] = None

    @field_validator("rest_angle", "active_angle", "safe_angle")
    @classmethod
    def _within_reach(cls, angle: float | None, info: ValidationInfo) -> float | None:
        low, high = info.data.get("min_angle"), info.data.get("max_angle")
        if angle is None or low is None or high is None or low <= angle <= high:
            return angle
        raise advised(
            f"must be between min_angle and max_angle ({low:g} to {high:g}). Received: {angle:g}"
        )

    @model_validator(mode="after")
    def _moves_at_all(self) -> Self:
        if self.active_angle == self.rest_angle:
            raise advised("has active_angle equal to rest_angle: it would never move")
        return self

    @property
    def timing(self) -> Timing:
        """The on-times of the servo, and the time after a turn at which its pulses end."""
        return Timing(
            self.hold_seconds,
            self.max_on_seconds,
            release_seconds=self.release_seconds,
            held_active=self.pulses == "while_active",
        )

    @property
    def cycle_seconds(self) -> float:
        """The shortest time between two items in which the arm returns to rest."""
        return self.hold_seconds + self.turn_seconds

    @property
    def on_bus(self) -> bool:
        """Whether it is on a servo board."""
        return self.board is not None

    def open(self, pins: Pins) -> Servo:
        """Opens the servo at its safe angle.

        Raises:
            PinError: its pin cannot be used.
        """
        return Servo(self, pins)


class Servo:
    """A servo with an angle at rest and one that diverts items, at its safe angle at first.

    Attributes:
        rest_angle: degrees where items pass.
        active_angle: degrees where items are diverted.
    """

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Claims the pin, or starts the board, and turns the arm to its safe angle.

        Raises:
            PinError: the pin cannot be used, or the board does not answer.
        """
        self.rest_angle, self.active_angle = settings.rest_angle, settings.active_angle
        self._settings = settings
        self._arm = Arm(settings, pins, angle=self._safe_angle)

    @property
    def angle(self) -> float:
        """Degrees to which the arm was last turned."""
        return self._arm.angle

    def turn(self, angle: float) -> None:
        """Turns the arm to `angle` degrees.

        Raises:
            PinError: the pin cannot be written.
        """
        self._arm.turn(angle)

    def activate(self) -> None:
        """Turns the arm to its active angle."""
        self.turn(self.active_angle)

    def rest(self) -> None:
        """Turns the arm to its rest angle; may be called twice."""
        self.turn(self.rest_angle)

    def release(self) -> None:
        """Ends the pulses that hold the arm."""
        self._arm.release()

    def safe(self) -> None:
        """Turns the arm to its safe angle; may be called twice."""
        self.turn(self._safe_angle)

    def close(self) -> None:
        """Leaves the arm at its safe angle and frees the pin; may be called twice."""
        self._arm.close(self._safe_angle)

    @property
    def _safe_angle(self) -> float:
        angle = self._settings.safe_angle
        return self.rest_angle if angle is None else angle
