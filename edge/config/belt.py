"""`belt` in a station file: what carries the items to the lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from edge.core.yaml_file import Section
from edge.core.yaml_kinds import section_of

if TYPE_CHECKING:
    from edge.lanes.encoder import EncoderSettings
else:  # which few belts have
    EncoderSettings = section_of("edge.lanes.encoder", "EncoderSettings")


class Belt(Section):
    """`belt`: what carries the items from the camera to the lanes."""

    metres_per_second: Annotated[
        float,
        Field(
            gt=0,
            le=20,
            description="the belt's speed; with an encoder, the highest one",
        ),
    ]
    encoder: Annotated[
        EncoderSettings | None,
        Field(
            description="an encoder on the belt, where its speed changes or it stops: lanes with "
            "distance_metres move when the belt has gone so far. Without it, after a time"
        ),
    ] = None
