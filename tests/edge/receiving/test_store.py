"""The file of deliveries: two processes, kills, and files that are none."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.core.errors import DeliveryFileError
from edge.receiving.code import read_code
from edge.receiving.scan import Scan
from edge.receiving.store import Deliveries
from tests.edge.receiving.goods_lists import LINES, SHOE, counting, desk_at

SCANNING = """
import sys
from pathlib import Path
from edge.receiving import store
from edge.receiving.code import read_code
from edge.receiving.scan import Scan
from tests.edge.receiving.goods_lists import SHOE, desk_at
store._BUSY_SECONDS = 120.0  # a disk that is slow for one holds up the others
with desk_at(Path(sys.argv[1])) as desk:
    for number in range(int(sys.argv[2])):
        desk.scan("D1", Scan(code=read_code(SHOE)))
        print(number + 1, flush=True)
"""


def scanning(folder: Path, count: int) -> subprocess.Popen[str]:
    """A process that scans so many shoes, and prints how many were answered."""
    words = [sys.executable, "-c", SCANNING, str(folder), str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_processes_count_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.receiving.store._BUSY_SECONDS", 120.0)
    with counting(tmp_path) as desk:
        others = [scanning(tmp_path, 20) for _ in range(2)]
        for _ in range(20):
            desk.scan(None, Scan(code=read_code(SHOE)))
        assert [other.wait() for other in others] == [0, 0]
        for other in others:
            other.communicate()
        assert desk.known("D1").count(1).counted == 60


def test_what_was_answered_is_there_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.receiving.store._BUSY_SECONDS", 120.0)
    with counting(tmp_path):
        pass
    for answered in (1, 7):
        other = scanning(tmp_path, 10_000)
        assert other.stdout is not None
        with desk_at(tmp_path) as desk:
            before = desk.known("D1").count(1).counted
        told = 0
        while told < answered:
            told = int(other.stdout.readline())
        os.kill(other.pid, signal.SIGKILL)
        rest = other.communicate()[0].split("\n")[:-1]
        told = int(rest[-1]) if rest else told
        with desk_at(tmp_path) as desk:
            assert desk.known("D1").count(1).counted >= before
            total = desk.known("D1").count(1).counted
            whole = desk.deliveries._connection.execute("PRAGMA quick_check").fetchall()
        assert whole == [("ok",)]
        assert total >= told


def test_another_process_s_rows_are_seen(tmp_path: Path) -> None:
    with counting(tmp_path) as desk, Deliveries(tmp_path / "deliveries.sqlite") as other:
        other.has_changed()
        assert not other.has_changed()
        desk.scan(None, Scan(code=read_code(SHOE)))
        assert other.has_changed()
        current = other.current()
        assert current is not None
        assert current.count(1).counted == 1


def test_what_was_read_of_other_deliveries_is_forgotten_and_read_again(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        before = list(desk.deliveries.events("D1"))
        desk.deliveries.forget_others("D2")
        assert desk.deliveries._known == {}
        assert list(desk.deliveries.events("D1")) == before
        desk.deliveries.forget_others("D1")
        assert set(desk.deliveries._known) == {"D1"}


def test_rows_are_never_changed(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        for statement in ("UPDATE events SET by = 'x'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="events are never"):
                desk.deliveries._connection.execute(statement)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        made = desk.deliveries.events("D1")[1]
        with pytest.raises(DeliveryFileError, match="UNIQUE"), desk.deliveries.writing():
            desk.deliveries.append([made])
        assert len(desk.deliveries.events("D1")) == 2


def _other_program(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()


def _newer(file: Path) -> None:
    with Deliveries(file):
        pass
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def _unknown_kind(file: Path) -> None:
    with Deliveries(file) as found, found.writing():
        found._connection.execute(
            "INSERT INTO events VALUES (1, 'a', 't', 's', 'D1', 'b', 'teleported', NULL, '{}')"
        )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.mkdir(), "it is a folder, not a file"),
        (lambda file: file.write_text("delivery;sku\n" * 200), "not a database"),
        (_other_program, "of another program and was left as it is"),
        (_newer, "written by a newer pilah (schema 99, this one knows 1)"),
        (_unknown_kind, "event 1 (teleported) of D1 is not one that this pilah can read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_left(
    tmp_path: Path, make: object, said: str
) -> None:
    file = tmp_path / "deliveries.sqlite"
    make(file)  # type: ignore[operator]
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(DeliveryFileError) as caught, Deliveries(file) as found:
        found.state("D1")
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFileError, match="does its folder exist"):
        Deliveries(tmp_path / "none" / "deliveries.sqlite")


def test_every_value_is_read_as_it_was_written(tmp_path: Path) -> None:
    with counting(tmp_path, *LINES) as desk:
        desk.scan(None, Scan(code=read_code("S1"), photograph="ä.jpg"), damaged=True, why="torn")
        before = list(desk.deliveries.events("D1"))
    with desk_at(tmp_path) as desk:
        assert list(desk.deliveries.events("D1")) == before


def test_a_file_in_which_nothing_is_yet_cannot_be_read_alone(tmp_path: Path) -> None:
    (tmp_path / "deliveries.sqlite").touch()
    with pytest.raises(DeliveryFileError, match="nothing is in it yet"):
        Deliveries(tmp_path / "deliveries.sqlite", read_only=True)


def test_a_file_that_another_program_holds_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.receiving.store._BUSY_SECONDS", 0.0)
    with counting(tmp_path) as desk, closing(sqlite3.connect(desk.deliveries.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DeliveryFileError, match="another program holds it locked"):
            desk.scan(None, Scan(code=read_code(SHOE)))
        other.rollback()
        desk.scan(None, Scan(code=read_code(SHOE)))
        assert desk.known("D1").count(1).counted == 1


def test_a_full_disk_is_told_so_and_nothing_is_half_written(tmp_path: Path) -> None:
    with counting(tmp_path) as desk:
        connection = desk.deliveries._connection
        ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        scan = Scan(code=read_code(SHOE), photograph="x" * 10_000)
        with pytest.raises(DeliveryFileError, match="the disk is full: free some space"):
            desk.scan(None, scan)
        connection.execute("PRAGMA max_page_count = 1000000")
        desk.scan(None, scan)
        assert desk.known("D1").count(1).counted == 1
