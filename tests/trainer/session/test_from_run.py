"""A training that starts from an earlier run: its weights, its classes, its split."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.core.dataset import SPLITS
from edge.core.errors import EXIT_DATA, EXIT_IO, EXIT_OK, EXIT_USAGE, StorageError
from tests.trainer.session.test_training import BGR, DRAWN, NO_TIME, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.cli import main
from trainer.errors import RunError, WeightsMissingError
from trainer.evaluation.new_pictures import evaluate_run
from trainer.fit.distillation import teach
from trainer.fit.optimizers import Optimizers
from trainer.fit.prepare import Prepared, prepare
from trainer.fit.teacher_run import check_unseen
from trainer.networks import Network, build_network
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import DistillPlan, NetworkPlan
from trainer.recipes.reading import read_recipe
from trainer.run import Run, earlier_rows, read_run, split_rows
from trainer.session import training
from trainer.statistics.likelihood import softmax

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def first_week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos`, `drawn.yaml` and the run `run` of them, hardly trained at all.

    Its network is right about as often as chance, but unlike any other that has learned as little.
    """
    folder = tmp_path_factory.mktemp("week")
    draw_photos(folder / "photos", count=24)
    (folder / "drawn.yaml").write_text(DRAWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        with tiny_network():
            words = ["train", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]
            given = ["--out", str(folder / "run"), "--groups", "blocks:2", "--seed", "3"]
            assert main([*words, *given, *NO_TIME]) == EXIT_OK
            yield folder


@pytest.fixture
def words(first_week: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """A function that gives the command that starts from the first week's run."""

    def command(*more: str, data: Path = first_week / "photos", out: str = "run") -> list[str]:
        start = ["train", str(first_week / "drawn.yaml"), "--data", str(data)]
        given = ["--out", str(tmp_path / out), "--from", str(first_week / "run")]
        return [*start, *given, *more]

    return command


@pytest.fixture
def drawn_later(tmp_path: Path) -> Path:
    """A folder with twenty pictures of each class that the first week did not have."""
    for label, colour in BGR.items():
        draw(tmp_path / "later" / label, colour)
    return tmp_path / "later"


def scores_of(model: Any, tensors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The class scores that a run's model gives, with or without a novelty score beside them."""
    outputs = model(tensors.astype(np.float32))
    return np.asarray(outputs[0] if isinstance(outputs, list) else outputs)


def started(folder: Path, *, seed: int) -> Prepared:
    """The network and the pictures of a training that starts from the first week's run."""
    recipe = read_recipe(str(folder / "drawn.yaml"))
    return prepare(recipe, folder / "photos", groups="blocks:2", seed=seed, from_run=folder / "run")


def test_the_network_answers_as_the_run_did_before_it_is_trained(first_week: Path) -> None:
    earlier = read_run(first_week / "run")
    prepared = started(first_week, seed=8)
    tensors = np.asarray(prepared.decoded.tensors[np.arange(72)])
    theirs = scores_of(earlier.load_model(), tensors)
    mine = scores_of(prepared.network.model, tensors)
    # The run's scores have its temperature in them.
    calibrated = softmax(np.log(mine) / earlier.facts.temperature)
    np.testing.assert_allclose(calibrated, theirs, atol=1e-5)
    assert prepared.network.trained
    assert not prepared.network.pretrained


def test_what_the_weights_know_is_not_learned_again(first_week: Path, tmp_path: Path) -> None:
    """No head without a new class, and below it half of the epochs at half the rate."""
    recipe = read_recipe(str(first_week / "drawn.yaml"))
    (upper,) = started(first_week, seed=3).recipe.phases
    assert (upper.name, upper.epochs, upper.learning_rate) == ("upper", 2, 0.005)
    draw(tmp_path / "later" / "amber", (20, 140, 240))
    draw(tmp_path / "later" / "red", BGR["red"])
    later = prepare(recipe, tmp_path / "later", from_run=first_week / "run").recipe.phases
    assert later == [recipe.phases[0], upper]
    alone = recipe.model_copy(update={"phases": recipe.phases[:1]})
    assert prepare(alone, first_week / "photos", from_run=first_week / "run").recipe.phases == (
        alone.phases
    )


def test_a_second_week_with_a_new_class_leaves_the_test_split_and_the_old_classes_in_place(
    first_week: Path,
    words: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    grown = tmp_path / "photos"
    shutil.copytree(first_week / "photos", grown)
    draw(grown / "amber", (20, 140, 240))  # alphabetically the first
    draw(tmp_path / "later" / "red", BGR["red"])
    more = ("--add", str(tmp_path / "later"), "--groups", "blocks:2")
    assert main(words(*more, data=grown)) == EXIT_OK
    said = capsys.readouterr().err
    assert "72 of 112 pictures keep the split" in said
    assert "before training: " in said
    run = read_run(tmp_path / "run")
    assert run.facts.labels == (*BGR, "amber")
    assert run.load_model().get_layer("logits").kernel.shape[-1] == 4
    start = run.facts.started_from
    assert start is not None
    assert (start.run, start.new_labels) == (str(first_week / "run"), ("amber",))
    before = {row.sha256: row.split for row in split_rows(first_week / "run")}
    rows = split_rows(tmp_path / "run")
    assert {row.sha256: row.split for row in rows if row.sha256 in before} == before
    assert {row.split for row in rows if row.label == "amber"} == set(SPLITS)
    with (tmp_path / "run" / "history.csv").open(encoding="utf-8", newline="") as file:
        assert {row["phase"] for row in csv.DictReader(file)} == {"head", "upper"}
    # No fold could start from weights that have not seen what it is to be scored on.
    assert run.facts.accept_basis is not None
    assert run.facts.accept_basis.folds_planned == 0
    assert set(run.facts.accept_notes) == set(run.facts.labels)
    assert all("no promise" in note for note in run.facts.accept_notes.values())
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "A training without --from cross-fits models" in report
    (note,) = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))["notes"]
    assert note.startswith(f"Started from the run {first_week / 'run'} (model {start.model[:12]})")
    assert f"{start.validation_accuracy:.1%} were right before this training, and " in note
    assert note.replace("'", "&#39;") in report


def draw(folder: Path, colour: Sequence[int]) -> None:
    """Twenty noisy pictures of a colour, which are in no other folder."""
    rng = np.random.default_rng(sum(map(ord, folder.name)))
    folder.mkdir(parents=True)
    for number in range(20):
        picture = rng.normal(colour, 25, (40, 60, 3)).clip(0, 255).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", picture)[1])


def test_what_was_there_is_kept_where_training_makes_nothing_better(
    first_week: Path,
    words: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ruin(optimizers: Optimizers, gradients: object) -> None:
        for variable in optimizers.variables:
            variable.assign(-100 * variable)

    monkeypatch.setattr(Optimizers, "apply", ruin)
    assert main(words("--groups", "blocks:2", "--seed", "3", *NO_TIME)) == EXIT_OK
    before, after = read_run(first_week / "run"), read_run(tmp_path / "run")
    for layer in ("conv_2", "logits"):
        theirs, mine = (
            run.load_model().get_layer(layer).get_weights()[0]
            * (run.facts.temperature if layer == "logits" else 1)
            for run in (before, after)
        )
        np.testing.assert_allclose(mine, theirs, rtol=1e-4)
    prepared = started(first_week, seed=3)
    validation = prepared.of("validation")
    scores = scores_of(before.load_model(), np.asarray(prepared.decoded.tensors[validation]))
    right = scores.argmax(axis=1) == prepared.truth[validation]
    assert after.facts.started_from is not None
    assert after.facts.started_from.validation_accuracy == pytest.approx(right.mean())


def test_a_training_from_a_run_that_was_cut_off_goes_on_from_the_same_run_alone(
    first_week: Path,
    words: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise StorageError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(training, "write_run", full)
        assert main(words(*NO_TIME)) == EXIT_IO
    other = shutil.copytree(first_week / "run", tmp_path / "other")
    read_run(other).load_model().save(other / "model.keras")  # written anew, it is another file
    again = words("--resume", *NO_TIME)
    changed = [str(other) if word == str(first_week / "run") else word for word in again]
    assert main(changed) == EXIT_IO
    assert "started with another earlier run" in capsys.readouterr().err
    assert main(again) == EXIT_OK
    facts = read_run(tmp_path / "run").facts
    assert facts.started_from is not None
    assert facts.started_from.run == str(first_week / "run")


def gone(folder: Path) -> None:
    (folder / "photos" / "red" / "3.png").unlink()


def unfinished(folder: Path) -> None:
    (folder / "run").rename(folder / ".run.training")


def not_there(folder: Path) -> None:
    shutil.rmtree(folder / "run")


def damaged(folder: Path) -> None:
    file = folder / "run" / "model.keras"
    file.write_bytes(file.read_bytes()[:2000])


def of_another_recipe(folder: Path) -> None:
    facts = folder / "run" / "run.json"
    text = facts.read_text(encoding="utf-8").replace('"red"', '"red", "rot"', 1)
    facts.write_text(text.replace('"red":', '"rot": 0.5, "red":', 1), encoding="utf-8")


def nothing(folder: Path) -> None:
    """Leaves the run as it is."""


@pytest.mark.parametrize(
    ("change", "more", "code", "said"),
    [
        (gone, (), EXIT_DATA, r"1 of its 72 pictures are gone, the first is .*red/3.png"),
        (unfinished, (), EXIT_DATA, "its training is not finished. Finish it with --resume"),
        (not_there, (), EXIT_DATA, "not a finished run, it has no run.json"),
        (damaged, (), EXIT_DATA, r"model.keras: cannot be loaded"),
        (
            of_another_recipe,
            (),
            EXIT_DATA,
            "model.keras: not the model of recipe.yaml and run.json",
        ),
        (nothing, ("--set", "network.name=convnet"), EXIT_USAGE, "its network has name tiny"),
        (nothing, ("--set", "network.alpha=0.5"), EXIT_USAGE, r"--set network.alpha=1.0"),
        (nothing, ("--set", "input.width=40"), EXIT_USAGE, r"has width 32, .* recipe 40"),
        (nothing, ("--set", "input.geometry=letterbox"), EXIT_USAGE, "has geometry squash"),
        (nothing, ("--keep-parts", "run"), EXIT_USAGE, "leave --keep-parts run out"),
    ],
)
def test_a_run_that_one_cannot_start_from_says_why(
    change: Callable[[Path], None],
    more: tuple[str, ...],
    code: int,
    said: str,
    first_week: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Its pictures lie where they lay, as far as the run knows: in the first week's folder.
    shutil.copytree(first_week / "photos", tmp_path / "photos")
    shutil.copytree(first_week / "run", tmp_path / "run")
    facts = tmp_path / "run" / "run.json"
    text = facts.read_text(encoding="utf-8").replace(str(first_week), str(tmp_path))
    facts.write_text(text, encoding="utf-8")
    change(tmp_path)
    words = ["train", str(first_week / "drawn.yaml"), "--data", str(tmp_path / "photos")]
    given = ["--out", str(tmp_path / "new"), "--from", str(tmp_path / "run")]
    assert main([*words, *given, *more]) == code
    captured = capsys.readouterr().err
    assert "Traceback" not in captured
    assert re.search(said, captured), captured
    assert not (tmp_path / "new").exists()


def test_classes_and_pictures_may_be_others_than_the_run_s(
    first_week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a set of a few classes that starts from a run of many: nothing of these is gone."""
    photos = first_week / "photos"
    lines = ["path,label"]
    for label, named in (("red", "warm"), ("cyan", "cyan")):
        lines += [f"{photos / label / f'{number}.png'},{named}" for number in range(24)]
    (tmp_path / "two.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = read_recipe(str(first_week / "drawn.yaml"))
    prepared = prepare(recipe, tmp_path / "two.csv", from_run=first_week / "run")
    assert prepared.labels == ("cyan", "warm")
    before = {row.sha256: row.split for row in split_rows(first_week / "run")}
    splits = dict(zip(prepared.decoded.digests, prepared.split.tolist(), strict=True))
    assert splits == {digest: before[digest] for digest in splits}
    earlier = read_run(first_week / "run")
    kernel = prepared.network.model.get_layer("logits").get_weights()[0]
    theirs = earlier.load_model().get_layer("logits").get_weights()[0]
    np.testing.assert_allclose(kernel[:, 0], theirs[:, 0] * earlier.facts.temperature, rtol=1e-5)
    assert not np.allclose(kernel[:, 1], theirs[:, 2] * earlier.facts.temperature)


def test_the_pictures_of_the_run_before_last_stay_where_that_had_them(
    first_week: Path, words: Callable[..., list[str]], tmp_path: Path, drawn_later: Path
) -> None:
    """The second run was not given them, though its weights have learned from them."""
    week = [*words(*NO_TIME, "--seed", "5", data=drawn_later, out="second")]
    assert main(week) == EXIT_OK
    before = {row.sha256: row.split for row in split_rows(first_week / "run")}
    assert not before.keys() & {row.sha256 for row in split_rows(tmp_path / "second")}
    recipe, photos = read_recipe(str(first_week / "drawn.yaml")), first_week / "photos"
    for option in ("from_run", "keep_parts"):
        third = prepare(recipe, photos, add=[drawn_later], seed=9, **{option: tmp_path / "second"})  # type: ignore[arg-type]
        splits = dict(zip(third.decoded.digests, third.split.tolist(), strict=True))
        assert {digest: splits[digest] for digest in before} == before
    (figures,) = evaluate_run(tmp_path / "second", [("first week", photos)]).sources
    assert figures.trained_on == sum(split != "test" for split in before.values())
    pupil = prepare(recipe, photos, seed=9)
    with pytest.raises(RunError, match="has learned from, or was chosen by"):
        teach(pupil, DistillPlan(teacher=str(tmp_path / "second")))


def test_a_picture_of_the_run_that_was_saved_again_comes_to_where_it_lay(
    first_week: Path, drawn_later: Path
) -> None:
    row = next(row for row in split_rows(first_week / "run") if row.split == "test")
    picture = cv2.imread(str(first_week / "photos" / row.path))
    assert picture is not None
    label = drawn_later / Path(row.path).parent
    (label / "again.png").write_bytes(cv2.imencode(".png", cv2.flip(picture, 1))[1])
    recipe = read_recipe(str(first_week / "drawn.yaml"))
    for seed in range(3):
        prepared = prepare(recipe, drawn_later, seed=seed, from_run=first_week / "run")
        (split,) = (p.split for p in prepared.pictures if p.path.name == "again.png")
        assert split == "test"


def test_a_run_that_has_learned_from_a_copy_of_a_test_picture_is_no_teacher(
    first_week: Path, drawn_later: Path
) -> None:
    run, rows = read_run(first_week / "run"), earlier_rows(first_week / "run")
    row = next(row for row in rows if row.split == "train" and row.label == "red")
    picture = cv2.imread(str(first_week / "photos" / row.path))
    assert picture is not None
    (drawn_later / "red" / "99.png").write_bytes(cv2.imencode(".png", cv2.flip(picture, 1))[1])
    splits = {0: "validation", 1: "test", 99: "test"}
    lines = [
        f"{file},{file.parent.name},{splits.get(int(file.stem), 'train')}"
        for file in drawn_later.glob("*/*.png")
    ]
    manifest = drawn_later / "week.csv"
    manifest.write_text("\n".join(["path,label,split", *lines]) + "\n", encoding="utf-8")
    recipe = read_recipe(str(first_week / "drawn.yaml"))
    pupil = prepare(recipe, manifest)
    plan = DistillPlan(teacher=str(first_week / "run"))
    with pytest.raises(
        RunError, match=r"1 of the 4 pictures of the test split are copies, .*99.png"
    ):
        teach(pupil, plan)
    by_file = recipe.split.model_copy(update={"near_duplicates": False})
    assert not check_unseen(
        replace(pupil, recipe=recipe.model_copy(update={"split": by_file})), run, rows
    )
    gone = run.facts.data.model_copy(update={"root": "/gone"})
    (told,) = check_unseen(pupil, Run(run.path, run.facts.model_copy(update={"data": gone})), rows)
    assert told.startswith(f"{sum(row.split != 'test' for row in rows)} pictures that the teacher")
    manifest.write_text("\n".join(["path,label,split", *(x for x in lines if "99" not in x)]))
    assert check_unseen(prepare(recipe, manifest), run, rows) == []


def test_weights_that_the_run_replaces_need_not_be_there_nor_bars_that_no_picture_has(
    first_week: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def built(plan: NetworkPlan, *given: Any, **rest: Any) -> Network:
        load_weights(None, plan)  # the tiny network has none to load
        return build_network(plan, *given, **rest)

    monkeypatch.setattr("trainer.fit.prepare.build_network", built)
    changed = ["network.weights=gone.weights.h5", "input.fill=0"]
    recipe = read_recipe(str(first_week / "drawn.yaml"), settings=changed)
    assert prepare(recipe, first_week / "photos", from_run=first_week / "run").network.trained
    with pytest.raises(WeightsMissingError):
        prepare(recipe, first_week / "photos")
