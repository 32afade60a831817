"""The values that pass through a station, from the camera to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box

EMPTY = "empty"
"""The label of pictures without an item. If no lane has it, such a verdict is not counted as an
item."""


class PictureFaultKind(StrEnum):
    """Why the picture of a live camera does not show what is before it now."""

    FIRST = "first"
    """The first picture after the camera was opened, which cannot be compared with another yet."""
    REPEATED = "repeated"
    """A picture equal to the one before it, as some cameras give if there is no newer one."""
    FROZEN = "frozen"
    """A picture that has been exactly the same for a long time."""
    BLANK = "blank"
    """A picture of one colour only: black, green, or of a covered lens."""
    TORN = "torn"
    """A picture of which parts are missing: its rows repeat each other, or the picture before."""
    RESIZED = "resized"
    """A picture of another size than the camera's pictures had at first."""
    DAMAGED = "damaged"
    """A picture that could not be decoded: an UnreadableFrame."""
    COVERED = "covered"
    """A picture of something that covers the camera, or taken without light."""
    LATE = "late"
    """A picture that is too old to be acted on when it is to be looked at."""
    MOVED = "moved"
    """A picture of another scene than that of the reference picture."""

    @property
    def harmless(self) -> bool:
        """Whether a working camera gives such pictures too."""
        return self in (PictureFaultKind.FIRST, PictureFaultKind.REPEATED)


class PictureFault(NamedTuple):
    """A fault in the picture of a live camera."""

    kind: PictureFaultKind
    lasting: bool = False
    """True if the fault has lasted so long that the items in view are rejected; False if only this
    frame is left out."""
    words: str = ""
    """The fault in words, as the end of a sentence whose subject is the camera; empty if nothing is
    to be reported."""


