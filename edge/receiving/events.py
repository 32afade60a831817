"""What happens to a delivery: events that are appended and never changed.

A correction is an event of its own, and so is an undo, which names the event that counts no more.
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
    """Something that happened to a delivery."""

    delivery: str
    by: str
    """Who did it: a person's name; `station` where it was the station itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryImported(DeliveryEvent):
    """A delivery was announced. While it is only expected, a later announcement replaces it."""

    lines: tuple[Line, ...]
    blind: bool = False
    source: str = ""
    """The file that it was read from; empty: typed in, or made from another delivery."""
    back_order_of: str | None = None
    """It is what was still missing when that delivery was closed."""
    reopens: str | None = None
    """It is a new receipt of that closed delivery, and counts on from its figures."""
    carried: tuple[Carried, ...] = ()
    """What the delivery that it reopens had counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a receipt that was reopened had counted on one line."""

    line: int
    counted: int
    damaged: int = 0
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOpened(DeliveryEvent):
    """Counting begins, or goes on after another delivery was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWithdrawn(DeliveryEvent):
    """A delivery that nobody had begun to count is expected no more."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerArrived(DeliveryEvent):
    """A container's code was scanned: what is scanned next is taken to come out of it."""

    sscc: str
    item_id: str | None = None
    """As of PieceCounted, and so is the next."""
    scan_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceCounted(DeliveryEvent):
    """Pieces of one line are there."""

    line: int
    pieces: int
    code: str = ""
    """The code that was scanned; empty: the station saw the piece."""
    packs: int = 0
    """How many packs they came in; 0: loose."""
    serial: str | None = None
    lot: str | None = None
    expiry: str | None = None
    container: str | None = None
    item_id: str | None = None
    """The id of the item's event, where the station saw the piece."""
    scan_id: str | None = None
    """The id of the event of the station's hand scanner, where its scan is answered by this one."""
    replaces: str | None = None
    """The id of the event that the same piece had before, and that was undone: the item was both
    seen and scanned by hand, or a person decided."""
    photograph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAside(DeliveryEvent):
    """Something came that cannot be counted on a line of this delivery, and was put aside."""

    reason: str
    pieces: int = 1
    code: str = ""
    label: str | None = None
    """What the station saw."""
    item_id: str | None = None
    """As of PieceCounted, and so are the next two."""
    scan_id: str | None = None
    replaces: str | None = None
    photograph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureDisagreed(DeliveryEvent):
    """A code was read and the picture showed another thing: nothing was counted."""

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
    """A person said what a figure of a line is. What it changes is the difference of the two."""

    line: int
    figure: Figure
    was: int
    now: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountUndone(DeliveryEvent):
    """An event counts no more; where that was an undo itself, what it undid counts again."""

    undone: str
    """The event's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChecked(DeliveryEvent):
    """A person has counted all, and was told that it differs from what was announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClosed(DeliveryEvent):
    """The count is final."""

    outcome: Outcome
    back_order: str | None = None
    """The new delivery that has what is still missing; None: nothing is, or it comes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReopened(DeliveryEvent):
    """A closed delivery is received again under another name; its own figures stay."""

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
"""The classes by what they are called outside of this process."""

_NAMES = {kind: name for name, kind in KINDS.items()}
_COLUMNS = ("id", "time", "station", "delivery", "by")

UNDOABLE = (ContainerArrived, PieceCounted, PutAside, PictureDisagreed, MarkedDamaged,
            CountCorrected, CountUndone)  # fmt: skip


def cause_of(event: DeliveryEvent) -> str | None:
    """The id of the event of the station that this one answers: a scan by hand, or else an item.

    Each has one answer at most. None: a person did it.
    """
    cause: str | None = getattr(event, "scan_id", None) or getattr(event, "item_id", None)
    return cause


def kind_of(event: DeliveryEvent) -> str:
    """What the class of `event` is called outside of this process: a key of KINDS."""
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
