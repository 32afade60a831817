"""A whole training on drawn pictures: what it leaves behind, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from keras.src.backend import config as keras_config

import trainer
from edge.core.errors import (
    EXIT_DATA,
    EXIT_INTERRUPTED,
    EXIT_IO,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
)
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import preprocess
from edge.core.model.metrics import evaluate_scores
from tests.trainer.tiny import tiny_network
from trainer.cli import main
from trainer.networks import build_network
from trainer.recipes.reading import read_recipe
from trainer.run import read_run
from trainer.session import training, training_session
from trainer.session.training_session import TrainingSession

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

DRAWN = """
name: drawn
network: {name: tiny, weights: none, dropout: 0}
input: {height: 32, width: 32, geometry: squash}
augment: {copies: 1, rotate: 0, color: 0}
phases:
  - {name: head, train_from: pooled, epochs: 20, learning_rate: 0.05}
  - {name: upper, train_from: relu_1, epochs: 4, learning_rate: 0.01}
accept: {folds: 2, epochs: 2}
"""
NO_TIME = ("--max-minutes", "0.0001")
"""A training of a step a phase, where it matters that it ends and not what it learns."""
BGR = {"cyan": (220, 200, 20), "grün": (30, 200, 40), "red": (20, 30, 210)}


def draw_photos(
    folder: Path, *, labels: Sequence[str] = tuple(BGR), count: int = 30, seed: int = 0
) -> Path:
    """A folder per class of `count` pictures, each class of its own colour."""
    rng = np.random.default_rng(seed)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            picture = rng.normal(BGR[label], 25, (40, 60, 3)).clip(0, 255).astype(np.uint8)
            (folder / label / f"{number}.png").write_bytes(
                cv2.imencode(".png", picture)[1].tobytes()
            )
    return folder


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILAH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("drawn") / "photos")


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with tiny_network():
        yield


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "drawn.yaml"
    file.write_text(DRAWN, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(photos: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained in phases on saved outputs, with unreadable pictures among its data."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(photos, folder / "photos")
    (folder / "photos" / "red" / "empty.jpg").touch()
    (folder / "photos" / "red" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    words = ["train", str(recipe), "--data", str(folder / "photos"), "--out"]
    assert main([*words, str(folder / "run"), "--groups", "blocks:3"]) == EXIT_OK
    return folder / "run"


def test_a_model_for_items_is_made_of_photographs_of_items(
    photos: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    taken = {"schema_version": 1, "station": "bin", "crop": "item", "padding": 0.2}
    (tmp_path / "photos" / "capture.json").write_text(json.dumps(taken), encoding="utf-8")
    words = ["train", str(recipe), "--data", str(tmp_path / "photos"), "--out"]
    assert main([*words, str(tmp_path / "run"), *NO_TIME]) == EXIT_OK
    spec = read_run(tmp_path / "run").facts.input
    assert (spec.crop, spec.padding) == ("item", 0.2)
    assert "the pictures show items cut out with 0.2 of padding" in capsys.readouterr().err
    assert "crop: item" in (tmp_path / "run" / "recipe.yaml").read_text(encoding="utf-8")


def test_every_layer_can_train_on_pictures_augmented_anew_and_from_python_in_silence(
    photos: Path, recipe: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = ["phases.head.train_from=input", "phases.upper.train_from=input", "accept.epochs=1"]
    trainer.train(recipe, photos, tmp_path / "run", settings=settings)
    assert capfd.readouterr() == ("", "")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["test"]["accuracy"] > 0.8


@pytest.mark.slow
def test_tensorflow_is_silent_too_when_it_is_loaded_for_it(
    photos: Path, recipe: Path, tmp_path: Path
) -> None:
    code = f"""
import trainer
train = trainer.train  # loads TensorFlow
from tests.trainer.tiny import tiny_network
with tiny_network():
    train({str(recipe)!r}, {str(photos)!r}, {str(tmp_path / "run")!r}, max_minutes=0.0001)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_run_holds_the_model_and_its_proof(run: Path) -> None:
    assert {file.name for file in run.iterdir()} == {
        "skipped.txt",
        "model.keras",
        "run.json",
        "recipe.yaml",
        "split.csv",
        "metrics.json",
        "history.csv",
        "predictions.csv",
        "confusion.svg",
        "tensorboard",
        "report.html",
    }
    facts = read_run(run).facts
    assert facts.labels == ("cyan", "grün", "red")
    assert facts.data.skipped == 2
    assert sum(facts.data.pictures.values()) == 90
    assert not facts.stopped_early
    assert "test pictures: " in (run / "confusion.svg").read_text(encoding="utf-8")


