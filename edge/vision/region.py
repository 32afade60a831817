"""The region: the part of the camera's picture that a station looks at."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from edge.core.errors import RegionError
from edge.core.yaml_file import Section
from edge.flow import Frame

Pixels = Annotated[int, Field(ge=0, le=32768)]


class Region(Section):
    """`region`: the part of the camera's picture that items pass through."""

    left: Annotated[Pixels, Field(description="pixels from the picture's left edge")] = 0
    top: Annotated[Pixels, Field(description="pixels from the picture's top edge")] = 0
    width: Annotated[Pixels, Field(ge=8, description="pixels")]
    height: Annotated[Pixels, Field(ge=8, description="pixels")]


def cut(frame: Frame, region: Region | None) -> Frame:
    """The frame cut to the region; its image is a view, not a copy.

    A frame whose picture has a fault is not cut, because its size may be a different one.

    Raises:
        RegionError: the region does not lie within the picture.
    """
    if region is None or frame.fault is not None:
        return frame
    height, width = frame.image.shape[:2]
    bottom, right = region.top + region.height, region.left + region.width
    if bottom > height or right > width:
        where = f" ({frame.source})" if frame.source else ""
        raise RegionError(
            f"region: reaches to {right}, {bottom} (left + width, top + height), but the camera's "
            f"picture is {width}x{height} pixels{where}: correct the region in the station file"
        )
    return replace(frame, image=frame.image[region.top : bottom, region.left : right])
