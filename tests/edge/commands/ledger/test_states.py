"""`pilah-edge ledger states`, `draw` and `audit` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_OK, EXIT_USAGE
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import entry
from tests.edge.ledger.reports.test_reading import PLANTED, at, items, state
from tests.edge.stations import make_station


@pytest.fixture
def station(tmp_path: Path, tiny_bundle: Path) -> Path:
    file = make_station(tmp_path / "station", bundle=tiny_bundle)
    with Ledger(file.with_name("ledger.sqlite")) as ledger:
        ledger.append([*PLANTED, *items(range(1, 101), label="red", lane="warm")])
    return file


def asked(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert main([str(word) for word in words]) == EXIT_OK
    return capsys.readouterr().out


def test_people_are_shown_times_stops_and_what_is_not_known(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = asked(capsys, "ledger", "states", station, "--to", at(3600)).splitlines()
    assert out[0] == "from       2026-11-21T08:00:00Z to 2026-11-21T09:00:00Z"
    assert out[1].split() == ["Execute", "0:47:20.0", "78.9%"]
    assert "stops      3" in out
    assert out[6].split() == ["starved", "0:10:00.0", "80.0%", "1", "time"]
    assert "quality       not known: nothing was audited" in out
    assert out[-1] == "OEE           not known, because a factor is not"


def test_people_are_told_of_the_time_of_which_nobody_knows(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger(station.with_name("ledger.sqlite")) as ledger:
        ledger.append([state(4000, "Starting"), state(4010, "Execute"), state(5000, "Starting")])
    out = asked(capsys, "ledger", "states", station, "--to", at(5000))
    assert "0:16:30.0 are not in it: the station was killed or lost its power" in out
    assert "If it was to sort then, the availability is 61.7%" in out
    assert main(["ledger", "states", str(station), "--to", at(5000), "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["oee"]["unknown_seconds"] == 990


def test_audits_of_drawn_items_make_the_quality_known(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = json.loads(asked(capsys, "ledger", "draw", station, "4", "--json"))["items"]
    assert [set(one) for one in drawn] == [{"id", "time", "item", "lane", "photograph"}] * 4
    shown = asked(capsys, "ledger", "draw", station, "1").split()
    assert (shown[0], shown[-1]) == (drawn[0]["id"], "warm")
    for one, words in zip(
        drawn, (["--label", "red"], ["--label", "blue"], ["--label", "a shoe", "--lane", "rest"],
                ["--label", "blue", "--doubtful"]), strict=True,
    ):  # fmt: skip
        asked(capsys, "ledger", "audit", station, one["id"], *words, "--by", "ana")
    out = asked(capsys, "ledger", "states", station, "--rate", "6", "--json", "--to", at(3600))
    found = json.loads(out)
    assert (found["oee"]["audited"], found["oee"]["right"]) == (3, 1)
    assert found["oee"]["quality"] == 1 / 3
    assert found["oee"]["performance"] == 100 / (0.1 * 2840)
    assert found["oee"]["oee"] == pytest.approx(2840 / 3600 * 100 / 284 / 3)
    assert found["pareto"][0] == {"reason": "starved", "stops": 1, "seconds": 600.0}
    assert found["states"][0] == {"state": "Execute", "mode": "Production", "seconds": 2840.0}
    assert found["stops"][0]["seconds"] == 100.0
    text = asked(capsys, "ledger", "states", station, "--rate", "6")
    assert "quality       33.3% (95 %: " in text
    assert "OEE           9.3% (95 %: " in text


def test_the_ideal_rate_of_the_station_file_makes_the_performance_known(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    until = ("--to", at(3600))
    assert "performance   not known: say with ideal_items_per_minute" in asked(
        capsys, "ledger", "states", station, *until
    )
    station.write_text("ideal_items_per_minute: 6\n" + station.read_text("utf-8"), "utf-8")
    text = asked(capsys, "ledger", "states", station, *until)
    assert "performance   35.2%: 100 items, at up to 6 a minute\n" in text
    found = json.loads(asked(capsys, "ledger", "states", station, "--json", *until))["oee"]
    assert (found["ideal_items_per_minute"], found["performance"]) == (6, 100 / 284)
    text = asked(capsys, "ledger", "states", station, "--rate", "1", *until)
    assert "211.3%: 100 items, at up to 1 a minute. It sorts more than that" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["states", "STATION", "--rate", "0"], "must be above 0"),
        (["states", "STATION", "--rate", "nan"], "must be above 0"),
        (["states", "STATION", "--from", "noon"], "'noon' is no time"),
        (["audit", "STATION", "ITEM", "--label", "cat", "--by", "a"], "no label 'cat'"),
        (["audit", "STATION", "ITEM", "--label", "red", "--lane", "x", "--by", "a"], "no lane 'x'"),
        (["audit", "LEDGER", "ITEM", "--label", "red", "--by", "a"], "or say --lane"),
    ],
)
def test_wrong_words_are_said(
    station: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    names = {"STATION": str(station), "LEDGER": str(station.with_name("ledger.sqlite")),
             "ITEM": entry(1).id}  # fmt: skip
    assert main(["ledger", *(names.get(word, word) for word in words)]) == EXIT_USAGE
    assert said in capsys.readouterr().err


def test_of_a_ledger_without_states_nothing_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.append([entry(1)])
    assert asked(capsys, "ledger", "states", tmp_path / "l.sqlite") == (
        "no state is known of this time\n"
    )
