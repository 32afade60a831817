"""Bins: one mover that several lanes share, with a position for each; a module for each kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Protocol

from pydantic import Field

from edge.core.yaml_file import Section
from edge.pins.pins import Pins

KINDS = {
    "flap": "edge.lanes.bins.flap",
    "carousel": "edge.lanes.bins.carousel",
}
"""The module of each `kind`; its `Settings` is a BinSettings."""

SYNONYMS = {
    **dict.fromkeys(("servo", "tilt", "tipper", "plate", "arm", "diverter"), "flap"),
    **dict.fromkeys(
        ("stepper", "rotor", "turntable", "chute", "disc", "disk", "revolver", "wheel"), "carousel"
    ),
}
"""Other words that people use for a kind of bin, with the kind that each means."""


class Mover(Protocol):
    """What turns to the position of a lane. It stands in its safe position when it is opened."""

    def go(self, position: float) -> None:
        """Turns to a position."""
        ...

    def rest(self) -> None:
        """Turns to where it waits for items; may be called twice."""
        ...

    def release(self) -> None:
        """Ends the signal that holds it."""
        ...

    @property
    def next_at(self) -> float | None:
        """See TimedActuator."""
        ...

    @property
    def ready(self) -> bool:
        """See TimedActuator."""
        ...

    def lose_position(self) -> None:
        """See TimedActuator."""
        ...

    def step(self, now: float) -> None:
        """See TimedActuator."""
        ...

    def close(self) -> None:
        """Leaves it where it waits for items and frees its pins; may be called twice."""
        ...


class BinSettings(Section):
    """`bin` in a station file."""

    kind: str

    rest_position: Annotated[
        float | None,
        Field(
            description="where it waits for items: degrees of a flap, steps of a carousel. Without "
            "it, a flap waits at 0 degrees, and a carousel where its last item went"
        ),
    ] = None

    @property
    def levels_at_rest(self) -> Mapping[int, bool]:
        """See ActuatorSettings."""
        return {}

    @property
    def waits_at(self) -> float | None:
        """Where it waits for items; None: where the last one went."""
        return self.rest_position

    @property
    @abstractmethod
    def release_seconds(self) -> float | None:
        """The seconds after a turn at which its signal ends; None: it does not."""

    @abstractmethod
    def travel_seconds(self, start: float, end: float) -> float:
        """The seconds from one position to another."""

    @abstractmethod
    def refusal(self, position: float) -> str | None:
        """What is wrong with a position, as the end of a sentence; None: it can be reached."""

    @abstractmethod
    def open(self, pins: Pins) -> Mover:
        """Opens the mover.

        Raises:
            PinError: its pins cannot be used.
        """
