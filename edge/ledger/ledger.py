"""The ledger: one row for every item that a station sorted, and one for what moved for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from edge.core.errors import LedgerDamagedError, LedgerVersionError
from edge.ledger.rows import Actuation, Entry, Row
from edge.ledger.sqlite_file import ledger_error, refuse_foreign

HEAD = "0003"
"""The newest migration. Known here, so that alembic is imported only where there is work for it."""
_BEFORE = ("0001", "0002")

MIGRATIONS = Path(__file__).with_name("migrations")

METADATA = sa.MetaData()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", sa.String(27), nullable=False, index=True),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("item", sa.Integer, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("label", sa.String),
    sa.Column("confidence", sa.Float),
    sa.Column("scores", sa.JSON(none_as_null=True)),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("reject", sa.String(32)),
    sa.Column("lane", sa.String, nullable=False),
    sa.Column("bundle", sa.String, nullable=False),
    sa.Column("bundle_digest", sa.String(64), nullable=False),
    sa.Column("latency_ms", sa.Float, nullable=False),
    sa.Column("frames", sa.Integer),
    sa.Column("actuation", sa.String(16)),
    sa.Column("due", sa.String(27)),
    sa.Column("missed", sa.String(16)),
    # Makes writing a row twice harmless, where a disk fails between commit and answer.
    sa.UniqueConstraint("station", "time", "item", name="one_row_per_item"),
)
ACTUATIONS = sa.Table(
    "actuations",
    METADATA,
    sa.Column("station", sa.String(64), primary_key=True),
    sa.Column("time", sa.String(27), primary_key=True),
    sa.Column("item", sa.Integer, primary_key=True),
    sa.Column("lane", sa.String, nullable=False),
    sa.Column("ended", sa.String(27), nullable=False),
    sa.Column("missed", sa.String(16)),
    sqlite_with_rowid=False,
)
"""What became of the actuations that rows of `items` say were planned. The view `outcomes` joins
the two; see the migration that makes it."""


_PAGE_BYTES = 1024
"""Whole pages are written, of the table and of its indexes: small ones write half as many bytes
as SQLite's own 4096. See tests/benchmarks/ledger_bytes.py."""
_BUSY_SECONDS = 2.0
"""How long to wait for another program that holds the file locked."""


class Ledger:
    """An open ledger; a context manager. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Opens the SQLite file `path`, making it or bringing it up to date where needed.

        Raises:
            LedgerError: it cannot be opened.
            LedgerForeignError: it belongs to another program.
            LedgerDamagedError: it is damaged.
            LedgerVersionError: a newer pilah wrote it.
        """
        self.path = path
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

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, rows: Sequence[Row]) -> None:
        """Writes `rows` durably, all or none; those that are there already are left alone.

        Raises:
            LedgerError: the disk is full, or the file cannot be written.
            LedgerDamagedError: the file is damaged.
        """
        with self._errors("write"), self._engine.begin() as connection:
            for table, kind in ((ITEMS, Entry), (ACTUATIONS, Actuation)):
                names = [field.name for field in fields(kind)]
                found = [
                    {name: getattr(row, name) for name in names}
                    for row in rows
                    if isinstance(row, kind)
                ]
                if found:
                    connection.execute(insert(table).on_conflict_do_nothing(), found)

    def entries(self) -> Iterator[Entry]:
        """The row of every item, in the order they were written."""
        columns = [ITEMS.c[field.name] for field in fields(Entry)]
        with self._errors("read"), self._engine.begin() as connection:
            for row in connection.execute(sa.select(*columns).order_by(ITEMS.c.id)):
                yield Entry(*row)

    def actuations(self) -> Iterator[Actuation]:
        """The row of every actuation that came to its end, in order of their items' time."""
        columns = [ACTUATIONS.c[field.name] for field in fields(Actuation)]
        with self._errors("read"), self._engine.begin() as connection:
            for row in connection.execute(sa.select(*columns).order_by(*ACTUATIONS.primary_key)):
                yield Actuation(*row)

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
            current = _version(connection)
            if current == HEAD:
                return
            if current is not None and current > HEAD:
                raise LedgerVersionError(
                    f"{self.path}: written by a newer pilah (schema {current}, this one knows "
                    f"{HEAD}): install that pilah again, or give the station another ledger"
                )
            if current is not None and current not in _BEFORE:
                raise LedgerDamagedError(
                    f"the ledger {self.path} is damaged: it has no schema {current!r}"
                )
            _upgrade(connection)

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
    connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")  # of a new file only
    connection.execute("PRAGMA journal_mode=WAL")  # the operator pages read while this writes
    connection.execute("PRAGMA synchronous=FULL")  # a row that was told survives a power cut
    connection.execute("PRAGMA wal_autocheckpoint=0")  # whoever appends calls `checkpoint`


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _version(connection: sa.Connection) -> str | None:
    tables = sa.inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    # ConfigParser takes % for the start of an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