class Exposure(NamedTuple):
    """How a camera takes a picture, as far as it tells; None: that is not known."""

    microseconds: float | None = None
    """How long the picture is exposed."""
    gain: float | None = None
    """How much its signal is amplified: a factor, or steps of the camera's own (USB)."""
    white_balance_gains: tuple[float, float] | None = None
    """The factors of red and blue."""
    white_balance_kelvin: float | None = None
    """The colour temperature of the light that the camera assumes."""
    automatic: tuple[str, ...] = ()
    """What the camera sets by itself again though it was fixed: `exposure`, `white balance`."""

    @property
    def white_balance(self) -> str | None:
        """The white balance as text: `1.80 1.60` (red, blue) or `4600 K`; None: not known."""
        if self.white_balance_gains is not None:
            return "{:.2f} {:.2f}".format(*self.white_balance_gains)
        kelvin = self.white_balance_kelvin
        return None if kelvin is None else f"{kelvin:.0f} K"

    @property
    def words(self) -> str:
        """What is known of it, as part of a sentence; empty: nothing."""
        told = (
            None if self.microseconds is None else f"exposure {self.microseconds:.0f} microseconds",
            None if self.gain is None else f"gain {self.gain:.3g}",
            None if self.white_balance is None else f"white balance {self.white_balance}",
        )
        return ", ".join(one for one in told if one is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image with its capture time and sequence number."""

    image: Image
    """uint8 (height, width, 3) BGR."""
    captured: float
    """When the frame was exposed, in seconds on the station's monotonic clock."""
    sequence: int
    """The number of the frame, counting every frame of the camera including dropped ones."""
    source: str = ""
    """The file from which the frame was read; empty for a live camera."""
    fault: PictureFault | None = None
    """The fault of a live camera's picture; None for a good or a stored one."""
    exposure: Exposure | None = None
    """How it was taken; None: the camera does not tell."""


@dataclass(frozen=True, slots=True)
class UnreadableFrame:
    """A picture that could not be decoded.

    A stored picture, which has a `source`, counts as an item that is rejected. A damaged frame of a
    live camera does not: what it showed is not known, and the next frame follows soon.
    """

    captured: float
    """When it was taken or reading its file failed, in seconds on the station's monotonic clock."""
    sequence: int
    source: str
    """The file; empty for a live camera."""
    message: str
    """What is wrong with the picture and, for a file, what to do."""


class CameraChange(NamedTuple):
    """The loss of a live camera, or its return."""

    camera: str
    """The camera's name for the operator."""
    lost_seconds: float | None
    """For how many seconds it was lost, if it is back; None if it has just been lost."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One item in one frame, as a trigger finds it."""

    item: int
    """The item's number, from 1 in order of appearance; the same object keeps its number."""
    box: Box | None
    """The item's box in the region's pixels; None if the item is the whole region."""
    whole: bool = True
    """False if the region's edge cuts the item off."""
    gone: bool = False
    """True if the item is not in this frame any more. `box` is then its last one, and no more
    observations of it follow."""
    passed: float | None = None
    """When its centre passes the middle of the region, estimated from its frames so far, in seconds
    on the frames' clock; may be in the future. None if it is not known: the capture of the frame is
    used then."""
    too_close: bool = False
    """True if the same picture shows another item, so that it is not known whose picture it is, or
    if the item is two things that touch each other."""
    confirmed: bool = True
    """False if only this frame has shown it. A damaged frame or a flash can cause such an
    observation, so it is not an item unless it is seen again."""


class ItemInFrame(NamedTuple):
    """An item in one frame."""

    frame: Frame
    box: Box | None
    """The item's box in the region's pixels; None if the item is the whole region."""


class FrameSeen(NamedTuple):
    """A frame with what the trigger found in it."""

    frame: Frame
    """The whole picture of the camera, not cut to the region."""
    observations: tuple[Observation, ...]
    """Those in view, in the region's pixels."""


class Missed(StrEnum):
    """The reason why an actuator did not move for an item of its lane."""

    LATE = "late"
    """The verdict came after the item had passed the actuator."""
    OVERDUE = "overdue"
    """The lanes' thread was too busy, and the item had passed."""
    COOLING = "cooling"
    """The coil had been on for too long, and had to cool."""
    FAULT = "fault"
    """A pin could not be written."""
    NOT_READY = "not_ready"
    """The actuator was still looking for its home switch."""
    STOPPED = "stopped"
    """The station ended before the actuation was due."""
    HELD = "held"
    """The station stood: it was starting, it was paused, or an incident stopped it."""
    CUT_SHORT = "cut_short"
    """It moved, and went to rest before the item had come by, because the station stood."""

    @property
    def words(self) -> str:
        """The reason in words, as the end of a sentence."""
        return _MISSED[self]


_MISSED = {
    Missed.LATE: "the verdict came after the item had passed",
    Missed.OVERDUE: "this machine was too busy to move the actuator in time",
    Missed.COOLING: "the actuator's coil had to cool",
    Missed.FAULT: "a pin could not be written",
    Missed.NOT_READY: "the actuator was still looking for its home switch",
    Missed.STOPPED: "the station was stopped before the actuation was due",
    Missed.HELD: "the station stood: it was still starting, paused, or stopped by an incident",
    Missed.CUT_SHORT: "the station stood before the item had come by at the actuator",
}


class ItemKey(NamedTuple):
    """The item for which an actuation is planned."""

    item: int
    """The number of the item in this run of the station, from 1."""
    taken: float
    """When its picture was taken, in seconds since 1970."""
    id: str
    """The id of the item's event."""


class CodeFound(NamedTuple):
    """What looking for a code in the picture of an item came to."""

    barcode: str | None = None
    """The code; None: none was read."""
    quantity: int | None = None
    """How many pieces the item counts for by its code; None: one."""
    expected: str | None = None
    """The label of the goods whose code it is; None: it is not known."""


NO_CODE = CodeFound()


class Actuated(NamedTuple):
    """The outcome of a planned actuation."""

    lane: str
    key: ItemKey | None
    """The item; None if the operator asked for the actuation."""
    at: float
    """When the actuator was to move, in seconds on the station's monotonic clock."""
    done: float
    """When it moved or was found to have missed, on the same clock."""
    missed: Missed | None = None
    """Why it did not move; None if it moved."""
