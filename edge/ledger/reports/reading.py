"""Reads from a ledger what reports are made of, while a station may write it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from edge.ledger.reports.oee import AuditedPurity, Effectiveness
from edge.ledger.reports.spans import (
    ENDED,
    STARTING,
    UNKNOWN,
    ParetoLine,
    Span,
    StateRow,
    Stop,
    executing,
    pareto,
    planned,
    spans,
    stops,
    time_in_state,
    unknown,
)
from edge.ledger.schema import OF_STATION
from edge.ledger.sqlite_file import has_events, ledger_error, open_to_read

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EMPTY, _LAST = "", "~"

_BY_THE_STATION = (
    "camera_back", "camera_lost", "code_read", "code_scanned", "exit_seen", "incident_ended",
    "incident_raised", "lane_moved", "ledger_back", "ledger_failed", "model_changed",
    "state_changed", "station_started", "station_stopped",
)  # fmt: skip
"""The kinds of events that only a running station writes. Others are written at a desk, too, where
the station may be dead."""
_LAST_EVENT = (
    f"SELECT time FROM events WHERE id < ? AND kind IN {_BY_THE_STATION} ORDER BY id DESC LIMIT 1"
)
_ITEMS_BEFORE = (
    "SELECT max(time) FROM items WHERE time < :before",
    "SELECT max(ended) FROM actuations WHERE ended < :before",
)
_ITEM_BETWEEN = "SELECT time FROM items WHERE uuid > ? AND uuid < ? ORDER BY id DESC LIMIT 1"
_NEWEST_ITEM = (
    "SELECT time FROM items ORDER BY id DESC LIMIT 1",
    "SELECT ended FROM (SELECT station, time, item FROM items ORDER BY id DESC LIMIT 1) "
    "JOIN actuations USING (station, time, item)",
)
_BEHIND_MILLISECONDS = 1000
_STATES = f"""
    SELECT id, time, details FROM (
        SELECT id, time, details, run, CASE run WHEN '' THEN id
                   ELSE first_value(id) OVER (PARTITION BY run ORDER BY id) END AS began
        FROM (SELECT id, time, details, coalesce(json_extract(details, '$.run'), '') AS run
              FROM events WHERE {OF_STATION} AND kind = 'state_changed')
    ) ORDER BY began, run, id
"""
"""Run by run, and each in the order in which it was written, whatever the clock did."""
_AUDITED = """
    SELECT time, right FROM (
        SELECT i.time AS time, json_extract(e.details, '$.lane') AS found,
               json_extract(e.details, '$.lane') = i.lane AS right,
               max(json_extract(e.details, '$.drawn')) OVER (PARTITION BY i.uuid) AS drawn,
               row_number() OVER (PARTITION BY i.uuid ORDER BY e.id DESC) AS newest
        FROM events e JOIN items i ON i.uuid = json_extract(e.details, '$.item_id')
        LEFT JOIN actuations a ON a.station = i.station AND a.time = i.time AND a.item = i.item
        WHERE e.kind = 'item_audited' AND i.accepted AND coalesce(a.missed, i.missed) IS NULL
          AND i.time >= :begin AND i.time < :end
    ) WHERE newest = 1 AND drawn AND found IS NOT NULL
