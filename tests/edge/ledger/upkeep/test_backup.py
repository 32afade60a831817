from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import cast

import pytest

from edge.core.errors import LedgerDamagedError, LedgerError, LedgerMissingError, StorageError
from edge.ledger.ledger import Ledger
from edge.ledger.recovering import RecoveringLedger
from edge.ledger.upkeep import backup
from edge.ledger.upkeep.backup import back_up
from tests.edge.ledger.entries import correction, entry


def test_a_copy_is_one_file_with_all_rows_also_those_in_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    with RecoveringLedger(tmp_path / "ledger.sqlite") as station:
        station.append([entry(1), entry(2), correction(1, "label", "can", "jar")])
        found = back_up(tmp_path / "ledger.sqlite", folder / "copy.sqlite")
        station.append([entry(3)])  # undisturbed
    assert found.rows == {"items": 2, "actuations": 0, "events": 0, "corrections": 1}
    assert [file.name for file in folder.iterdir()] == ["copy.sqlite"]
    with Ledger(folder / "copy.sqlite") as copy:
        assert list(copy.entries()) == [entry(1), entry(2)]


def test_what_a_station_writes_meanwhile_neither_waits_nor_is_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying = backup._copy
    with Ledger(tmp_path / "ledger.sqlite") as station:
        station.append([entry(item) for item in range(100)])

        def interrupted(source: sqlite3.Connection, aside: Path, copy: Path) -> None:
            station.append([entry(100)])
            copying(source, aside, copy)

        monkeypatch.setattr(backup, "_copy", interrupted)
        found = back_up(tmp_path / "ledger.sqlite", tmp_path / "copy.sqlite")
    assert found.rows["items"] == 100


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite").close()
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(StorageError, match="is there already"):
        back_up(tmp_path / "ledger.sqlite", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"


def test_no_copy_is_left_where_it_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    with pytest.raises(LedgerMissingError):
        back_up(ledger, tmp_path / "copy")
    with Ledger(ledger) as opened:
        opened.append([entry(1)])
    with Ledger(tmp_path / "other.sqlite") as other:
        other.append([])
    copying = backup._copy

    def wrong(source: sqlite3.Connection, aside: Path, copy: Path) -> None:
        with sqlite3.connect(tmp_path / "other.sqlite") as opened:
            copying(opened, aside, copy)
        opened.close()

    monkeypatch.setattr(backup, "_copy", wrong)
    with pytest.raises(LedgerDamagedError, match="does not have the rows"):
        back_up(ledger, tmp_path / "copy")
    assert not [file for file in tmp_path.iterdir() if "copy" in file.name]


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ("database or disk is full", StorageError, "cannot write .*copy: the disk is full"),
        ("disk I/O error", LedgerError, "cannot copy the ledger to .*copy: disk I/O error"),
    ],
)
def test_a_copy_that_fails_says_why_and_is_not_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    kind: type[Exception],
    said: str,
) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1)])
    copying = backup._copy

    class Failing:
        def backup(self, target: object, *, pages: int) -> None:
            raise sqlite3.OperationalError(error)

    def fail(source: sqlite3.Connection, aside: Path, copy: Path) -> None:
        copying(cast("sqlite3.Connection", Failing()), aside, copy)

    monkeypatch.setattr(backup, "_copy", fail)
    with pytest.raises(kind, match=said):
        back_up(tmp_path / "ledger.sqlite", tmp_path / "copy")
    assert not [file for file in tmp_path.iterdir() if "copy" in file.name]