def test_a_training_without_time_for_folds_promises_nothing_and_says_so(
    photos: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main([*words, *NO_TIME]) == EXIT_OK
    facts = read_run(tmp_path / "run").facts
    assert facts.accept_basis is not None
    assert (facts.accept_basis.scores, facts.accept_basis.folds) == ("validation", 0)
    assert facts.accept_basis.images == facts.data.pictures["validation"]
    assert set(facts.accept_notes) == set(facts.labels)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["accept_basis"] == facts.accept_basis.model_dump(mode="json")
    assert "cross_fitted" not in metrics
    assert "No cross-fitted model could be used" in str(metrics["warnings"])
    assert "Not measured, because the time was too short" in str(metrics["warnings"])
    assert "of 2 cross-fitted models 0 can be used" in capsys.readouterr().err
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "on the validation split, which the final model had not trained on" in page
    # After a step a phase there are errors, and it is shown why.
    why = page.partition('<section id="why">')[2].partition("</section>")[0]
    assert "coloured where it speaks for " in why
    assert "a training picture of " in why


def test_the_history_has_every_epoch_of_every_phase(run: Path) -> None:
    with (run / "history.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["phase"] for line in lines] == ["head"] * 20 + ["upper"] * 4


def test_the_saved_model_gives_the_figures_it_claims(run: Path) -> None:
    """Loaded from its file, on pictures read anew: no augmentation, the temperature folded in."""
    finished = read_run(run)
    facts = finished.facts
    test = [picture for picture in finished.pictures() if picture.split == "test"]
    tensors = np.stack([preprocess(read_image(p.path), facts.input) for p in test])
    model = finished.load_model()
    scores, unknown = map(np.asarray, model(tensors.astype(np.float32), training=False))
    assert unknown.shape == (len(test), 1)
    truth = np.array([facts.labels.index(picture.label) for picture in test])
    again = evaluate_scores(scores, truth, facts.labels, facts.accept)
    claimed = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert again.accuracy.value == claimed["accuracy"]
    assert again.accepted.value == claimed["accepted"]
    assert again.accuracy.value is not None
    assert again.accuracy.value > 0.8
    names = [layer.name for layer in model.layers]
    assert names.index("scores") == names.index("logits") + 1


def test_no_block_is_in_two_parts(run: Path) -> None:
    splits: dict[str | None, set[str | None]] = {}
    for picture in read_run(run).pictures():
        splits.setdefault(picture.group, set()).add(picture.split)
    assert len(splits) == 30
    assert all(len(found) == 1 for found in splits.values())


def test_the_same_seed_gives_the_same_model(
    photos: Path, recipe: Path, tmp_path: Path, run: Path
) -> None:
    words = ["train", str(recipe), "--data", str(photos), "--groups", "blocks:3", "--out"]
    assert main([*words, str(tmp_path / "again")]) == EXIT_OK
    first, again = (
        json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        for folder in (run, tmp_path / "again")
    )
    assert first["thresholds"] == again["thresholds"]
    assert first["test"] == again["test"]


def test_out_that_is_there_is_left_alone(
    photos: Path, recipe: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "run.json").read_bytes()
    assert main(["train", str(recipe), "--data", str(photos), "--out", str(run)]) == EXIT_IO
    assert "is there already" in capsys.readouterr().err
    assert (run / "run.json").read_bytes() == before


def test_replace_takes_the_place_of_a_run_and_of_nothing_else(
    photos: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "letters"
    mine.mkdir()
    (mine / "dear.txt").write_text("kept")
    words = ["train", str(recipe), "--data", str(photos), "--replace", "--out"]
    assert main([*words, str(mine)]) == EXIT_USAGE
    assert "is no run" in capsys.readouterr().err
    assert (mine / "dear.txt").read_text() == "kept"


def test_few_groups_are_enough(photos: Path, recipe: Path, tmp_path: Path) -> None:
    """Three groups a class: one for each split, and one in each fold but the last."""
    words = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    few = ["accept.folds=3", "accept.epochs=1", "phases.head.epochs=1", "phases.upper.epochs=1"]
    sets = [word for setting in few for word in ("--set", setting)]
    assert main([*words, "--groups", "blocks:12", *sets]) == EXIT_OK
    assert read_run(tmp_path / "run").facts.labels == ("cyan", "grün", "red")


def test_pretrained_weights_that_are_nowhere_say_what_to_do(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "empty"))
    # Keras has read that when it was imported, and Python which way leads to the internet.
    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(tmp_path / "empty"))
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no way out, whatever the machine
    monkeypatch.delenv("no_proxy", raising=False)
    words = ["train", "mobilenet_v2", "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main([*words, "--set", "input.height=32"]) == EXIT_UNAVAILABLE
    said = capsys.readouterr().err
    assert "Connect to the internet once" in said
    assert "--variant scratch" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_no_training_moves_the_frozen_layers(run: Path) -> None:
    recipe = read_recipe(str(run / "recipe.yaml"))
    untrained = build_network(recipe.network, recipe.input, 3, seed=0).model
    trained = read_run(run).load_model()
    before, after = (m.layers[2].get_weights()[0] for m in (untrained, trained))
    assert np.array_equal(before, after)
    assert trained.layers[2].name == "conv_1"


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        (["network.name=mobilenet_v2", "network.weights=gone.h5"], EXIT_UNAVAILABLE, "no such f"),
        (["network.name=resnet"], EXIT_USAGE, "no network 'resnet'. Known:"),
        (
            ["network.name=mobilenet_v2", "network.weights=imagenet", "network.alpha=0.4"],
            EXIT_USAGE,
            "exist for",
        ),
        (["phases.upper.train_from=relu_99"], EXIT_USAGE, "no layer 'relu_99'. Good places:"),
        (["phases.head.train_from=input"], EXIT_USAGE, "from the head down"),
        (["phases.head.train_from=logits"], EXIT_USAGE, "cannot be cut at 'logits'"),
    ],
)
def test_a_network_that_cannot_be_is_refused(
    photos: Path,
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    settings: list[str],
    code: int,
    words: str,
) -> None:
    sets = [word for setting in settings for word in ("--set", setting)]
    arguments = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main([*arguments, *sets]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def spoil_one_class(photos: Path) -> None:
    shutil.rmtree(photos / "cyan")
    shutil.rmtree(photos / "grün")


def spoil_two_pictures(photos: Path) -> None:
    for file in sorted((photos / "red").iterdir())[2:]:
        file.unlink()


def spoil_unreadable(photos: Path) -> None:
    for file in sorted((photos / "red").iterdir())[3:]:
        file.write_bytes(b"")


def spoil_everything(photos: Path) -> None:
    for folder in photos.iterdir():
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_one_class, "all pictures are of one class, 'red'"),
        (spoil_two_pictures, "class 'red' has 2 pictures, at least 6 are needed"),
        (spoil_unreadable, "class 'red' has 3 pictures (27 damaged files left out)"),
        (spoil_everything, "no pictures found"),
    ],
)
def test_data_that_will_not_do_says_why(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: object, words: str
) -> None:
    photos = draw_photos(tmp_path / "photos")
    assert callable(spoil)
    spoil(photos)
    arguments = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main(arguments) == EXIT_DATA
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def press_ctrl_c(monkeypatch: pytest.MonkeyPatch, place: str, times: int, *, after: bool) -> None:
    """Has Ctrl-C pressed just before the function at `place` is called, or just after."""
    owner, _, name = place.rpartition(".")
    module = training if not owner or hasattr(training, owner) else training_session
    holder = getattr(module, owner) if owner else module
    called = getattr(holder, name)

    def pressed(*arguments: Any, **options: Any) -> Any:
        found = called(*arguments, **options) if after else None
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        return found if after else called(*arguments, **options)

    monkeypatch.setattr(holder, name, pressed)


