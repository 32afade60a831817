"""A sweep on drawn pictures: what it leaves behind, what it goes on with, and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import (
    EXIT_CONFIG,
    EXIT_INTERRUPTED,
    EXIT_IO,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
)
from edge.core.terminal.hints import install_command
from tests.trainer.session.test_training import DRAWN, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.cli import main
from trainer.fit.phases import StopTraining
from trainer.recipes.reading import read_recipe
from trainer.run import split_rows
from trainer.sweep import objective, sweeping

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEARCH = """
phases.upper.learning_rate: {low: 0.003, high: 0.03, log: true}
phases.upper.train_from: [relu_1, relu_9]
"""
"""There is no layer relu_9, which shows when the network is built."""
TRIALS = 5


@pytest.fixture(scope="module", autouse=True)
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos`, `drawn.yaml`, `search.yaml`, `journal` and a sweep in `out`."""
    folder = tmp_path_factory.mktemp("swept")
    draw_photos(folder / "photos", count=20)
    text = DRAWN.replace("epochs: 20", "epochs: 2").replace("epochs: 4", "epochs: 2")
    (folder / "drawn.yaml").write_text(text, encoding="utf-8")
    (folder / "search.yaml").write_text(SEARCH, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, tiny_network():
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        patch.setenv("PILAH_STATE", str(folder / "state"))
        assert main(words(folder)) == EXIT_OK
        yield folder


def words(folder: Path, *more: str, trials: int = TRIALS) -> list[str]:
    given = ["sweep", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]
    given += ["--storage", str(folder / "journal"), "--out", str(folder / "out")]
    return [*given, "--search", str(folder / "search.yaml"), "--trials", str(trials), *more]


@pytest.fixture
def told(swept: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((swept / "out" / "sweep.json").read_text(encoding="utf-8"))
    return found


def test_every_trial_is_told_and_the_first_is_the_recipe_as_it_is(told: dict[str, Any]) -> None:
    assert [trial["trial"] for trial in told["trials"]] == list(range(TRIALS))
    own = told["trials"][0]
    assert told["own"] == 0
    assert own["values"] == {
        "phases.upper.learning_rate": 0.01,
        "phases.upper.train_from": "relu_1",
    }
    whole = [trial for trial in told["trials"] if trial["ended"] == "whole"]
    assert min(whole, key=lambda trial: trial["log_loss"])["trial"] == told["best"]
    assert all(0 <= trial["accuracy"] <= 1 and trial["epochs"] == 4 for trial in whole)
    impossible = [trial for trial in told["trials"] if trial["ended"] == "impossible"]
    assert impossible
    assert {trial["values"]["phases.upper.train_from"] for trial in impossible} == {"relu_9"}
    assert "relu_9" in impossible[0]["problem"]
    assert told["verdict"].startswith(f"trial {told['best']} is best: log loss 0.")
    assert f"{len(whole)} whole, 0 ended early, {len(impossible)} impossible" in told["verdict"]


def test_the_best_is_a_recipe_to_train_and_to_compare_with_what_it_was(
    swept: Path, told: dict[str, Any]
) -> None:
    best, values = swept / "out" / "best.yaml", told["trials"][told["best"]]["values"]
    assert read_recipe(str(best)).phases[1].learning_rate == values["phases.upper.learning_rate"]
    plain = read_recipe(str(swept / "drawn.yaml"))
    if told["best"] != told["own"]:
        before = read_recipe(str(best), variant="before")
        assert before.phases == plain.phases


def test_the_test_pictures_are_scored_by_no_trial(swept: Path, told: dict[str, Any]) -> None:
    rows = split_rows(swept / "out" / "split.csv")
    validation = sum(row.split == "validation" for row in rows)
    assert validation < len(rows)
    whole = [trial for trial in told["trials"] if trial["ended"] == "whole"]
    assert {round(trial["accuracy"] * validation, 6) % 1 for trial in whole} == {0}
    # Where a training scores them, it counts that.
    assert not (swept / "state").exists()


def test_a_finished_sweep_is_told_again_and_a_longer_one_goes_on(
    swept: Path, told: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(swept)) == EXIT_OK
    captured = capsys.readouterr()
    assert "log loss" in captured.out.splitlines()[0]
    assert captured.out.splitlines()[-1] == told["verdict"]
    assert "next: pilah-trainer train" in captured.err
    assert not re.search("^trial 0: phases", captured.err, re.MULTILINE)
    shutil.copytree(
        swept, swept.parent / "longer", ignore=shutil.ignore_patterns("photos", "cache")
    )
    longer = words(swept, "--storage", str(swept.parent / "longer" / "journal"), "--json",
                   "--out", str(swept.parent / "longer" / "out"), trials=TRIALS + 1)  # fmt: skip
    assert main(longer) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["done"] == TRIALS + 1


@pytest.mark.parametrize(
    ("more", "other"),
    [
        (["--seed", "1"], "pictures"),  # another split
        (["--set", "batch_size=16"], "recipe"),
        (["--max-minutes", "3"], "max_minutes"),
    ],
)
def test_another_sweep_is_not_mixed_with_it(
    swept: Path, capsys: pytest.CaptureFixture[str], more: list[str], other: str
) -> None:
    assert main(words(swept, *more)) == EXIT_IO
    assert f"was begun with another {other}: give the same" in capsys.readouterr().err


def test_a_trial_that_falls_behind_is_ended_early(
    swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_PRUNED_FROM", 0)
    monkeypatch.setattr(sweeping, "_OTHERS", 1)
    monkeypatch.setattr(objective.Trial, "should_prune", lambda trial: trial.number == 1)
    journal, out = str(tmp_path / "journal"), str(tmp_path / "out")
    given = words(swept, "--storage", journal, "--out", out, trials=2)
    (swept / "one.yaml").write_text("batch_size: [16, 32]\n", encoding="utf-8")
    assert main([*given, "--search", str(swept / "one.yaml")]) == EXIT_OK
    found = json.loads((tmp_path / "out" / "sweep.json").read_text(encoding="utf-8"))
    assert [trial["ended"] for trial in found["trials"]] == ["whole", "early"]


def test_ctrl_c_gives_the_trial_back_and_writes_what_there_is(
    swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise StopTraining

    monkeypatch.setattr(objective, "run_phases", stopped)
    given = words(swept, "--storage", str(tmp_path / "journal"), "--out", str(tmp_path / "out"))
    assert main(given) == EXIT_INTERRUPTED
    found = json.loads((tmp_path / "out" / "sweep.json").read_text(encoding="utf-8"))
    assert (found["done"], found["given_back"], found["best"]) == (0, 1, None)
    assert not (tmp_path / "out" / "best.yaml").exists()


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--trials", "0"], EXIT_USAGE, "must be a whole number above 0"),
        (["--search", "nothing.yaml"], EXIT_CONFIG, "cannot be read"),
        (["--storage", "sqlite:///a.db"], EXIT_USAGE, "takes a journal file"),
        (["--variant", "better"], EXIT_USAGE, "has no variant 'better'"),
    ],
)
def test_what_cannot_be_swept_is_told(
    swept: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: int, said: str
) -> None:
    try:
        ended = main(words(swept, *more))
    except SystemExit as error:
        ended = int(str(error.code))
    assert ended == code
    assert said in capsys.readouterr().err


def test_without_optuna_one_sentence_says_what_to_install(
    swept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "optuna" else find(name)
    )
    assert main(words(swept)) == EXIT_UNAVAILABLE
    said = capsys.readouterr().err
    assert said.endswith(f"Optuna is not installed: {install_command('sweep')}\n")
