"""The number of items that a station has sorted today, counted from its growing ledger."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_QUERY = (
    "SELECT lane, accepted, count(*), time, max(id) FROM items "  # the time is that row's
    "WHERE {where} AND id <= ? GROUP BY lane, accepted ORDER BY max(id)"
)


class DayStats:
    """The items of one day, UTC. Reads each row once, and only counts what is new."""

    def __init__(self, ledger: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        """Has counted nothing yet."""
        self._ledger, self._now = ledger, now
        self._day = ""
        self._identity: tuple[int, int] | None = None
        self._up_to = 0
        self._lanes: Counter[str] = Counter()
        self._accepted = self._items = 0
        self._last: str | None = None

    def look(self) -> dict[str, Any] | None:
        """Today's counts; None where the ledger cannot be read now.

        `items`, `accepted`, `rejected`, and `lanes` by name: as the items were sorted, without
        later corrections. `day` is a date, `last` the time of the newest item, or None.
        """
        try:
            found = self._ledger.stat()
            uri = f"{self._ledger.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
                self._count(connection, (found.st_dev, found.st_ino))
        except (OSError, sqlite3.Error):
            return None
        return {
            "day": self._day,
            "items": self._items,
            "accepted": self._accepted,
            "rejected": self._items - self._accepted,
            "lanes": dict(sorted(self._lanes.items())),
            "last": self._last,
        }

    def _count(self, connection: sqlite3.Connection, identity: tuple[int, int]) -> None:
        day = self._now().strftime("%Y-%m-%d")
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
        if day != self._day or identity != self._identity or last < self._up_to:
            self._day, self._identity, self._up_to = day, identity, 0
            self._lanes.clear()
            self._accepted = self._items = 0
            self._last = None
        # The index of times finds a day's rows; after that, the newest rows are found by number.
        where = "time >= ?" if self._up_to == 0 else "id > ? AND time >= ?"
        begin = [self._day] if self._up_to == 0 else [self._up_to, self._day]
        rows = connection.execute(_QUERY.format(where=where), [*begin, last]).fetchall()
        for lane, accepted, count, time, _ in rows:
            self._lanes[lane] += count
            self._items += count
            self._accepted += count if accepted else 0
            self._last = time
        self._up_to = last
