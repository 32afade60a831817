from __future__ import annotations

import json
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
    KINDS,
    ActuationEnded,
    CameraBack,
    CameraLost,
    CodeRead,
    CodeScanned,
    ExitSeen,
    IncidentEnded,
    IncidentRaised,
    ItemAudited,
    ItemCorrected,
    ItemSorted,
    LedgerBack,
    LedgerFailed,
    ModelChanged,
    PictureContradicted,
    StateChanged,
    StationStarted,
    StationStopped,
    kind_of,
    utc_text,
)
from edge.ledger import ledger as ledger_module
from edge.ledger import sqlite_file
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
from edge.ledger.sqlite_file import LedgerFacts, ledger_facts
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


# Ledgers of pilahs before and after this one

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


EVENTS = [
    StationStarted("01", "2026-11-21T23:04:36.000000Z", "bin-1", "1.2", "tiny 1", "0" * 64),
    CameraLost("02", "2026-11-21T23:05:36.000000Z", "bin-1", "/dev/video0"),
    CameraBack("03", "2026-11-21T23:05:38.000000Z", "bin-1", "/dev/video0", 2.5),
    LedgerFailed("031", "2026-11-21T23:05:39.000000Z", "bin-1", "the disk is full"),
    LedgerBack("032", "2026-11-21T23:05:49.000000Z", "bin-1", 10.0),
    ModelChanged("04", "2026-11-21T23:06:36.000000Z", "bin-1", "tiny 2", "1" * 64),
    StateChanged(
        "042",
        "2026-11-21T23:06:36.500000Z",
        "bin-1",
        "Held",
        "Production",
        "2026-11-21T23:06:36.000000Z",
        "jam",
        "warm",
        "camera_lost",
        "02",
        "ana",
    ),
    IncidentRaised(
        "043",
        "2026-11-21T23:06:36.600000Z",
        "bin-1",
        "jam",
        "warm",
        "It is stuck.",
        "Look.",
        "reset",
    ),
    IncidentEnded("044", "2026-11-21T23:06:36.700000Z", "bin-1", "043", "jam", "warm", 0.1, "ana"),
    ExitSeen("0441", "2026-11-21T23:06:36.800000Z", "bin-1", "warm", 12.5),
    ItemAudited("0442", "2026-11-21T23:06:36.900000Z", "bin-1", "0", "can", "metal", "ana", True),
    CodeRead(
        "045",
        "2026-11-21T23:06:37.000000Z",
        "bin-1",
        1,
        "0",
        "4006381333931",
        "ean13",
        "04006381333931",
        None,
        None,
        None,
        None,
        "turned 45",
        12.5,
    ),
    CodeScanned("046", "2026-11-21T23:06:38.000000Z", "bin-1", "SKU-7"),
    PictureContradicted(
        "047",
        "2026-11-21T23:06:39.000000Z",
        "bin-1",
        "D1",
        "4006381333931",
        "can",
        "jar",
        1,
        "0",
        "rest",
        True,
    ),
    StationStopped("05", "2026-11-21T23:07:36.000000Z", "bin-1", 7, "SIGTERM"),
]


def test_what_happened_to_the_station_is_in_one_table(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([*EVENTS[2:], entry(1)])
        ledger.append([*EVENTS, actuation(1)])  # twice is once
        assert list(ledger.happenings()) == EVENTS
        assert list(ledger.entries()) == [entry(1)]
    with closing(sqlite3.connect(file)) as reader, reader:
        kinds = reader.execute("SELECT kind, details FROM events ORDER BY id").fetchall()
        assert [kind for kind, _ in kinds] == [kind_of(event) for event in EVENTS]
        assert json.loads(kinds[2][1]) == {"camera": "/dev/video0", "lost_seconds": 2.5}
        found = reader.execute(
            "SELECT a.lane FROM items i JOIN actuations a ON a.item_uuid = i.uuid"
        ).fetchall()
        assert found == [("metal",)]
        reader.execute("DROP TRIGGER never_events_update")
        reader.execute("UPDATE events SET kind = 'of a newer pilah' WHERE id = '02'")
    reader.close()
    with Ledger(file) as ledger:
        assert list(ledger.happenings()) == [EVENTS[0], *EVENTS[2:]]


def test_every_kind_of_event_has_a_row_of_its_own_name() -> None:
    assert len(set(KINDS.values())) == len(KINDS)
    own_tables = {ItemSorted, ActuationEnded, ItemCorrected}
    assert {type(event) for event in EVENTS} | own_tables == {*KINDS.values()}


# Rows are never changed

CORRECTION = ItemCorrected(
    "06", "2026-11-21T23:08:36.000000Z", "bin-1", entry(1).id, "Ana", "label", "can", "bottle",
    "it was the green one",
)  # fmt: skip


def test_a_correction_is_a_row_of_its_own(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1), CORRECTION])
        ledger.append([CORRECTION])  # twice is once
        assert list(ledger.corrections()) == [CORRECTION]
        assert list(ledger.entries()) == [entry(1)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE items SET label = 'bottle'",
        "UPDATE items SET uuid = NULL",
        "UPDATE items SET frames = 4",
        "UPDATE items SET quantity = 2",
        "DELETE FROM items",
        "UPDATE actuations SET missed = NULL",
        "DELETE FROM actuations",
        "UPDATE events SET details = '{}'",
        "DELETE FROM events",
        "UPDATE corrections SET new = 'can'",
        "DELETE FROM corrections",
    ],
)
def test_no_program_can_change_a_row(tmp_path: Path, change: str) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1), actuation(1), EVENTS[0], CORRECTION])
    connection = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="never changed: add a correction"):
        connection.execute(change)
    connection.close()


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
