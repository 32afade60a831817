"""Examines an SQLite file: whether it is a ledger, whether it is damaged, and what is in it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from edge.core.errors import (
    LedgerDamagedError,
    LedgerError,
    LedgerForeignError,
    LedgerMissingError,
)
from edge.core.files import is_read_only

_FIRST_COLUMNS = frozenset(("id", "time", "station", "item", "lane", "bundle_digest"))
"""Some columns of `items` that every ledger has had from the first schema on."""

_LEAST_BYTES = 64 * 1024
"""What SQLite needs of a disk to read a ledger that nobody writes: 32 KiB for the index of its log,
and as much again for the log and the folder."""

LARGE = 16 * 2**20
"""The size in bytes from which a ledger is not checked while somebody waits. Checking so much takes
a tenth of a second on a fast disk, and a second on a card."""


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What can be read of a ledger without changing it."""

    rows: int
    last: str | None
    """The time of the newest row; None: there is none."""


def ledger_facts(path: Path) -> LedgerFacts | None:
    """What is in the ledger `path`, which is only read; None: it is not there, or is empty.

    The answer comes as soon from a large ledger as from a small one: only a small one is read
    whole. Rows are never deleted, so that the newest one has their number.

    Raises:
        LedgerError: it is something else, is found to be damaged, or cannot be read.
    """
    with _reading(path) as found:
        if found is None:
            return None
        small = path.stat().st_size < LARGE
        if not (_is_whole_ledger(found, path) if small else _is_ledger(found, path)):
            return None
        number = f"(SELECT {'count(*)' if small else 'coalesce(max(id), 0)'} FROM items)"
        last = "(SELECT time FROM items ORDER BY id DESC LIMIT 1)"
        return LedgerFacts(*found.execute(f"SELECT {number}, {last}").fetchone())


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """The SQLite file of the ledger `path`, which is only read; a station may be writing it.

    Raises:
        LedgerMissingError: there is no ledger, or it is empty.
        LedgerError: it is something else, is damaged, or cannot be read.
    """
    with _reading(path) as found:
        if found is None or not _is_ledger(found, path):
            raise LedgerMissingError(f"there is no ledger at {path}, or nothing is in it yet")
        yield found


def check_whole(path: Path) -> None:
    """Reads the whole ledger `path`; passes if it is undamaged or does not exist.

    Raises:
        LedgerDamagedError: it is damaged.
        LedgerError: it is something else, or cannot be read.
    """
    with _reading(path) as found:
        if found is not None:
            _is_whole_ledger(found, path)


class BackgroundCheck:
    """Checks a whole ledger in a thread of its own, while it is being written.

    Attributes:
        damage: what was found, once `finished`; None: it is whole, or could not be read.
    """

    def __init__(self, path: Path) -> None:
        """Starts to read the ledger `path`."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.damage: LedgerDamagedError | None = None
        self._thread = threading.Thread(target=self._read, name="ledger-check", daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether the check has ended, with a result or without one."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Interrupts the check, and does not wait for a disk that hangs."""
        if self._connection is not None:
            with suppress(sqlite3.Error):  # it has just ended by itself
                self._connection.interrupt()

    def _read(self) -> None:
        try:
            with _reading(self._path) as self._connection:
                if self._connection is not None:
                    _is_whole_ledger(self._connection, self._path)
        except LedgerDamagedError as error:
            self.damage = error
        except LedgerError:
            pass  # whoever writes it next finds out why


def refuse_foreign(path: Path) -> None:
    """Passes if `path` may be opened as a ledger. Opening another program's file would change it.

    Raises:
        LedgerForeignError: it belongs to another program.
        LedgerError: it is no file.
    """
    try:
        with _read_only(path) as found:
            if found is not None:
                _is_ledger(found, path)
    except sqlite3.Error:
        return  # opening it tells the reason


def looks_written_by_hand(path: Path) -> bool:
    """Whether the file `path` is text, such as a list or a station file: no ledger, not even a
    damaged one. Not to be called while this process has the file open as a ledger."""
    with path.open("rb") as file:
        begin = file.read(1000)
    try:
        text = begin.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and all(sign.isprintable() or sign.isspace() for sign in text)


def ledger_error(doing: str, path: Path, error: BaseException | None) -> LedgerError:
    """The exception for an SQLite error: a LedgerDamagedError if the file is damaged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is a finer distinction
    # The statements are all ours, so that SQLITE_ERROR means that tables or columns are not there.
    damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    kind = LedgerDamagedError if damaged else LedgerError
    return kind(f"cannot {doing} the ledger {path}: {_advice(error, path)}")


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    try:
        with _read_only(path) as found:
            yield found
    except sqlite3.Error as error:
        raise ledger_error("read", path, error) from error


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


def _is_whole_ledger(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a ledger in the SQLite file; False: nothing is in it yet.

    Raises:
        LedgerDamagedError: it is damaged.
        LedgerForeignError: something else is in it.
    """
    damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        raise LedgerDamagedError(f"the ledger {path} is damaged: {damage}")
    return _is_ledger(connection, path)


def has_events(connection: sqlite3.Connection) -> bool:
    """Whether a ledger has the table `events`, which those of an early pilah have not."""
    return bool(connection.execute("PRAGMA table_info(events)").fetchall())


def _is_ledger(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a ledger in the SQLite file; False: nothing is in it yet.

    Raises:
        LedgerForeignError: something else is.
    """
    tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    columns = {str(row[1]) for row in connection.execute("PRAGMA table_info(items)")}
    if tables and ("alembic_version" not in tables or _FIRST_COLUMNS - columns):
        raise LedgerForeignError(
            f"{path} is an SQLite file of another program (it has {_listed(tables)}), not a "
            "ledger, and was left as it is: name another file under `ledger` in the station file"
        )
    return bool(tables)


def _listed(names: set[str]) -> str:
    shown = sorted(names)[:4]
    return ", ".join(shown) + (" ..." if len(names) > len(shown) else "")


def _advice(error: BaseException | None, path: Path) -> str:
    text = str(error)
    # SQLite calls it an I/O error where there is no room for the index of its log (`-shm`).
    if "full" in text or ("I/O" in text and _is_full(path.parent)):
        return "the disk is full: free some space"
    if ("readonly" in text or "unable to open" in text) and _on_read_only(path.parent):
        return (
            "its file system is mounted read-only, as one becomes whose disk fails: mount it for "
            "writing"
        )
    if "readonly" in text or "unable to open" in text:
        return f"{text}: let this user write to its folder"
    if "not a database" in text:
        return "it is a file of another kind: move it away, or name another one in the station file"
    if "locked" in text:
        return "another program holds it locked: close that"
    if "I/O" in text:
        return f"{text}: the kernel's log (`dmesg`) says what is wrong with the disk"
    return text


def _on_read_only(folder: Path) -> bool:
    """Whether a folder's file system is mounted read-only; False: nobody knows."""
    try:
        return is_read_only(folder)
    except OSError:
        return False


def _is_full(folder: Path) -> bool:
    """Whether a disk has no room for the least that SQLite needs; False: nobody knows."""
    try:
        return disk_usage(folder).free < _LEAST_BYTES
    except OSError:
        return False
