"""An encoder on a belt: a pin that gives a pulse each time the belt has gone a little farther."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import Field

from edge.lanes.belt_travel import BeltTravel
from edge.pins.edges import PulseInput
from edge.pins.inputs import InputKeys
from edge.pins.pins import Pins
from edge.runtime.clock import Clock


class EncoderSettings(InputKeys, title="Encoder"):
    """`encoder` of a belt."""

    pulses_per_metre: Annotated[
        float,
        Field(
            ge=10,
            le=10_000,
            description="pulses of the encoder for each metre of the belt; 200 and more, so that "
            "a belt that stops is known to 5 mm. At most 2,000 should come in a second",
        ),
    ]

    def open(
        self, pins: Pins, travel: BeltTravel, *, clock: Clock, moved: Callable[[], None]
    ) -> PulseInput:
        """Opens the encoder.

        Args:
            travel: takes each pulse.
            moved: called after each pulse by the thread of the pins' library.

        Raises:
            PinError: its pin cannot be used.
        """

        def pulse(at: float) -> None:
            travel.pulse(at)
            moved()

        return PulseInput(self, pins, clock=clock, pulse=pulse)


class BeltWithEncoder(NamedTuple):
    """A belt whose way an encoder tells."""

    metres_per_second: float
    encoder: EncoderSettings
