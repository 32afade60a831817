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
            "frames captured so far; an item whose verdict comes later is rejected",
        ),
    ] = None
    clear_frames: Annotated[
        int,
        Field(
            ge=2,  # a single frame may be a damaged one
            le=100,
            description="an item gets its verdict early when this many frames agree and their "
            "scores are high enough to accept it; its later frames are not classified",
        ),
    ] = 3
    max_frames: Annotated[
        int,
        Field(
            ge=2,
            le=1000,
            description="the largest number of frames per item that are classified, counting only "
            "those that show it well; the last of them gives the verdict",
        ),
    ] = 20
    agreement: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of an item's frames that must agree with the verdict, 0 to 1; with "
            "fewer, the item is rejected",
        ),
    ] = 0.6
    min_gap_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=60,
            description="items that pass the middle of the region closer together than this are "
            "both rejected as too_close: for an actuator that would move both. A verdict is given "
            "so much later. The time in which a belt with an encoder stood does not count. "
            "Without this key, items may follow each other as they like",
        ),
    ] = None
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
                "no verdict would ever come early. Lower clear_frames or raise max_frames"
            )
        return self
