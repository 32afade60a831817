"""Ledgers of pilahs before and after this one are read, written on, and brought up to date."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from edge.core.errors import LedgerError, LedgerVersionError
from edge.events import (
    utc_text,
)
from edge.ledger import ledger as ledgers
from edge.ledger.ledger import Ledger
from edge.ledger.migrations.tables import METADATA
from edge.ledger.rows import id_of_old_item
from edge.ledger.schema import (
    HEAD,
    MIGRATIONS,
    OLDEST_WRITER,
    VERSION_TABLE,
    WRITER_TABLE,
)
from tests.edge.ledger.entries import entry


def is_of_rows(name: str | None, kind: str, parents: object) -> bool:
    return name not in (VERSION_TABLE, WRITER_TABLE)


def test_the_migrations_make_the_schema_that_is_used(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    Ledger(file).close()
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_of_rows})
        assert compare_metadata(context, METADATA) == []
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
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerVersionError, match="written by a newer pilah"):
        Ledger(file)


def test_a_ledger_of_this_pilah_is_written_without_the_library_of_its_migrations(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ledger.sqlite"
    Ledger(file).close()
    program = (
        "import sys; from pathlib import Path; import edge.ledger.ledger_process; "
        "from edge.ledger.recovering import RecoveringLedger; import os; "
        "from tests.edge.ledger.entries import entry; "
        f"ledger = RecoveringLedger(Path({str(file)!r}), owner=os.getpid()); "
        "ledger.append([entry(1)]); ledger.close(); "
        "sys.exit(str([name for name in ('sqlalchemy', 'alembic') if name in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stderr.strip() == "[]"
    with Ledger(file) as ledger:
        assert list(ledger.entries()) == [entry(1)]


def test_a_ledger_without_the_newest_column_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1)])
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("ALTER TABLE items DROP COLUMN frames")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with Ledger(file) as ledger:
        ledger.append([entry(2)])
        assert list(ledger.entries()) == [entry(1, frames=None), entry(2)]


def test_a_ledger_of_an_older_pilah_is_read_and_written_on(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1)])
    with closing(sqlite3.connect(file)) as connection, connection:  # as revision 0002 left it
        connection.executescript(
            "DROP VIEW outcomes; DROP TABLE actuations; UPDATE alembic_version SET version_num = "
            "'0002'; ALTER TABLE items DROP COLUMN actuation; ALTER TABLE items DROP COLUMN due; "
            "ALTER TABLE items DROP COLUMN missed"
        )
    connection.close()
    with Ledger(file) as ledger:
        ledger.append([entry(2, actuation="none")])
        assert [(e.item, e.actuation) for e in ledger.entries()] == [(1, None), (2, "none")]


SCHEMA_3 = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0003');
CREATE TABLE items (
    id INTEGER NOT NULL PRIMARY KEY, time VARCHAR(27) NOT NULL, station VARCHAR(64) NOT NULL,
    item INTEGER NOT NULL, source VARCHAR NOT NULL, label VARCHAR, confidence FLOAT, scores JSON,
    accepted BOOLEAN NOT NULL, reject VARCHAR(32), lane VARCHAR NOT NULL, bundle VARCHAR NOT NULL,
    bundle_digest VARCHAR(64) NOT NULL, latency_ms FLOAT NOT NULL, frames INTEGER,
    actuation VARCHAR(16), due VARCHAR(27), missed VARCHAR(16),
    CONSTRAINT one_row_per_item UNIQUE (station, time, item));
CREATE INDEX ix_items_time ON items (time);
CREATE TABLE actuations (
    station VARCHAR(64) NOT NULL, time VARCHAR(27) NOT NULL, item INTEGER NOT NULL,
    lane VARCHAR NOT NULL, ended VARCHAR(27) NOT NULL, missed VARCHAR(16),
    PRIMARY KEY (station, time, item)) WITHOUT ROWID;
CREATE VIEW outcomes AS SELECT i.time, i.item, a.ended AS moved
    FROM items i LEFT JOIN actuations a USING (station, time, item);
"""


