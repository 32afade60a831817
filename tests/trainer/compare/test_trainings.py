"""A comparison trains what is missing, on one split, and gives a page about all of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.errors import EXIT_INTERRUPTED, EXIT_IO, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE
from edge.core.images.preprocess import InputSpec
from tests.plain_words import unexplained
from tests.trainer.session.test_training import DRAWN, NO_TIME, draw_photos
from tests.trainer.tiny import tiny_network
from trainer import networks
from trainer.cli import main
from trainer.compare import speed, trainings
from trainer.evaluation.predictions import read_predictions
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.phases import Budget, run_phases
from trainer.networks import Network, build_network
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan
from trainer.run import Run, read_run, split_rows
from trainer.session import training, training_session

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos`, `drawn.yaml` and the comparison `ways` of two optimisers."""
    folder = tmp_path_factory.mktemp("compared")
    draw_photos(folder / "photos", count=20)
    text = f"{DRAWN}unknown: {{score: none}}\n".replace("folds: 2", "folds: 1")
    (folder / "drawn.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, tiny_network():
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        assert main([*words(folder), "--optimizers", "adam,sgd", "--seeds", "1"]) == EXIT_OK
        yield folder


def words(folder: Path, out: Path | None = None) -> list[str]:
    given = ["compare", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]
    return [*given, "--out", str(out or folder / "ways"), "--no-speed", *NO_TIME]


def test_all_ways_have_one_split_and_are_compared_on_its_test_pictures(compared: Path) -> None:
    ways = compared / "ways"
    splits = [
        {row.sha256: row.split for row in split_rows(ways / "seed-0" / name)}
        for name in ("adam", "sgd")
    ]
    assert splits[0] == splits[1]
    tested = {digest for digest, split in splits[0].items() if split == "test"}
    predictions = read_predictions(ways / "seed-0" / "adam")
    assert {each.sha256 for each in predictions} == tested
    metrics = json.loads((ways / "seed-0" / "adam" / "metrics.json").read_text(encoding="utf-8"))
    right = sum(each.right for each in predictions) / len(predictions)
    assert metrics["test"]["accuracy"] == pytest.approx(right)
    told = json.loads((ways / "comparison.json").read_text(encoding="utf-8"))
    assert set(told["ways"]) == {"adam", "sgd"}
    assert told["ways"]["adam"]["accuracy"]["value"] == pytest.approx(right)
    page = (ways / "comparison.html").read_text(encoding="utf-8")
    assert told["verdict"][1:] in page
    assert unexplained(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)) == []


