"""The messages between the process of the belt and that of the station, through two pipes.

The station requests each frame, so that no frame is drawn for nothing or grows old in a pipe. When
the station closes its pipe, the process of the belt ends.
"""

from __future__ import annotations

import struct
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from edge.core.images.preprocess import Box

LENGTH = struct.Struct("<I")
"""The first message of the station: the number of bytes of the settings that follow as JSON."""

ASK = struct.Struct("<d")
"""The station's request for the next frame: the seconds on its clock."""

ANSWER = struct.Struct("<cdqII")
"""(kind, captured, sequence, height, width). FRAME: height * width * 3 bytes follow. SAY, FAIL:
`height` bytes of text follow."""

FRAME, SAY, FAIL, END = b"F", b"S", b"X", b"E"
"""The kinds of answers: a frame; a line for the operator; why the belt cannot continue; the end."""


class BeltPhotograph(BaseModel):
    """A photograph to lay on the belt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    label: str


class SpeedChanges(BaseModel):
    """The belt runs at another speed once in each period, at a random time in it; or once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factor: float
    """The other speed, as a share of the usual one; 0: the belt stands."""
    every: float
    """Seconds of a period; 0: the other speed all the time."""
    seconds: float
    """For how long it is another."""
    seed: tuple[int, ...]
    at: float | None = None
    """When it is another, once, in seconds since the belt began, which may be before that; None:
    again and again."""


class BeltOrder(BaseModel):
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
    region: Box | None = None
    """The part of the view in whose middle photographs lie; one of `scale` 1 is as large as fits in
    there. None: the whole view, whose height alone counts."""
    largest: float = 1.0
    """The largest share of `region` that an item's box may cover; others are drawn smaller."""
    touching: float = 0.0
    """The share of items that touch the one before them."""
    marks: bool = False
    """Whether things can be recognised at the edges of the view, which items hide as they pass."""
    speeds: tuple[SpeedChanges, ...] = ()
    """Changes of the belt's speed; those that overlap multiply."""
