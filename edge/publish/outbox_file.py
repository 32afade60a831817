"""An outbox as the publisher sees it: a table in a file that another process writes, only read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge.core.closing import Closing
from edge.core.errors import OutboxError
from edge.outbox.retention import OutboxName
from edge.publish.receiver import Entry


class Position(NamedTuple):
    """The last entry that a receiver has taken, or the place before the first for it."""

    sequence: int
    id: str
    """The entry's id; empty if it has taken none, and begins after this number."""


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of an outbox that come after a position."""

    entries: list[Entry]
    dropped: int = 0
    """How many before them were deleted, as there was no room or they were too old, and were never
    read."""
    begun_anew: bool = False
    """Whether this is another outbox than that of the position, so that all of it is to be sent."""


class OutboxFile(Closing):
    """The outbox of one file; used by one thread.

    The file may be missing, have no outbox yet, or be replaced by another one at any time: it is
    opened again then. It is never written.
    """

    def __init__(self, name: OutboxName, path: Path) -> None:
        """Opens nothing yet."""
        self.name, self.path = name, path
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._version = -1

    def has_changed(self) -> bool:
        """Whether anything was written since the last call. Costs microseconds.

        Raises:
            OutboxError: the file cannot be read.
        """
        with self._errors():
            connection = self._opened()
            if connection is None:
                return False
            ((version,),) = connection.execute("PRAGMA data_version").fetchall()
        before, self._version = self._version, int(version)
        return self._version != before

    def read(self, after: Position | None, limit: int) -> Part:
        """The first entries after a position; none where there is no outbox.

        Args:
            after: the position; None for the beginning.
            limit: how many at most.

        Raises:
            OutboxError: the file cannot be read.
        """
        with self._errors():
            connection = self._opened()
            if connection is None or not _has_table(connection):
                return Part([])
            connection.execute("BEGIN")  # one state of it
            try:
                return self._read(connection, after, limit)
            finally:
                connection.execute("COMMIT")

    def waiting(self, after: Position | None) -> int:
        """How many entries come after a position.

        Raises:
            OutboxError: the file cannot be read.
        """
        with self._errors():
            connection = self._opened()
            if connection is None or not _has_table(connection):
                return 0
            start, _ = _start(connection, after)
            (last,) = connection.execute("SELECT max(sequence) FROM outbox").fetchone()
            (first,) = connection.execute(
                "SELECT min(sequence) FROM outbox WHERE sequence > ?", (start,)
            ).fetchone()
            return 0 if first is None else int(last - first + 1)

    def dropped(self, after: Position | None) -> int:
        """How many entries after a position were deleted before they could be read.

        Raises:
            OutboxError: the file cannot be read.
        """
        with self._errors():
            connection = self._opened()
            if after is None or connection is None or not _has_table(connection):
                return 0
            start, begun_anew = _start(connection, after)
            (first,) = connection.execute("SELECT min(sequence) FROM outbox").fetchone()
            return 0 if first is None or begun_anew else max(0, int(first - start - 1))

    def close(self) -> None:
        """Closes the file; may be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, connection: sqlite3.Connection, after: Position | None, limit: int) -> Part:
        start, begun_anew = _start(connection, after)
        rows = connection.execute(
            "SELECT sequence, id, kind, time, station, payload FROM outbox WHERE sequence > ? "
            "ORDER BY sequence LIMIT ?",
            (start, limit),
        ).fetchall()
        entries = [
            Entry(
                sequence,
                entry,
                kind,
                time,
                station,
                {"id": entry, "kind": kind, "time": time, "station": station} | json.loads(payload),
            )
            for sequence, entry, kind, time, station, payload in rows
        ]
        first_read = after is None or begun_anew
        dropped = entries[0].sequence - start - 1 if entries and not first_read else 0
        return Part(entries, dropped, begun_anew and bool(entries))

    def _opened(self) -> sqlite3.Connection | None:
        """The open file; None if it is missing or empty."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self.close()
            return None
        if self._connection is None or self._identity != (found.st_dev, found.st_ino):
            self.close()
            if found.st_size == 0:
                return None
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            # No transaction but those of `read`: a reader that stays in one keeps the writer from
            # emptying its log.
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2.0)
            self._identity, self._version = (found.st_dev, found.st_ino), -1
        return self._connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            self.close()
            raise OutboxError(f"the outbox in {self.path} cannot be read: {error}") from error


def outboxes(ledger: Path, deliveries: Path) -> list[OutboxFile]:
    """The outboxes of a station, which are not opened yet."""
    return [OutboxFile("ledger", ledger), OutboxFile("deliveries", deliveries)]


def _has_table(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outbox'"
    return connection.execute(query).fetchone() is not None


def _start(connection: sqlite3.Connection, after: Position | None) -> tuple[int, bool]:
    """The number after which reading goes on, and whether the outbox is another one.

    The last entry that was taken is still there under its number, unless there was no room for it:
    then all that are there have greater numbers.
    """
    if after is None:
        return 0, False
    (first,) = connection.execute("SELECT min(sequence) FROM outbox").fetchone()
    if first is None:
        return (0, True) if after.sequence else (0, False)
    row = connection.execute(
        "SELECT id FROM outbox WHERE sequence = ?", (after.sequence,)
    ).fetchone()
    if row == (after.id,) or (row is None and first > after.sequence):
        return after.sequence, False
    return 0, True
