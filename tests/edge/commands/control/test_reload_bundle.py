"""A station that really runs is given other bundles, by the verbs, and sorts on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.core.errors import EXIT_DATA, EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE
from edge.events import IncidentEnded, IncidentRaised, ModelChanged
from edge.ledger.ledger import Ledger
from edge.telemetry.status import read_status
from tests.bundles import change_manifest
from tests.edge.rollout.rollouts import OPEN, make_pinned, make_signed
from tests.edge.stations import RUN

LIVE = OPEN.replace("frames_per_second: 1000", "frames_per_second: 50, loop: true")


class Daemon:
    """A station in a process of its own."""

    def __init__(self, station: Path, process: subprocess.Popen[str]) -> None:
        self.station, self._process = station, process
        self.rows: list[dict[str, Any]] = []

    def sorts_by(self, bundle: str) -> None:
        """Waits for an item that a model of this name and version has judged."""
        assert self._process.stdout is not None
        while not self.rows or self.rows[-1]["bundle"] != bundle:
            line = self._process.stdout.readline()
            assert line, "the station has ended"
            self.rows.append(json.loads(line))
            assert len(self.rows) < 5000, "which takes longer than any bundle"

    def has_incidents(self, *names: str) -> None:
        """Waits until these are open, by its status."""
        found: tuple[str, ...] | None = None
        while found != names:
            time.sleep(0.05)
            assert self._process.poll() is None
            reading = read_status("bin-1", self.station.with_name("ledger.sqlite"))
            if reading is not None and (signs := reading.status.signs) is not None:
                found = None if signs.state is None else signs.state.incidents

    def end(self) -> str:
        """What it said."""
        self._process.send_signal(signal.SIGTERM)
        _, said = self._process.communicate()
        assert self._process.returncode == EXIT_OK
        return said


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A station that sorts by the bundle `tiny 1`, which was installed."""
    station = make_pinned(tmp_path / "station", text=LIVE)
    assert main(["install", str(make_signed(tmp_path, "1", key=None)), str(station)]) == EXIT_OK
    with subprocess.Popen(
        [*RUN, str(station), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            found = Daemon(station, process)
            found.sorts_by("tiny 1")
            yield found
        finally:
            process.kill()


def test_a_running_station_takes_what_is_installed_and_keeps_its_bundle_where_it_refuses_it(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = str(daemon.station)
    assert main(["install", str(make_signed(tmp_path, "2", key=None)), station]) == EXIT_OK
    assert "bin-1 sorts by tiny 2 (digest " in capsys.readouterr().out
    daemon.sorts_by("tiny 2")
    wrong = with_wrong_golden(make_signed(tmp_path, "3", key=None))
    assert main(["install", str(wrong), station]) == EXIT_DATA  # and the station is not told
    daemon.has_incidents()
    link = daemon.station.with_name("model")
    link.unlink()
    link.symlink_to(wrong)  # as `install` would never do it
    assert main(["reload-bundle", station]) == EXIT_NO
    said = capsys.readouterr().err
    assert "bin-1 refuses the bundle, and sorts on by tiny 2: " in said
    assert "golden/0.png gets other scores on this machine" in said
    daemon.has_incidents("model_refused")
    link.unlink()
    link.symlink_to("model.versions/tiny-2")
    assert main(["reload-bundle", station, "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["bundle"] == "tiny 2"
    daemon.has_incidents()
    assert main(["rollback", station]) == EXIT_OK
    assert "bin-1 sorts by tiny 1 (digest " in capsys.readouterr().out
    daemon.sorts_by("tiny 1")
    said = daemon.end()
    assert "incident   model_refused: " in said
    with Ledger(daemon.station.with_name("ledger.sqlite")) as ledger:
        entries, told = list(ledger.entries()), list(ledger.happenings())
    assert [entry.item for entry in entries] == list(range(1, len(entries) + 1))
    by = [bundle for bundle, _ in groupby(entry.bundle for entry in entries)]
    assert by == ["tiny 1", "tiny 2", "tiny 1"]
    changes = [event.bundle for event in told if isinstance(event, ModelChanged)]
    assert changes == ["tiny 2", "tiny 1"]
    refused = [
        one for one in told if isinstance(one, IncidentRaised) and one.name == "model_refused"
    ]
    (raised,) = refused
    assert raised.id in {event.incident_id for event in told if isinstance(event, IncidentEnded)}
    assert "golden/0.png gets other scores" in raised.cause
    assert "pilah-edge rollback" in raised.what_to_do


def with_wrong_golden(bundle: Path) -> Path:
    """`bundle`, whose golden picture was recorded with other scores than its model gives."""

    def change(fields: dict[str, Any]) -> None:
        fields["golden"]["pictures"][0]["scores"] = [0.0, 0.0, 1.0]

    change_manifest(bundle, change)
    return bundle


def test_a_station_that_does_not_run_is_told_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_pinned(tmp_path / "station", text=LIVE)
    assert main(["reload-bundle", str(station)]) == EXIT_UNAVAILABLE
    assert "the station bin-1 does not run, or cannot be reached" in capsys.readouterr().err
