"""The newest of what happened to a station, by the events of its ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge.ledger.schema import OF_STATION
from edge.ledger.sqlite_file import has_events, ledger_error, open_to_read

_NEWEST = f"SELECT time, kind, details FROM events WHERE {OF_STATION} ORDER BY id DESC LIMIT ?"


class Happening(NamedTuple):
    """One event."""

    time: str
    kind: str
    """One of HAPPENINGS of `edge/ledger/schema.py`."""
    details: Mapping[str, Any]
    """What its class has beside id, time and station."""


def newest_events(path: Path, limit: int) -> list[Happening]:
    """The newest events that tell of the station itself, the newest first.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        try:
            if not has_events(connection):  # of an older pilah
                return []
            found = connection.execute(_NEWEST, (limit,)).fetchall()
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error
    return [Happening(str(time), str(kind), json.loads(details)) for time, kind, details in found]
