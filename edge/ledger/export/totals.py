"""Counts what is in a ledger, and goes on from there with the rows that were added since.

Rows never change and none is deleted, so that each is read once. What is counted outlives the
station's process, and the ledger's file too, where a damaged one was set aside for a new one.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from edge.ledger.sqlite_file import ledger_error, open_to_read

LATENCY_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds from the capture of a picture to the verdict."""
LATENESS_BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
"""Seconds from the planned moment of an actuator to its move."""

_PAGE = 5000
"""Rows that are counted in one transaction, so that the station's log does not grow meanwhile."""
_PENDING = 5000
"""So many items at most are looked at again because their actuation had not ended: the newest. An
actuation of a process that was killed has no end."""


class Histogram:
    """How many values lie below each bound; the last count is that of all values.

    Attributes:
        bounds: ascending; a value that equals one is below it.
        total: the sum of the values.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        """Has no value."""
        self.bounds, self.total = tuple(bounds), 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        """Adds one value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def cumulative(self) -> list[int]:
        """The number of values up to each bound, and of all of them."""
        found, below = [], 0
        for count in self._counts:
            below += count
            found.append(below)
        return found


class LedgerTotals:
    """The counts of a ledger's rows. Used by one thread at a time.

    Attributes:
        items: items by label (None: the picture could not be read), lane, and reason of the reject
            (None: accepted).
        pieces: how many pieces the items of each lane count for.
        actuations: ends of actuations by lane and reason why the actuator did not move (None: it
            moved).
        corrections: corrections by the field that was corrected.
        latency: the seconds from capture to verdict.
        lateness: the seconds from the planned moment of an actuator to its move.
        complete: whether all rows have been counted that were there at the first `update`.
    """

    def __init__(self, path: Path) -> None:
        """Counts nothing yet.

        Args:
            path: the ledger.
        """
        self._path = path
        self._file: tuple[int, int] | None = None
        self._last = 0
        self._pending: dict[int, None] = {}
        self._corrections_before: Counter[str] = Counter()
        self.items: Counter[tuple[str | None, str, str | None]] = Counter()
        self.pieces: Counter[str] = Counter()
        self.actuations: Counter[tuple[str, str | None]] = Counter()
        self.corrections: Counter[str] = Counter()
        self.latency = Histogram(LATENCY_BOUNDS)
        self.lateness = Histogram(LATENESS_BOUNDS)
        self.complete = False

    def update(self) -> None:
        """Counts the rows that were added since the last call.

        Raises:
            LedgerMissingError: there is no ledger.
            LedgerError: it cannot be read, or is none.
        """
        with open_to_read(self._path) as connection:
            try:
                (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
                self._begin_where_the_file_is_new(newest)
                self._count_ended(connection)
                while self._last < newest:
                    self._count_items(connection, min(self._last + _PAGE, newest))
                    self._count_ended(connection)
                found = connection.execute(
                    "SELECT field, count(*) FROM corrections GROUP BY field"
                )  # which people write, so that there are few
                self.corrections = self._corrections_before + Counter(dict(found.fetchall()))
            except (sqlite3.Error, OSError) as error:  # or it is set aside at this moment
                raise ledger_error("read", self._path, error) from error
        self.complete = True

    def _begin_where_the_file_is_new(self, newest: int) -> None:
        found = self._path.stat()
        file = (found.st_dev, found.st_ino)
        if self._file not in (None, file) or newest < self._last:  # a damaged one was set aside
            self._last = 0
            self._pending.clear()
            self._corrections_before = self.corrections
        self._file = file

    def _count_items(self, connection: sqlite3.Connection, up_to: int) -> None:
        """Counts the items whose number is above `_last`, up to `up_to`."""
        rows = connection.execute(
            "SELECT id, label, lane, reject, coalesce(quantity, 1), latency_ms, actuation, missed "
            "FROM items WHERE id > ? AND id <= ?",
            (self._last, up_to),
        ).fetchall()  # before any is counted: a page whose reading fails is read again
        for number, label, lane, reject, quantity, latency_ms, actuation, missed in rows:
            self.items[label, lane, reject] += 1
            self.pieces[lane] += quantity
            self.latency.add(latency_ms / 1000)
            if actuation == "planned":
                self._pending[number] = None
            elif missed is not None:
                self.actuations[lane, missed] += 1
        self._last = up_to

    def _count_ended(self, connection: sqlite3.Connection) -> None:
        """Counts the actuations that have ended since their items were counted."""
        if not self._pending:
            return
        rows = connection.execute(
            "SELECT i.id, i.lane, i.due, a.ended, a.missed FROM json_each(?) AS wanted "
            "JOIN items i ON i.id = wanted.value JOIN actuations a USING (station, time, item)",
            (json.dumps(list(self._pending)),),
        ).fetchall()
        for number, lane, due, ended, missed in rows:
            del self._pending[number]
            self.actuations[lane, missed] += 1
            if missed is None and due is not None:
                late = datetime.fromisoformat(ended) - datetime.fromisoformat(due)
                self.lateness.add(max(0.0, late.total_seconds()))
        for number in list(self._pending)[:-_PENDING]:
            del self._pending[number]