def test_ctrl_c_ends_with_the_best_so_far(
    photos: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    press_ctrl_c(monkeypatch, "TensorBoard.add", 1, after=True)
    words = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main(words) == EXIT_OK
    assert "stopping, with the best so far, if any" in capfd.readouterr().err
    facts = read_run(tmp_path / "run").facts
    assert facts.stopped_early
    assert all("no promise" in note for note in facts.accept_notes.values())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    ("place", "after"),
    [
        ("Checkpoint.begin", False),
        ("Checkpoint.begin", True),
        ("say_data", False),
        ("say_data", True),
        ("TrainingSession.train", False),
    ],
)
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(
    photos: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    after: bool,
    times: int,
) -> None:
    press_ctrl_c(monkeypatch, place, times, after=after)
    words = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main(words) == EXIT_INTERRUPTED
    assert "nothing was written" in capsys.readouterr().err or times > 1
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_does_not_interrupt_the_removal(
    photos: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    press_ctrl_c(monkeypatch, "say_data", 2, after=True)
    press_ctrl_c(monkeypatch, "Checkpoint.remove", 2, after=False)
    words = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]
    assert main(words) == EXIT_INTERRUPTED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("times", [1, 2])
def test_the_first_ctrl_c_keeps_what_an_earlier_training_has_done(
    photos: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    words = ["train", str(recipe), "--data", str(photos), "--out", str(tmp_path / "run")]

    def out_of_power(session: TrainingSession) -> Any:
        session.checkpoint.save("phases", {}, {})
        raise OSError("the power is gone")

    with monkeypatch.context() as once:
        once.setattr(TrainingSession, "train", out_of_power)
        with pytest.raises(OSError, match="the power is gone"):
            training.train(str(recipe), photos, tmp_path / "run")
    assert (tmp_path / ".run.training" / "phases.npz").is_file()
    press_ctrl_c(monkeypatch, "say_data", times, after=True)
    assert main([*words, "--resume"]) == EXIT_INTERRUPTED
    assert (tmp_path / ".run.training" / "phases.npz").is_file() == (times == 1)
