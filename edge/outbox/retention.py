"""How long entries stay in an outbox: until every receiver has them, within bounds.

How far the receivers are is in the publisher's own file, which is only read here. Each position has
the id of the last entry that was taken. It counts only while the outbox has that entry under that
number: an outbox that was begun anew, or is that of a restored backup, has others, and nothing of
it is taken for sent.
"""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

POSITIONS = """
CREATE TABLE IF NOT EXISTS positions (
    receiver TEXT NOT NULL,
    outbox TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (receiver, outbox)
) WITHOUT ROWID
"""
"""In the publisher's file: the last entry of each outbox that a receiver has taken, or that was set
aside because it refused it."""

OutboxName = Literal["ledger", "deliveries"]

_PAUSE_SECONDS = 10.0
_AT_ONCE = 5000
"""Entries that are deleted in one transaction at most, so that no row waits long for it."""
_SAMPLE = 50
_OVERHEAD = 120
"""Bytes of an entry beside its payload: the other columns, and what SQLite adds."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The limits of what an outbox keeps."""

    positions: Path
    """The publisher's file, which may be missing."""
    receivers: tuple[str, ...]
    """The receivers; an entry that all of them have is deleted."""
    megabytes: float
    """In 1,000,000 bytes: the oldest entries beyond it are deleted, sent or not; infinity for no
    limit."""
    days: float
    """The age in days beyond which entries are deleted, sent or not; infinity for no limit."""

    def as_json(self) -> str:
        """The limits as one argument for another process."""
        return json.dumps([str(self.positions), self.receivers, self.megabytes, self.days])

    @classmethod
    def from_json(cls, text: str) -> Keep:
        """The limits that `as_json` wrote."""
        positions, receivers, megabytes, days = json.loads(text)
        return cls(Path(positions), tuple(receivers), megabytes, days)


class Retention:
    """Deletes the entries of one outbox that need not be kept; used by one thread at a time."""

    def __init__(
        self,
        keep: Keep,
        outbox: OutboxName,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Has deleted nothing yet.

        Args:
            pause_seconds: how long it does nothing after it has looked.
            wall: seconds since 1970.
        """
        self._keep, self._outbox = keep, outbox
        self._pause, self._wall = pause_seconds, wall
        self._next = float("-inf")

    def apply(self, connection: sqlite3.Connection) -> int:
        """Deletes the entries that need not be kept, if it is time to look, in the caller's
        transaction.

        Returns:
            How many entries were deleted.
        """
        now = time.monotonic()
        if now < self._next:
            return 0
        self._next = now + self._pause
        first, last = connection.execute(
            "SELECT min(sequence), max(sequence) FROM outbox"
        ).fetchone()
        if first is None:
            return 0
        before = max(
            self._taken_by_all(connection), self._too_old(connection), self._too_many(connection)
        )
        before = min(before, first + _AT_ONCE, last)
        deleted = connection.execute("DELETE FROM outbox WHERE sequence < ?", (before,)).rowcount
        if before == first + _AT_ONCE:
            self._next = now
        return deleted

    def _taken_by_all(self, connection: sqlite3.Connection) -> int:
        """The number of the last entry that all receivers have; 0 if there is none.

        That entry itself stays, so that the position can be told to be one of this outbox. A
        receiver whose position is not one of this outbox has nothing of it, however large the
        number is.
        """
        found = read_positions(self._keep.positions, self._outbox)
        sequences = []
        for receiver in self._keep.receivers:
            sequence, entry_id = found.get(receiver, (0, ""))
            row = connection.execute(
                "SELECT id FROM outbox WHERE sequence = ?", (sequence,)
            ).fetchone()
            if row != (entry_id,):
                return 0
            sequences.append(sequence)
        return min(sequences, default=0)

    def _too_old(self, connection: sqlite3.Connection) -> int:
        """The number of the first entry that is young enough; 0 if age is not limited."""
        if math.isinf(self._keep.days):
            return 0
        oldest = datetime.fromtimestamp(self._wall(), UTC) - timedelta(days=self._keep.days)
        limit = oldest.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        first, last = connection.execute(
            "SELECT min(sequence), max(sequence) FROM outbox"
        ).fetchone()
        # Entries lie in the order of their times but for what waited in the spill.
        low, high = first, last + 1
        while low < high:
            middle = (low + high) // 2
            query = "SELECT time FROM outbox WHERE sequence >= ? ORDER BY sequence LIMIT 1"
            if connection.execute(query, (middle,)).fetchone()[0] < limit:
                low = middle + 1
            else:
                high = middle
        return int(low)

    def _too_many(self, connection: sqlite3.Connection) -> int:
        """The number of the first entry for which there is room, estimated from the size of
        some."""
        if math.isinf(self._keep.megabytes):
            return 0
        ((first, last),) = connection.execute("SELECT min(sequence), max(sequence) FROM outbox")
        sizes = [
            size + _OVERHEAD
            for order in ("ASC", "DESC")
            for (size,) in connection.execute(
                "SELECT length(CAST(payload AS BLOB)) FROM outbox "
                f"ORDER BY sequence {order} LIMIT {_SAMPLE}"
            )
        ]
        room = max(1, int(self._keep.megabytes * 1e6 / (sum(sizes) / len(sizes))))
        return int(max(first, last + 1 - room))


def read_positions(file: Path, outbox: OutboxName) -> dict[str, tuple[int, str]]:
    """The last entry of `outbox` that each receiver has, as its number and id.

    Empty where the publisher's file is not there or cannot be read: nothing is taken for sent then.
    """
    if not file.is_file():
        return {}
    try:
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
            rows = connection.execute(
                "SELECT receiver, sequence, id FROM positions WHERE outbox = ?", (outbox,)
            ).fetchall()
    except sqlite3.Error:
        return {}
    return {str(receiver): (int(sequence), str(entry)) for receiver, sequence, entry in rows}
