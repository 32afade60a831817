"""The kind of actuator that is a position of the station's bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from edge.lanes import ActuatorSettings
from edge.lanes.bins import BinSettings, Mover
from edge.lanes.schedule import Timing
from edge.pins.pins import Pins


class Settings(ActuatorSettings):
    """`actuator: {kind: bin, ...}`."""

    kind: Annotated[Literal["bin"], Field(description="the kind of actuator")]
    position: Annotated[
        float,
        Field(
            ge=-100_000,
            le=100_000,
            description="where the mover of the section `bin` turns for this lane: degrees of a "
            "flap, steps of a carousel from its home switch",
        ),
    ]
    _mover: BinSettings | None = PrivateAttr(None)

    def shares(self, mover: BinSettings | None) -> None:
        """See ActuatorSettings."""
        self._mover = mover

    @property
    def mover(self) -> BinSettings:
        """The section `bin`; a station file without it is not read."""
        assert self._mover is not None
        return self._mover

    @property
    def timing(self) -> Timing:
        """Its times: items of all lanes of the bin come one after the other."""
        release = self.mover.release_seconds
        return Timing(self.hold_seconds, self.max_on_seconds, release_seconds=release, group="bin")

    @property
    def cycle_seconds(self) -> float:
        """The shortest time between two items in which the mover returns to rest."""
        rest = self.mover.rest_position
        back = 0.0 if rest is None else self.mover.travel_seconds(self.position, rest)
        return self.hold_seconds + back

    @property
    def levels_at_rest(self) -> Mapping[int, bool]:
        """Those of the mover's pins."""
        return self.mover.levels_at_rest

    @property
    def on_bus(self) -> bool:
        """Whether the mover is on a servo board."""
        return getattr(self.mover, "board", None) is not None

    def open(self, pins: Pins) -> BinLane:
        """Opens the lane, and with the first one of a bin its mover.

        Raises:
            PinError: a pin of the mover cannot be used.
        """
        mover = pins.once(self.mover, lambda: self.mover.open(pins))
        return BinLane(self.position, mover, waits_at=self.mover.waits_at)


class BinLane:
    """A lane that is a position of a mover, which it shares with other lanes.

    Attributes:
        position: where the mover turns for this lane.
        at: where this lane last sent it; at first, where it waits for items.
    """

    def __init__(self, position: float, mover: Mover, *, waits_at: float | None) -> None:
        self.position, self._mover, self._waits_at = position, mover, waits_at
        self.at = waits_at or 0.0

    def activate(self) -> None:
        """Sends the mover to this lane."""
        self.turn(self.position)

    def turn(self, position: float) -> None:
        """Sends the mover to a position."""
        self._mover.go(position)
        self.at = position

    def rest(self) -> None:
        """Sends the mover to where it waits for items; may be called twice."""
        self._mover.rest()
        if self._waits_at is not None:
            self.at = self._waits_at

    def release(self) -> None:
        """Ends the signal that holds the mover."""
        self._mover.release()

    def safe(self) -> None:
        """Sends the mover to where it waits for items; may be called twice."""
        self._mover.rest()

    @property
    def next_at(self) -> float | None:
        """See TimedActuator."""
        return self._mover.next_at

    @property
    def ready(self) -> bool:
        """See TimedActuator."""
        return self._mover.ready

    def lose_position(self) -> None:
        """See TimedActuator."""
        self._mover.lose_position()

    def step(self, now: float) -> None:
        """See TimedActuator."""
        self._mover.step(now)

    def close(self) -> None:
        """Closes the mover, for all lanes; may be called twice."""
        self._mover.close()
