"""A cross-validation tells how sure its figure is: by groups of pictures, and by folds."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.core.errors import EXIT_INTERRUPTED, EXIT_IO, EXIT_OK, EXIT_USAGE
from tests.trainer.session.test_training import DRAWN, NO_TIME, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.calibration import crossfit
from trainer.calibration.crossfit import FoldTraining
from trainer.cli import main
from trainer.evaluation import crossval
from trainer.evaluation.predictions import read_predictions
from trainer.fit.distillation import Taught, teach
from trainer.fit.phases import Best, run_phases
from trainer.fit.prepare import Prepared
from trainer.recipes.plan import Recipe
from trainer.run import split_rows

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos`, 12 of each class, and `drawn.yaml`."""
    folder = tmp_path_factory.mktemp("crossed")
    draw_photos(folder / "photos", count=12)
    (folder / "drawn.yaml").write_text(DRAWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, tiny_network():
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        yield folder


def words(folder: Path) -> list[str]:
    return ["cross-validate", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]


def test_pictures_of_a_group_count_as_the_groups_that_they_are(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    widths = []
    for groups in ([], ["--groups", "blocks:4"]):
        given = [*words(drawn), "--folds", "3", "--repeats", "2", *groups, *NO_TIME, "--json"]
        assert main(given) == EXIT_OK
        captured = capsys.readouterr()
        told = json.loads(captured.out)
        low, high = told["interval"]
        assert 0 <= low <= told["accuracy"] <= high <= 1
        assert told["images"] == 36
        assert len(told["folds"]) == 6
        assert len(told["repeat_intervals"]) == 2
        assert re.search(r"accuracy [\d.]+% \([\d.]+% to [\d.]+%\)", captured.err)
        widths.append(high - low)
    assert widths[1] > widths[0]


def test_that_a_given_split_is_not_kept_is_said(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split, numbers in {"train": range(8), "val": range(8, 12)}.items():
        for label in (drawn / "photos").iterdir():
            (tmp_path / split / label.name).mkdir(parents=True)
            for number in numbers:
                shutil.copy(label / f"{number}.png", tmp_path / split / label.name)
    given = ["cross-validate", str(drawn / "drawn.yaml"), "--data", str(tmp_path)]
    assert main([*given, "--folds", "2", *NO_TIME]) == EXIT_OK
    said = capsys.readouterr().err
    assert re.search(r"the pictures come with a split \([a-z, ]+\), which folds do not keep", said)
    assert main([*words(drawn), "--folds", "2", *NO_TIME]) == EXIT_OK
    assert "come with a split" not in capsys.readouterr().err


def test_one_fold_has_nothing_to_train_on(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words(drawn), "--folds", "1"]) == EXIT_USAGE
    assert "--folds must be 2 or more. Received: 1" in capsys.readouterr().err


def test_what_is_scored_is_kept_and_a_second_call_goes_on(
    drawn: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The third model of four is stopped; the rest, and another repeat, are trained later."""
    out = tmp_path / "folds"
    given = [*words(drawn), "--folds", "2", *NO_TIME, "--groups", "blocks:4"]
    assert main([*given, "--repeats", "2", "--json"]) == EXIT_OK
    whole = json.loads(capsys.readouterr().out)
    train, trained = FoldTraining.train, list[int]()

    def counted(self: FoldTraining, *args: Any, **more: Any) -> Any:
        trained.append(len(args[1]))
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(self, *args, **more)

    monkeypatch.setattr(FoldTraining, "train", counted)
    given += ["--out", str(out)]
    assert main(given) == EXIT_INTERRUPTED
    assert "the same command goes on with what is left" in capsys.readouterr().err
    assert main(given) == EXIT_OK
    assert "repeat 1 fold 1 of 2: trained already" in capsys.readouterr().err
    assert len(trained) == 3
    first = read_predictions(out / "repeat-1-fold-1-of-2")
    assert len(first) == trained[0]
    assert main([*given, "--repeats", "2", "--json"]) == EXIT_OK
    told = json.loads(capsys.readouterr().out)
    assert len(trained) == 5
    assert told == json.loads((out / "cross-validation.json").read_text(encoding="utf-8"))
    assert len(read_predictions(out / "repeat-2-fold-2-of-2")) == trained[-1]
    for key in ("images", "labels", "folds_cut_short"):
        assert told[key] == whole[key]
    right = [each.right for each in first]
    assert told["folds"][0] == sum(right) / len(right)
    assert sum(map(sum, told["confusion"])) == 72


def test_each_fold_has_a_teacher_that_has_seen_none_of_its_pictures(
    drawn: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taught, learned = [], []

    def noted(prepared: Prepared, plan: object, *, choosing: np.ndarray) -> Taught:
        digests = np.array(prepared.decoded.digests)
        taught.append({*digests[prepared.of("train")], *digests[choosing]})
        found = teach(prepared, plan, choosing=choosing)  # type: ignore[arg-type]
        assert found.probabilities[prepared.of("train")].any(axis=(1, 2)).all()
        return found

    def spied(network: object, recipe: Recipe, *given: Any, **rest: Any) -> Best:
        data = given[1]
        learned.append((recipe.distill is not None, data.taught[data.train].any(axis=(1, 2)).all()))
        return run_phases(network, recipe, *given, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(crossval, "teach", noted)
    monkeypatch.setattr(crossfit, "run_phases", spied)
    teacher = f"distill={{teacher: {drawn / 'drawn.yaml'}, max_minutes: 0.0001}}"
    out = tmp_path / "folds"
    given = [*words(drawn), "--folds", "2", *NO_TIME, "--set", teacher, "--out", str(out)]
    assert main(given) == EXIT_OK
    scored = [
        {each.sha256 for each in read_predictions(out / f"repeat-1-fold-{fold}-of-2")}
        for fold in (1, 2)
    ]
    assert taught == scored[::-1], "each fold's teacher has had the pictures of the other one"
    assert learned == [(True, True)] * 2
    capsys.readouterr()
    run = f"distill={{teacher: {drawn / 'photos'}}}"
    assert main([*words(drawn), "--set", run]) == EXIT_USAGE
    assert "has learned from pictures of all folds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words_said"),
    [
        (["--seed", "5"], "that differs in seed:"),
        (["--set", "batch_size=7"], "that differs in recipe:"),
        (["--groups", "blocks:3"], "that differs in pictures:"),
    ],
)
def test_another_cross_validation_is_not_mixed_with_it(
    drawn: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    words_said: str,
) -> None:
    out = ["--out", str(tmp_path / "folds"), "--folds", "2"]
    assert main([*words(drawn), *NO_TIME, *out]) == EXIT_OK
    monkeypatch.setattr(FoldTraining, "train", None)
    capsys.readouterr()
    assert main([*words(drawn), *NO_TIME, *out, *changes]) == EXIT_IO
    assert words_said in capsys.readouterr().err


def test_from_a_run_nothing_is_scored_that_its_weights_have_learned(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures of the run, one of them saved again, and new ones that it does not know."""
    run, data = tmp_path / "run", tmp_path / "both"
    recipe = str(drawn / "drawn.yaml")
    training = ["train", recipe, "--data", str(drawn / "photos"), "--out", str(run), *NO_TIME]
    assert main(training) == EXIT_OK
    rows = split_rows(run)
    learned = {row.sha256 for row in rows if row.split != "test"}
    shutil.copytree(drawn / "photos", data)
    one = next(row for row in rows if row.split == "train" and row.label == "red")
    again = data / "red" / "again.png"
    pixels = cv2.imread(str(drawn / "photos" / one.path))
    cv2.imwrite(str(again), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    new = []
    for file in draw_photos(tmp_path / "later", count=8, seed=5).glob("*/*.png"):
        new.append(data / file.parent.name / f"new-{file.name}")
        shutil.copy(file, new[-1])
    capsys.readouterr()
    out = tmp_path / "folds"
    given = ["cross-validate", recipe, "--data", str(data), "--from", str(run), *NO_TIME]
    assert main([*given, "--folds", "2", "--out", str(out), "--json"]) == EXIT_OK
    captured = capsys.readouterr()
    scored = {
        each.sha256
        for fold in (1, 2)
        for each in read_predictions(out / f"repeat-1-fold-{fold}-of-2")
    }
    assert not scored & learned
    assert _digest(again) not in scored, "saved again, and learned all the same"
    assert scored == {row.sha256 for row in rows} - learned | set(map(_digest, new))
    assert f"{len(learned) + 1} of 61 pictures, from which {run} has learned" in captured.err
    assert json.loads(captured.out)["images"] == len(scored)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
