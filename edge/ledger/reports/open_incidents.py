"""Which incidents of a station are open, by the events of its ledger."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from edge.ledger.sqlite_file import has_events, open_to_read

_BACK = timedelta(days=7)
"""How far back is looked at first: an incident that began earlier and is open is not known."""
_LATE = timedelta(minutes=15)
"""Events may be written so much later than they happened, while a disk fails."""
_QUERY = (
    "SELECT id, time, kind, details FROM events WHERE id >= ? AND kind IN "
    "('incident_raised', 'incident_ended', 'station_started') ORDER BY id"
)


class OpenIncident(NamedTuple):
    """An incident that has not ended."""

    name: str
    """A name of `edge/state/incidents/kinds.py`, or of a newer pilah."""
    scope: str
    since: str
    """As `Event.time`."""
    cause: str
    what_to_do: str


class OpenIncidents:
    """The open incidents of the ledger `path`. May be used by any thread."""

    def __init__(self, path: Path) -> None:
        """Has read nothing."""
        self._path = path
        self._alone = threading.Lock()
        self._read_to: datetime | None = None
        self._open: dict[str, OpenIncident] = {}
        self._ended: set[str] = set()

    def now(self, moment: datetime) -> Sequence[OpenIncident]:
        """Those that are open, the oldest first, of the last start of the station.

        Args:
            moment: the present time.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        with self._alone:
            begin = moment - _BACK if self._read_to is None else self._read_to - _LATE
            with open_to_read(self._path) as connection:
                rows = (
                    connection.execute(_QUERY, (_first_id(begin),)).fetchall()
                    if has_events(connection)
                    else []
                )
            self._ended.update(
                str(json.loads(details)["incident_id"])
                for _, _, kind, details in rows
                if kind == "incident_ended"
            )
            for event_id, time, kind, details in rows:
                if kind == "incident_raised":
                    read = json.loads(details)
                    self._open[event_id] = OpenIncident(
                        read["name"], read["scope"], time, read["cause"], read["what_to_do"]
                    )
                elif kind == "station_started":
                    self._open = {key: one for key, one in self._open.items() if key > event_id}
            self._open = {key: one for key, one in self._open.items() if key not in self._ended}
            self._read_to = moment
            return sorted(self._open.values(), key=lambda one: one.since)


def _first_id(moment: datetime) -> str:
    """The smallest id of an event of that time; ids of version 7 begin with it."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return str(UUID(int=milliseconds << 80))