def write_as_before(file: Path, items: Sequence[int]) -> None:
    """Rows as the pilah of schema 0003 writes them, which stops where it is not its own."""
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("0003",)
        ]
        connection.executemany(
            "INSERT INTO items (time, station, item, source, accepted, lane, bundle, "
            "bundle_digest, latency_ms, frames, actuation, due, missed) VALUES "
            "(?, 'bin-1', ?, '', 1, 'metal', 'b 1', '0', 4.2, 3, 'none', NULL, NULL) "
            "ON CONFLICT DO NOTHING",
            [(utc_text(1_795_302_276 + item / 3), item) for item in items],
        )
        connection.executemany(
            "INSERT INTO actuations (station, time, item, lane, ended, missed) VALUES "
            "('bin-1', ?, ?, 'metal', ?, NULL)",
            [(utc_text(1_795_302_276 + item / 3), item, "later") for item in items[:1]],
        )
    connection.close()


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A ledger of 25 items that the pilah of schema 0003 wrote."""
    file = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(SCHEMA_3)
    connection.close()
    write_as_before(file, range(1, 26))
    return file


def uuids(file: Path) -> list[str | None]:
    with closing(sqlite3.connect(file)) as connection, connection:
        found = connection.execute("SELECT uuid FROM items ORDER BY id").fetchall()
    connection.close()
    return [row[0] for row in found]


def test_rows_of_before_get_ids_in_their_order_and_the_same_in_every_copy(
    tmp_path: Path, before: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    shutil.copy(before, copy)
    for file, limit in ((before, 100), (copy, 1)):
        with Ledger(file) as ledger:
            while ledger.give_ids(limit) == limit:
                pass
    found = uuids(before)
    assert found == sorted(set(map(str, found))) == uuids(copy)
    assert all(uuid.UUID(text).version == 7 for text in found if text)
    first = uuid.UUID(found[2])
    assert first.int >> 80 == 1_795_302_277_000  # its row's time


def test_ids_are_given_a_few_at_a_time_and_the_next_start_goes_on_from_there(before: Path) -> None:
    with Ledger(before) as ledger:
        assert ledger.give_ids(10) == 10
        before_kill = uuids(before)
        ledger.append([entry(99)])
    assert [text is None for text in before_kill] == [False] * 10 + [True] * 15
    with Ledger(before) as ledger:  # the next start
        assert [ledger.give_ids(10) for _ in range(3)] == [10, 5, 0]
    after = uuids(before)
    assert after[:10] == before_kill[:10]
    assert after[25] == entry(99).id
    assert None not in after


def test_where_all_rows_have_ids_looking_for_one_without_reads_no_row_and_writes_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.append([entry(number) for number in range(25)])
        log = path.with_name(path.name + "-wal")
        before = log.stat().st_size
        assert ledger.give_ids(10) == 0
        assert log.stat().st_size == before
    assert "ix_items_without_uuid" in plan_of(path, "SELECT id FROM items WHERE uuid IS NULL")


def plan_of(ledger: Path, query: str) -> str:
    """How SQLite carries out a query."""
    with closing(sqlite3.connect(ledger)) as connection:
        return str(connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())


def test_what_is_read_has_its_id_before_that_is_written(before: Path) -> None:
    with Ledger(before) as ledger:
        read = [found.id for found in ledger.entries()]
        (moved,) = ledger.actuations()
        ledger.give_ids(100)
    assert read == uuids(before)
    assert moved.item_id == read[0] != moved.id


def test_the_pilah_of_before_can_still_write_and_its_rows_get_ids_too(before: Path) -> None:
    """After a rollback, and after the next update."""
    with Ledger(before) as ledger:
        ledger.give_ids(100)
        ledger.append([entry(99)])
    write_as_before(before, range(30, 33))
    assert [text is None for text in uuids(before)] == [False] * 26 + [True] * 3
    with Ledger(before) as ledger:
        assert ledger.give_ids(100) == 3
        assert ledger.give_ids(100) == 0
    assert None not in uuids(before)


def test_a_newer_pilah_s_ledger_is_written_where_that_says_so(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    Ledger(file).close()
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(f"SELECT * FROM {WRITER_TABLE}").fetchall() == [(OLDEST_WRITER,)]
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        connection.execute("ALTER TABLE items ADD COLUMN colour TEXT")
    connection.close()
    with Ledger(file) as ledger:
        ledger.append([entry(1)])
        assert list(ledger.entries()) == [entry(1)]
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(f"SELECT * FROM {VERSION_TABLE}").fetchall() == [("9999",)]
    connection.close()


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-21"])
def test_a_row_with_a_time_that_somebody_wrote_gets_an_id_all_the_same(time: str) -> None:
    assert uuid.UUID(id_of_old_item(time, "bin-1", 7)).version == 7
    assert id_of_old_item(time, "bin-1", 7) != id_of_old_item(time, "bin-2", 7)


@pytest.mark.parametrize(
    ("change", "allowed"),
    [("uuid = '7'", True), ("uuid = '7', label = 'x'", False), ("frames = 4", False)],
)
def test_a_row_of_before_can_get_its_id_and_nothing_else(
    before: Path, change: str, allowed: bool
) -> None:
    Ledger(before).close()
    with sqlite3.connect(before) as connection:
        if allowed:
            connection.execute(f"UPDATE items SET {change} WHERE item = 1")
        else:
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                connection.execute(f"UPDATE items SET {change} WHERE item = 1")
    connection.close()


def test_a_disk_without_room_for_the_tables_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = ledgers._prepare

    def small(connection: sqlite3.Connection) -> None:
        prepare(connection)
        connection.execute("PRAGMA max_page_count = 3")

    with monkeypatch.context() as full:
        full.setattr(ledgers, "_prepare", small)
        with pytest.raises(LedgerError, match="the disk is full: free some space"):
            Ledger(tmp_path / "ledger.sqlite")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:  # when there is room
        ledger.append([entry(1)])
        assert list(ledger.entries()) == [entry(1)]
