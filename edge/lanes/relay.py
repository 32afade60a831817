"""A relay board: a contact that switches what a pin cannot, such as a motor or a magnetic valve."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.lanes.coil import CoilSettings


class Settings(CoilSettings):
    """`actuator: {kind: relay, ...}`."""

    kind: Annotated[Literal["relay"], Field(description="the kind of actuator")]
    active_high: Annotated[
        bool,
        Field(
            description="the level of the pin at which the relay is on: false for a low one, as "
            "most boards with optocouplers have it, true for a high one. It has no default, "
            "because the wrong one leaves the relay on all the time"
        ),
    ]
