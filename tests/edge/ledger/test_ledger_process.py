"""What becomes of a station when the process that writes its ledger hangs, ends or cannot begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import LedgerError, LedgerForeignError, LedgerInUseError
from edge.ledger import lock
from edge.ledger.ledger_process import LedgerProcess
from edge.ledger.lock import LedgerLock, lock_path
from edge.ledger.recovering import RecoveringLedger
from tests.edge.ledger.entries import entry
from tests.edge.ledger.test_recovering import items_of
from tests.logged import listen


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def ledger(tmp_path: Path, said: list[str]) -> Iterator[LedgerProcess]:
    listen(said.append)
    ledger = LedgerProcess(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def process_of(ledger: LedgerProcess) -> int:
    assert ledger._child._process is not None
    return ledger._child._process.pid


def test_it_writes_and_says_what_was_found(ledger: LedgerProcess, said: list[str]) -> None:
    ledger.append([])
    ledger.append([entry(1), entry(2)])
    ledger.path.unlink()
    ledger.append([entry(3)])
    ledger.close()
    ledger.close()
    assert items_of(ledger.path) == [1, 2, 3]
    assert len(said) == 1
    assert "was moved or deleted. A new one is begun there" in said[0]


def test_where_the_process_is_ended_a_new_one_goes_on(ledger: LedgerProcess) -> None:
    ledger.append([entry(1)])
    os.kill(process_of(ledger), signal.SIGBUS)
    with pytest.raises(LedgerError, match=r"its process ended \(SIGBUS\), as it does where a disk"):
        ledger.append([entry(2)])
    ledger.append([entry(2)])
    assert items_of(ledger.path) == [1, 2]


def test_signals_that_end_the_station_do_not_end_it_before_its_rows_are_written(
    ledger: LedgerProcess,
) -> None:
    ledger.append([])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process_of(ledger), number)
    ledger.append([entry(1)])
    assert items_of(ledger.path) == [1]


def test_a_process_that_cannot_be_started_is_an_error_of_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    ledger = LedgerProcess(tmp_path / "ledger.sqlite")
    with pytest.raises(LedgerError, match=r"its process cannot be started \(No such file"):
        ledger.append([])
    monkeypatch.undo()
    ledger.append([entry(1)])
    ledger.close()
    assert items_of(ledger.path) == [1]


def test_what_a_person_must_see_to_is_told_as_it_is(ledger: LedgerProcess) -> None:
    ledger.path.write_text("my shopping list\n" * 100)
    with pytest.raises(LedgerForeignError):
        ledger.append([])


def test_it_holds_the_lock_in_the_name_of_the_station(ledger: LedgerProcess) -> None:
    ledger.append([])
    with pytest.raises(LedgerInUseError, match=f"process {os.getpid()} is writing the ledger"):
        RecoveringLedger(ledger.path).append([])


def test_a_lock_that_a_station_has_left_is_waited_for_and_is_no_second_station(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = LedgerLock(tmp_path / "ledger.sqlite", owner=ended.pid)
    left.hold()
    ledger = LedgerLock(tmp_path / "ledger.sqlite")
    monkeypatch.setattr(lock, "_ORPHAN_SECONDS", 0)
    with pytest.raises(LedgerError, match="which has ended, still waits for its disk") as raised:
        ledger.hold()
    assert not isinstance(raised.value, LedgerInUseError)
    monkeypatch.setattr(lock, "_ORPHAN_SECONDS", 60)
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: left.release())
    ledger.hold()
    assert lock_path(tmp_path / "ledger.sqlite").read_text() == f"{os.getpid()}\n"
    ledger.release()
