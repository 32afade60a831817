"""What happened at a station: values that are made once, have an id for ever, and never change.

Each part of a station offers its events to the recorder (`edge/ledger/recorder.py`), which writes a
row for each and then tells the observers. Lanes are not moved by events: the sorting thread calls
them itself, because their time matters.

A new kind of event is a class here and a line in KINDS. Its rows are in the table `events` without
a migration; a kind that is to be counted and joined in SQL has a table of its own. The events of
deliveries are in `edge/receiving/events.py`, and in a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import NamedTuple, Protocol

from edge.core.uuid7 import UUID7Source


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: str
    """A UUID version 7: unique for ever, and in the order in which one run of a station made them.
    """
    time: str
    """When it happened: UTC, ISO 8601 with microseconds, such as 2026-11-21T23:04:36.123456Z."""
    station: str


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
    """The code that was read on the item; None if none was."""
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
class Incident(Event):
    """Something abnormal that asks for an action."""


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


@dataclass(frozen=True, slots=True)
class CameraLost(Event):
    """The camera gives no more pictures, and is opened again until it does."""

    camera: str


@dataclass(frozen=True, slots=True)
class CameraBack(Event):
    """A camera that was lost gives pictures again."""

    camera: str
    lost_seconds: float


@dataclass(frozen=True, slots=True)
class LedgerFailed(Incident):
    """The ledger cannot be written, or does not answer. The station goes on sorting; this event is
    written, with the rows that waited, once there is room again."""

    reason: str
    """What failed, as it was logged."""


@dataclass(frozen=True, slots=True)
class LedgerBack(Event):
    """A ledger that had failed was written again."""

    failed_seconds: float


@dataclass(frozen=True, slots=True)
class ModelChanged(Event):
    """Items that come into view from now on are judged by another model."""

    bundle: str
    """The bundle's name and version."""
    bundle_digest: str


@dataclass(frozen=True, slots=True)
class StationStarted(Event):
    """The station begins to sort."""

    pilah: str
    """The version of pilah."""
    bundle: str
    """The name and version of the bundle that it sorts with."""
    bundle_digest: str


@dataclass(frozen=True, slots=True)
class StationStopped(Event):
    """The station has stopped sorting. There is no such event after a power cut or a crash."""

    items: int
    """How many it has sorted since it started."""
    reason: str
    """The signal that ended it, or what failed; empty: it had sorted what there was to sort."""


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    """The station is in another state from now on. `edge/state/machine.py` has the states."""

    state: str
    """By PackML's names: `Execute`, `Held`, ...; it sorts in Execute only."""
    mode: str
    """`Production`, `Maintenance` or `Manual`."""
    since: str
    """When what it is about began, in the form of `time`; for a stop, the moment of its cause,
    which may be a little earlier than `time`."""
    reason: str = ""
    """Why: the name of an incident, or `paused`; empty in a state that needs no reason."""
    scope: str = ""
    """Which part the reason is about, such as a lane; empty for the whole station."""
    first: str = ""
    """The reason that was the first since the station sorted, of which the others may follow; empty
    where it sorts."""
    first_incident: str | None = None
    """The id of the event of that incident; None: there is none."""
    who: str = ""
    """Who gave the command for it; empty: nobody did."""


KINDS: Mapping[str, type[Event]] = {
    "item": ItemSorted,
    "actuation": ActuationEnded,
    "correction": ItemCorrected,
    "code_read": CodeRead,
    "code_scanned": CodeScanned,
    "picture_contradicted": PictureContradicted,
    "camera_lost": CameraLost,
    "camera_back": CameraBack,
    "ledger_failed": LedgerFailed,
    "ledger_back": LedgerBack,
    "model_changed": ModelChanged,
    "station_started": StationStarted,
    "station_stopped": StationStopped,
    "state_changed": StateChanged,
}
"""The classes by what they are called outside of this process."""

_NAMES = {kind: name for name, kind in KINDS.items()}


def kind_of(event: Event) -> str:
    """What the class of `event` is called outside of this process: a key of KINDS."""
    return _NAMES[type(event)]


Observer = Callable[[Event], None]
"""Is told of each event once that is written down. Must not wait."""


class EventSink(Protocol):
    """What events are offered to."""

    def offer(self, event: Event) -> None:
        """Takes `event`. Never waits; may be called by any thread."""
        ...


def of_items(take: Callable[[ItemSorted], object]) -> Observer:
    """An observer that passes each sorted item to `take`, and ignores other events."""

    @wraps(take)
    def observe(event: Event) -> None:
        if isinstance(event, ItemSorted):
            take(event)

    return observe


class Stamp(NamedTuple):
    """What all events have: `CameraLost(*stamp, camera="cam")`."""

    id: str
    time: str
    station: str


class Stamps:
    """Gives the events of one station their ids and times; may be called by any thread.

    A stamp costs microseconds; it uses neither a disk nor the system's source of randomness.
    """

    def __init__(
        self,
        station: str,
        wall: Callable[[], float],
        *,
        boot_id: str | None = None,
        synchronised: Callable[[], bool | None] = lambda: None,
    ) -> None:
        """Has given none.

        Args:
            station: the station's name.
            wall: seconds since 1970.
            boot_id: the UUID of this boot of the machine; None: not known.
            synchronised: whether the clock behind `wall` is kept right; must not wait.
        """
        self.station, self._wall = station, wall
        self.boot_id, self.synchronised = boot_id, synchronised
        self.new_id = UUID7Source(wall)

    def now(self) -> Stamp:
        """The stamp of what happens now."""
        return Stamp(self.new_id(), utc_text(self._wall()), self.station)

    def at(self, seconds: float) -> Stamp:
        """The stamp, with a new id, of what happened so many seconds after the start of 1970."""
        return Stamp(self.new_id(), utc_text(seconds), self.station)


def utc_text(seconds: float) -> str:
    """The text of an event's time, from seconds since 1970."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
