"""The events of a delivery, which are appended and never changed.

A correction is an event of its own, and so is an undo, which names the event that no longer counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from edge.events import Event
from edge.receiving.delivery import Line

Figure = Literal["counted", "damaged"]
Outcome = Literal["complete", "short", "over"]


@dataclass(frozen=True, slots=True)
class DeliveryEvent(Event):
    """The base class of the events of a delivery."""

    delivery: str
    by: str
    """The name of the person who did it; `station` for the station itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryImported(DeliveryEvent):
    """A delivery was announced. While it is only expected, a later announcement replaces it."""

    lines: tuple[Line, ...]
    blind: bool = False
    source: str = ""
    """The file it was read from; empty if it was typed in, or made from another delivery."""
    back_order_of: str | None = None
    """The delivery whose missing pieces this one has; None for any other delivery."""
    reopens: str | None = None
    """The closed delivery whose count this new receipt continues; None for any other delivery."""
    carried: tuple[Carried, ...] = ()
    """The counts of the delivery that it reopens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The count of one line of a receipt that was reopened."""

    line: int
    counted: int
    damaged: int = 0
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOpened(DeliveryEvent):
    """Counting began, or continued after another delivery was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWithdrawn(DeliveryEvent):
    """A delivery that nobody had begun to count is no longer expected."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerArrived(DeliveryEvent):
    """A container's code was scanned: the next pieces are taken to come out of it."""

    sscc: str
    item_id: str | None = None
    """`item_id` and `scan_id` are those of PieceCounted."""
    scan_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceCounted(DeliveryEvent):
    """Pieces of one line were counted."""

    line: int
    pieces: int
    code: str = ""
    """The code that was scanned; empty if the station saw the piece."""
    packs: int = 0
    """How many packs they came in; 0 for loose pieces."""
    serial: str | None = None
    lot: str | None = None
    expiry: str | None = None
    container: str | None = None
    item_id: str | None = None
    """The id of the item's event, if the station saw the piece."""
    scan_id: str | None = None
    """The id of the hand scanner's event, if this is the answer to its scan."""
    replaces: str | None = None
    """The id of the event that the same piece had before, and that was undone: the item was both
    seen and scanned by hand, or a person decided."""
    photograph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAside(DeliveryEvent):
    """A piece that cannot be counted on a line of this delivery was put aside."""

    reason: str
    pieces: int = 1
    code: str = ""
    label: str | None = None
    """The label that the station saw."""
    item_id: str | None = None
    """As of PieceCounted, and so are the next two."""
    scan_id: str | None = None
    replaces: str | None = None
    photograph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureDisagreed(DeliveryEvent):
    """A code was read and the picture showed something else: nothing was counted."""

    line: int
    code: str
    seen: str
    """The label that the station saw."""
    item_id: str | None = None
    """As of PieceCounted, and so are the next two."""
    scan_id: str | None = None
    replaces: str | None = None
    photograph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedDamaged(DeliveryEvent):
    """Pieces that were counted are damaged."""

    line: int
    pieces: int
    why: str = ""
    photograph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCorrected(DeliveryEvent):
    """A person corrected a figure of a line. The figure changes by the difference of the two."""

    line: int
    figure: Figure
    was: int
    now: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountUndone(DeliveryEvent):
    """An event no longer counts; if it was an undo itself, the event that it undid counts again."""

    undone: str
    """The id of the event that no longer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChecked(DeliveryEvent):
    """A person has counted everything, and was told that it differs from the announcement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClosed(DeliveryEvent):
    """The count is final."""

    outcome: Outcome
    back_order: str | None = None
    """The new delivery with the missing pieces; None if none are missing or expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReopened(DeliveryEvent):
    """A closed delivery is received again under another name; its own figures do not change."""

    reopened_as: str
    why: str


KINDS: Mapping[str, type[DeliveryEvent]] = {
    "delivery_imported": DeliveryImported,
    "delivery_opened": DeliveryOpened,
    "delivery_withdrawn": DeliveryWithdrawn,
    "container_arrived": ContainerArrived,
    "piece_counted": PieceCounted,
    "put_aside": PutAside,
    "picture_disagreed": PictureDisagreed,
    "marked_damaged": MarkedDamaged,
    "count_corrected": CountCorrected,
    "count_undone": CountUndone,
    "delivery_checked": DeliveryChecked,
    "delivery_closed": DeliveryClosed,
    "delivery_reopened": DeliveryReopened,
}
"""The classes of events, by the names that files and other systems use."""

_NAMES = {kind: name for name, kind in KINDS.items()}
_COLUMNS = ("id", "time", "station", "delivery", "by")

UNDOABLE = (ContainerArrived, PieceCounted, PutAside, PictureDisagreed, MarkedDamaged,
            CountCorrected, CountUndone)  # fmt: skip


def cause_of(event: DeliveryEvent) -> str | None:
    """The id of the station's event that this one answers: a hand scan, or else an item.

    Each has one answer at most. None if a person did it.
    """
    cause: str | None = getattr(event, "scan_id", None) or getattr(event, "item_id", None)
    return cause


def kind_of(event: DeliveryEvent) -> str:
    """The key of KINDS for the class of `event`, by which files and other systems know it."""
    return _NAMES[type(event)]


def details_of(event: DeliveryEvent) -> dict[str, Any]:
    """The values that only the event's class has, as JSON takes them; those of no effect left out.

    A value that is the default of its field is left out, and is there again when it is read.
    """
    found = {field.name: getattr(event, field.name) for field in fields(event)}
    defaults = {field.name: field.default for field in fields(event)}
    return {
        name: [asdict(part) for part in value] if name in ("lines", "carried") else value
        for name, value in found.items()
        if name not in _COLUMNS and value != defaults[name]
    }


def event_of(kind: str, columns: Mapping[str, str], details: Mapping[str, Any]) -> DeliveryEvent:
    """The event that was written as `kind_of`, its columns and `details_of`.

    Raises:
        KeyError: this pilah knows no such kind.
        TypeError: the values are not those of its class.
    """
    values: dict[str, Any] = {**columns, **details}
    for name, part in (("lines", Line), ("carried", Carried)):
        if name in values:
            values[name] = tuple(part(**_tuples(one)) for one in values[name])
    return KINDS[kind](**values)


def _tuples(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(x) if isinstance(x, list) else x for name, x in found.items()}
