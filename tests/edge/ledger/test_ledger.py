from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from edge.core.errors import LedgerError, LedgerVersionError
from edge.ledger.ledger import HEAD, METADATA, MIGRATIONS, Ledger
from edge.ledger.rows import Actuation, utc_text
from edge.ledger.sqlite_file import LedgerFacts, ledger_facts
from tests.edge.ledger.entries import entry

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
        with sqlite3.connect(file) as reader:  # while it is open: that is what WAL is for
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


def test_the_migrations_make_the_schema_that_is_used(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    Ledger(file).close()
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_newest_migration_is_known_to_the_daemon() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_alembic_is_imported_only_where_there_is_something_to_migrate(tmp_path: Path) -> None:
    file = tmp_path / "a % sign" / "ledger.sqlite"
    file.parent.mkdir()
    script = (
        "import sys; from pathlib import Path; from edge.ledger.ledger import Ledger; "
        f"Ledger(Path({str(file)!r})).close(); print('alembic' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in runs] == ["True", "False"]


def test_a_ledger_of_a_newer_pilah_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    Ledger(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerVersionError, match="written by a newer pilah"):
        Ledger(file)


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"my shopping list\n" * 100)
    with pytest.raises(LedgerError, match="a file of another kind: move it away"):
        Ledger(file)
    assert file.read_bytes().startswith(b"my shopping list")


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
    with sqlite3.connect(file) as theirs:
        theirs.executescript(statements)
    before = file.read_bytes()
    for opening in (Ledger, ledger_facts):
        with pytest.raises(LedgerError, match="is an SQLite file of another program"):
            opening(file)
    assert file.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["theirs.sqlite"]


def test_what_is_in_a_ledger_can_be_read_without_opening_it_to_write(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    assert ledger_facts(file) is None
    with Ledger(file) as ledger:
        assert ledger_facts(file) == LedgerFacts(0, None)
        ledger.append([entry(1), entry(2)])
        assert ledger_facts(file) == LedgerFacts(2, entry(2).time)


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"cannot open the ledger .*no/ledger\.sqlite"):
        Ledger(tmp_path / "no" / "ledger.sqlite")


def test_a_full_disk_is_told_and_loses_nothing_written(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1)])
        with ledger._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="the disk is full: free some space"):
            ledger.append([entry(item, source="x" * 5000) for item in range(2, 9)])
        assert [found.item for found in ledger.entries()] == [1]


def test_a_ledger_without_the_newest_column_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1)])
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE items DROP COLUMN frames")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with Ledger(file) as ledger:
        ledger.append([entry(2)])
        assert list(ledger.entries()) == [entry(1, frames=None), entry(2)]


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
        Actuation("bin-1", entry(1).time, 1, "metal", moment, None),
        Actuation("bin-1", entry(2).time, 2, "metal", moment, "cooling"),
    ]
    with Ledger(file) as ledger:
        ledger.append(rows[4:])  # in any order
        ledger.append(rows[:4])
        ledger.append(rows[-1:])  # twice is once
        assert list(ledger.actuations()) == rows[6:]
    with sqlite3.connect(file) as reader:
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


def test_a_ledger_of_an_older_pilah_is_read_and_written_on(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1)])
    with sqlite3.connect(file) as connection:  # as revision 0002 left it
        connection.executescript(
            "DROP VIEW outcomes; DROP TABLE actuations; UPDATE alembic_version SET version_num = "
            "'0002'; ALTER TABLE items DROP COLUMN actuation; ALTER TABLE items DROP COLUMN due; "
            "ALTER TABLE items DROP COLUMN missed"
        )
    connection.close()
    with Ledger(file) as ledger:
        ledger.append([entry(2, actuation="none")])
        assert [(e.item, e.actuation) for e in ledger.entries()] == [(1, None), (2, "none")]
