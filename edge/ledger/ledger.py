"""The ledger: a row for each event of a station, in the table of its kind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from edge.core.closing import Closing
from edge.core.errors import LedgerDamagedError, LedgerVersionError
from edge.events import ActuationEnded, Event, ItemCorrected, ItemSorted, kind_of
from edge.ledger.rows import id_of_old_item, read_event
from edge.ledger.schema import (
    ACTUATIONS,
    BEFORE,
    CORRECTIONS,
    EVENTS,
    HEAD,
    ITEMS,
    Versions,
    upgrade,
)
from edge.ledger.sqlite_file import ledger_error, refuse_foreign
from edge.outbox.retention import Keep, Retention
from edge.outbox.table import add, add_missing, new_entry

_PAGE_BYTES = 1024
"""Whole pages are written, of the table and of its indexes: small ones write half as many bytes
as SQLite's own 4096. See tests/benchmarks/ledger_bytes.py."""
_BUSY_SECONDS = 2.0
"""How long to wait for another program that holds the file locked."""


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
        self._engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS}
        )
        sa.event.listen(self._engine, "connect", _prepare)
        sa.event.listen(self._engine, "begin", _begin)
        try:
            with self._errors("open"):
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
        rows: dict[sa.Table, list[dict[str, Any]]] = {}
        for event in events:
            table, row = _row(event)
            rows.setdefault(table, []).append(row)
        with self._errors("write"), self._engine.begin() as connection:
            file = connection.connection.driver_connection
            assert isinstance(file, sqlite3.Connection)
            before = file.total_changes
            for table, found in rows.items():
                connection.execute(insert(table).on_conflict_do_nothing(), found)
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
        wanted = sa.select(ITEMS.c.id, ITEMS.c.time, ITEMS.c.station, ITEMS.c.item)
        without = wanted.where(ITEMS.c.uuid.is_(None)).order_by(ITEMS.c.id).limit(limit)
        with self._errors("write"), self._engine.begin() as connection:
            found = connection.execute(without).all()
            if found:
                connection.execute(
                    sa.update(ITEMS).where(ITEMS.c.id == sa.bindparam("row")),
                    [{"row": row, "uuid": id_of_old_item(*key)} for row, *key in found],
                )
        return len(found)

    def entries(self) -> Iterator[ItemSorted]:
        """The row of every item, in the order they were written."""
        for row in self._rows(sa.select(ITEMS).order_by(ITEMS.c.id)):
            found = read_event("item", {**row, "id": row["uuid"]})
            assert isinstance(found, ItemSorted)
            yield found

    def actuations(self) -> Iterator[ActuationEnded]:
        """The row of every actuation that came to its end, in order of their items' time."""
        for row in self._rows(sa.select(ACTUATIONS).order_by(*ACTUATIONS.primary_key)):
            ids = {"id": row["uuid"], "item_id": row["item_uuid"]}
            found = read_event("actuation", {**row, **ids})
            assert isinstance(found, ActuationEnded)
            yield found

    def corrections(self) -> Iterator[ItemCorrected]:
        """The row of every correction, in the order of their ids."""
        for row in self._rows(sa.select(CORRECTIONS).order_by(CORRECTIONS.c.id)):
            found = read_event("correction", row)
            assert isinstance(found, ItemCorrected)
            yield found

    def happenings(self) -> Iterator[Event]:
        """Every event in the table `events` that this pilah knows, in the order of their ids."""
        for row in self._rows(sa.select(EVENTS).order_by(EVENTS.c.id)):
            found = read_event(row["kind"], {**row["details"], **row})
            if found is not None:
                yield found

    def _rows(self, query: sa.Select[Any]) -> Iterator[dict[str, Any]]:
        with self._errors("read"), self._engine.begin() as connection:
            for row in connection.execute(query):
                yield dict(row._mapping)

    def checkpoint(self) -> bool:
        """Brings all that was appended from the log (`-wal`) into the file itself.

        Returns:
            True where all of it is there; a program that is reading can put that off.

        Raises:
            LedgerError: the file cannot be written.
            LedgerDamagedError: the file is damaged.
        """
        with self._errors("write"):
            connection = self._engine.raw_connection()  # without a transaction, which forbids it
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
                ((busy, logged, moved),) = cursor.fetchall()
            finally:
                connection.close()
        return not busy and logged == moved

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            versions = Versions(connection)
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
            upgrade(connection, versions)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise ledger_error(doing, self.path, error.orig) from error
        except sqlite3.Error as error:
            raise ledger_error(doing, self.path, error) from error


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    # Python's driver would begin transactions by itself, but not before DDL.
    connection.isolation_level = None
    try:
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")  # of a new file only
        connection.execute("PRAGMA journal_mode=WAL")  # the operator pages read while this writes
        connection.execute("PRAGMA synchronous=FULL")  # a row that was told survives a power cut
        connection.execute("PRAGMA wal_autocheckpoint=0")  # whoever appends calls `checkpoint`
    except BaseException:
        connection.close()  # SQLAlchemy leaves it open where this function fails
        raise


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _row(event: Event) -> tuple[sa.Table, dict[str, Any]]:
    """The table of an event, and its row by the names of the columns."""
    found = asdict(event)
    if isinstance(event, ItemSorted):
        found["uuid"] = found.pop("id")
        return ITEMS, found
    if isinstance(event, ActuationEnded):
        found["uuid"], found["item_uuid"] = found.pop("id"), found.pop("item_id")
        return ACTUATIONS, found
    if isinstance(event, ItemCorrected):
        return CORRECTIONS, found
    row = {name: found.pop(name) for name in ("id", "time", "station")}
    return EVENTS, {**row, "kind": kind_of(event), "details": found}
