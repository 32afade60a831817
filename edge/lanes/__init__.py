"""The lanes, where items go: a module for each kind of actuator, and their schedule."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

from pydantic import Field, ValidationInfo, field_validator

from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from edge.lanes.schedule import Timing
from edge.pins.pins import Pins

if TYPE_CHECKING:
    from edge.lanes.bins import BinSettings

KINDS = {
    "servo": "edge.lanes.servo",
    "solenoid": "edge.lanes.solenoid",
    "relay": "edge.lanes.relay",
    "stepper": "edge.lanes.stepper",
    "bin": "edge.lanes.bins.lane",
}
"""The module of each `kind`; its `Settings` is an ActuatorSettings."""

SYNONYMS = {
    **dict.fromkeys(
        ("coil", "magnet", "electromagnet", "valve", "pusher", "ejector", "cylinder",
         "pneumatic", "air", "jet", "blower", "output", "digital", "gpio", "pin", "mosfet"),
        "solenoid",
    ),
    **dict.fromkeys(
        ("relay_board", "relais", "relay_module", "ssr", "solid_state_relay", "contactor",
         "switch", "contact"),
        "relay",
    ),
    **dict.fromkeys(("carousel", "position", "mover", "shared"), "bin"),
    **dict.fromkeys(
        ("stepper_motor", "step_motor", "motor", "nema17", "a4988", "drv8825", "tmc2209"),
        "stepper",
    ),
    **dict.fromkeys(
        ("flap", "arm", "gate", "paddle", "diverter", "sg90", "mg90s", "mg995", "mg996r",
         "servomotor", "servo_motor", "rc_servo", "angular_servo", "pwm"),
        "servo",
    ),
}  # fmt: skip
"""Other words that people use for a kind of actuator, with the kind that each means."""


class Actuator(Protocol):
    """A device that moves an item into a lane.

    It is in its safe state from the moment it is opened until the station sorts, and again when the
    station ends, for whatever reason. In between it is at rest or active.
    """

    def activate(self) -> None:
        """Moves it to the position in which it diverts items."""
        ...

    def rest(self) -> None:
        """Moves it to the position in which it lets items pass; may be called twice."""
        ...

    def release(self) -> None:
        """Ends the signal that holds its position; it stays there as long as nothing pushes it."""
        ...

    def safe(self) -> None:
        """Moves it to its safe state, while nothing is sorted; may be called twice."""
        ...

    def close(self) -> None:
        """Leaves it in its safe state and frees its pins; may be called twice."""
        ...


@runtime_checkable
class TimedActuator(Actuator, Protocol):
    """An actuator whose moves take many steps in time, such as those of a stepper motor.

    The thread of the lanes takes each step when it is due. So a slow move keeps no other lane
    waiting: `step` takes one step at most, and does not wait.
    """

    @property
    def next_at(self) -> float | None:
        """When `step` is to be called, in seconds on its clock; None: nothing is to move."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it knows where it is, and can be asked to move to a lane."""
        ...

    def lose_position(self) -> None:
        """Stops at once, because its supply was cut: where it stands is not known any more. It is
        not ready until it has found its home switch again, if it has one. Until `step` is called
        again it takes no step, not even as it is closed."""
        ...

    def step(self, now: float) -> None:
        """Takes what is due at the time `now`; may be called earlier and later.

        Raises:
            PinError: it cannot go on.
        """
        ...


class ActuatorSettings(Section):
    """The section `actuator` of a lane."""

    kind: str

    hold_seconds: Annotated[
        float, Field(gt=0, le=60, description="seconds it stays active for one item")
    ]
    max_on_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=600,
            description="longest time in seconds that it stays active without a pause, even if "
            "items follow each other closely",
        ),
    ] = None

    @field_validator("max_on_seconds")
    @classmethod
    def _longer_than_hold(cls, longest: float | None, info: ValidationInfo) -> float | None:
        hold = info.data.get("hold_seconds")
        if longest is not None and hold is not None and hold > longest:
            raise advised(
                f"hold_seconds ({hold:g}) is above max_on_seconds ({longest:g}): "
                "every actuation would be cut short. Lower hold_seconds or raise max_on_seconds"
            )
        return longest

    @property
    def levels_at_rest(self) -> Mapping[int, bool]:
        """Whether each of its output pins is high in its safe state, by BCM number: the level
        that the pin needs before the station runs.

        Pins of the PWM hardware are left out: the firmware must not make them outputs.
        """
        return {}

    @property
    def on_bus(self) -> bool:
        """Whether it is reached by a bus, which may hang, and not by a pin."""
        return False

    @property
    def timing(self) -> Timing:
        """The on-times of this actuator, for the schedule."""
        return Timing(self.hold_seconds, self.max_on_seconds)

    @property
    def cycle_seconds(self) -> float:
        """The shortest time between two items in which it returns to rest."""
        return 2 * self.hold_seconds

    def shares(self, mover: BinSettings | None) -> None:
        """Tells it the section `bin`; None: there is none. Most kinds need it not."""
        return

    @abstractmethod
    def open(self, pins: Pins) -> Actuator:
        """Opens the actuator in its safe state.

        Raises:
            PinError: its pin cannot be used.
        """
