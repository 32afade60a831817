"""A station and its ledger: events, full and hanging disks, damage."""

from __future__ import annotations

import queue
import sqlite3
import threading
from functools import partial

import pytest

from edge.config.reading import read_station
from edge.core.errors import (
    LedgerError,
    LedgerInUseError,
)
from edge.events import (
    StateChanged,
    StationStarted,
    StationStopped,
)
from edge.ledger import ledger as ledgers
from edge.ledger import opening
from edge.ledger import recorder as recorders
from edge.ledger.ledger import Ledger
from edge.ledger.recorder import Patience
from edge.ledger.recovering import RecoveringLedger
from edge.simulation.virtual_clock import VirtualClock
from tests.edge.station_runs import NewRun
from tests.edge.stations import STATION

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_every_event_is_in_the_ledger_and_has_an_id_of_its_own(new_run: NewRun) -> None:
    run = new_run()
    run(clock=VirtualClock())
    states = [event for event in run.seen if isinstance(event, StateChanged)]
    assert [event.state for event in states] == ["Starting", "Execute", "Complete"]
    started, *_, stopped = (event for event in run.seen if event not in states)
    plan = read_station(run.file)
    assert isinstance(started, StationStarted)
    assert (started.bundle, started.bundle_digest) == ("tiny 1", plan.bundle.digest)
    assert isinstance(stopped, StationStopped)
    assert (stopped.items, stopped.reason) == (3, "")
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        items, moved = list(ledger.entries()), list(ledger.actuations())
        assert list(ledger.happenings()) == [states[0], started, states[1], states[2], stopped]
    assert {event.id for event in run.seen} == {
        event.id for event in (*items, *moved, *states, started, stopped)
    }
    assert len(run.seen) == 3 + 2 + 5
    by_id = {item.id: item for item in items}
    assert [by_id[a.item_id].lane for a in moved] == ["warm", "cold"]
    ids = [item.id for item in items]
    assert ids == sorted(ids)


def test_a_full_disk_does_not_stop_the_sorting(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = ledgers._prepare

    def small(connection: sqlite3.Connection) -> None:
        prepare(connection)
        connection.execute("PRAGMA max_page_count = 36")

    run = new_run(STATION.replace("second: 1000", "second: 1000, loop: true"))
    with monkeypatch.context() as full:
        full.setattr(ledgers, "_prepare", small)
        full.setattr(recorders, "_BATCH_ROWS", 5)  # where the thread is late, all 90 fail as one
        tally = run(max_items=90)
    assert (tally.items, len(run.shown)) == (90, 90)
    assert tally.lost == 0
    assert 0 < tally.spilled < 90
    assert len(run.entries()) == 90 - tally.spilled
    assert sum("the disk is full" in said for said in run.said) == 1
    assert f"waiting    {tally.spilled} rows: the next start adds them to the ledger" in (
        tally.lines()
    )
    run.endings = queue.SimpleQueue()
    assert run(max_items=1).spilled == 0
    assert [entry.item for entry in run.entries()] == [*range(1, 91), 1]


def test_a_full_disk_without_a_spill_loses_rows_and_says_so(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(ledger: Ledger, rows: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Ledger, "append", full)
    run = new_run(STATION.replace("ledger.sqlite}", "ledger.sqlite, spill: none}"))
    tally = run()
    assert (tally.items, len(run.shown), tally.lost) == (3, 3, 3)
    assert "LOST       3 rows are not in the ledger" in tally.lines()


@pytest.mark.parametrize("damage", [b"", b"\0" * 5000, bytes(range(256)) * 40])
def test_a_station_sorts_with_a_ledger_that_is_damaged_at_the_start(
    new_run: NewRun, damage: bytes
) -> None:
    run = new_run()
    file = run.file.with_name("ledger.sqlite")
    file.write_bytes(damage)
    run()
    assert len(run.entries()) == 3
    assert len(list(file.parent.glob("ledger.set-aside-*.sqlite"))) == bool(damage)
    assert any(said.startswith("incident   ") for said in run.said) == bool(damage)


def test_a_station_sorts_without_the_folder_of_its_ledger(new_run: NewRun) -> None:
    run = new_run(STATION.replace("path: ledger", "path: usb/ledger"))
    tally = run()
    assert (tally.items, tally.lost, tally.spilled) == (3, 0, 3)
    assert any("cannot open the ledger" in said for said in run.said)
    (run.file.parent / "usb").mkdir()
    assert run().spilled == 0
    with Ledger(run.file.parent / "usb" / "ledger.sqlite") as ledger:
        assert [entry.item for entry in ledger.entries()] == [1, 2, 3, 1, 2, 3]


def test_a_second_station_with_the_same_ledger_is_refused_and_moves_nothing(
    new_run: NewRun,
) -> None:
    run = new_run()
    with RecoveringLedger(run.file.with_name("ledger.sqlite")) as first:
        first.append([])
        with pytest.raises(LedgerInUseError, match="is the station running already"):
            run()
    assert run.shown == []


def test_rows_that_wait_for_a_hanging_disk_at_the_end_are_kept_for_the_next_start(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(Ledger, "append", lambda ledger, entries: release.wait(60) and None)
    monkeypatch.setattr(opening, "Patience", partial(Patience, hang=0.2, finish=0.2))
    try:
        tally = new_run()()
        assert (tally.lost, tally.spilled) == (0, 3)
    finally:
        release.set()
