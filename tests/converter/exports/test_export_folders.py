"""Every export is compared with Keras, and is left out if it fails the comparison."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from converter.cli import main
from converter.errors import LibraryMissingError
from converter.exports import formats
from converter.exports.export_folders import PARITY, exports_folder, read_formats, read_tensors
from converter.exports.tfjs.library import find_node
from converter.parity.export_parity import (
    FORMATS,
    Format,
    FormatFigures,
    compare_format,
    score_tflite,
)
from converter.parity.predictions import Predictions
from converter.tensorflow import process
from edge.core.dataset import LabelledPicture
from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from edge.core.model.bundle import LABELS as LABELS_FILE
from tests.converter.runs import LABELS
from tests.plain_words import unexplained
from trainer.run import Run

TRUTH = np.arange(90) % 3
MADE: tuple[Format, ...] = tuple(kind for kind in FORMATS if kind != "tfjs")


def predictions() -> Predictions:
    """The scores of a model that is right on all but a few pictures, more or less clearly."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 0.5, (90, 3))
    logits[np.arange(90), TRUTH] += 3
    powers = np.exp(logits)
    return Predictions(
        (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), rng.random(90)
    )


def moved(by: float) -> Predictions:
    """The same scores with some probability moved between the first two labels of one picture."""
    scores = predictions().scores.copy()
    scores[7, 0] += by
    scores[7, 1] -= by
    return replace(predictions(), scores=scores)


def compared(kind: Format, one: Predictions, other: Predictions) -> FormatFigures:
    return compare_format(kind, one, other, TRUTH, LABELS, squashed=other.part(0, 40))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_answers_pass_in_every_format(kind: Format) -> None:
    found = compared(kind, predictions(), predictions())
    assert found.failures == ()
    assert found.agreement.value == 1
    assert found.largest_difference == found.divergence == found.worst_loss == 0


@pytest.mark.parametrize(
    ("kind", "fails"),
    [("float32", True), ("saved_model", True), ("keras", True), ("tfjs", True),
     ("float16", False), ("dynamic", False), ("int8", False)],
)  # fmt: skip
def test_one_score_off_in_the_third_digit_fails_the_float_formats(
    kind: Format, fails: bool
) -> None:
    found = compared(kind, predictions(), moved(0.002))
    assert found.largest_difference == pytest.approx(0.002, rel=1e-3)
    assert bool(found.failures) == fails, found.failures


def test_a_score_that_is_no_number_fails() -> None:
    assert compared("tfjs", predictions(), moved(float("nan"))).failures


@pytest.mark.parametrize("kind", FORMATS)
def test_other_labels_fail_every_format(kind: Format) -> None:
    turned = replace(predictions(), scores=np.roll(predictions().scores, 1, axis=1))
    found = compared(kind, predictions(), turned)
    assert found.failures
    assert found.worst_loss > 0.8


@pytest.mark.parametrize("kind", FORMATS)
def test_a_lost_score_for_things_of_no_class_fails(kind: Format) -> None:
    found = compared(kind, predictions(), replace(predictions(), novelty=None))
    assert "it has no novelty score" in found.failures[0]


def test_what_other_tools_read_is_reported_and_not_judged() -> None:
    turned = Predictions(np.roll(predictions().scores, 1, axis=1)[:40], None)
    found = compare_format("keras", predictions(), predictions(), TRUTH, LABELS, squashed=turned)
    assert found.squashed.total == 40
    assert found.squashed.count < 10
    assert found.failures == ()


def test_pictures_are_read_again_as_other_tools_read_them(tmp_path: Path) -> None:
    """A wide picture: the device crops its middle, other tools squash the whole picture."""
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = 200
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), wide)
    spec = InputSpec(height=20, width=20, geometry="center_crop")
    tensors = read_tensors([LabelledPicture(path, "a", split="test")], spec)
    assert tensors.shape == (2, 20, 20, 3)
    assert (tensors[0] == 200).all()
    assert [int(tensors[1, 10, x, 0]) for x in (1, 10, 18)] == [0, 200, 0]


def test_formats_are_named_in_any_order_and_int8_is_always_there() -> None:
    assert read_formats("keras, float16") == ("int8", "float16", "keras")
    assert read_formats("all") == FORMATS
    with pytest.raises(UsageError, match=r"Received: 'onnx'"):
        read_formats("int8,onnx")


def convert_words(run: Run, out: Path, formats: str) -> list[str]:
    """The words of a conversion that takes as little time as can be."""
    return ["convert", str(run.path), "--out", str(out), "--formats", formats, "--no-fallbacks"]


