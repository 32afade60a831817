"""`pilah-edge simulate`, as one calls it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import (
    EXIT_CONFIG,
    EXIT_DATA,
    EXIT_IO,
    EXIT_NO,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
)
from tests.bundles import SPEC
from tests.edge.simulation.faults.test_told import CAROUSEL
from tests.edge.simulation.photographs import STATION, belt_station, write_things

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_the_table_and_the_json_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = belt_station(tmp_path)
    words = ["simulate", str(file), "--items", str(tmp_path / "things"), "--count", "2"]
    assert main(words) == EXIT_OK
    shown = capsys.readouterr()
    table = shown.out
    assert "no more can" not in shown.err
    assert "has no label" not in shown.err
    page = tmp_path / "page.html"
    assert main([*words, "--json", "--html", str(page)]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert "items      2 in" in table
    assert "accepted   too few to say (2; about 20 needed), of what was accepted and moved" in table
    assert "2 items got one, 0 none, 0 several; 0 verdicts for no item" in table
    assert page.read_text("utf-8").count("<img ") == 2
    assert "Stops and OEE" in page.read_text("utf-8")
    # Until the trigger has learned the background, the station is Starting.
    available = found["state"]["availability"]
    assert 0.5 < available < 1
    assert f"availability {available:.1%}" in table
    assert found["items"] == found["verdicts"]["one"] == 2


def test_where_the_simulation_is_not_installed_it_says_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("edge.simulation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "edge.simulation", None)
    assert main(["simulate", str(belt_station(tmp_path))]) == EXIT_UNAVAILABLE
    assert "pilah's wheel leaves it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--rate", "0"], EXIT_USAGE, "must be above 0"),
        (["--rate", "x"], EXIT_USAGE, "--rate: must be a number"),
        (["--count", "0"], EXIT_USAGE, "--count"),
        (["--seed", "-1"], EXIT_USAGE, "--seed"),
        (["--items", "nowhere"], EXIT_DATA, "nowhere"),
        (["--find-rate", "1"], EXIT_USAGE, "must be between 0 and 1"),
        (["--find-rate", "0.9", "--count", "20"], EXIT_USAGE, "needs --count 35 or more"),
        (["--find-rate", "0.9", "--html", "x.html"], EXIT_USAGE, "--html is for one run"),
        (["--scores", "nowhere.csv"], EXIT_IO, "nowhere.csv"),
        (["--html", "nowhere/x.html"], EXIT_IO, "cannot write nowhere/x.html: a folder of that"),
        (["--faults", "ligth"], EXIT_USAGE, "Did you mean light?"),
        ([], EXIT_USAGE, "give photographs"),
    ],
)
def test_what_cannot_be_simulated_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    file = belt_station(tmp_path)
    try:
        ended = main(["simulate", str(file), *words])
    except SystemExit as error:  # of argparse
        ended = int(str(error.code))
    assert ended == code
    assert said in capsys.readouterr().err


def test_the_rate_of_a_purity_is_found_with_the_station_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the first rate the belt is full already, and the purity holds: one run. The model looks
    at each item's box: a whole region shows two items then."""
    file = belt_station(tmp_path, spec=SPEC.model_copy(update={"crop": "item"}))
    words = ["simulate", str(file), "--items", str(tmp_path / "things"), "--count", "4"]
    assert main([*words, "--rate", "50", "--find-rate", "0.4", "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert found["saturated"]
    assert found["rate"] == found["runs"][0]["items_per_second"]
    assert 1 < found["rate"] < 5


def test_a_rate_that_no_belt_carries_and_a_class_that_no_model_knows_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, things = belt_station(tmp_path), tmp_path / "things"
    (things / "blue").rename(things / "teal")
    words = ["simulate", str(file), "--items", str(things), "--count", "2", "--seed", "1"]
    assert main([*words, "--rate", "1000"]) == EXIT_OK
    found = capsys.readouterr()
    assert "has no label 'teal': items of such a class belong into no lane" in found.err
    assert "--rate 1000: " in found.err
    assert "items a second came: no more can" in found.err
    assert "; at the best 60,000 items a minute" in found.out


def test_photographs_of_nothing_that_the_model_knows_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = belt_station(tmp_path)
    things = write_things(tmp_path / "others", labels=("red",))
    (things / "red").rename(things / "golden")
    assert main(["simulate", str(file), "--items", str(things), "--count", "1"]) == EXIT_USAGE
    assert "its classes are golden, and " in (said := capsys.readouterr().err)
    assert "knows red, green, blue: give a folder" in said


def test_recorded_scores_pass_in_place_of_items(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, scores = belt_station(tmp_path), tmp_path / "scores.csv"
    things, bundle = str(tmp_path / "things"), str(tmp_path / "bundle")
    assert main(["evaluate", bundle, things, "--scores", str(scores)]) == EXIT_OK
    capsys.readouterr()
    words = ["simulate", str(file), "--scores", str(scores), "--count", "30", "--json"]
    assert main(words) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["recovery"], found["items_from"]) == (30, 1, "recorded")
    warned = "the default lane rest has labels: what is rejected falls there, too"
    assert warned not in capsys.readouterr().err
    file.write_text(STATION.replace("lane: rejects", "lane: rest"), "utf-8")
    assert main(words) == EXIT_OK
    assert warned in capsys.readouterr().err


def test_a_station_that_ends_before_its_last_item_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = SPEC.model_copy(update={"crop": "item"})
    file = belt_station(tmp_path, text=CAROUSEL, spec=boxes)
    words = ["--items", str(tmp_path / "things"), "--count", "12", "--rate", "0.8"]
    assert main(["simulate", str(file), *words, "--faults", "home-stuck"]) == EXIT_NO
    assert "STOPPED    before the last item had passed" in capsys.readouterr().out


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "station.yaml", "--faults", "help"]) == EXIT_OK
    assert "drop-outs:every=20:seconds=0.3  " in capsys.readouterr().out


def test_a_mistake_in_the_station_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = belt_station(tmp_path, text="station: x\n")
    assert main(["simulate", str(file)]) == EXIT_CONFIG
    assert "lanes" in capsys.readouterr().err
