"""Copies a ledger while a station writes it, by SQLite's online backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.core.errors import LedgerDamagedError, LedgerError, StorageError
from edge.core.files import new_file, storage_errors
from edge.ledger.sqlite_file import open_to_read
from edge.ledger.upkeep.examination import TABLES, Examination, examine

_PAGES = 4096
"""Pages that are copied between two looks for Ctrl-C: 4 MB."""


def back_up(ledger: Path, copy: Path) -> Examination:
    """Copies `ledger`, as it is at this moment, to the new file `copy`, and examines the copy.

    The copy is one file, without a log beside it. Rows that are written meanwhile are not in it.

    Returns:
        What is in the copy.

    Raises:
        StorageError: `copy` is there already, or cannot be written.
        LedgerError: the ledger cannot be read, or the copy is not whole: no copy is left then.
    """
    if copy.exists() or copy.is_symlink():
        raise StorageError(f"{copy} is there already: choose another name or remove it")
    with storage_errors("write", copy), new_file(copy, replace=False) as file:
        # SQLite opens it by its name; what it makes beside it is gone when it is closed.
        aside = Path(file.name)
        with open_to_read(ledger) as source:
            source.isolation_level = None
            source.execute("BEGIN")  # one state of the ledger, whatever the station writes
            rows = _rows(source)
            _copy(source, aside, copy)
        found = examine(aside)
        if found.rows != rows:
            raise LedgerDamagedError(
                f"the copy {copy} does not have the rows of {ledger}, and was removed"
            )
    return found


def _rows(source: sqlite3.Connection) -> dict[str, int]:
    there = {row[0] for row in source.execute("SELECT name FROM sqlite_master")}
    return {
        table: int(source.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        for table in TABLES
        if table in there
    }


def _copy(source: sqlite3.Connection, aside: Path, copy: Path) -> None:
    try:
        with closing(sqlite3.connect(aside)) as target:
            source.backup(target, pages=_PAGES)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, to be moved by itself
    except sqlite3.Error as error:
        if "full" in str(error):
            raise StorageError(f"cannot write {copy}: the disk is full") from error
        raise LedgerError(f"cannot copy the ledger to {copy}: {error}") from error
