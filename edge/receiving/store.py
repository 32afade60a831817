"""The file of deliveries: an SQLite file beside the ledger, to which events are appended.

It is a file of its own because two processes write it: the verbs of a person at the door, and the
station, which counts what it sees. The ledger has one writer, holds rows back for `commit_seconds`,
and is replaced by a new one when it is damaged; a count must be in the file when its answer is
given, and must outlive the ledger. Each change is one short transaction that reads what the
deliveries have come to, decides, and appends; SQLite lets one writer in after the other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.core.closing import Closing
from edge.core.errors import DeliveryFileError
from edge.core.files import check_regular
from edge.outbox.retention import Keep, Retention
from edge.outbox.table import TABLE, add, new_entry
from edge.receiving.events import (
    CountUndone,
    DeliveryEvent,
    PictureDisagreed,
    PieceCounted,
    cause_of,
    details_of,
    event_of,
    kind_of,
)
from edge.receiving.pieces.consequences import AnswerGiven
from edge.receiving.state import COUNTABLE, DeliveryState, advance, fold

_APPLICATION = 0x70696C64  # "pild", so that `file` and we know whose the file is
_VERSION = 1
_BUSY_SECONDS = 5.0
_TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    time TEXT NOT NULL,
    station TEXT NOT NULL,
    delivery TEXT NOT NULL,
    by TEXT NOT NULL,
    kind TEXT NOT NULL,
    item_id TEXT UNIQUE,
    details TEXT NOT NULL
);
CREATE INDEX of_delivery ON events (delivery, seq);
CREATE INDEX opened ON events (seq) WHERE kind = 'delivery_opened';
CREATE TRIGGER never_changed BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events are never changed'); END;
CREATE TRIGGER never_deleted BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are never deleted'); END;
"""
_DISAGREED = "CREATE INDEX IF NOT EXISTS disagreed ON events (seq) WHERE kind = 'picture_disagreed'"
_COLUMNS = "seq, id, time, station, delivery, by, kind, details"
_ANSWERS = (
    f"SELECT {_COLUMNS} FROM events WHERE seq > :seq AND kind IN ('piece_counted', "
    "'picture_disagreed') AND (item_id IS NOT NULL OR details LIKE '%\"replaces\"%' OR kind = "
    "'picture_disagreed') ORDER BY seq"
)
_STOPPED = (
    f"SELECT {_COLUMNS} FROM events WHERE kind = 'picture_disagreed' AND seq <= :seq "
    "ORDER BY seq DESC LIMIT :limit"
)


@dataclass(slots=True)
class _Known:
    """The events of one delivery that were read, and its state after them."""

    seq: int = 0
    events: list[DeliveryEvent] = field(default_factory=list)
    state: DeliveryState | None = None


