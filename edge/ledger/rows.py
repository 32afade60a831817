"""What rows are written to, and how rows of an earlier or a newer pilah are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol

from edge.core.uuid7 import uuid7_text
from edge.events import KINDS, ActuationEnded, Event, ItemSorted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Writable(Protocol):
    """What the rows of events are written to."""

    def append(self, events: Sequence[Event]) -> None:
        """Writes the rows of all `events` or of none.

        Raises:
            LedgerError: it cannot be written now.
        """
        ...

    def close(self) -> None:
        """Closes it; may be called twice."""
        ...


def read_event(kind: str, found: Mapping[str, Any]) -> Event | None:
    """The event of a row or a line that an older, this or a newer pilah wrote.

    Args:
        kind: a key of KINDS.
        found: its values by their names. Those that this pilah does not know are left out; an id
            that is missing or None is that of a row from before there were ids.

    Returns:
        None where this pilah does not know the kind, or the values are not those of an event.
    """
    if (kind_class := KINDS.get(kind)) is None:
        return None
    names = {field.name for field in fields(kind_class)}
    values = {name: value for name, value in found.items() if name in names}
    try:
        if kind_class in (ItemSorted, ActuationEnded):
            key = values["station"], values["item"]
            if kind_class is ItemSorted:
                values["id"] = values.get("id") or id_of_old_item(values["time"], *key)
            else:
                values["id"] = values.get("id") or _old_id(values["ended"], *key, "actuation")
                values["item_id"] = values.get("item_id") or id_of_old_item(values["time"], *key)
        return kind_class(**values)
    except (KeyError, TypeError):
        return None


def id_of_old_item(time: str, station: str, item: int) -> str:
    """The id of an item whose row was written before rows had one.

    It is made from the row alone: whoever makes it, and however often, makes the same. Such ids are
    in the order of the rows' times and, within a microsecond, of their items. `rand_a` has the part
    of the millisecond (RFC 9562, section 6.2, method 3); `rand_b` the item and 30 bits of a hash.

    Args:
        time: of the row; one that cannot be read, as somebody wrote it by hand, counts as 1970.
    """
    return _old_id(time, station, item, "item")


def _old_id(time: str, station: str, item: int, kind: str) -> str:
    try:
        microseconds = (datetime.fromisoformat(time) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError):
        microseconds = 0
    milliseconds, part = divmod(microseconds, 1000)
    mark = blake2b(f"{kind}\0{station}\0{time}\0{item}".encode(), digest_size=4).digest()
    rand_b = (int(item) % 2**32) << 30 | int.from_bytes(mark, "big") >> 2
    return uuid7_text(milliseconds, part * 2**12 // 1000, rand_b)
