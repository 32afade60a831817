"""What a station that starts must know of the run before it, in the order in which rows were made.

That order is the one of ids, and not of times: a Raspberry Pi without a clock of its own wakes up
in the past, and a clock that is put right may go back. `newest_id` is what the next ids follow.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge.core.errors import LedgerError, LedgerMissingError, StorageError
from edge.events import Event, ItemSorted, Stamps, StateChanged, kind_of
from edge.ledger.reports.open_incidents import OpenIncident, raised_incident
from edge.ledger.reports.spans import STARTING
from edge.ledger.schema import OF_STATION
from edge.ledger.spill import Spill
from edge.ledger.sqlite_file import has_events, ledger_error, open_to_read

PATIENCE_SECONDS = 10.0
"""How long the disk of a ledger is waited for at the start; it may hang."""
_NEWEST = (
    ("events", "SELECT max(id) FROM events"),
    ("corrections", "SELECT max(id) FROM corrections"),
    ("outbox", "SELECT uuid FROM items ORDER BY id DESC LIMIT 1"),
)
"""By the table that must be there: items have had ids for longer than there has been an outbox."""
_STATE = (
    "SELECT id, json_extract(details, '$.state'), json_extract(details, '$.mode'), "
    "ifnull(json_extract(details, '$.waits_for'), '') FROM events "
    f"WHERE {OF_STATION} AND kind = 'state_changed' ORDER BY id DESC LIMIT 1"
)
START_FAILED = "start_failed"
"""The incident that a part of the station could not be opened."""
_OWN = {
    "camera_lost": ("camera_lost", True), "camera_back": ("camera_lost", False),
    "ledger_failed": ("ledger_failed", True), "ledger_back": ("ledger_failed", False),
}  # fmt: skip
"""The incidents that have kinds of events of their own, and whether the event begins it."""
_INCIDENTS = (
    f"SELECT id, time, kind, details FROM events WHERE {OF_STATION} AND kind IN "
    f"{('incident_raised', 'incident_ended', 'state_changed', *_OWN)} ORDER BY id DESC"
)
_Row = tuple[str, str, str, Mapping[str, Any]]
"""Id, time, kind and details of an event."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the run of a station before this one ended."""

    newest_id: str = ""
    """The greatest id of what happened to the station, was corrected, or was sorted last; empty:
    there is none, or the rows cannot be read. Ids follow the clock alone then."""
    state: str | None = ""
    """Its last state; empty: there was no run; None: nobody knows, for its rows cannot be read."""
    mode: str = ""
    """Its last mode; empty: there was no run, or nobody knows."""
    waits_for: str = ""
    """See `StateChanged.waits_for`; empty: nothing, or nobody knows."""
    open: tuple[OpenIncident, ...] = ()
    """The incidents that have not ended, the oldest first."""


def last_run(path: Path, spill: Path | None, *, patience: float = PATIENCE_SECONDS) -> LastRun:
    """The run before, by the ledger `path` and the rows that still wait in its spill.

    Args:
        spill: the spill's file; None: there is none.
        patience: seconds that the disks are waited for.
    """
    found: list[LastRun] = []
    # The state comes first: it must be known though the disk is too slow for all the incidents.
    thread = threading.Thread(
        target=lambda: found.extend(_read(path, spill)), name="last-run", daemon=True
    )
    thread.start()
    thread.join(patience)
    return found[-1] if found else LastRun(state=None)


def newest_id(path: Path) -> str:
    """The greatest id among the events and corrections of a ledger; empty: it has none.

    Raises:
        LedgerMissingError: there is no ledger at `path`.
        LedgerError: it cannot be read.
    """
    with open_to_read(path) as connection:
        try:
            return _newest_id(connection)
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error


def desk_stamps(path: Path, station: str, wall: Callable[[], float]) -> Stamps:
    """The stamps for what a person adds to a ledger: later than all that is in it, by their ids.

    Args:
        station: its name.
        wall: seconds since 1970.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    return Stamps(station, wall, after=newest_id(path))


def _newest_id(connection: sqlite3.Connection) -> str:
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    found = [connection.execute(query).fetchone() for table, query in _NEWEST if table in there]
    return max((str(one[0] or "") for one in found if one is not None), default="")


def _read(path: Path, spill: Path | None) -> Iterator[LastRun]:
    """The run before without its open incidents, and then with them."""
    newest, known, states = "", True, [("", "", "", "")]
    try:
        with open_to_read(path) as connection:
            newest = _newest_id(connection)
            if has_events(connection):
                states += connection.execute(_STATE).fetchall()
    except LedgerMissingError:
        pass  # this is its first run
    except (LedgerError, sqlite3.Error):
        known = False
    try:
        waiting = [] if spill is None else [
            event for event in _spilled(spill) if not isinstance(event, ItemSorted)
        ]  # fmt: skip
    except StorageError:
        waiting, known = [], False
    states += [
        (event.id, event.state, event.mode, event.waits_for)
        for event in waiting
        if isinstance(event, StateChanged)
    ]
    newest = max([newest, *(event.id for event in waiting)])
    _, state, mode, waits_for = max(states)
    found = LastRun(newest, state, mode, waits_for) if known else LastRun(newest, None)
    yield found
    try:
        written = _of_last_run(path)
    except (LedgerError, sqlite3.Error):
        written = []
    later: list[_Row] = [(one.id, one.time, kind_of(one), asdict(one)) for one in waiting]
    yield replace(found, open=_left_open([*written, *later]))


def _of_last_run(path: Path) -> list[_Row]:
    """The events of incidents in the ledger since the newest start."""
    found: list[_Row] = []
    with open_to_read(path) as connection:
        if not has_events(connection):
            return found
        for event_id, time, kind, details in connection.execute(_INCIDENTS):
            read = json.loads(details)
            if kind != "state_changed":
                found.append((event_id, time, kind, read))
            elif read["state"] == STARTING:
                break
    return found


def _left_open(rows: Iterable[_Row]) -> tuple[OpenIncident, ...]:
    """Those that have begun and not ended; rows may be there twice, in the ledger and its spill."""
    found: dict[str, OpenIncident] = {}
    for event_id, time, kind, details in sorted(rows, key=lambda row: row[0]):
        if kind == "incident_raised":
            found[event_id] = raised_incident(event_id, time, details)
        elif kind == "incident_ended":
            found.pop(details["incident_id"], None)
        elif kind in _OWN:
            name, begins = _OWN[kind]
            part = f"{name} {details.get('camera', '')}"
            if begins:
                found[part] = OpenIncident(event_id, name, "", time, "", "")
            else:
                found.pop(part, None)
    return tuple(found.values())


def _spilled(path: Path) -> list[Event]:
    if not path.exists():
        return []
    found: list[Event] = []
    with closing(Spill(path)) as spill:
        offset = 0
        while offset < spill.size:
            chunk = spill.read(offset)
            found += chunk.rows
            offset = chunk.end
    return found
