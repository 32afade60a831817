"""A station whose bundle or whose neighbours keep it from starting, before it opens anything."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.cli import main
from edge.config.reading import read_config, read_station
from edge.core.errors import (
    EXIT_CONFIG,
    EXIT_IO,
    EXIT_NO,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    NeighbourError,
)
from edge.ledger.lock import LedgerLock
from edge.ledger.recovering import RecoveringLedger
from edge.neighbours.claims import neighbour_of
from edge.neighbours.running import OwnClaims
from edge.state.refused_start import tell_of_refused_start
from tests.edge.stations import make_station

pytestmark = pytest.mark.usefixtures("ledger_within")


def told(folder: Path) -> list[tuple[str, str]]:
    """The events of states and incidents, with what each says."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        found = connection.execute(
            "SELECT kind, details FROM events WHERE kind <> 'station_started' ORDER BY id"
        ).fetchall()
    read = [(kind, json.loads(details)) for kind, details in found]
    return [
        (kind, details.get("cause") or details.get("state") or details.get("name", ""))
        for kind, details in read
    ]


def test_a_bundle_that_is_gone_is_told_once_and_shown_until_the_station_starts(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = str(make_station(tmp_path, bundle=tiny_bundle))
    assert main(["run", station]) == EXIT_OK
    before = told(tmp_path)
    shutil.move(tmp_path / "bundle", tmp_path / "away")
    for _ in range(3):
        assert main(["run", station]) in (EXIT_CONFIG, EXIT_IO)
    starting, (kind, cause), stopped = told(tmp_path)[len(before) :]
    assert (starting, stopped) == (("state_changed", "Starting"), ("state_changed", "Stopped"))
    assert kind == "incident_raised"
    assert f"{station}:2: bundle: " in cause
    capsys.readouterr()
    assert main(["status", station]) == EXIT_NO
    assert "NOT WELL   the station could not be started at " in (said := capsys.readouterr().out)
    assert cause in said
    shutil.move(tmp_path / "away", tmp_path / "bundle")
    assert main(["run", station]) == EXIT_OK
    assert ("incident_ended", "start_failed") in told(tmp_path)
    capsys.readouterr()
    main(["status", station])
    assert "could not be started" not in capsys.readouterr().out


@pytest.fixture
def sorted_once(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The file of a station that has sorted, and opens no lane and writes no row from now on."""
    station = make_station(tmp_path, bundle=tiny_bundle)
    assert main(["run", str(station)]) == EXIT_OK
    before, opened = told(tmp_path), []
    monkeypatch.setattr("edge.station.open_lanes", lambda *_, **__: opened.append("lanes"))
    yield station
    assert (opened, told(tmp_path)) == ([], before)


def test_one_that_runs_already_is_not_opened_again_and_nothing_of_it_is_in_its_ledger(
    sorted_once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = read_station(sorted_once)
    own = neighbour_of(plan.config, plan.file)
    with OwnClaims(own, plan.config.ledger.path, real_pins=False):
        capsys.readouterr()
        assert main(["run", str(sorted_once)]) == EXIT_UNAVAILABLE
    said = capsys.readouterr().err
    assert "the station bin-1 runs already: bin-1 (" in said
    assert "ledger" not in said.partition("Stop that one")[0]


def test_one_whose_ledger_another_process_writes_is_not_opened_either(
    sorted_once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it claims may be unseen: another user's, or removed when that user's session ended."""
    lock = LedgerLock(read_station(sorted_once).config.ledger.path)
    lock.hold()
    capsys.readouterr()
    assert main(["run", str(sorted_once)]) == EXIT_IO
    lock.release()
    assert "is the station running already?" in capsys.readouterr().err


def test_one_that_collides_with_another_station_tells_that(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = str(make_station(tmp_path, bundle=tiny_bundle))
    assert main(["run", station]) == EXIT_OK

    def collides(*_: object, **__: object) -> None:
        raise NeighbourError("GPIO 23 is needed by the station cell-2, too")

    monkeypatch.setattr(OwnClaims, "__init__", collides)
    assert main(["run", station]) == EXIT_UNAVAILABLE
    assert ("incident_raised", "GPIO 23 is needed by the station cell-2, too.") in told(tmp_path)


def test_nothing_is_begun_for_a_station_that_never_sorted_or_whose_file_is_wrong(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    file = make_station(tmp_path, bundle=tiny_bundle)
    shutil.move(tmp_path / "bundle", tmp_path / "away")
    assert main(["run", str(file)]) in (EXIT_CONFIG, EXIT_IO)
    file.write_text(file.read_text("utf-8") + "ledgre: {}\n", "utf-8")
    assert main(["run", str(file)]) == EXIT_CONFIG
    assert not (tmp_path / "ledger.sqlite").exists()


def test_the_ledger_of_one_that_runs_is_left_alone(
    tmp_path: Path, tiny_bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = read_config(make_station(tmp_path, bundle=tiny_bundle))
    with RecoveringLedger(config.ledger.path) as running:
        running.append([])
        tell_of_refused_start(config, OSError("its bundle is gone"))
    assert "this start is not in the ledger" in caplog.text
    assert told(tmp_path) == []
