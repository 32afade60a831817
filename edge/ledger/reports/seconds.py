"""Adds up the seconds that a station spends in each state, row by row, as a counter needs it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from edge.ledger.reports.reading import read_state_row
from edge.ledger.reports.spans import ENDED, STARTING, UNKNOWN, StateRow
from edge.ledger.schema import OF_STATION
from edge.ledger.sqlite_file import has_events, ledger_error, open_to_read

_ROWS = (
    f"SELECT time, details, id FROM events WHERE id > ? AND {OF_STATION} "
    "AND kind = 'state_changed' ORDER BY id"
)


class StateSeconds:
    """Seconds by state and mode, since the first row. None of them ever goes down.

    Each row is read once. A stop begins with its cause, a little earlier than its row: what
    was counted for the state before stays until that has been made up for.
    """

    def __init__(self, path: Path) -> None:
        """Counts nothing yet.

        Args:
            path: the ledger, which is only read.
        """
        self._path, self._last, self._open = path, "", StateRow(0, 0, "", "")
        self._closed: dict[tuple[str, str], int] = {}
        self._shown: dict[tuple[str, str], int] = {}

    @property
    def seconds(self) -> Mapping[tuple[str, str], float]:
        """By state and mode."""
        return {key: length / 1e6 for key, length in self._shown.items()}

    def update(self, now: int | None) -> None:
        """Counts the rows that were added since the last call, and the state that lasts.

        Args:
            now: microseconds since 1970, where the station is known to run; None: it is not, and
                its last state is not counted on.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        with open_to_read(self._path) as connection:
            try:
                found = (
                    connection.execute(_ROWS, (self._last,)).fetchall()
                    if has_events(connection)
                    else []
                )
            except sqlite3.Error as error:
                raise ledger_error("read", self._path, error) from error
        for time, details, number in found:
            self._follow(read_state_row(time, details))
            self._last = number
        counts = dict(self._closed)
        if now is not None and self._open.state:
            key = self._open.state, self._open.mode
            counts[key] = counts.get(key, 0) + max(0, now - self._open.since)
        for key, length in counts.items():
            self._shown[key] = max(length, self._shown.get(key, 0))

    def _follow(self, row: StateRow) -> None:
        before = self._open
        if before.state:
            # Of a run that did not end in order nobody knows how long its last state lasted.
            killed = row.state == STARTING and before.state not in ENDED
            key = UNKNOWN if killed else before.state, before.mode
            length = max(0, row.since - before.since)
            self._closed[key] = self._closed.get(key, 0) + length
        self._open = row
