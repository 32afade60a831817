"""The button trigger: somebody lays an item under the camera, and presses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.pins.edges import EdgeInput, EdgeSettings
from edge.vision.trigger import TriggerSurroundings
from edge.vision.trigger.signals import Signal, SignalSettings


class Settings(SignalSettings, EdgeSettings):
    """`trigger: {kind: button, ...}`."""

    kind: Annotated[Literal["button"], Field(description="the kind of trigger")]
    debounce_seconds: Annotated[
        float,
        Field(ge=0, le=1, description="what is shorter is a bounce of the contact"),
    ] = 0.03

    def signal(self, around: TriggerSurroundings) -> Signal:
        """See SignalSettings."""
        button = EdgeInput(self, around.pins(), clock=around.clock)
        around.parts.callback(button.close)
        return button
