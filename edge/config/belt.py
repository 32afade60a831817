"""`belt` in a station file: what carries the items to the lanes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.core.yaml_file import Section


class Belt(Section):
    """`belt`: what carries the items from the camera to the lanes."""

    metres_per_second: Annotated[float, Field(gt=0, le=20, description="the belt's speed")]
