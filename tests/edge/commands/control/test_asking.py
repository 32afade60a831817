"""`pilah-edge pause`, `resume`, `reset` and `clear`: what they say, and their exit codes."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.cli import main
from edge.commands.control.asking import state_words, user_name
from edge.control.place import control_path
from edge.control.server import ControlServer
from edge.core.errors import EXIT_CONFIG, EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE
from edge.events import Stamps
from edge.runtime.clock import SYSTEM_CLOCK
from edge.state.keeper import StationStates
from edge.state.machine import State
from edge.state.stops import Cause
from edge.telemetry import status
from tests.edge.state.test_keeper import Pins
from tests.edge.stations import make_station

Give = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(tmp_path: Path, tiny_bundle: Path) -> Path:
    return make_station(tmp_path, bundle=tiny_bundle)


@pytest.fixture
def give(file: Path, capsys: pytest.CaptureFixture[str]) -> Give:
    def give(verb: str, *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([verb, str(file), *words])
        return (code, *capsys.readouterr())

    return give


@pytest.fixture
def states(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StationStates]:
    """Those of a station that sorts, and can be asked."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(status, "SERVICE_FOLDER", folder)
    found = StationStates(
        moving=Pins(), offer=lambda event: None, stamps=Stamps("bin-1", SYSTEM_CLOCK.wall),
        clock=SYSTEM_CLOCK,
    )  # fmt: skip
    found.begin()
    found.ready()
    place = control_path("bin-1", tmp_path / "ledger.sqlite", {"RUNTIME_DIRECTORY": str(folder)})
    with ControlServer(place, found.answer):
        yield found


def test_a_station_is_paused_and_sorts_on(states: StationStates, give: Give) -> None:
    me = pwd.getpwuid(os.getuid()).pw_name
    code, out, _ = give("pause")
    assert code == EXIT_OK
    assert out.startswith("bin-1 is Held since 20")
    assert out.endswith(f"Z: paused by {me}\n")
    assert not states.executes
    code, out, _ = give("resume")
    assert (code, states.executes) == (EXIT_OK, True)
    assert out.startswith("bin-1 is Execute since")


def test_what_does_not_fit_the_state_is_refused(states: StationStates, give: Give) -> None:
    assert give("clear") == (
        EXIT_NO, "", "pilah-edge: error: there is nothing to clear: the station is Execute\n",
    )  # fmt: skip
    assert give("reset")[0] == EXIT_NO


def test_after_an_emergency_stop_each_verb_says_the_next(states: StationStates, give: Give) -> None:
    states.add(Cause("emergency_stop", State.ABORTED, 0))
    assert give("clear")[0] == EXIT_NO
    states.over("emergency_stop")
    assert "`pilah-edge reset` makes it ready. Before somebody reaches" in give("clear")[1]
    assert give("reset")[1].endswith("`pilah-edge resume` lets it sort\n")
    assert give("resume")[1].startswith("bin-1 is Execute")
    assert states.executes


def test_for_programs_the_state_is_one_object(states: StationStates, give: Give) -> None:
    code, out, _ = give("pause", "--json")
    assert (code, json.loads(out)) == (EXIT_OK, states.as_json())


def test_a_station_that_does_not_run_is_not_commanded(give: Give) -> None:
    code, out, said = give("pause")
    assert (code, out) == (EXIT_UNAVAILABLE, "")
    assert said.startswith(
        "pilah-edge: error: the station bin-1 does not run, or cannot be reached"
    )
    assert "start it, or ask as its user" in said


def test_of_the_station_file_only_its_name_and_ledger_matter(file: Path, give: Give) -> None:
    file.write_text("station: bin-1\nledger: {path: ledger.sqlite}\ncamera: nothing\n")
    assert give("pause")[0] == EXIT_UNAVAILABLE
    file.write_text("station: bin-1\n")
    assert give("pause")[0] == EXIT_CONFIG


def test_who_used_sudo_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", str(pwd.getpwnam("daemon").pw_uid))
    assert user_name() == "daemon"
    monkeypatch.setenv("SUDO_UID", "4000000000")
    assert user_name() == "user 4000000000"


def test_the_words_of_a_state() -> None:
    state = {"state": "Held", "mode": "Manual", "since": "2026-11-30T04:12:07.123456Z",
             "reason": "jam", "scope": "warm", "first": "bin_full", "who": ""}  # fmt: skip
    assert state_words(state) == (
        "Held since 2026-11-30T04:12:07Z (mode Manual): jam warm (first bin_full)"
    )
