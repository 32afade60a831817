"""What flows through a station, from the camera to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box

EMPTY = "empty"
"""The label of pictures with no item in them. Where no lane has it, such a verdict is no item."""


class PictureFaultKind(StrEnum):
    """Why the picture of a live camera does not show what is before it now."""

    FIRST = "first"
    """It is the first since the camera was opened: none shows yet that it is not frozen."""
    REPEATED = "repeated"
    """It is exactly the picture before it, as some cameras give when there is no newer one."""
    FROZEN = "frozen"
    """It is exactly what the camera has been showing for long."""
    BLANK = "blank"
    """It shows nothing but one colour: black, green, covered."""
    TORN = "torn"
    """Parts of it were not taken: its rows repeat each other, or the picture before."""
    RESIZED = "resized"
    """It has another size than the camera's pictures had at first."""
    DAMAGED = "damaged"
    """It could not be decoded: an UnreadableFrame."""

    @property
    def harmless(self) -> bool:
        """True where a camera that is well gives such pictures too."""
        return self in (PictureFaultKind.FIRST, PictureFaultKind.REPEATED)


class PictureFault(NamedTuple):
    """What is wrong with the picture of a live camera."""

    kind: PictureFaultKind
    lasting: bool = False
    """It has been so for long enough that what is in view is rejected; False: this one frame is
    left out."""
    words: str = ""
    """What is wrong, as the end of a sentence that begins with the camera; empty where nothing is
    to be said."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image with its capture time and sequence number."""

    image: Image
    """uint8 (height, width, 3) BGR."""
    captured: float
    """Seconds on the station's monotonic clock, when the light fell on the sensor."""
    sequence: int
    """Counts every frame the camera gave, dropped ones too."""
    source: str = ""
    """The file a frame was read from; empty for a live camera."""
    fault: PictureFault | None = None
    """Why a live camera's picture is not to be believed; None: it is good, or a stored one."""


@dataclass(frozen=True, slots=True)
class UnreadableFrame:
    """A picture that could not be decoded.

    A stored one, which has a `source`, is an item all the same, always rejected. A live camera's
    damaged frame is no item: nothing is known of what it showed, and the next one follows.
    """

    captured: float
    """Seconds on the station's monotonic clock, when it was taken, or reading the file failed."""
    sequence: int
    source: str
    """The file; empty for a live camera."""
    message: str
    """What is wrong with it and, of a file, what to do."""


class CameraChange(NamedTuple):
    """A live camera gives no more pictures, or gives them again."""

    camera: str
    """What the operator calls it."""
    lost_seconds: float | None
    """How long it was lost, now that it is back; None: it is lost."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One item in one frame: what a trigger finds."""

    item: int
    """Counts the items from 1 in order of appearance; the same object keeps its number."""
    box: Box | None
    """Where it is, in the region's pixels; None: it is the whole region."""
    whole: bool = True
    """False: it is cut off by the region's edge."""
    gone: bool = False
    """True: it is not in this frame any more, `box` is its last, and no observation follows."""
    passed: float | None = None
    """Seconds on the frames' clock when its centre passes the middle of the region, estimated from
    its frames so far; may lie ahead. None: not known, and the capture of the frame counts."""
    confirmed: bool = True
    """False: this frame is the only one that has shown it, and a damaged frame or a flash shows
    such things too: it is no item unless it is seen again."""


class Missed(StrEnum):
    """Why an actuator did not move for an item that goes into its lane."""

    LATE = "late"
    """The item had passed the actuator when its verdict was there."""
    OVERDUE = "overdue"
    """The lanes' thread came to it only after the item had passed."""
    COOLING = "cooling"
    """The coil had been on for long, and had to cool."""
    FAULT = "fault"
    """A pin could not be written."""
    STOPPED = "stopped"
    """The station ended before its moment."""

    @property
    def words(self) -> str:
        """The reason in words, as the end of a sentence."""
        return _MISSED[self]


_MISSED = {
    Missed.LATE: "the item had passed when its verdict was there",
    Missed.OVERDUE: "this machine was too busy to move it in time",
    Missed.COOLING: "its coil had to cool",
    Missed.FAULT: "a pin could not be written",
    Missed.STOPPED: "the station was stopped before",
}


class ItemKey(NamedTuple):
    """Which item an actuation is for."""

    item: int
    """Counts the items of one run of the station, from 1."""
    taken: float
    """Seconds since 1970, when its picture was taken."""
    id: str
    """That of the event that tells of the item."""


class Actuated(NamedTuple):
    """What became of an actuation that was planned."""

    lane: str
    key: ItemKey | None
    """None: it is for no item, but was asked for by hand."""
    at: float
    """Seconds on the station's monotonic clock, when it was to move."""
    done: float
    """Seconds on the same clock, when it moved or was found missed."""
    missed: Missed | None = None
    """None: it moved."""