def test_what_is_finished_is_not_trained_again(
    compared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(*arguments: object, **options: object) -> None:
        pytest.fail("it was trained again")

    monkeypatch.setattr(trainings, "train", never)
    again = [*words(compared), "--optimizers", "sgd,adam", "--seeds", "1"]
    assert main(again) == EXIT_OK
    captured = capsys.readouterr()
    assert "adam, seed 0: trained already" in captured.err
    assert captured.out.splitlines()[0].startswith("way")
    with pytest.raises(pytest.fail.Exception):
        main([*words(compared), "--optimizers", "sgd,adam,nadam", "--seeds", "1"])


def test_with_folds_each_picture_is_tested_on_once_by_every_way(
    compared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a training would be is not trained: it is right about each picture of its test split."""

    def all_right(recipe: str, data: Path, out: Path, *, keep_parts: Path, **others: Any) -> Run:
        shutil.copytree(compared / "ways" / "seed-0" / "adam", out)
        lines = [
            f"{row.sha256},{row.group},{row.label},{row.label},0.9"
            for row in split_rows(keep_parts)
            if row.split == "test"
        ]
        text = "\n".join(["sha256,group,label,taken_for,score", *lines, ""])
        (out / "predictions.csv").write_text(text, encoding="utf-8")
        return read_run(out)

    monkeypatch.setattr(trainings, "train", all_right)
    folds = [*words(compared, tmp_path / "ways"), "--optimizers", "adam,sgd", "--folds", "3"]
    assert main([*folds, "--json"]) == EXIT_OK
    told = json.loads(capsys.readouterr().out)
    assert told["folds"] == 3
    tested = told["ways"]["sgd"]["splits"]
    assert list(tested) == ["1.1", "1.2", "1.3"]
    assert sum(each["images"] for each in tested.values()) == 60
    assert told["ways"]["adam"]["splits"].keys() == tested.keys()
    page = (tmp_path / "ways" / "comparison.html").read_text(encoding="utf-8")
    assert "3 folds, 1 repeat, 60 test pictures in all" in page
    assert main([*folds, "--seed", "1"]) == EXIT_IO
    assert "and this one has 3 by seed 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--folds", "1"], "--folds must be 2 or more"),
        (["--folds", "3", "--seeds", "2"], "give --seeds, or --folds with --repeats, not both"),
        (["--repeats", "2"], "--repeats goes with --folds"),
    ],
)
def test_folds_and_seeds_are_told_apart(
    compared: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main([*words(compared), *more]) == EXIT_USAGE
    assert said in capsys.readouterr().err


def test_another_comparison_has_another_folder(
    compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = ["--optimizers", "adam,sgd", "--seeds", "1"]
    assert main([*words(compared), *once, "--groups", "blocks:2"]) == EXIT_IO
    assert "holds a comparison with groups None, and this one has blocks:2" in (
        capsys.readouterr().err
    )
    shutil.copytree(compared / "ways", tmp_path / "ways")
    changed = [*words(compared, tmp_path / "ways"), *once, "--set", "batch_size=8"]
    assert main(changed) == EXIT_IO
    assert "was trained by another recipe: its batch_size is another one" in capsys.readouterr().err
    assert main([*words(compared), "--variants", "a", "--variant", "b"]) == EXIT_USAGE


def test_a_run_that_cannot_be_converted_has_no_time(compared: Path, tmp_path: Path) -> None:
    run = read_run(compared / "ways" / "seed-0" / "adam")
    (tmp_path / "recipe.yaml").write_text((run.path / "recipe.yaml").read_text(encoding="utf-8"))
    gone = replace(run, path=tmp_path)
    assert speed.int8_timings({"adam": gone}, tmp_path / "bundles") == {"adam": None}


def test_ways_with_one_model_have_one_time(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the two optimisers one is converted and timed."""
    made = []

    class Model:
        spec = read_run(compared / "ways" / "seed-0" / "adam").facts.input

        def scores(self, image: np.ndarray) -> None:
            assert image.shape == self.spec.shape

    def converted(run: Path, bundle: Path) -> Model:
        made.append(bundle.name)
        return Model()

    monkeypatch.setattr(speed, "_int8_model", converted)
    runs = {name: read_run(compared / "ways" / "seed-0" / name) for name in ("adam", "sgd")}
    timings = speed.int8_timings(runs, tmp_path)
    assert made == ["adam"]
    assert timings["adam"] is timings["sgd"] is not None
    (tmp_path / "sgd").mkdir()
    wider = runs["sgd"].facts.input.model_copy(update={"width": 64})
    other = replace(runs["sgd"], facts=runs["sgd"].facts.model_copy(update={"input": wider}))
    found = speed.int8_timings({**runs, "wide": other}, tmp_path)
    assert made == ["adam", "sgd", "wide"], "the bundle that is there is measured"
    assert found["wide"] is not found["adam"]


def test_what_else_works_on_the_machine_is_no_time_of_a_model() -> None:
    """The model waits for the processor for most of the time."""

    class Waiting:
        spec = InputSpec(height=8, width=8)

        def scores(self, image: np.ndarray) -> None:
            time.sleep(0.01)

    found = speed._timed({"waiting": Waiting()})  # type: ignore[dict-item]
    assert found["waiting"].milliseconds < 10


def test_a_comparison_of_a_public_set_goes_on_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    for data in ("fashion-mnist", "photos"):
        monkeypatch.chdir(tmp_path)
        pictures = trainings.ComparedPictures(Path(data), [], None, None)
        trainings.begin_comparison("fashion", pictures, tmp_path / f"of-{data}")
        monkeypatch.chdir("/")
        elsewhere = Path(data) if data == "fashion-mnist" else tmp_path / data
        pictures = trainings.ComparedPictures(elsewhere, [], None, None)
        trainings.begin_comparison("fashion", pictures, tmp_path / f"of-{data}")


def test_ctrl_c_leaves_a_training_to_be_gone_on_with_and_ends_the_comparison(
    compared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After its first epoch a training alone would end with the best so far, as a finished run."""
    save, ways = Checkpoint.save, tmp_path / "ways"
    once = [
        "compare", str(compared / "drawn.yaml"), "--data", str(compared / "photos"), "--no-speed",
        "--out", str(ways), "--optimizers", "adam,sgd", "--seeds", "1",
    ]  # fmt: skip

    def pressed(*given: Any) -> None:
        save(*given)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", pressed)
        assert main(once) == EXIT_INTERRUPTED
    said = capfd.readouterr().err
    assert "stopping, to be gone on with" in said
    assert "the same command goes on" in said
    assert [each.name for each in (ways / "seed-0").iterdir()] == [".adam.training"]
    assert main(once) == EXIT_OK
    assert "phase head: continuing after epoch 20" in capfd.readouterr().err
    assert not read_run(ways / "seed-0" / "adam").facts.stopped_early


def test_ctrl_c_as_a_run_is_written_ends_the_comparison_behind_it(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = training.write_run

    def pressed(*given: Any, **rest: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return write(*given, **rest)

    monkeypatch.setattr(training, "write_run", pressed)
    given = [*words(compared, tmp_path / "ways"), "--optimizers", "adam,sgd", "--seeds", "1"]
    assert main(given) == EXIT_INTERRUPTED
    assert [each.name for each in (tmp_path / "ways" / "seed-0").iterdir()] == ["adam"]


def test_what_the_first_way_computes_for_all_takes_none_of_its_minutes(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen layers that take an hour, where there are ten minutes."""
    hour, real = [0.0], time.monotonic
    compute = training_session.training_set

    def slow(*given: Any, **rest: Any) -> Any:
        hour[0] += 3600
        return compute(*given, **rest)

    monkeypatch.setattr(training_session, "training_set", slow)
    monkeypatch.setattr(time, "monotonic", lambda: real() + hour[0])
    left: list[float] = []

    def noted(*given: Any, budget: Budget, **rest: Any) -> Any:
        left.append(budget.deadline - time.monotonic())
        return run_phases(*given, budget=budget, **rest)

    monkeypatch.setattr(training_session, "run_phases", noted)
    few = ("phases.head.epochs=2", "phases.upper.epochs=1")
    for compares in (True, False):
        out = tmp_path / f"run-{compares}"
        recipe, data = str(compared / "drawn.yaml"), compared / "photos"
        facts = training.train(
            recipe, data, out, settings=few, max_minutes=10, compared=compares
        ).facts
        assert (left.pop() > 0) is compares
        assert (facts.minutes < 60) is compares


def test_a_network_that_cannot_be_built_is_told_before_the_first_is_trained(
    compared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def built(plan: NetworkPlan, *given: Any, **rest: Any) -> Network:
        if plan.weights != "none":
            load_weights(None, plan)  # the tiny network would not look for them
        return build_network(plan, *given, **rest)

    monkeypatch.setattr(networks, "build_network", built)
    given = words(compared, tmp_path / "ways")
    gone = tmp_path / "gone.weights.h5"
    assert main([*given, "--networks", f"own,tiny={gone}"]) == EXIT_UNAVAILABLE
    assert f"{gone}: no such file" in capsys.readouterr().err
    assert not (tmp_path / "ways").exists()
