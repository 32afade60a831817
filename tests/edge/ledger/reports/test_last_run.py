"""What is read of the run before, when the clock did not do what clocks do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.errors import LedgerMissingError
from edge.events import (
    CameraBack,
    CameraLost,
    Event,
    IncidentEnded,
    IncidentRaised,
    ItemCorrected,
    Stamps,
    StateChanged,
    StationStopped,
)
from edge.ledger.ledger import Ledger
from edge.ledger.reports import last_run as runs
from edge.ledger.reports import newest_events, open_incidents, reading, seconds
from edge.ledger.reports.last_run import _OWN, LastRun, desk_stamps, last_run, newest_id
from edge.ledger.schema import HAPPENINGS
from edge.ledger.spill import Spill
from edge.ledger.sqlite_file import open_to_read
from edge.state.incidents.kinds import INCIDENTS
from tests.edge.ledger.entries import entry


def stamps(hour: float, after: str = "") -> Stamps:
    return Stamps("bin-1", lambda: 3600 * hour, after=after)


def state(hour: float, name: str, after: str = "", mode: str = "Production") -> StateChanged:
    stamp = stamps(hour, after).now()
    return StateChanged(*stamp, name, mode, stamp.time, "", "", "", None, "", "a")


def raised(hour: float, scope: str) -> IncidentRaised:
    return IncidentRaised(*stamps(hour).now(), "jam", scope, "Stuck.", "Clear it.", "reset")


def over(hour: float, of: IncidentRaised) -> IncidentEnded:
    return IncidentEnded(*stamps(hour).now(), of.id, of.name, of.scope, 1.0)


def correction(hour: float) -> ItemCorrected:
    return ItemCorrected(*stamps(hour).now(), "item", "ana", "label", "a", "b", "seen")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "spill"


def write(file: Path, *events: Event) -> None:
    with Ledger(file) as ledger:
        ledger.append(events)


def leave(spill: Path, *events: Event) -> None:
    with closing(Spill(spill)) as waiting:
        waiting.append(events)


def test_the_last_state_is_that_with_the_greatest_id_whatever_its_time(file: Path) -> None:
    stopped = state(9, "Stopped")
    aborted = state(2, "Aborted", after=stopped.id)
    write(file, stopped, aborted)
    assert aborted.time < stopped.time
    assert last_run(file, None) == LastRun(aborted.id, "Aborted", "Production")


def test_a_state_that_waits_in_the_spill_is_later_than_those_of_the_ledger(
    file: Path, spill: Path
) -> None:
    write(file, running := state(1, "Execute"))
    leave(spill, aborted := state(1, "Aborted", after=running.id))
    assert last_run(file, spill) == LastRun(aborted.id, "Aborted", "Production")
    assert spill.exists()  # it still waits
    file.unlink()
    assert last_run(file, spill) == LastRun(aborted.id, "Aborted", "Production")


def test_the_last_mode_is_that_of_the_last_state(file: Path, spill: Path) -> None:
    write(file, stopped := state(1, "Stopped", mode="Maintenance"))
    assert last_run(file, None).mode == "Maintenance"
    leave(spill, state(1, "Stopped", after=stopped.id, mode="Manual"))
    assert last_run(file, spill).mode == "Manual"


def test_what_waits_for_a_person_is_that_of_the_last_state(file: Path, spill: Path) -> None:
    held = replace(state(1, "Held"), waits_for="paused, jam warm")
    write(file, held)
    assert last_run(file, None).waits_for == "paused, jam warm"
    leave(spill, replace(state(1, "Stopped", after=held.id), waits_for="stopped"))
    assert last_run(file, spill).waits_for == "stopped"


def test_the_newest_id_is_that_of_any_event_or_correction(file: Path) -> None:
    write(file, last := StationStopped(*stamps(5).now(), 1, ""), state(1, "Execute"))
    assert newest_id(file) == last.id
    assert last_run(file, None) == LastRun(last.id, "Execute", "Production")
    write(file, corrected := correction(7))
    assert newest_id(file) == corrected.id
    assert desk_stamps(file, "bin-1", lambda: 0.0).new_id() > corrected.id
    write(file, item := entry(1))
    assert newest_id(file) == item.id


def test_incidents_that_have_not_ended_are_left_open_by_the_run_that_had_them(
    file: Path, spill: Path
) -> None:
    old, ended, left, waits = raised(1, "old"), raised(3, "ended"), raised(4, "a"), raised(7, "b")
    lost, again = CameraLost(*stamps(5).now(), "cam"), CameraLost(*stamps(6).now(), "other")
    write(file, old, state(2, "Starting"), ended, left, lost, again, over(6, ended))
    write(file, CameraBack(*stamps(6.5).now(), "other", 1800.0), state(8, "Stopped"))
    found = last_run(file, None)
    assert [(one.id, one.name, one.scope, one.since) for one in found.open] == [
        (left.id, "jam", "a", left.time), (lost.id, "camera_lost", "", lost.time),
    ]  # fmt: skip
    leave(spill, lost, waits, over(8, left))
    assert [one.id for one in last_run(file, spill).open] == [lost.id, waits.id]


def test_a_disk_too_slow_for_incidents_leaves_the_state_known(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(file, stopped := state(1, "Stopped", mode="Maintenance"))
    over = threading.Event()

    def hangs(path: Path) -> list[object]:
        assert over.wait(120)
        return []

    monkeypatch.setattr("edge.ledger.reports.last_run._of_last_run", hangs)
    found = LastRun()
    for patience in (1, 10, 40):  # a busy machine may be too slow for the state, too
        if not found.state:
            found = last_run(file, None, patience=patience)
    over.set()
    assert found == LastRun(stopped.id, "Stopped", "Maintenance")


def test_before_the_first_run_there_is_none(file: Path, spill: Path) -> None:
    assert last_run(file, None) == last_run(file, spill) == LastRun("", "")
    with Ledger(file):
        pass
    assert last_run(file, None) == LastRun("", "")
    with pytest.raises(LedgerMissingError):
        newest_id(file.with_name("another.sqlite"))


def test_what_cannot_be_read_is_not_known(file: Path, spill: Path) -> None:
    write(file, known := state(1, "Stopped"))
    spill.mkdir()
    assert last_run(file, spill) == LastRun(known.id, None)
    file.write_bytes(b"SQLite format 3\0" + bytes(4096))
    assert last_run(file, None).state is None


def test_a_disk_that_hangs_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    @contextmanager
    def hangs(path: Path) -> Iterator[None]:
        over.wait()
        raise LedgerMissingError(str(path))
        yield

    monkeypatch.setattr("edge.ledger.reports.last_run.open_to_read", hangs)
    assert last_run(file, None, patience=0.01) == LastRun("", None)
    over.set()


def test_the_incidents_with_events_of_their_own_are_those_of_the_table() -> None:
    own = {}
    for name, kind in INCIDENTS.items():
        if kind.raised != "incident_raised" and kind.ended is not None:
            own |= {kind.raised: (name, True), kind.ended: (name, False)}
    assert own == _OWN
    assert {*_OWN, "incident_raised", "incident_ended", "state_changed"} <= {*HAPPENINGS}


def test_what_happened_to_the_station_is_found_by_its_index_and_not_among_all_events(
    file: Path,
) -> None:
    write(file, state(1, "Execute"))
    with open_to_read(file) as connection:
        for query, values in (
            (runs._STATE, ()), (runs._INCIDENTS, ()), (open_incidents._START, ()),
            (open_incidents._ROWS, ("",)), (newest_events._NEWEST, (9,)),
            (reading._STATES, ()), (seconds._ROWS, ("",)),
        ):  # fmt: skip
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
            assert any("INDEX ix_events_of_station" in row[3] for row in plan), query