@pytest.fixture(scope="module")
def bundle(novelty_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with an export in every format that needs no download."""
    out = tmp_path_factory.mktemp("exports") / "bundle"
    words = convert_words(novelty_run, out, ",".join(MADE))

    def left_to_the_end(run: Run, folder: Path, doing: str) -> int:
        raise AssertionError(f"{doing}: was not started in the background")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_run_job", left_to_the_end)
        assert main(words) == 0
    return out


def test_every_format_has_its_folder_its_labels_and_its_proof(bundle: Path) -> None:
    folder = exports_folder(bundle)
    proof = json.loads((folder / PARITY).read_text(encoding="utf-8"))
    assert set(proof["formats"]) == set(MADE)
    for kind, figures in proof["formats"].items():
        assert figures["passed"], figures
        assert figures["images"] == 24
        # Pictures of one colour: however they are read, they are the same.
        assert figures["squashed"]["images"] == 24
        assert figures["squashed"]["agreement"] == 1
        if kind == "int8":
            assert not (folder / kind).exists()
            continue
        labels = (folder / kind / LABELS_FILE).read_text(encoding="utf-8")
        assert labels.splitlines() == list(LABELS)
    for kind in ("float32", "saved_model", "keras"):
        assert proof["formats"][kind]["largest_difference"] < 1e-5
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert f"| float16 | {proof['formats']['float16']['accuracy']:.1%} |" in card
    assert unexplained(card) == []
    assert "- **divergence**: how much" in card


@pytest.mark.slow
@pytest.mark.skipif(find_node() is None, reason="TF.js is run by Node.js, which is not here")
def test_all_formats_are_made_and_tf_js_answers_as_keras(
    novelty_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    assert main(["convert", str(novelty_run.path), "--out", str(out), "--formats", "all"]) == 0
    assert "tfjs         accuracy" in capsys.readouterr().out
    proof = json.loads((exports_folder(out) / PARITY).read_text(encoding="utf-8"))
    assert set(proof["formats"]) == set(FORMATS)
    assert proof["formats"]["tfjs"]["largest_difference"] < 1e-4
    assert proof["formats"]["tfjs"]["largest_strangeness_difference"] < 1e-4
    assert (exports_folder(out) / "tfjs" / "index.html").is_file()


def test_the_saved_model_takes_raw_levels_and_names_its_outputs(bundle: Path) -> None:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(exports_folder(bundle) / "saved_model"))
    serve = loaded.signatures["serving_default"]
    levels = tf.zeros((2, 32, 32, 3), tf.uint8)
    found = serve(pictures=levels)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "scores": (2, 3),
        "unknown": (2, 1),
    }


@pytest.mark.usefixtures("novelty_converted_before")
def test_a_format_that_cannot_be_made_does_not_take_the_others_with_it(
    novelty_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def offline(place: Path, source: object) -> Predictions:
        raise LibraryMissingError("TF.js is not here and cannot be fetched")

    def kept(place: Path, source: formats.ExportSource) -> Predictions:
        return score_tflite(source.float32, source.tested.tensors, doing="kept")

    monkeypatch.setitem(formats.WRITERS, "tfjs", offline)
    monkeypatch.setitem(formats.WRITERS, "float32", kept)
    out = tmp_path / "bundle"
    assert main(convert_words(novelty_run, out, "tfjs,float32")) == 1
    assert "tfjs         cannot be made: TF.js is not here" in capsys.readouterr().out
    folder = exports_folder(out)
    assert sorted(path.name for path in folder.iterdir()) == ["card.md", "float32", "parity.json"]
    proof = json.loads((folder / PARITY).read_text(encoding="utf-8"))
    assert proof["refused"] == {"tfjs": "TF.js is not here and cannot be fetched"}


def test_exports_that_are_there_are_kept_unless_told(
    bundle: Path, novelty_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    place = exports_folder(out)
    place.mkdir()
    (place / "mine.txt").write_text("kept")
    words = convert_words(novelty_run, out, "keras")
    assert main(words) == 74
    assert "is there already" in capsys.readouterr().err
    assert main([*words, "--replace"]) == 74
    assert "holds no exports, so --replace does not replace it" in capsys.readouterr().err
    assert (place / "mine.txt").read_text() == "kept"
    assert not out.exists()


@pytest.mark.usefixtures("novelty_converted_before")
def test_a_format_that_fails_is_left_out_and_the_exit_says_so(
    bundle: Path,
    novelty_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def wrong(place: Path, source: object) -> Predictions:
        (place / "model.tflite").write_bytes(b"wrong")
        scores = np.full((24, 3), 1 / 3, np.float32)
        return Predictions(scores, np.zeros(24))

    monkeypatch.setitem(formats.WRITERS, "float16", wrong)
    out = tmp_path / "bundle"
    words = convert_words(novelty_run, out, "float16")
    assert main(words) == 1
    assert "float16      left out: it agrees with Keras on" in capsys.readouterr().out
    assert (out / "bundle.json").is_file()
    assert not (exports_folder(out) / "float16").exists()
    proof = json.loads((exports_folder(out) / PARITY).read_text(encoding="utf-8"))
    assert not proof["formats"]["float16"]["passed"]
