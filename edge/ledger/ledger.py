"""The ledger: one row for every item that a station sorted, and one for what moved for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from edge.errors import LedgerError, LedgerVersionError

HEAD = "0003"
"""The newest migration. Known here, so that alembic is imported only where there is work for it."""

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One item's row."""

    time: str
    """When its (last) picture was taken: UTC, ISO 8601 with microseconds, such as
    2026-11-21T23:04:36.123456Z."""
    station: str
    item: int
    """Counts the items of one run of the station, from 1."""
    source: str
    """The file the picture was read from; empty for a live camera."""
    label: str | None
    """The best label, also of a rejected item; None where the picture could not be read."""
    confidence: float | None
    scores: Mapping[str, float] | None
    """By label, in the bundle's order."""
    accepted: bool
    reject: str | None
    """A RejectReason; None: accepted."""
    lane: str
    bundle: str
    """The bundle's name and version."""
    bundle_digest: str
    latency_ms: float
    """Milliseconds from the capture of the picture to the verdict; 0 where the pictures have times
    of their own that lie ahead, those of a video read as fast as can be."""
    frames: int | None
    """How many frames of the item voted; None: its row is older than this column."""
    actuation: str | None = None
    """What was to come of it, as far as the verdict tells: `planned`; `missed`; `none`, the lane
    has no actuator. None: its row is older than this column."""
    due: str | None = None
    """When the actuator is to move, as `time`; None: it is not."""
    missed: str | None = None
    """A Missed: why it is not to move, although the lane has one."""


@dataclass(frozen=True, slots=True)
class Actuation:
    """What became of one planned actuation: a row that completes that of its item."""

    station: str
    time: str
    """That of the item's row, as are `station` and `item`."""
    item: int
    lane: str
    ended: str
    """When the actuator moved, or was found not to: as `time`."""
    missed: str | None
    """A Missed; None: it moved."""


Row = Entry | Actuation

_FIRST_COLUMNS = frozenset(("id", "time", "station", "item", "lane", "bundle_digest"))
"""Some that every ledger has had from the first schema on."""


class Ledger:
    """An open ledger; a context manager. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Opens the SQLite file `path`, making it or bringing it up to date where needed.

        Raises:
            LedgerError: it cannot be opened, or is no ledger.
            LedgerVersionError: a newer pilah wrote it.
        """
        self.path = path
        _refuse_foreign(path)
        self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})
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
            _upgrade(connection)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise LedgerError(
                f"cannot {doing} the ledger {self.path}: {_advice(error.orig)}"
            ) from error


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What can be read of a ledger without changing it."""

    rows: int
    last: str | None
    """The time of the newest row; None: there is none."""


def ledger_facts(path: Path) -> LedgerFacts | None:
    """What is in the ledger `path`, which is only read; None: it is not there, or is empty.

    Raises:
        LedgerError: it is something else, is damaged, or cannot be read.
    """
    try:
        with _read_only(path) as found:
            if found is None or not _is_ledger(found, path):
                return None
            damage = found.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise LedgerError(f"the ledger {path} is damaged: {damage}")
            return LedgerFacts(*found.execute("SELECT count(*), max(time) FROM items").fetchone())
    except sqlite3.Error as error:
        raise LedgerError(f"cannot read the ledger {path}: {_advice(error)}") from error


def _refuse_foreign(path: Path) -> None:
    """Passes where `path` may be opened as a ledger, which would change the file of anybody else.

    Raises:
        LedgerError: it belongs to another program, or is no file.
    """
    try:
        with _read_only(path) as found:
            if found is not None:
                _is_ledger(found, path)
    except sqlite3.Error:
        return  # opening it tells the reason


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The SQLite file `path`; None: it is not there, or is empty."""
    try:
        size = path.stat().st_size if path.exists() else 0
        if path.exists() and not path.is_file():
            raise LedgerError(f"the ledger {path} is a folder, a pipe or a device: name a file")
    except OSError as error:
        if isinstance(error, LedgerError):
            raise
        raise LedgerError(f"cannot open the ledger {path}: {error.strerror}") from error
    if size == 0:
        yield None
        return
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def _is_ledger(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a ledger in the SQLite file; False: nothing is in it yet.

    Raises:
        LedgerError: something else is.
    """
    tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    columns = {str(row[1]) for row in connection.execute("PRAGMA table_info(items)")}
    if tables and ("alembic_version" not in tables or _FIRST_COLUMNS - columns):
        raise LedgerError(
            f"{path} is an SQLite file of another program (it has {_listed(tables)}), not a "
            "ledger, and was left as it is: name another file under `ledger` in the station file"
        )
    return bool(tables)


def _listed(names: set[str]) -> str:
    shown = sorted(names)[:4]
    return ", ".join(shown) + (" ..." if len(names) > len(shown) else "")


def utc_text(seconds: float) -> str:
    """The ledger's text for a time in seconds since 1970."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    # Python's driver would begin transactions by itself, but not before DDL.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")  # the operator pages read while this writes
    connection.execute("PRAGMA synchronous=FULL")  # a row that was told survives a power cut


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


def _advice(error: Any) -> str:
    text = str(error)
    if "full" in text:
        return "the disk is full: free some space"
    if "readonly" in text or "unable to open" in text:
        return f"{text}: may this user write to its folder?"
    if "not a database" in text:
        return "it is a file of another kind: move it away, or name another one in the station file"
    if "locked" in text:
        return "another program holds it locked: close that"
    return text
