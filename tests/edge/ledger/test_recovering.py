"""Whatever happens to a ledger's file, at the start or while it is written, rows are kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.core.errors import (
    LedgerDamagedError,
    LedgerError,
    LedgerForeignError,
    LedgerInUseError,
    LedgerVersionError,
)
from edge.events import ItemSorted
from edge.ledger import recovering as module
from edge.ledger.ledger import Ledger
from edge.ledger.recovering import RecoveringLedger, set_aside_files
from edge.ledger.sqlite_file import BackgroundCheck
from tests.edge.ledger.entries import entry
from tests.logged import listen

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Place:
    """A ledger in a folder, and what was said of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.sqlite"
        self.said: list[str] = []
        self.ledger = self.open()
        self.written = 0

    def open(self) -> RecoveringLedger:
        listen(self.said.append)
        return RecoveringLedger(self.path, now=lambda: NOON)

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            self.written += 1
            self.ledger.append([entry(self.written)])

    def start_again(self) -> None:
        self.ledger.close()
        self.ledger = self.open()

    @property
    def items(self) -> list[int]:
        return items_of(self.path)

    @property
    def aside(self) -> list[str]:
        return [path.name for path in set_aside_files(self.path)]

    @property
    def names(self) -> list[str]:
        return sorted(entry.name for entry in self.path.parent.iterdir())


def items_of(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT item FROM items ORDER BY id")]
    finally:
        connection.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "place")
    place.path.parent.mkdir()
    yield place
    place.ledger.close()


def flip_middle(path: Path) -> None:
    """Damages what follows the first page, as a card that fails does."""
    raw = bytearray(path.read_bytes())
    for offset in range(1024, len(raw), 1024):
        raw[offset : offset + 8] = bytes(~byte & 255 for byte in raw[offset : offset + 8])
    path.write_bytes(raw)


def flip_head(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[:32] = bytes(~byte & 255 for byte in raw[:32])
    path.write_bytes(raw)


def cut(path: Path) -> None:
    os.truncate(path, 3000)


def fill_with_noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def fill_with_text(path: Path) -> None:
    path.write_text("my shopping list\n" * 1000)


def copy_other_over(path: Path) -> None:
    other = path.with_name("other")
    with closing(sqlite3.connect(other)) as theirs, theirs:
        theirs.executescript("CREATE TABLE photos (id INTEGER); INSERT INTO photos VALUES (1)")
    theirs.close()
    path.write_bytes(other.read_bytes())  # the same file, as `cp` does it
    other.unlink()


DAMAGE = [flip_middle, flip_head, cut, fill_with_noise, fill_with_text, copy_other_over]
NAME = "ledger.set-aside-20261129T120000Z.sqlite"


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_ledger_that_is_damaged_at_the_start_is_set_aside_and_a_new_one_begun(
    place: Place, damage: Callable[[Path], None]
) -> None:
    place.write(40)
    place.ledger.close()
    damage(place.path)
    damaged = place.path.read_bytes()
    place.ledger = place.open()
    place.write(2)
    assert place.items == [41, 42]
    assert place.aside == [NAME]
    assert place.path.with_name(NAME).read_bytes() == damaged
    (said,) = place.said
    assert said.startswith("incident   ")
    assert f"It was set aside as {place.path.with_name(NAME)}, and a new one is begun" in said


def flip_page_of(path: Path, source: bytes) -> None:
    """Damages the page of one row, which no opening and no new row has to read."""
    raw = bytearray(path.read_bytes())
    page = raw.index(source) // 1024 * 1024
    raw[page : page + 8] = b"\xff" * 8
    path.write_bytes(raw)


def finish_check(ledger: RecoveringLedger) -> None:
    if ledger._check is not None:
        ledger._check._thread.join()


def test_a_large_ledger_is_checked_while_rows_are_written_and_none_of_those_is_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(module, "_IDS_AT_OPENING", 1)
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 1)
    place.write(100)
    place.ledger.close()
    flip_page_of(place.path, b"50.jpg")
    place.start_again()
    place.write(2)
    finish_check(place.ledger)
    place.write()
    assert len(place.aside) == 1
    assert place.items == [101, 102, 103]
    assert any("is damaged" in line for line in place.said)


def test_a_large_ledger_that_is_whole_is_written_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    place.write(100)
    place.start_again()
    place.write()
    finish_check(place.ledger)
    place.write()
    assert place.ledger._check is None
    assert place.aside == []
    assert place.items == [*range(1, 103)]
    place.start_again()
    place.write()
    place.ledger.close()  # also in the midst of a check
    assert place.items == [*range(1, 104)]


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [*(d for d in DAMAGE if d is not flip_head), empty])
def test_a_ledger_that_is_written_over_while_it_is_open_keeps_the_rows_that_were_in_its_log(
    place: Place, damage: Callable[[Path], None]
) -> None:
    place.write(40)
    place.start_again()  # these 40 are in the file itself
    place.write(5)
    damage(place.path)
    place.write(2)
    assert place.items == [41, 42, 43, 44, 45, 46, 47]
    assert place.aside == [NAME]
    assert len(place.said) == 1


