from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.core.errors import LedgerError
from edge.events import (
    utc_text,
)
from edge.ledger import ledger as ledger_module
from edge.ledger import sqlite_file
from edge.ledger.ledger import Ledger
from edge.ledger.sqlite_file import (
    LedgerFacts,
    ledger_error,
    ledger_facts,
    looks_written_by_hand,
)
from tests.edge.ledger.entries import actuation, entry

UNREADABLE = {
    "label": None,
    "confidence": None,
    "scores": None,
    "accepted": False,
    "reject": "unreadable",
}


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    entries = [entry(1), entry(2, **UNREADABLE), entry(3, source="größe/猫.jpg")]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append(entries[:2])
        ledger.append(entries[2:])
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert list(ledger.entries()) == entries


def test_a_row_written_twice_is_there_once(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1), entry(2)])
        ledger.append([entry(2), entry(3)])
        assert [found.item for found in ledger.entries()] == [1, 2, 3]


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1), entry(2, **UNREADABLE)])
        with (
            closing(sqlite3.connect(file)) as reader,
            reader,
        ):  # while it is open: that is what WAL is for
            rows = reader.execute("SELECT time, label, scores, accepted FROM items").fetchall()
            (mode,) = reader.execute("PRAGMA journal_mode").fetchone()
        reader.close()
    assert rows[0][:2] == ("2026-11-21T23:04:36.123456Z", "can")
    assert json.loads(rows[0][2]) == {"can": 0.9, "bottle": 0.1}
    assert [row[3] for row in rows] == [1, 0]
    assert rows[1][2] is None
    assert mode == "wal"


def test_times_are_utc_text_that_sorts() -> None:
    assert utc_text(1795302276.5) == "2026-11-21T23:04:36.500000Z"
    assert utc_text(9) < utc_text(10) < utc_text(1e9)


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"my shopping list\n" * 100)
    with pytest.raises(LedgerError, match="a file of another kind: move it away"):
        Ledger(file)
    assert file.read_bytes().startswith(b"my shopping list")


def test_a_file_that_cannot_be_opened_is_closed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"my shopping list\n" * 100)
    opened: list[sqlite3.Connection] = []
    prepare = ledger_module._prepare

    def watched(connection: sqlite3.Connection) -> None:
        opened.append(connection)
        prepare(connection)

    monkeypatch.setattr(ledger_module, "_prepare", watched)
    monkeypatch.setattr(ledger_module, "refuse_foreign", lambda path: None)
    with pytest.raises(LedgerError):
        Ledger(file)
    assert opened
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TABLE items (id INTEGER, name TEXT)",
        "CREATE TABLE photos (id INTEGER)",
        "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES (1)",
        "CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE items (id INTEGER)",
    ],
)
def test_the_sqlite_file_of_another_program_is_left_as_it_is(
    tmp_path: Path, statements: str
) -> None:
    file = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(file)) as theirs, theirs:
        theirs.executescript(statements)
    before = file.read_bytes()
    for opening in (Ledger, ledger_facts):
        with pytest.raises(LedgerError, match="is an SQLite file of another program"):
            opening(file)
    assert file.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["theirs.sqlite"]


def test_what_is_in_a_ledger_can_be_read_without_opening_it_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ledger.sqlite"
    assert ledger_facts(file) is None
    with closing(sqlite3.connect(file)) as begun:
        begun.execute("VACUUM")  # a file of SQLite in which nothing is yet
    assert file.stat().st_size > 0
    assert ledger_facts(file) is None
    with Ledger(file) as ledger:
        assert ledger_facts(file) == LedgerFacts(0, None)
        ledger.append([entry(1), entry(2)])
        assert ledger_facts(file) == LedgerFacts(2, entry(2).time)
        monkeypatch.setattr(sqlite_file, "LARGE", 0)  # so soon from a large one, too
        assert ledger_facts(file) == LedgerFacts(2, entry(2).time)


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"cannot open the ledger .*no/ledger\.sqlite"):
        Ledger(tmp_path / "no" / "ledger.sqlite")


def test_a_full_disk_is_told_and_loses_nothing_written(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1)])
        (pages,) = ledger._file.execute("PRAGMA page_count").fetchone()
        ledger._file.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="the disk is full: free some space"):
            ledger.append([entry(item, source="x" * 5000) for item in range(2, 9)])
        assert [found.item for found in ledger.entries()] == [1]


def test_a_row_and_what_came_after_it_tell_together_what_moved(tmp_path: Path) -> None:
    file, moment = tmp_path / "ledger.sqlite", "2026-11-21T23:05:00.000000Z"
    planned = {"actuation": "planned", "due": moment}
    rows = [
        entry(1, **planned),
        entry(2, **planned),
        entry(3, **planned),  # the power failed before anything more was written
        entry(4, actuation="missed", missed="late"),
        entry(5, actuation="none"),
        entry(6),  # as an older pilah wrote it
        actuation(1),
        actuation(2, missed="cooling"),
    ]
    with Ledger(file) as ledger:
        ledger.append(rows[4:])  # in any order
        ledger.append(rows[:4])
        ledger.append(rows[-1:])  # twice is once
        assert list(ledger.actuations()) == rows[6:]
    with closing(sqlite3.connect(file)) as reader, reader:
        found = reader.execute("SELECT item, actuation, missed, moved FROM outcomes ORDER BY item")
        assert found.fetchall() == [
            (1, "moved", None, moment),
            (2, "missed", "cooling", None),
            (3, "planned", None, None),
            (4, "missed", "late", None),
            (5, "none", None, None),
            (6, None, None, None),
        ]
    reader.close()


@pytest.mark.parametrize(
    ("content", "by_hand"),
    [
        (b"my shopping list\n" * 100, True),
        ("größe: 7\n".encode(), True),
        (bytes(range(256)) * 4, False),
        (b"SQLite format 3\0" + bytes(100), False),
        (b"", False),
    ],
)
def test_a_text_is_told_from_a_damaged_ledger(
    tmp_path: Path, content: bytes, by_hand: bool
) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(content)
    assert looks_written_by_hand(tmp_path / "ledger.sqlite") == by_hand


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (0, "the disk is full: free some space"),
        (10**9, "disk I/O error: the kernel's log (`dmesg`) says what is wrong with the disk"),
        (None, "disk I/O error: the kernel's log (`dmesg`) says what is wrong with the disk"),
    ],
)
def test_a_full_disk_is_told_also_where_sqlite_calls_it_an_error(
    free: int | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(folder: Path) -> SimpleNamespace:
        if free is None:
            raise OSError("gone")
        return SimpleNamespace(free=free)

    monkeypatch.setattr("edge.ledger.sqlite_file.disk_usage", usage)
    path = tmp_path / "ledger.sqlite"
    error = ledger_error("read", path, sqlite3.OperationalError("disk I/O error"))
    assert str(error) == f"cannot read the ledger {path}: {said}"


def test_what_is_told_of_a_folder_goes_on_with_another_sentence(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("unable to open database file")
    said = f"{ledger_error('open', tmp_path, error)}. Sorting goes on"
    assert said.endswith("file: let this user write to its folder. Sorting goes on")