class Deliveries(Closing):
    """The deliveries of a station; a context manager. Used by one thread at a time."""

    def __init__(self, path: Path, *, keep: Keep | None = None, read_only: bool = False) -> None:
        """Opens the file `path`, and makes it where it is not there.

        Args:
            keep: what its outbox keeps; None if nothing is to be written to the outbox.
            read_only: the file must be there, and nothing in it is changed.

        Raises:
            DeliveryFileError: it cannot be opened, is damaged, is a file of another program, or was
                written by a newer pilah. It is left as it is.
        """
        self.path = path
        self._outbox = None if keep is None else Retention(keep, "deliveries")
        self._known: dict[str, _Known] = {}
        with self._errors("open"):
            if path.exists():
                check_regular(path)
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
                uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False,
            )  # fmt: skip
            try:
                if not read_only:
                    self._prepare()
                elif not self._is_made():
                    raise DeliveryFileError(f"{path}: nothing is in it yet")
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: nobody else writes within it, and an error takes back what was appended.

        Raises:
            DeliveryFileError: the file cannot be written; nothing was.
        """
        with self._errors("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._known.clear()  # it may have what is taken back now
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def append(self, events: Sequence[DeliveryEvent]) -> None:
        """Appends `events`; to be called within `writing`."""
        with self._errors("write"):
            self._connection.executemany(
                "INSERT INTO events (id, time, station, delivery, by, kind, item_id, details) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        event.id,
                        event.time,
                        event.station,
                        event.delivery,
                        event.by,
                        kind_of(event),
                        cause_of(event),
                        json.dumps(details_of(event), ensure_ascii=False),
                    )
                    for event in events
                ],
            )
            if self._outbox is not None:
                add(self._connection, (new_entry(event, kind_of(event)) for event in events))
                self._outbox.apply(self._connection)

    def events(self, delivery: str) -> Sequence[DeliveryEvent]:
        """All events of one delivery, in the order they were written in."""
        return self._read(delivery).events

    def state(self, delivery: str) -> DeliveryState | None:
        """The state of one delivery; None if there is no such delivery."""
        return self._read(delivery).state

    def names(self) -> list[str]:
        """The names of all deliveries, in the order of their first events."""
        with self._errors("read"):
            query = "SELECT delivery FROM events GROUP BY delivery ORDER BY min(seq)"
            return [str(name) for (name,) in self._connection.execute(query)]

    def current(self) -> DeliveryState | None:
        """The delivery that is being counted; None if the one that was opened last is closed."""
        state = self.opened_last()
        return state if state is not None and state.phase in COUNTABLE else None

    def opened_last(self) -> DeliveryState | None:
        """The delivery that was opened last, which may be closed; None if none was opened."""
        with self._errors("read"):
            query = (
                "SELECT delivery FROM events WHERE kind = 'delivery_opened' "
                "ORDER BY seq DESC LIMIT 1"
            )
            found = self._connection.execute(query).fetchone()
        return None if found is None else self.state(str(found[0]))

    def forget_others(self, delivery: str | None) -> None:
        """Forgets what was read of other deliveries; it is read again when it is asked for."""
        self._known = {name: known for name, known in self._known.items() if name == delivery}

    def has_answer(self, cause: str) -> bool:
        """Whether an event answers the item or the scan with that id; see `cause_of`."""
        with self._errors("read"):
            query = "SELECT 1 FROM events WHERE item_id = ?"
            return self._connection.execute(query, (cause,)).fetchone() is not None

    def last_seq(self) -> int:
        """The number of the event that was written last; 0 if none was written."""
        with self._errors("read"):
            ((last,),) = self._connection.execute("SELECT max(seq) FROM events").fetchall()
        return int(last or 0)

    def answers(self, after: int, *, stopped_before: int = 0) -> list[AnswerGiven]:
        """The answers from which rows for the ledger may follow, in the order they were written in.

        Args:
            after: the sequence number of the last event that is left out.
            stopped_before: the most events of stopped pieces from before `after` that are added,
                the newest ones.
        """
        with self._errors("read"):
            one = self._connection.execute
            rows = one(_STOPPED, {"seq": after, "limit": stopped_before}).fetchall()[::-1]
            rows += one(_ANSWERS, {"seq": after}).fetchall()
        found = []
        for row in rows:
            event = self._event(row)
            assert isinstance(event, PieceCounted | PictureDisagreed)
            found.append(AnswerGiven(event, self._with_id(event.replaces)))
        return found

    def _with_id(self, event_id: str | None) -> DeliveryEvent | None:
        if event_id is None:
            return None
        with self._errors("read"):
            query = f"SELECT {_COLUMNS} FROM events WHERE id = ?"
            row = self._connection.execute(query, (event_id,)).fetchone()
        return None if row is None else self._event(row)

    def has_changed(self) -> bool:
        """Whether another process has written since the last call."""
        with self._errors("read"):
            ((version,),) = self._connection.execute("PRAGMA data_version").fetchall()
        changed, self._version = version != self._version, version
        return bool(changed)

    _version = -1

    def _read(self, delivery: str) -> _Known:
        """What is known of a delivery, with what was written since the last time."""
        known = self._known.setdefault(delivery, _Known())
        with self._errors("read"):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM events WHERE delivery = ? AND seq > ? ORDER BY seq",
                (delivery, known.seq),
            ).fetchall()
        if rows:
            new = [self._event(row) for row in rows]
            known.events += new
            if any(isinstance(event, CountUndone) for event in new):
                known.state = fold(known.events)
            else:
                known.state = advance(known.state, new)
            known.seq = rows[-1][0]
        return known

    def _event(self, row: Sequence[Any]) -> DeliveryEvent:
        """The event of a row of `_COLUMNS`."""
        seq, *columns, kind, details = row
        names = ("id", "time", "station", "delivery", "by")
        known = dict(zip(names, columns, strict=True))
        try:
            return event_of(kind, known, json.loads(details))
        except (KeyError, TypeError, ValueError) as error:
            raise DeliveryFileError(
                f"{self.path}: event {seq} ({kind}) of {known['delivery']} is not one that this "
                "pilah can read: a newer one wrote it, or the file is damaged"
            ) from error

    def _prepare(self) -> None:
        one = self._connection.execute
        self._is_made()  # before anything is changed: the file may be somebody else's
        one("PRAGMA journal_mode=WAL")
        one("PRAGMA synchronous=FULL")  # what was answered survives a power cut
        one("BEGIN IMMEDIATE")
        if not self._is_made():
            for statement in _statements(_TABLES):
                one(statement)
            one(f"PRAGMA application_id={_APPLICATION}")
            one(f"PRAGMA user_version={_VERSION}")
        one(_DISAGREED)  # which a pilah of before did not make
        if self._outbox is not None:  # which a pilah of before does not look at
            one(TABLE)
        one("COMMIT")

    def _is_made(self) -> bool:
        """Whether the file has its tables; False if it is new, or empty.

        Raises:
            DeliveryFileError: others are there, or newer ones.
        """
        one = self._connection.execute
        if one("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return False
        application, version = (
            one(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if application != _APPLICATION:
            raise DeliveryFileError(
                f"{self.path} is an SQLite file of another program and was left as it is: name "
                "another file under `receiving` in the station file"
            )
        if version > _VERSION:
            raise DeliveryFileError(
                f"{self.path}: written by a newer pilah (schema {version}, this one knows "
                f"{_VERSION}): install that pilah again"
            )
        return True

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DeliveryFileError(
                f"cannot {doing} the file of deliveries {self.path}: {_advice(error)}"
            ) from error
        except OSError as error:
            if isinstance(error, DeliveryFileError) or error.filename is None:
                raise
            raise DeliveryFileError(
                f"cannot {doing} the file of deliveries {self.path}: {error.strerror}"
            ) from error


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; `executescript` would commit."""
    statement = ""
    for line in script.strip().splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _advice(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text:
        return "the disk is full: free some space"
    if "readonly" in text or "unable to open" in text:
        return f"{text}: does its folder exist, and may this user write there?"
    if "not a database" in text or "malformed" in text:
        return (
            f"{text}: the file is damaged or of another kind. Move it away, with the files "
            "-wal and -shm beside it, and keep it: what was counted may be read from it"
        )
    if "locked" in text:
        return "another program holds it locked: close that, and do it again"
    return text
