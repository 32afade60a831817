"""The table `outbox`, which the ledger and the file of deliveries have alike.

Whoever writes a row that other systems are to hear of writes an entry here, in the same
transaction: there is never one without the other. `pilah-publish` only reads the table; what every
receiver has is deleted by whoever writes (`edge/outbox/retention.py`).

Sequence numbers have no gaps: a number is used once the transaction is done, and never again. So
whoever reads them sees how many entries were deleted before they were read.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from edge.events import Event

TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    time TEXT NOT NULL,
    station TEXT NOT NULL,
    payload TEXT NOT NULL
)
"""
"""`id` is that of the event, a UUID version 7; `time` when it happened, UTC, ISO 8601; `payload`
the rest of the event as a JSON object."""

_COLUMNS = ("id", "time", "station")
_MOST_PARAMETERS = 500


class NewEntry(NamedTuple):
    """An entry to be added to an outbox."""

    id: str
    kind: str
    time: str
    station: str
    details: Mapping[str, Any]
    """The other values of the event, as JSON accepts them."""


def new_entry(event: Event, kind: str) -> NewEntry:
    """The entry for `event`, whose kind files and other systems call `kind`."""
    found = asdict(event)
    for name in _COLUMNS:
        del found[name]
    return NewEntry(event.id, kind, event.time, event.station, found)


def add(connection: sqlite3.Connection, entries: Iterable[NewEntry]) -> None:
    """Adds `entries` in their order; must be called within the transaction of their rows."""
    connection.executemany(
        "INSERT INTO outbox (id, kind, time, station, payload) VALUES (?, ?, ?, ?, ?)",
        [
            (entry.id, entry.kind, entry.time, entry.station, _json(entry.details))
            for entry in entries
        ],
    )


def add_missing(connection: sqlite3.Connection, entries: Sequence[NewEntry]) -> None:
    """Adds those of `entries` that are not in the outbox, as `add` does.

    For rows of which some may have been written before. It reads the whole outbox, which `add` does
    not. An entry that was sent and deleted is added again: receivers drop it by its id.
    """
    there: set[str] = set()
    for begin in range(0, len(entries), _MOST_PARAMETERS):
        ids = [entry.id for entry in entries[begin : begin + _MOST_PARAMETERS]]
        marks = ", ".join("?" * len(ids))
        found = connection.execute(f"SELECT id FROM outbox WHERE id IN ({marks})", ids)
        there.update(str(row[0]) for row in found)
    add(connection, (entry for entry in entries if entry.id not in there))


def has_entries(connection: sqlite3.Connection) -> bool:
    """Whether the file has an outbox with at least one entry."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outbox'"
    if connection.execute(query).fetchone() is None:
        return False
    return connection.execute("SELECT 1 FROM outbox LIMIT 1").fetchone() is not None


def _json(details: Mapping[str, Any]) -> str:
    try:
        return _dumped(details)
    except ValueError:  # JSON has no NaN: such a number is unknown
        return _dumped(_finite(details))


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