"""
"""The newest audit counts, also one that takes an older one back. An item that was drawn once is of
the sample, whoever looks at it again and why."""
_AUDITS = f"SELECT count(*), coalesce(sum(right), 0) FROM ({_AUDITED})"
_ITEMS = (
    "SELECT count(*) FROM outcomes WHERE time >= :begin AND time < :end "
    "AND accepted AND missed IS NULL"
)
"""What was sorted. An item for which nothing moved, as its station stood by then, was not."""
_CORRECTED = (
    "SELECT count(DISTINCT c.item_id) FROM corrections c JOIN items i ON i.uuid = c.item_id "
    "WHERE c.field IN ('label', 'lane') AND i.time >= :begin AND i.time < :end"
)
_NO_AUDIT = AuditedPurity(0, 0)


@dataclass(frozen=True, slots=True)
class StateReport:
    """The states of a station in a time, and how well it ran."""

    begin: int
    """Microseconds since 1970: the later one of what was asked for and the first row."""
    end: int
    spans: Sequence[Span]
    """Those within the time, in order."""
    stops: Sequence[Stop]
    effectiveness: Effectiveness
    corrected: int
    """Items of the time of which somebody corrected the label or the lane."""

    @property
    def seconds(self) -> dict[tuple[str, str], float]:
        """Seconds by state and mode, the longest first."""
        found = time_in_state(self.spans).most_common()
        return {key: length / 1e6 for key, length in found}

    @property
    def pareto(self) -> list[ParetoLine]:
        """The stops by their first reason, those that took longest first."""
        return pareto(self.stops)


def state_report(
    path: Path,
    begin: str = _EMPTY,
    end: str = _LAST,
    *,
    now: str | None = None,
    dead_until: str | None = None,
    ideal_rate: float | None = None,
) -> StateReport:
    """The report of the ledger `path` over a time.

    Args:
        begin: from this time on, as `utc_bound` gives it; empty: from the first row.
        end: before this time; ~: to the last sign of life.
        now: the present time, where the station is known to run; its last state lasts until then.
            None: until the last sign of life in the ledger.
        dead_until: the present time, where the station is known not to run. What an error has ended
            stands until then, and of what was killed nobody knows what it should have done. None:
            nothing is told of the time after the last sign of life.
        ideal_rate: items a second at the best; None: not known.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        try:
            rows = _state_rows(connection)
            if not rows:  # of an older pilah perhaps, whose ledger lacks more than these
                return StateReport(0, 0, (), (), Effectiveness(0, 0, 0, ideal_rate, _NO_AUDIT), 0)
            return _report(connection, rows, (begin, end), (now, dead_until), ideal_rate)
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error


def audited_items(path: Path, begin: str, end: str) -> list[tuple[str, bool]]:
    """The times of sorted items that were drawn and audited, and whether each lay where it belongs.

    Args:
        begin, end: of the items' times, as `utc_bound` gives them.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        if not has_events(connection):
            return []
        try:
            found = connection.execute(_AUDITED, {"begin": begin, "end": end}).fetchall()
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error
    return [(str(time), bool(right)) for time, right in found]


def newest_latencies(path: Path, limit: int) -> list[tuple[str, float]]:
    """The times of the newest items, and the milliseconds from picture to verdict of each, the
    newest first.

    Raises:
        LedgerError: there is no ledger at `path`, or it cannot be read.
    """
    with open_to_read(path) as connection:
        try:
            found = connection.execute(
                "SELECT time, latency_ms FROM items WHERE latency_ms IS NOT NULL "
                "ORDER BY id DESC LIMIT ?", (limit,),
            ).fetchall()  # fmt: skip
        except sqlite3.Error as error:
            raise ledger_error("read", path, error) from error
    return [(str(time), float(ms)) for time, ms in found]


def _report(
    connection: sqlite3.Connection,
    found: Sequence[tuple[str, StateRow]],
    window: tuple[str, str],
    present: tuple[str | None, str | None],
    ideal_rate: float | None,
) -> StateReport:
    now, dead_until = present
    rows = [row for _, row in found]
    starts = [at for at, row in enumerate(rows) if row.state == STARTING]
    lives = [_life_before(connection, found, at) for at in starts]
    start = found[starts[-1]] if starts else found[0]
    last = _newest_life(connection, start) if now is None else microseconds(now)
    dead = last if dead_until is None else max(last, microseconds(dead_until))
    ended = rows[-1].state in ENDED
    whole = spans(rows, lives=lives, end=dead if ended and rows[-1].first else last)
    if not ended and dead > whole[-1].end:
        after = StateRow(whole[-1].end, whole[-1].end, UNKNOWN, rows[-1].mode)
        whole.append(Span(after, whole[-1].end, dead))
    begin, end = min(span.begin for span in whole), max(span.end for span in whole)
    begin = max(microseconds(window[0]), begin) if window[0] else begin
    end = end if window[1] == _LAST else min(end, microseconds(window[1]))
    within = [part for span in whole if (part := span.within(begin, end)) is not None]
    # What was sorted at the very last moment counts, too.
    bounds = {"begin": utc(begin), "end": window[1]}
    (items,) = connection.execute(_ITEMS, bounds).fetchone()
    audited, right = connection.execute(_AUDITS, bounds).fetchone()
    (corrected,) = connection.execute(_CORRECTED, bounds).fetchone()
    return StateReport(
        begin=begin,
        end=max(begin, end),
        spans=within,
        stops=[cut for stop in stops(whole) if (cut := _stop_within(stop, begin, end)) is not None],
        effectiveness=Effectiveness(
            planned_seconds=planned(within) / 1e6,
            executing_seconds=executing(within) / 1e6,
            items=items,
            ideal_rate=ideal_rate,
            quality=AuditedPurity(audited, right),
            unknown_seconds=unknown(within) / 1e6,
        ),
        corrected=corrected,
    )


def microseconds(text: str) -> int:
    """Microseconds since 1970, of a time as the ledger writes it."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def utc(moment: int) -> str:
    """A time as the ledger writes it, from microseconds since 1970."""
    return (_EPOCH + moment * _MICROSECOND).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_state_row(time: str, details: str) -> StateRow:
    """A row of `state_changed`, from its columns."""
    read = json.loads(details)
    return StateRow(
        microseconds(time),
        microseconds(read["since"]),
        read["state"],
        read["mode"],
        reason=read["reason"],
        scope=read["scope"],
        first=read["first"],
        first_incident=read["first_incident"],
    )


