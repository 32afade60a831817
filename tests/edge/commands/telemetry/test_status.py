"""`pilah-edge status`: what it says of a station, and that its exit code tells if it is well."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_NO, EXIT_OK
from edge.telemetry import status as statuses
from edge.telemetry import status_file
from tests.edge.stations import make_station
from tests.edge.telemetry.statuses import BOOT, SIGNS, put, status

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(statuses, "SERVICE_FOLDER", folder)
    read = partial(statuses.read_status, now=lambda: 100.4, boot=lambda: BOOT)
    monkeypatch.setattr(statuses, "read_status", read)
    return folder


@pytest.fixture
def ask(tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    station = make_station(tmp_path, bundle=tiny_bundle)

    def ask(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["status", str(station), *words])
        return code, capsys.readouterr().out

    return ask


def test_a_station_that_is_well(service: Path, tmp_path: Path, ask: Ask) -> None:
    put(service, status(tmp_path / "ledger.sqlite"))
    code, out = ask()
    assert code == EXIT_OK
    assert out.splitlines()[0] == "station    bin-1"
    assert "model      tiny 1  (digest abababababab)\n" in out
    assert "camera     the newest picture is 0.04 s old; lost 1 times; 3 frames dropped" in out
    assert "items      7 since the start: rest 2, warm 5\n" in out
    assert "threads    camera 0.1 s, sorting 0.2 s, lanes 0.3 s, ledger 0.4 s since" in out
    assert out.splitlines()[-1] == "well"


def test_a_station_that_is_not_well(service: Path, tmp_path: Path, ask: Ask) -> None:
    signs = replace(SIGNS, camera_lost=True)
    put(service, status(tmp_path / "ledger.sqlite", signs=signs))
    code, out = ask()
    assert code == EXIT_NO
    assert out.splitlines()[-1] == "NOT WELL   the camera is lost, and is being reopened"


def test_a_station_that_does_not_run(service: Path, ask: Ask) -> None:
    assert ask() == (
        EXIT_NO,
        "station    bin-1\nNOT WELL   the station does not run: it has no status\n",
    )
    code, out = ask("--json")
    assert code == EXIT_NO
    assert json.loads(out) == {
        "well": False,
        "problems": ["the station does not run: it has no status"],
        "age_seconds": None,
        "status": None,
    }


def test_for_programs_all_of_it_is_one_object(service: Path, tmp_path: Path, ask: Ask) -> None:
    written = status(tmp_path / "ledger.sqlite")
    put(service, written)
    code, out = ask("--json")
    found = json.loads(out)
    assert (code, found["well"], found["problems"]) == (EXIT_OK, True, [])
    assert found["age_seconds"] == pytest.approx(0.4)
    assert found["status"] == written.as_json()


def test_sections_that_it_does_not_need_may_be_wrong(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("station: bin-1\nledger: {path: l.sqlite}\ncamera: nothing\n")
    assert main(["status", str(file)]) == EXIT_NO
    file.write_text("station: bin-1\n")
    assert main(["status", str(file)]) == EXIT_CONFIG


@pytest.mark.usefixtures("ledger_within")
def test_a_station_tells_it_from_its_start_to_its_end(
    tmp_path: Path,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    codes: list[int] = []

    class Asked(status_file.StatusFile):
        def tell_of(self, signs: Callable[[], statuses.VitalSigns]) -> None:
            codes.append(main(["status", str(station)]))
            super().tell_of(signs)

        def ready(self, status: str) -> None:
            super().ready(status)
            codes.append(main(["status", str(station)]))

    monkeypatch.setattr(status_file, "StatusFile", Asked)
    assert main(["run", str(station)]) == EXIT_OK
    out = capsys.readouterr().out
    assert codes == [EXIT_NO, EXIT_OK]
    assert "NOT WELL   the station is starting" in out
    assert "state      running; process" in out
    assert main(["status", str(station)]) == EXIT_NO
    assert "the station does not run" in capsys.readouterr().out
