from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge.core.errors import StatusRefusedError
from edge.runtime.clock_state import boot_id
from edge.telemetry import status as statuses
from edge.telemetry import status_file as module
from edge.telemetry.status import StatusReading, read_status
from edge.telemetry.status_file import StatusFile
from tests.edge.telemetry.statuses import SIGNS, put, status
from tests.logged import listen


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Place:
    """A service's folder, and the status of its station."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ledger, self.clock = folder / "run", folder / "ledger.sqlite", Clock()
        self.folder.mkdir()
        self.environment = {"RUNTIME_DIRECTORY": str(self.folder)}

    def open(self) -> StatusFile:
        return StatusFile(
            "bin-1", self.ledger, environment=self.environment, wall=lambda: 0.0, clock=self.clock
        )

    def read(self) -> StatusReading | None:
        return read_status("bin-1", self.ledger, environment=self.environment, now=self.clock)

    @property
    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(statuses, "SERVICE_FOLDER", tmp_path / "none")
    return Place(tmp_path)


def test_a_status_says_each_state_and_is_removed_at_the_end(place: Place) -> None:
    states = []
    with place.open() as file:
        for step in (
            lambda: None,
            lambda: file.ready("sorting"),
            file.alive,
            file.stopping,
        ):
            step()
            found = place.read()
            assert found is not None
            states.append(found.status.state.value)
        assert place.files == ["bin-1.json"]  # nothing is left of what was written aside
        file.close()
    assert states == ["starting", "running", "running", "stopping"]
    assert place.files == []


def test_a_status_has_the_process_and_the_signs_of_the_station(place: Place) -> None:
    with place.open() as file:
        before = place.read()
        file.tell_of(lambda: SIGNS)
        place.clock.seconds += 3
        file.alive()
        after = place.read()
    assert before is not None
    assert before.status.signs is None
    assert after is not None
    assert after.status.signs == SIGNS
    assert (after.status.pid, after.status.boot_id) == (os.getpid(), boot_id())
    assert (after.status.started, after.status.monotonic) == ("1970-01-01T00:00:00.000000Z", 1003.0)
    assert after.status.resident_bytes is not None
    assert 10e6 < after.status.resident_bytes < 10e9
    assert after.age_seconds == 0


def test_whoever_reads_meanwhile_finds_a_whole_status(place: Place) -> None:
    with place.open() as file:
        old = (place.folder / "bin-1.json").open("rb")
        file.alive()
        with old:
            assert json.loads(old.read())["state"] == "starting"
        assert json.loads((place.folder / "bin-1.json").read_bytes())["state"] == "running"


def test_that_it_cannot_be_written_is_said_once_and_the_station_goes_on(place: Place) -> None:
    said: list[str] = []
    listen(said.append)
    with place.open() as file:
        (place.folder / "bin-1.json").unlink()
        (place.folder / "bin-1.json").mkdir()
        file.alive()
        file.alive()
        assert [line for line in said if "cannot write the status" in line] == said
        assert len(said) == 1
        (place.folder / "bin-1.json").rmdir()
        file.alive()
        assert place.read() is not None


def test_where_there_is_no_place_in_memory_nothing_is_written(place: Place) -> None:
    place.folder.rmdir()
    with place.open() as file:
        file.alive()
        assert file.path is None
    assert not place.folder.exists()


def test_a_start_that_will_be_refused_leaves_the_status_of_the_station_that_runs(
    place: Place,
) -> None:
    running = status(place.ledger)
    put(place.folder, running, pid=os.getppid(), monotonic=999.0, boot_id=boot_id())
    with place.open():
        found = place.read()
    assert found is not None
    assert found.status.pid == os.getppid()
    assert place.files == ["bin-1.json"]


def test_a_start_after_a_kill_takes_the_place_of_the_old_status(place: Place) -> None:
    put(place.folder, status(place.ledger), pid=2**22 + 1, monotonic=999.0, boot_id=boot_id())
    with place.open():
        found = place.read()
        assert found is not None
        assert found.status.pid == os.getpid()


def test_a_status_that_may_not_be_read_holds_up_no_start(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise StatusRefusedError("the status may not be read by this user")

    with monkeypatch.context() as patch:
        patch.setattr(module, "read_status", refused)
        file = place.open()
    with file:
        found = place.read()
    assert found is not None
    assert found.status.pid == os.getpid()


@pytest.mark.parametrize("content", [None, "", "no number here"])
def test_where_the_system_tells_of_no_memory_none_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "statm").write_text(content)
    monkeypatch.setattr(module, "_STATM", tmp_path / "statm")
    with place.open():
        found = place.read()
    assert found is not None
    assert found.status.resident_bytes is None
