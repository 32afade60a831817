"""`decision` in a station file: which verdicts count."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from edge.core.model.bundle import Threshold
from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised


class Decision(Section):
    """`decision`: how the scores of an item's frames become one verdict, and which count."""

    deadline_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=3600,
            description="seconds after its first frame by which an item gets its verdict, from the "
            "frames there are; where even that comes later, it is a reject",
        ),
    ] = None
    clear_frames: Annotated[
        int,
        Field(
            ge=2,  # a single frame may be a damaged one
            le=100,
            description="so many frames that all say the same, and surely enough to be accepted, "
            "are a verdict at once; the item's other frames are not looked at",
        ),
    ] = 3
    max_frames: Annotated[
        int,
        Field(
            ge=2,
            le=1000,
            description="an item's verdict comes with this frame at the latest, of those "
            "that show it well",
        ),
    ] = 20
    agreement: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of an item's frames that must say what the verdict says; with fewer "
            "it is a reject",
        ),
    ] = 0.6
    accept: dict[str, Threshold] = Field(
        default_factory=dict,
        description="accept thresholds, 0 to 1, in place of the bundle's, by label",
    )
    unknown: Annotated[
        Threshold | None,
        Field(
            description="an item with a novelty score above this, 0 to 1, is rejected as unknown; "
            "without it the bundle's threshold counts"
        ),
    ] = None

    @model_validator(mode="after")
    def _clear_before_the_end(self) -> Self:
        if self.clear_frames > self.max_frames:
            raise advised(
                f"clear_frames ({self.clear_frames}) is above max_frames ({self.max_frames}): "
                "no verdict would ever come early. Lower the one or raise the other"
            )
        return self
