"""The ledger: a row for each event of a station, in the table of its kind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.core.closing import Closing
from edge.core.errors import LedgerDamagedError, LedgerVersionError
from edge.events import ActuationEnded, Event, ItemCorrected, ItemSorted, kind_of
from edge.ledger.rows import id_of_old_item, read_event
from edge.ledger.schema import BEFORE, HEAD, Versions, upgrade
from edge.ledger.sqlite_file import ledger_error, refuse_foreign
from edge.outbox.retention import Keep, Retention
from edge.outbox.table import add, add_missing, new_entry

_PAGE_BYTES = 1024
"""Whole pages are written, of the table and of its indexes: small ones write half as many bytes
as SQLite's own 4096. See tests/benchmarks/ledger_bytes.py."""
_BUSY_SECONDS = 2.0
"""How long to wait for another program that holds the file locked."""
_JSON = ("scores", "details")
"""The columns that hold JSON."""
_FLAGS = ("accepted", "clock_synchronised")
"""The columns that hold 0 or 1 for a truth value."""


class Ledger(Closing):
    """An open ledger; a context manager. Used by one thread at a time."""

    def __init__(self, path: Path, *, keep: Keep | None = None) -> None:
        """Opens the SQLite file `path`, making it or bringing it up to date where needed.

        Args:
            keep: what its outbox keeps; None: nothing is written to the outbox.

        Raises:
            LedgerError: it cannot be opened.
            LedgerForeignError: it belongs to another program.
            LedgerDamagedError: it is damaged.
            LedgerVersionError: a newer pilah wrote it.
        """
        self.path = path
        self._outbox = None if keep is None else Retention(keep, "ledger")
        refuse_foreign(path)
        with self._errors("open"):
            self._file = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._errors("open"):
                _prepare(self._file)
                self._migrate()
        except BaseException:
            self.close()
            raise

    def append(self, events: Sequence[Event]) -> None:
        """Writes the rows of `events` durably, all or none; those that are there are left alone.

        Where there is an outbox, the entries of those that were not there are in the same
        transaction.

        Raises:
            LedgerError: the disk is full, or the file cannot be written.
            LedgerDamagedError: the file is damaged.
        """
        rows: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            table, row = _row(event)
            rows.setdefault(table, []).append(row)
        with self._errors("write"), self._transaction() as file:
            before = file.total_changes
            for table, found in rows.items():
                names = ", ".join(found[0])
                values = ", ".join(f":{name}" for name in found[0])
                file.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING", found
                )
            if self._outbox is not None:
                entries = [new_entry(event, kind_of(event)) for event in events]
                all_new = file.total_changes - before == len(events)
                (add if all_new else add_missing)(file, entries)
                self._outbox.apply(file)

    def give_ids(self, limit: int) -> int:
        """Gives ids to items that have none, as a pilah without them wrote them, oldest first.

        All of it is in one transaction. An index has the rows without an id, so that finding none
        is as fast in a large ledger as in a small one. A row gets the same id whenever that is
        (`id_of_old_item`).

        Args:
            limit: how many rows get one at most, so that the call takes a short time.

        Returns:
            How many got one; fewer than `limit`: all rows have ids.

        Raises:
            LedgerError, LedgerDamagedError: as of `append`.
        """
        with self._errors("write"), self._transaction() as file:
            found = file.execute(
                "SELECT id, time, station, item FROM items WHERE uuid IS NULL ORDER BY id LIMIT ?",
                (limit,),
            ).fetchall()
            file.executemany(
                "UPDATE items SET uuid = ? WHERE id = ?",
                [(id_of_old_item(*key), row) for row, *key in found],
            )
        return len(found)

    def entries(self) -> Iterator[ItemSorted]:
        """The row of every item, in the order they were written."""
        for row in self._rows("items ORDER BY id"):
            found = read_event("item", {**row, "id": row["uuid"]})
            assert isinstance(found, ItemSorted)
            yield found

    def actuations(self) -> Iterator[ActuationEnded]:
        """The row of every actuation that came to its end, in order of their items' time."""
        for row in self._rows("actuations ORDER BY station, time, item"):
            ids = {"id": row["uuid"], "item_id": row["item_uuid"]}
            found = read_event("actuation", {**row, **ids})
            assert isinstance(found, ActuationEnded)
            yield found

    def corrections(self) -> Iterator[ItemCorrected]:
        """The row of every correction, in the order of their ids."""
        for row in self._rows("corrections ORDER BY id"):
            found = read_event("correction", row)
            assert isinstance(found, ItemCorrected)
            yield found

    def happenings(self) -> Iterator[Event]:
        """Every event in the table `events` that this pilah knows, in the order of their ids."""
        for row in self._rows("events ORDER BY id"):
            found = read_event(row["kind"], {**row["details"], **row})
            if found is not None:
                yield found

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        with self._errors("read"):
            found = self._file.execute(f"SELECT * FROM {table}")
            names = [name for name, *_ in found.description]
            for values in found:
                row = dict(zip(names, values, strict=True))
                for name in row.keys() & _JSON:
                    row[name] = None if row[name] is None else json.loads(row[name])
                for name in row.keys() & _FLAGS:
                    row[name] = None if row[name] is None else bool(row[name])
                yield row

    def checkpoint(self) -> bool:
        """Brings all that was appended from the log (`-wal`) into the file itself.

        Returns:
            True where all of it is there; a program that is reading can put that off.

        Raises:
            LedgerError: the file cannot be written.
            LedgerDamagedError: the file is damaged.
        """
        with self._errors("write"):
            ((busy, logged, moved),) = self._file.execute(
                "PRAGMA wal_checkpoint(PASSIVE)"
            ).fetchall()
        return not busy and logged == moved

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._file.close()

    def _migrate(self) -> None:
        with self._transaction() as file:
            versions = Versions(file)
        if versions.writer is not None and versions.writer > HEAD:
            raise LedgerVersionError(
                f"{self.path}: written by a newer pilah (schema {versions.writer}, this one "
                f"knows {HEAD}): install that pilah again, or give the station another ledger"
            )
        if versions.run is not None and versions.run >= HEAD:
            return  # of a newer pilah, which left it so that this one can write it
        if versions.run is not None and versions.run not in BEFORE:
            raise LedgerDamagedError(
                f"the ledger {self.path} is damaged: it has no schema {versions.run!r}"
            )
        upgrade(self._file)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The file, with a transaction that is undone where the block raises."""
        file = self._file
        file.execute("BEGIN IMMEDIATE")
        try:
            yield file
            file.execute("COMMIT")
        except BaseException:
            if file.in_transaction:  # SQLite itself undoes it after some errors
                with suppress(sqlite3.Error):  # the first error is the one to be told
                    file.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ledger_error(doing, self.path, error) from error


def _prepare(file: sqlite3.Connection) -> None:
    file.execute(f"PRAGMA page_size={_PAGE_BYTES}")  # of a new file only
    file.execute("PRAGMA journal_mode=WAL")  # the operator pages read while this writes
    file.execute("PRAGMA synchronous=FULL")  # a row that was told survives a power cut
    file.execute("PRAGMA wal_autocheckpoint=0")  # whoever appends calls `checkpoint`


def _row(event: Event) -> tuple[str, dict[str, Any]]:
    """The table of an event, and its row by the names of the columns."""
    found = asdict(event)
    if isinstance(event, ItemSorted):
        found["uuid"] = found.pop("id")
        found["scores"] = None if event.scores is None else json.dumps(found["scores"])
        return "items", found
    if isinstance(event, ActuationEnded):
        found["uuid"], found["item_uuid"] = found.pop("id"), found.pop("item_id")
        return "actuations", found
    if isinstance(event, ItemCorrected):
        return "corrections", found
    row = {name: found.pop(name) for name in ("id", "time", "station")}
    return "events", {**row, "kind": kind_of(event), "details": json.dumps(found)}