def _state_rows(connection: sqlite3.Connection) -> list[tuple[str, StateRow]]:
    """The rows of `state_changed`, each with its id."""
    if not has_events(connection):
        return []
    found = connection.execute(_STATES)
    return [(event_id, read_state_row(time, details)) for event_id, time, details in found]


def _clock_is_behind(event_id: str, row: StateRow) -> bool:
    """Whether times of earlier runs may be later than that of a row, whose id follows theirs."""
    return (UUID(event_id).int >> 80) - row.time // 1000 > _BEHIND_MILLISECONDS


def _life_before(
    connection: sqlite3.Connection, found: Sequence[tuple[str, StateRow]], at: int
) -> int:
    """When the run before the one that begins at `found[at]` showed the last sign of life.

    Items and actuations are found by their times, which is quick; where the clock was set back, the
    items of that run are found by their ids.
    """
    event_id, start = found[at]
    if at == 0 or found[at - 1][1].state in ENDED:
        return start.time  # which is not asked for
    signs = [connection.execute(_LAST_EVENT, (event_id,)).fetchone()]
    if _clock_is_behind(event_id, start):
        begun = [other for other, row in found[:at] if row.state == STARTING]
        between = (begun[-1] if begun else "", event_id)
        signs.append(connection.execute(_ITEM_BETWEEN, between).fetchone())
    else:
        bound = {"before": utc(start.time)}
        signs += [connection.execute(query, bound).fetchone() for query in _ITEMS_BEFORE]
    return _latest(signs, start.time)


def _newest_life(connection: sqlite3.Connection, start: tuple[str, StateRow]) -> int:
    """When the last run, which begins at `start`, showed the last sign of life.

    Where its clock was behind that of a run before, its items cannot be told from those of that
    one, and only its events count.
    """
    event_id, row = start
    signs = [connection.execute(_LAST_EVENT, (_LAST,)).fetchone()]
    if not _clock_is_behind(event_id, row):
        signs += [connection.execute(query).fetchone() for query in _NEWEST_ITEM]
    return _latest(signs, row.time)


def _latest(signs: Sequence[tuple[str | None] | None], otherwise: int) -> int:
    times = [microseconds(sign[0]) for sign in signs if sign is not None and sign[0] is not None]
    return max(times, default=otherwise)


def _stop_within(stop: Stop, begin: int, end: int) -> Stop | None:
    first, last = max(stop.begin, begin), min(stop.end, end)
    if first >= last:
        return None
    return Stop(first, last, stop.reason, stop.scope, stop.states, stop.incident_id)
