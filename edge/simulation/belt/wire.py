"""The messages between the belt's process and the station's, through two pipes.

The station asks for each frame, so that none is drawn that nobody takes, and none gets old in a
pipe. Closing its end tells the belt's process to end.
"""

from __future__ import annotations

import struct
from pathlib import Path

from pydantic import BaseModel, ConfigDict

LENGTH = struct.Struct("<I")
"""Bytes of the order that follows, as JSON: what the station sends first."""

ASK = struct.Struct("<d")
"""The station wants the next frame; seconds on its clock."""

ANSWER = struct.Struct("<cdqII")
"""(kind, captured, sequence, height, width). FRAME: height * width * 3 bytes follow. SAY, FAIL:
`height` bytes of text follow."""

FRAME, SAY, FAIL, END = b"F", b"S", b"X", b"E"
"""A frame; a line for the operator; why it cannot go on; there are no more frames."""


class BeltPhotograph(BaseModel):
    """A photograph to lay on the belt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    label: str


class Order(BaseModel):
    """The settings for the belt's process; see the keys of the same names in `camera.py`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: int | None
    labels: tuple[str, ...]
    pictures: tuple[BeltPhotograph, ...]
    """The photographs; if there are none, items are drawn."""
    scale: float
    width: int
    height: int
    frames_per_second: float
    views_per_second: float
    spacing_views: float
    jitter: float
    exposure_seconds: float
    background: str
    seed: int
    paced: bool
    truth: Path | None
