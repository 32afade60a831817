from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import StatusRefusedError
from edge.telemetry import status as statuses
from edge.telemetry.status import (
    StationState,
    StatusReading,
    problems_of,
    read_status,
    status_path,
)
from tests.edge.telemetry.statuses import BOOT, SIGNS, put, status


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture(autouse=True)
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a service of stations, in place of that which this machine may have."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(statuses, "SERVICE_FOLDER", folder)
    return folder


def read(ledger: Path, *, now: float = 100.4, boot: str | None = BOOT) -> StatusReading | None:
    return read_status("bin-1", ledger, environment={}, now=lambda: now, boot=lambda: boot)


def test_what_was_written_is_read_with_its_age(service: Path, ledger: Path) -> None:
    put(service, status(ledger))
    found = read(ledger)
    assert found is not None
    assert found.status == status(ledger)
    assert found.age_seconds == pytest.approx(0.4)
    assert problems_of(found) == []


def test_a_station_that_does_not_run_has_none(ledger: Path) -> None:
    assert read(ledger) is None
    assert problems_of(None) == ["the station does not run: it has no status"]


def test_a_status_of_an_earlier_boot_has_no_age(service: Path, ledger: Path) -> None:
    put(service, status(ledger))
    found = read(ledger, boot="another")
    assert found is not None
    assert found.age_seconds is None
    assert problems_of(found) == ["the station has not run since this machine was started"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[1]", b'{"station": "bin-1"}', b"\xff" * 10, b" " * 70_000, b"null"],
    ids=["empty", "cut", "list", "values missing", "no text", "large", "null"],
)
def test_a_file_that_is_no_status_is_none(service: Path, ledger: Path, raw: bytes) -> None:
    (service / "bin-1.json").write_bytes(raw)
    assert read(ledger) is None


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "nobody"])
def test_a_place_that_somebody_else_took_is_none(service: Path, ledger: Path, kind: str) -> None:
    place = service / "bin-1.json"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to(put(service, status(ledger)).rename(service / "true.json"))
    else:
        if os.geteuid() != 0:
            pytest.skip("needs root, to give a file to another user")
        put(service, status(ledger))
        os.chown(place, 65534, 65534)
    assert read(ledger) is None


def test_a_place_that_this_user_may_not_read_is_an_error_unless_another_has_one(
    service: Path, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(statuses, "MEMORY", memory)
    opened = os.open

    def refusing(path: Path, *how: Any) -> int:
        if path.parent == service:
            raise PermissionError
        return opened(path, *how)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(StatusRefusedError, match="as the user of the service"):
        read(ledger)
    place = status_path("bin-1", ledger, {})
    assert place is not None
    put(memory, status(ledger)).rename(place)
    assert read(ledger) is not None


@pytest.mark.parametrize(
    "changes", [{"station": "bin-2"}, {"ledger": "/elsewhere/ledger.sqlite"}], ids=str
)
def test_the_status_of_another_station_is_none(
    service: Path, ledger: Path, changes: dict[str, Any]
) -> None:
    put(service, status(ledger), **changes).rename(service / "bin-1.json")
    assert read(ledger) is None


def test_values_that_a_newer_pilah_added_are_left_out(service: Path, ledger: Path) -> None:
    file = put(service, status(ledger))
    file.write_text(file.read_text().replace('{"station"', '{"weather": "fine", "station"'))
    found = read(ledger)
    assert found is not None
    assert found.status == status(ledger)


def test_of_two_the_newer_counts(
    service: Path, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(statuses, "MEMORY", memory)
    put(service, status(ledger), pid=1)
    place = status_path("bin-1", ledger, {})
    assert place is not None
    assert place.parent == memory
    put(memory, status(ledger), pid=2, monotonic=100.2).rename(place)
    found = read(ledger)
    assert found is not None
    assert found.status.pid == 2


@pytest.mark.parametrize(
    ("state", "age", "says"),
    [
        (StationState.RUNNING, 4.9, []),
        (
            StationState.RUNNING,
            14.2,
            ["the station hangs or was killed: its status is 14 seconds old"],
        ),
        (StationState.STARTING, 60.0, ["the station is starting"]),
        (
            StationState.STARTING,
            121.0,
            ["the station hangs or was killed: its status is 121 seconds old"],
        ),
        (StationState.STOPPING, 1.0, ["the station is stopping"]),
    ],
    ids=str,
)
def test_its_age_and_its_state_say_whether_a_station_is_well(
    ledger: Path, state: StationState, age: float, says: list[str]
) -> None:
    assert problems_of(StatusReading(status(ledger, state=state), age)) == says


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"camera_lost": True}, "the camera is lost, and is being reopened"),
        ({"silent_seconds": {"lanes": 5.4}}, "the thread lanes has not responded for 5 seconds"),
        (
            {"ledger_fails": True, "items_spilled": 4},
            "the ledger cannot be written: is its disk full, or does it hang?",
        ),
        (
            {"items_spilled": 4},
            "the rows of 4 items still wait to be added to the ledger",
        ),
        (
            {"counts_fail": True, "counts_waiting": 4},
            "the file of deliveries cannot be used, as the station's log says: 4 items wait to be "
            "counted",
        ),
    ],
    ids=str,
)
def test_each_part_that_is_not_well_is_a_reason(
    ledger: Path, changes: dict[str, Any], says: str
) -> None:
    found = status(ledger, signs=replace(SIGNS, **changes))
    assert problems_of(StatusReading(found, 0.1)) == [says]
