"""What happens to an item: it is sorted, moved, corrected, audited; a code is read on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.events.base import Event, Incident


@dataclass(frozen=True, slots=True)
class ItemSorted(Event):
    """An item got its verdict; `time` is when its (last) picture was taken."""

    item: int
    """Counts the items of one run of the station, from 1."""
    source: str
    """The file the picture was read from; empty for a live camera."""
    label: str | None
    """The best label, also of a rejected item; None where the picture could not be read."""
    confidence: float | None
    scores: Mapping[str, float] | None
    """The score of each label, in the bundle's order."""
    accepted: bool
    reject: str | None
    """A RejectReason; None if the item was accepted."""
    lane: str
    bundle: str
    """The bundle's name and version."""
    bundle_digest: str
    latency_ms: float
    """Milliseconds from the capture of the picture to the verdict; 0 if the times of the pictures
    are in the future, as those of a video that is read as fast as possible."""
    frames: int | None
    """How many frames of the item voted; None: its row is older than this column."""
    actuation: str | None = None
    """The actuation as it was planned with the verdict: `planned`, `missed`, or `none` if the lane
    has no actuator. None if the row is older than this column."""
    due: str | None = None
    """When the actuator should move, in the form of `time`; None if it should not."""
    missed: str | None = None
    """A Missed, the reason why the actuator does not move; None if it should, or if there is
    none."""
    delivery_id: str | None = None
    """The delivery that the item was counted into; None: no delivery was open."""
    barcode: str | None = None
    """The code that was read on the item, or scanned by hand for it; None: none was known before it
    went to its lane."""
    quantity: int | None = None
    """The number of pieces that the item counts for; None for one."""
    photograph: str | None = None
    """The file of its photograph, relative to the folder of photographs; None if none is kept."""
    monotonic: float | None = None
    """Seconds on the machine's monotonic clock when the picture was taken, which no correction of
    the time of day changes. To be compared only within one `boot_id`. None: its row is older than
    this column."""
    boot_id: str | None = None
    """The UUID of the boot of the machine; None: not known, or the time was simulated."""
    clock_synchronised: bool | None = None
    """Whether the clock that gave `time` was kept right, by NTP for example; None: not known."""
    exposure_microseconds: float | None = None
    """How long its picture was exposed; None: the camera does not tell."""
    gain: float | None = None
    """How much the picture was amplified: a factor, or steps of a USB camera's own; None: the
    camera does not tell."""
    white_balance: str | None = None
    """The gains of red and blue, such as `1.80 1.60`, or the colour temperature, such as `4600 K`;
    None: the camera does not tell."""


@dataclass(frozen=True, slots=True)
class ActuationEnded(Event):
    """An actuation that was planned came to its end: the actuator moved, or was found not to.

    `time` and `item` are those of the item's row, which this one completes.
    """

    item: int
    lane: str
    ended: str
    """When the actuator moved, or was found not to move, in the form of `time`."""
    missed: str | None
    """A Missed; None if the actuator moved."""
    item_id: str
    """The id of the item's event."""


@dataclass(frozen=True, slots=True)
class ItemCorrected(Event):
    """Somebody corrected what the row of an item says. The item's row itself never changes.

    Of several corrections of one field the newest counts, by `time`.
    """

    item_id: str
    """The id of the item's event."""
    who: str
    field: str
    """What is corrected: a member of CORRECTABLE."""
    old: str | None
    """The value that counted until now; a quantity as decimal digits."""
    new: str
    why: str


CORRECTABLE = ("label", "lane", "quantity")
"""The fields of an item that can be corrected."""


@dataclass(frozen=True, slots=True)
class ItemAudited(Event):
    """Somebody looked at a sorted item and said what it is, whether the station was right or not.

    Of several audits of one item the newest counts, by `time`.
    """

    item_id: str
    """The id of the item's event."""
    label: str
    """What it is."""
    lane: str | None
    """The lane where it belongs; None: that was not known."""
    who: str
    drawn: bool
    """Whether the item was chosen by chance, whatever its score. Only such audits tell how pure a
    lane is: those of doubtful items would make it look worse than it is."""


@dataclass(frozen=True, slots=True)
class CodeRead(Event):
    """A code was read in a picture of an item. The item's row has it, too, where it was read before
    the item went to its lane."""

    item: int
    item_id: str
    """The id of the item's event."""
    text: str
    """What the code says; a FNC1 within it is the character 0x1D."""
    format: str
    """One of the station file: `ean13`."""
    gtin: str | None
    """The GS1 number of the article, as 14 digits; None: the code has none."""
    sscc: str | None
    """The GS1 number of the container, as 18 digits; None: the code has none."""
    lot: str | None
    expiry: str | None
    """A date such as 2027-03-31; None: the code has none."""
    serial: str | None
    rung: str
    """Which copy of the picture it was read in: `plain`, `turned 45`, `enlarged`."""
    milliseconds: float
    """The milliseconds that reading took."""


@dataclass(frozen=True, slots=True)
class CodeScanned(Event):
    """The station's hand scanner read a code."""

    text: str
    """The text that the scanner sent, without its line end."""
    delivery_id: str | None = None
    """The delivery that it was scanned for; None: no delivery was open."""


@dataclass(frozen=True, slots=True)
class PictureContradicted(Incident):
    """The code on a piece says one thing and its picture another: it is not counted, and somebody
    must look at it and decide."""

    delivery_id: str
    code: str
    expected: str
    """The label of the goods whose code it is."""
    seen: str
    """The label that the station accepted for the picture, or that a person saw."""
    item: int | None
    """None, as the next three: the station did not see it, a person did; or the item's row is lost,
    and what is left is `item_id`."""
    item_id: str | None
    """The id of the item's event."""
    lane: str | None
    """The lane that the item went to."""
    in_time: bool | None
    """Whether it went there because of its code; False: it was in the lane of its picture's label
    before its code was known."""
    photograph: str | None = None