@pytest.mark.parametrize("damage", [flip_head, fill_with_noise, copy_other_over])
def test_what_was_written_over_and_is_in_the_log_still_is_put_back(
    place: Place, damage: Callable[[Path], None]
) -> None:
    place.write(5)  # of a new ledger all is in the log
    damage(place.path)
    place.write()
    assert (place.items, place.aside) == ([1, 2, 3, 4, 5, 6], [])
    place.start_again()
    place.write()
    assert (place.items, place.said) == ([1, 2, 3, 4, 5, 6, 7], [])


def test_its_log_and_index_go_with_a_ledger_that_is_set_aside(place: Place) -> None:
    place.write(3)
    place.start_again()
    place.write()
    fill_with_noise(place.path)
    log = place.path.with_name("ledger.sqlite-wal").read_bytes()
    place.write()
    assert place.path.with_name(f"{NAME}-wal").read_bytes() == log
    assert place.path.with_name(f"{NAME}-shm").exists()


def test_files_that_are_set_aside_in_the_same_second_do_not_replace_each_other(
    place: Place,
) -> None:
    for _ in range(3):
        place.write()
        place.start_again()
        fill_with_noise(place.path)
    place.write()
    assert place.aside == [
        NAME,
        "ledger.set-aside-20261129T120000Z-2.sqlite",
        "ledger.set-aside-20261129T120000Z-3.sqlite",
    ]


def take_whole(path: Path) -> None:
    for side in ("", "-wal", "-shm"):
        path.with_name(path.name + side).rename(path.with_name("elsewhere.db" + side))


