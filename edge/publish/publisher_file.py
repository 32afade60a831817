"""The publisher's own file: the position of each receiver, and the entries that it refused.

Losing it loses nothing: what is still in the outboxes is sent again, and receivers drop what they
have. So where it is damaged, a new one is begun. A position must not go back, though, after the
station has deleted by it: each is on the disk before anybody can see it (`synchronous=FULL`).
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.core.closing import Closing
from edge.core.errors import PublisherFileError
from edge.outbox.retention import POSITIONS, OutboxName
from edge.publish.outbox_file import Position
from edge.publish.receiver import Entry, Refused

_log = logging.getLogger(__name__)

_APPLICATION = 0x70696C70  # "pilp", so that `file` and we know whose the file is
_VERSION = 1
_BUSY_SECONDS = 5.0
MOST_REFUSED = 10_000
"""Refused entries that are kept for each receiver, the newest ones."""
_AGAIN = """
    CREATE TABLE IF NOT EXISTS again (
        receiver TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (receiver, id)
    ) WITHOUT ROWID
"""
"""The refused entries that are to be sent again."""
_TABLES = (
    POSITIONS,
    """
    CREATE TABLE IF NOT EXISTS counts (
        receiver TEXT NOT NULL,
        outbox TEXT NOT NULL,
        sent INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        dropped INTEGER NOT NULL,
        last TEXT,
        PRIMARY KEY (receiver, outbox)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS refused (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        receiver TEXT NOT NULL,
        outbox TEXT NOT NULL,
        refused_at TEXT NOT NULL,
        reason TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        time TEXT NOT NULL,
        payload TEXT NOT NULL,
        UNIQUE (receiver, id)
    )
    """,
    _AGAIN,
    """
    CREATE TABLE IF NOT EXISTS troubles (
        receiver TEXT PRIMARY KEY,
        since TEXT NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)


@dataclass(frozen=True, slots=True)
class SendCounts:
    """The counts of one outbox's entries at one receiver, since the first start."""

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    """How many were deleted from the outbox before they were sent, for want of room or by age."""
    last: str | None = None
    """The time of the last event that the receiver took."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be sent to a receiver at the moment."""

    since: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """An entry that a receiver refused."""

    receiver: str
    id: str
    kind: str
    time: str
    reason: str
    refused_at: str
    """When it was refused for the last time."""


class PublisherFile(Closing):
    """The publisher's file, open; used by one thread. Several may have it open."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens the file `path`, and makes it where it is not there.

        A damaged file is set aside beside it, and that is logged.

        Args:
            read_only: whether it must be there, is only read, and is left where it is damaged.

        Raises:
            PublisherFileError: it cannot be opened or written, or is a file of another program.
        """
        self.path, self._read_only = path, read_only
        with self._errors():
            if read_only:
                self._connection = self._open()
                return
            try:
                self._connection = self._open()
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                    raise
                aside = _set_aside(path)
                _log.warning(
                    f"warning    {path} is damaged ({error}) and was set aside as {aside}: what is "
                    "in the outboxes is sent again"
                )
                self._connection = self._open()

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._connection.close()

    def position(self, receiver: str, outbox: OutboxName) -> Position | None:
        """The last entry that a receiver has taken, or that was set aside; None if there is
        none."""
        query = "SELECT sequence, id FROM positions WHERE receiver = ? AND outbox = ?"
        with self._errors():
            row = self._connection.execute(query, (receiver, outbox)).fetchone()
        return None if row is None else Position(*row)

    def advance(
        self,
        receiver: str,
        outbox: OutboxName,
        position: Position,
        *,
        gained: SendCounts,
        refused: Sequence[Refused] = (),
    ) -> None:
        """Notes that a receiver has all up to `position`, but what it refused.

        Args:
            gained: what came to the counts since the last time; `last` replaces the one before.
        """
        now = _utc_now()
        with self._errors(), self._connection as connection:
            connection.execute(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?)",
                (receiver, outbox, *position),
            )
            connection.execute(
                "INSERT INTO counts VALUES (:receiver, :outbox, :sent, :refused, :dropped, :last) "
                "ON CONFLICT DO UPDATE SET sent = sent + :sent, refused = refused + :refused, "
                "dropped = dropped + :dropped, last = coalesce(:last, last)",
                {
                    "receiver": receiver, "outbox": outbox, "sent": gained.sent,
                    "refused": gained.refused, "dropped": gained.dropped, "last": gained.last,
                },
            )  # fmt: skip
            connection.executemany(
                "INSERT OR REPLACE INTO refused "
                "(receiver, outbox, refused_at, reason, id, kind, time, payload) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (receiver, outbox, now, one.reason, one.entry.id, one.entry.kind,
                     one.entry.time, json.dumps(dict(one.entry.payload), ensure_ascii=False))
                    for one in refused
                ],
            )  # fmt: skip
            if refused:
                connection.execute(
                    "DELETE FROM refused WHERE receiver = :receiver AND number <= ("
                    "SELECT number FROM refused WHERE receiver = :receiver "
                    "ORDER BY number DESC LIMIT 1 OFFSET :most)",
                    {"receiver": receiver, "most": MOST_REFUSED},
                )

    def set_trouble(self, receiver: str, reason: str | None) -> None:
        """Records why nothing can be sent to a receiver; None if it can be sent to again."""
        with self._errors(), self._connection as connection:
            if reason is None:
                connection.execute("DELETE FROM troubles WHERE receiver = ?", (receiver,))
            else:
                connection.execute(
                    "INSERT INTO troubles VALUES (?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET reason = excluded.reason",
                    (receiver, _utc_now(), reason),
                )

    def forget_others(self, receivers: Iterable[str]) -> None:
        """Forgets how far receivers are that the station file does not name any more.

        One that is named again later gets what is in the outboxes then. What was refused stays.
        """
        names = list(receivers)
        marks = ", ".join("?" * len(names))
        with self._errors(), self._connection as connection:
            for table in ("positions", "counts", "troubles"):
                connection.execute(f"DELETE FROM {table} WHERE receiver NOT IN ({marks})", names)

    def counts(self, receiver: str, outbox: OutboxName) -> SendCounts:
        """The counts of the entries of `outbox` at a receiver."""
        query = "SELECT sent, refused, dropped, last FROM counts WHERE receiver = ? AND outbox = ?"
        with self._errors():
            row = self._connection.execute(query, (receiver, outbox)).fetchone()
        return SendCounts() if row is None else SendCounts(*row)

    def trouble(self, receiver: str) -> Trouble | None:
        """Why nothing can be sent to a receiver; None if it can, as far as is known."""
        query = "SELECT since, reason FROM troubles WHERE receiver = ?"
        with self._errors():
            row = self._connection.execute(query, (receiver,)).fetchone()
        return None if row is None else Trouble(*row)

    def refused(self, receiver: str, limit: int = MOST_REFUSED) -> list[SetAside]:
        """The newest entries that a receiver refused, the oldest of them first."""
        query = (
            "SELECT receiver, id, kind, time, reason, refused_at FROM refused WHERE receiver = ? "
            "ORDER BY number DESC LIMIT ?"
        )
        with self._errors():
            rows = self._connection.execute(query, (receiver, limit)).fetchall()
        return [SetAside(*row) for row in reversed(rows)]

    def ask_again(self, receiver: str, ids: Collection[str] | None = None) -> int:
        """Marks refused entries to be sent again, and returns how many were not marked before.

        Args:
            ids: the ids of the entries; None marks all.
        """
        wanted = (
            "receiver = ?"
            if ids is None
            else "receiver = ? AND id IN (SELECT value FROM json_each(?))"
        )
        values = (receiver,) if ids is None else (receiver, json.dumps(list(ids)))
        with self._errors(), self._connection as connection:
            return connection.execute(
                f"INSERT OR IGNORE INTO again SELECT receiver, id FROM refused WHERE {wanted}",
                values,
            ).rowcount

    def asked_again(self, receiver: str, limit: int) -> list[Entry]:
        """The refused entries that are marked to be sent again, the oldest first. Their `sequence`
        is a number of this file."""
        query = (
            "SELECT number, id, kind, time, payload FROM refused JOIN again USING (receiver, id) "
            "WHERE receiver = ? ORDER BY number LIMIT ?"
        )
        with self._errors():
            rows = self._connection.execute(query, (receiver, limit)).fetchall()
        found = []
        for number, entry, kind, time, text in rows:
            payload = json.loads(text)
            found.append(Entry(number, entry, kind, time, str(payload["station"]), payload))
        return found

    def sent_again(
        self, receiver: str, entries: Sequence[Entry], refused: Sequence[Refused]
    ) -> None:
        """Notes that a receiver has taken `entries` of `asked_again`, except those of `refused`."""
        reasons = {one.entry.id: one.reason for one in refused}
        now = _utc_now()
        with self._errors(), self._connection as connection:
            for entry in entries:
                key = (receiver, entry.id)
                connection.execute("DELETE FROM again WHERE receiver = ? AND id = ?", key)
                if entry.id in reasons:
                    connection.execute(
                        "UPDATE refused SET reason = ?, refused_at = ? "
                        "WHERE receiver = ? AND id = ?",
                        (reasons[entry.id], now, *key),
                    )
                    continue
                connection.execute(
                    "UPDATE counts SET sent = sent + 1 WHERE receiver = ? AND outbox = "
                    "(SELECT outbox FROM refused WHERE receiver = ? AND id = ?)",
                    (receiver, *key),
                )
                connection.execute("DELETE FROM refused WHERE receiver = ? AND id = ?", key)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}",
            uri=True,
            timeout=_BUSY_SECONDS,
        )
        try:
            known = connection.execute("PRAGMA application_id").fetchone()[0]
            empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
            if known != _APPLICATION and not empty:
                raise PublisherFileError(
                    f"{self.path} is an SQLite file of another program and was left as it is: move "
                    "it away, or name another ledger in the station file"
                )
            if self._read_only:
                return connection
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            if not empty:
                connection.execute(_AGAIN)  # earlier releases did not make it
            if empty:  # all or nothing: tables without the number are another program's
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    for statement in _TABLES:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id={_APPLICATION}")
                    connection.execute(f"PRAGMA user_version={_VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            verb = "read" if self._read_only else "write"
            raise PublisherFileError(
                f"cannot {verb} {self.path}, where the publisher notes how far it is: {error}"
            ) from error


def _set_aside(path: Path) -> Path:
    """Gives a damaged file another name beside it."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    aside = path.with_name(f"{path.stem}.set-aside-{stamp}{path.suffix}")
    for side in ("-wal", "-shm"):  # they belong to it, and to no new one
        path.with_name(path.name + side).unlink(missing_ok=True)
    return path.rename(aside)


def _utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
