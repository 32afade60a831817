"""Examines a whole ledger: whether its file is damaged, and what is in it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import LedgerDamagedError
from edge.ledger.schema import VERSION_TABLE, WRITER_TABLE
from edge.ledger.sqlite_file import open_to_read

TABLES = ("items", "actuations", "events", "corrections")


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a ledger that is not damaged."""

    schema: str
    rows: dict[str, int]
    """By table."""
    first: str | None
    """The time of the earliest item; None: there is none."""
    last: str | None
    size: int
    """Bytes of the file, without what waits in its log."""


def examine(path: Path, *, full: bool = False) -> Examination:
    """Reads the whole ledger `path`, which a station may be writing.

    Args:
        full: also compare each index with its table, which takes several times as long.

    Raises:
        LedgerDamagedError: it is damaged; the message has the first faults that were found.
        LedgerError: there is no ledger, or it cannot be read.
    """
    with open_to_read(path) as connection:
        check = "integrity_check" if full else "quick_check"
        faults = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(5)")]
        if faults != ["ok"]:
            raise LedgerDamagedError(f"the ledger {path} is damaged: {'; '.join(faults)}")
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        rows = {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in TABLES
            if table in there
        }
        first, last = connection.execute(
            "SELECT (SELECT min(time) FROM items), (SELECT max(time) FROM items)"
        ).fetchone()
        return Examination(_schema(connection, there), rows, first, last, path.stat().st_size)


def _schema(connection: sqlite3.Connection, there: set[str]) -> str:
    table = VERSION_TABLE if VERSION_TABLE in there else WRITER_TABLE
    return str(connection.execute(f"SELECT version_num FROM {table}").fetchone()[0])
