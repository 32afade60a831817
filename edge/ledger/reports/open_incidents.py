"""Which incidents of a station are open, by the events of its ledger."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge.ledger.reports.spans import STARTING
from edge.ledger.schema import OF_STATION
from edge.ledger.sqlite_file import has_events, ledger_error, open_to_read

_AGAIN = 50
"""So many of the newest rows are read again: two threads may write theirs in another order than
that in which they took their ids."""
_START = (
    f"SELECT id FROM events WHERE {OF_STATION} AND kind = 'state_changed' "
    "AND json_extract(details, '$.state') = 'Starting' ORDER BY id DESC LIMIT 1"
)
_ROWS = (
    f"SELECT id, time, kind, details FROM events WHERE id >= ? AND {OF_STATION} AND kind IN "
    "('incident_raised', 'incident_ended', 'state_changed') ORDER BY id"
)


class OpenIncident(NamedTuple):
    """An incident that has not ended."""

    id: str
    """That of the event that tells that it began."""
    name: str
    """A name of `edge/state/incidents/kinds.py`, or of a newer pilah."""
    scope: str
    since: str
    """As `Event.time`."""
    cause: str
    """As `IncidentRaised.cause`; empty, as what is to do, where it has an event of its own."""
    what_to_do: str


def raised_incident(event_id: str, time: str, details: Mapping[str, Any]) -> OpenIncident:
    """The incident that a row of `incident_raised` tells of."""
    texts = (str(details[key]) for key in ("cause", "what_to_do"))
    return OpenIncident(event_id, details["name"], details["scope"], time, *texts)


class OpenIncidents:
    """The open incidents of the ledger `path`. May be used by any thread."""

    def __init__(self, path: Path) -> None:
        """Has read nothing."""
        self._path = path
        self._alone = threading.Lock()
        self._newest: deque[str] = deque(maxlen=_AGAIN)
        """Ids of rows that were read, in order; empty: none was."""
        self._open: dict[str, OpenIncident] = {}
        self._ended: set[str] = set()

    def now(self) -> Sequence[OpenIncident]:
        """Those that are open, the oldest first, of the last start of the station.

        What is the last start, and what came after it, is told by the ids: a clock that is set
        hides nothing.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        with self._alone:
            with open_to_read(self._path) as connection:
                try:
                    rows = self._rows(connection) if has_events(connection) else []
                except sqlite3.Error as error:
                    raise ledger_error("read", self._path, error) from error
            for event_id, time, kind, details in rows:
                read = json.loads(details)
                if kind == "incident_ended":
                    self._ended.add(str(read["incident_id"]))
                elif kind == "incident_raised":
                    self._open[event_id] = raised_incident(event_id, time, read)
                elif read["state"] == STARTING:
                    self._open = {key: one for key, one in self._open.items() if key > event_id}
                    self._ended.clear()  # those of an earlier run are open no more
            self._open = {key: one for key, one in self._open.items() if key not in self._ended}
            return [one for _, one in sorted(self._open.items())]

    def _rows(self, connection: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
        if self._newest:
            begin = self._newest[0]
        else:
            found = connection.execute(_START).fetchone()
            begin = "" if found is None else str(found[0])
        rows = connection.execute(_ROWS, (begin,)).fetchall()
        self._newest = deque((row[0] for row in rows), maxlen=_AGAIN)
        return rows
