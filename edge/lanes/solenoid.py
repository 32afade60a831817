"""A solenoid: a coil that pushes, or opens a valve, while current flows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.lanes.coil import CoilSettings


class Settings(CoilSettings):
    """`actuator: {kind: solenoid, ...}`."""

    kind: Annotated[Literal["solenoid"], Field(description="the kind of actuator")]