def take_file_alone(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


@pytest.mark.parametrize("take", [take_whole, take_file_alone])
def test_a_ledger_that_is_moved_is_whole_where_it_went_and_a_new_one_is_begun(
    place: Place, take: Callable[[Path], None]
) -> None:
    place.write(5)
    take(place.path)
    place.write(2)
    assert items_of(place.path.with_name("elsewhere.db")) == [1, 2, 3, 4, 5]
    assert place.items == [1, 2, 3, 4, 5, 6, 7]  # what lay in the log only is in both
    assert place.said == [
        f"incident   the ledger {place.path} was moved or deleted. A new one is begun there"
    ]


@pytest.mark.parametrize(
    "sides",
    [("",), ("-wal",), ("-shm",), ("", "-wal", "-shm"), ("-wal", "-shm")],
    ids="+".join,
)
def test_rows_that_were_in_the_log_of_a_deleted_ledger_are_in_the_new_one(
    place: Place, sides: tuple[str, ...]
) -> None:
    place.write(5)
    for side in sides:
        place.path.with_name(place.path.name + side).unlink()
    place.write(2)
    assert place.items == [1, 2, 3, 4, 5, 6, 7]
    assert len(place.said) == 1


def test_a_ledger_that_is_taken_away_in_the_midst_of_a_commit_has_its_rows(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(3)
    ledger = place.ledger._ledger
    assert ledger is not None
    append = ledger.append

    def taken(rows: list[ItemSorted]) -> None:
        append(rows)
        place.path.unlink()

    monkeypatch.setattr(ledger, "append", taken)
    place.write(2)
    assert place.items == [1, 2, 3, 4, 5]


def test_a_folder_that_is_taken_away_is_told_and_taken_into_use_when_it_is_back(
    place: Place,
) -> None:
    place.write(2)
    folder = place.path.parent
    folder.rename(folder.with_name("away"))
    with pytest.raises(LedgerError, match="No such file or directory"):
        place.write()
    folder.with_name("away").rename(folder)
    place.write()
    assert place.items == [1, 2, 4]


def test_a_folder_that_is_missing_at_the_start_is_told_and_tried_again(tmp_path: Path) -> None:
    place = Place(tmp_path / "disk")
    with pytest.raises(LedgerError, match=r"cannot open the ledger .*No such file or directory"):
        place.write()
    place.path.parent.mkdir()
    place.ledger.append([entry(1), entry(2)])
    assert place.items == [1, 2]
    place.ledger.close()


def test_another_program_that_reads_or_checkpoints_does_no_harm(place: Place) -> None:
    place.write(5)
    other = sqlite3.connect(place.path)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    other.close()
    shutil.copystat(__file__, place.path)
    place.write(5)
    assert (place.items, place.said, place.aside) == (list(range(1, 11)), [], [])


@pytest.mark.parametrize("fill", [fill_with_text, copy_other_over])
def test_where_no_ledger_ever_was_the_file_of_another_is_left_as_it_is(
    place: Place, fill: Callable[[Path], None]
) -> None:
    fill(place.path)
    before = place.path.read_bytes()
    for _ in range(2):
        with pytest.raises(LedgerForeignError):
            place.write()
        place.start_again()
    assert place.path.read_bytes() == before
    assert place.names == ["ledger.sqlite"]


def test_a_ledger_of_a_newer_pilah_is_neither_written_nor_set_aside(place: Place) -> None:
    place.write()
    place.start_again()
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerVersionError):
        place.write()
    assert place.aside == []


def test_the_log_is_brought_into_the_file_now_and_then(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHECKPOINT_COMMITS", 5)
    place.ledger.append([])
    place.start_again()
    place.write(4)
    shutil.copy(place.path, place.path.with_name("copy1"))
    place.write(1)
    shutil.copy(place.path, place.path.with_name("copy2"))
    assert items_of(place.path.with_name("copy1")) == []
    assert items_of(place.path.with_name("copy2")) == [1, 2, 3, 4, 5]
    place.write(10)
    assert (place.items, place.said) == (list(range(1, 16)), [])


def test_a_reader_that_holds_an_old_state_puts_that_off_and_loses_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHECKPOINT_COMMITS", 3)
    place.ledger.append([])
    place.start_again()
    place.write(2)
    reader = sqlite3.connect(place.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM items").fetchone()
    place.write(5)
    fill_with_noise(place.path)
    place.write(1)
    reader.close()
    assert place.items == list(range(1, 9))


def test_a_second_one_is_refused_and_told_which_process_is_first(place: Place) -> None:
    place.write()
    listen(place.said.append)
    second = RecoveringLedger(place.path)
    with pytest.raises(
        LedgerInUseError, match=f"process {os.getpid()} is writing the ledger .*running already"
    ):
        second.append([entry(9)])
    assert place.items == [1]
    place.ledger.close()
    second.append([entry(9)])
    second.close()
    assert place.items == [1, 9]


def test_a_lock_file_that_is_deleted_is_made_again(place: Place) -> None:
    place.write()
    place.path.with_name(".ledger.sqlite.lock").unlink()
    place.write()
    with pytest.raises(LedgerInUseError):
        RecoveringLedger(place.path).append([])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root, to mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def test_a_full_disk_is_told_and_written_again_when_there_is_room(small_disk: Path) -> None:
    place = Place(small_disk)
    place.write(2)
    (small_disk / "ballast").write_bytes(bytes(1))
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(300_000))
    with pytest.raises(LedgerError, match="the disk is full: free some space"):
        place.write(100)
    refused = place.written
    (small_disk / "ballast").unlink()
    place.ledger.append([entry(refused)])
    assert place.items == list(range(1, refused + 1))
    place.ledger.close()


def test_a_disk_that_is_full_at_the_start_is_told_and_taken_when_there_is_room(
    small_disk: Path,
) -> None:
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(300_000))
    place = Place(small_disk)
    with pytest.raises(LedgerError, match="the disk is full"):
        place.write()
    (small_disk / "ballast").unlink()
    place.write()
    assert (place.items, place.aside) == ([2], [])
    place.ledger.close()


@pytest.mark.parametrize("written", [0, 3])
def test_a_disk_that_is_read_only_is_told_and_taken_when_it_is_not(
    small_disk: Path, written: int
) -> None:
    place = Place(small_disk)
    place.write(written)
    if written:
        place.start_again()
    remount(small_disk, "ro")
    with pytest.raises(LedgerError, match=r"ledger .*its file system is mounted read-only"):
        place.write()
    remount(small_disk, "rw")
    place.write()
    assert (place.items, place.aside) == ([*range(1, written + 1), written + 2], [])
    place.ledger.close()


def test_rows_of_before_get_their_ids_at_the_start_and_while_others_are_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDS_AT_OPENING", 3)
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 2)
    place.write(9)
    place.ledger.close()
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("DROP TRIGGER never_items_update")
        connection.execute("UPDATE items SET uuid = NULL")
    connection.close()
    left = []
    for _ in range(4):
        place.write()
        with closing(sqlite3.connect(place.path)) as connection, connection:
            ((count,),) = connection.execute("SELECT count(*) FROM items WHERE uuid IS NULL")
        connection.close()
        left.append(count)
    assert left == [4, 2, 0, 0]
    assert place.said == []


def test_a_disk_without_room_for_ids_takes_rows_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(ledger: object, limit: int) -> int:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Ledger, "give_ids", full)
    place.write(3)
    assert place.items == [1, 2, 3]


def test_damage_that_is_found_while_ids_are_given_is_set_aside(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(2)
    place.ledger.close()
    damaged = iter([True])

    def give_ids(ledger: object, limit: int) -> int:
        if next(damaged, False):
            raise LedgerDamagedError("the ledger is damaged")
        return 0

    monkeypatch.setattr(Ledger, "give_ids", give_ids)
    place.write(1)
    assert len(place.aside) == 1
    assert place.items == [1, 2, 3]


def test_a_check_that_cannot_read_the_ledger_finds_no_damage(tmp_path: Path) -> None:
    check = BackgroundCheck(tmp_path)  # a folder
    check._thread.join()
    assert check.finished
    assert check.damage is None
