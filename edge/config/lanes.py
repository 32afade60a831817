"""`lanes` in a station file: where items go."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from edge import lanes
from edge.core.yaml_file import Section
from edge.core.yaml_kinds import one_of
from edge.core.yaml_messages import advised


class Lane(Section):
    """One of `lanes`: a destination of items."""

    labels: list[str] = Field(
        default_factory=list,
        description="labels of the items that go here, such as [paper, cardboard]",
    )
    delay_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=3600,
            description="seconds an item takes from the middle of the region to the actuator, "
            "which begins to move at that time: less those that an arm or a motor needs to turn; "
            "without it, it moves as soon as there is a verdict",
        ),
    ] = None
    distance_metres: Annotated[
        float | None,
        Field(
            gt=0,
            le=100,
            description="instead of delay_seconds: how far it is from the middle of the region to "
            "the actuator, on a belt whose speed is under `belt`; less the way that items go while "
            "an arm or a motor turns",
        ),
    ] = None
    actuator: Annotated[
        lanes.ActuatorSettings | None,
        one_of(lanes.KINDS, lanes.SYNONYMS),
        Field(description="what moves items into the lane; without one they fall through"),
    ] = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        if self.delay_seconds is not None and self.distance_metres is not None:
            raise advised("has delay_seconds and distance_metres: keep one of them")
        return self
