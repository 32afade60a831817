"""The beam trigger, for which whatever breaks a light barrier before the camera is an item."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.pins.edges import EdgeInput, EdgeSettings
from edge.vision.trigger import TriggerSurroundings
from edge.vision.trigger.signals import Signal, SignalSettings


class Settings(SignalSettings, EdgeSettings):
    """`trigger: {kind: beam, ...}`."""

    kind: Annotated[Literal["beam"], Field(description="the kind of trigger")]

    def signal(self, around: TriggerSurroundings) -> Signal:
        """See SignalSettings."""
        beam = EdgeInput(self, around.pins(), clock=around.clock)
        around.parts.callback(beam.close)
        return beam
