"""The newest of what happened to a station, by the events of its ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge.ledger.sqlite_file import has_events, ledger_error, open_to_read

HAPPENINGS = (
    "camera_back", "camera_lost", "incident_ended", "incident_raised", "lane_moved", "ledger_back",
    "ledger_failed", "model_changed", "picture_contradicted", "state_changed", "station_started",
    "station_stopped",
)  # fmt: skip
"""The kinds of events that tell of the station rather than of one item that passes it."""
_AMONG = 5000
"""So many of the newest rows are looked through: those of items and their codes are between them,
and a page must not read a ledger of years."""
_NEWEST = f"""
    SELECT time, kind, details FROM (SELECT * FROM events ORDER BY id DESC LIMIT {_AMONG})
    WHERE kind IN {HAPPENINGS} ORDER BY id DESC LIMIT ?
"""


class Happening(NamedTuple):
    """One event."""

    time: str
    kind: str
    """One of HAPPENINGS."""
    details: Mapping[str, Any]
    """What its class has beside id, time and station."""


def newest_events(path: Path, limit: int) -> list[Happening]:
    """The newest events of HAPPENINGS, the newest first.

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
