"""What a person does to a station, or has to mend, and what its contacts tell of."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from edge.simulation.faults.fault import Every, Lasting, PassingFault

LaneName = Annotated[str, Field(max_length=200)]
"""The lane that has it; empty: each lane with a sensor."""


class EmergencyStop(PassingFault):
    """`emergency-stop`: somebody presses the button, and later releases it and clears the stop."""

    name: ClassVar[str] = "emergency-stop"
    summary: ClassVar[str] = "the emergency stop is pressed for a while, and then cleared"
    contact: ClassVar[str] = "emergency_stop"
    is_seen: ClassVar[bool] = False

    every: Every = 120.0
    seconds: Lasting = 10.0

    def is_pressed(self, moment: float) -> bool:
        """See Fault."""
        return self.strength(moment) > 0


class Pause(PassingFault):
    """`pause`: somebody pauses the station, and later lets it sort on."""

    name: ClassVar[str] = "pause"
    summary: ClassVar[str] = "somebody pauses the station for a while"
    is_seen: ClassVar[bool] = False

    every: Every = 120.0
    seconds: Lasting = 10.0

    def is_paused(self, moment: float) -> bool:
        """See Fault."""
        return self.strength(moment) > 0


class _OfALane(PassingFault):
    """Something about one lane, or about each that has a sensor for it."""

    is_seen: ClassVar[bool] = False

    every: Every = 120.0
    lane: LaneName = ""

    def _has(self, lane: str, moment: float) -> bool:
        return self.lane in ("", lane) and self.strength(moment) > 0


class BinFull(_OfALane):
    """`bin-full`: the sensor of a bin sees something for a while."""

    name: ClassVar[str] = "bin-full"
    summary: ClassVar[str] = "the bin of the lane `lane` is full for a while; without it, each bin"
    contact: ClassVar[str] = "bins"
    incident: ClassVar[str] = "bin_full"
    unnoticed: ClassVar[str] = (
        "its sensor must see something for full_seconds (2 s) without a break"
    )

    seconds: Lasting = 15.0

    def is_full(self, lane: str, moment: float) -> bool:
        """See Fault."""
        return self._has(lane, moment)


class Jam(_OfALane):
    """`jam`: nothing comes out of a lane for a while; then somebody clears and resets it."""

    name: ClassVar[str] = "jam"
    summary: ClassVar[str] = "nothing comes out of the lane `lane` until it is cleared and reset"
    contact: ClassVar[str] = "exits"
    incident: ClassVar[str] = "jam"
    unnoticed: ClassVar[str] = (
        "two items in a row must be sent into a lane with a sensor while it lasts"
    )
    kinds: ClassVar[tuple[str, ...]] = ("belt", "chute", "flap-bin", "carousel-bin")

    seconds: Lasting = 20.0

    def is_jammed(self, lane: str, moment: float) -> bool:
        """See Fault."""
        return self._has(lane, moment)
