"""`stops` in a station file: what stops the station beside a person who pauses it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.core.yaml_file import Section
from edge.pins.edges import EdgeInput, EdgeSettings
from edge.pins.inputs import InputSettings
from edge.pins.pins import Pins
from edge.runtime.clock import Clock


class BinSensor(InputSettings, title="Bin"):
    """The sensor that sees a full bin."""

    full_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=600,
            description="seconds for which the sensor must see something without a break, so that "
            "items that pass it do not count; and nothing, until the bin is empty again",
        ),
    ] = 2.0
    when_full: Annotated[
        Literal["suspend", "default_lane"],
        Field(
            description="what becomes of items while the bin is full: `suspend` stops the whole "
            "station, `default_lane` rejects those of this lane as bin_full"
        ),
    ] = "suspend"


class ExitSensor(EdgeSettings, title="Exit"):
    """The sensor that sees items come out of a lane."""

    after_seconds: Annotated[
        float,
        Field(
            gt=0,
            le=600,
            description="seconds from the move of the actuator to the moment at which the item "
            "passes the sensor",
        ),
    ]

    def watch(self, pins: Pins, clock: Clock) -> EdgeInput:
        """Has what passes the sensor noted from now on, with the kernel's time of each.

        Raises:
            PinError: the pin cannot be used.
        """
        return EdgeInput(self, pins, clock=clock)


class StopSettings(Section, title="Stops"):
    """What stops the station beside a person who pauses it."""

    emergency_stop: Annotated[
        InputSettings | None,
        Field(
            description="a contact of the emergency stop, which the program only sees: the button "
            "itself must cut the actuators' supply. Without it, none is seen"
        ),
    ] = None
    starved_minutes: Annotated[
        float | None,
        Field(
            gt=0,
            le=1440,
            description="minutes in which nothing comes into view, after which the station is "
            "Suspended until something does; without it, it waits for ever",
        ),
    ] = None
    bins: dict[str, BinSensor] = Field(
        default_factory=dict, description="the sensors of bins, by the name of the lane"
    )
    exits: dict[str, ExitSensor] = Field(
        default_factory=dict,
        description="the sensors at the exits of lanes, by the name of the lane: two items that "
        "were sent there in a row and do not come out are a jam",
    )

    @property
    def has_contacts(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.emergency_stop or self.bins or self.exits)

    @property
    def travel_seconds(self) -> dict[str, float]:
        """Seconds from the move of a lane's actuator to its exit, by lane."""
        return {lane: found.after_seconds for lane, found in self.exits.items()}

    @property
    def diverted(self) -> frozenset[str]:
        """The lanes whose items go to the default lane while their bin is full."""
        return frozenset(
            lane for lane, found in self.bins.items() if found.when_full == "default_lane"
        )
