"""Somebody else's classifier becomes a bundle, and how it takes its pictures is never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from converter.cli import main
from converter.errors import ForeignModelError
from converter.import_model import Tried, decide
from converter.rewire import NORMALISATIONS, contract_model
from edge.model.bundle import read_bundle
from edge.model.classifier import Classifier
from edge.model.golden import check_golden_exactly, check_golden_start
from edge.model.image_file import read_image
from edge.model.interpreter import Interpreter
from tests.converter.runs import KERAS_READS_VARIABLES

pytestmark = pytest.mark.filterwarnings(KERAS_READS_VARIABLES, "ignore::UserWarning")

LABELS = ("dark red", "light red", "blue")
SIZE = 32


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three classes that only their levels and the order of their channels tell apart."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("photos")
    for label, (low, high, channel) in {
        "dark red": (60, 120, 0), "light red": (150, 230, 0), "blue": (60, 230, 2),
    }.items():  # fmt: skip
        (root / label).mkdir()
        for number in range(40):
            picture = np.full((40, 52, 3), 20, np.float64)
            picture[..., channel] = rng.uniform(low, high)
            picture += rng.normal(0, 4, picture.shape)
            levels = np.clip(picture, 0, 255).astype(np.uint8)[..., ::-1]  # OpenCV writes BGR
            cv2.imwrite(str(root / label / f"{number}.png"), levels)
    return root


def foreign(scale: float, offset: float, *, bgr: bool, softmax: bool) -> object:
    """A Keras model that knows the three classes, from levels times `scale` plus `offset`."""
    import keras

    picture = keras.Input((SIZE, SIZE, 3))
    dense = keras.layers.Dense(3)
    logits = dense(keras.layers.GlobalAveragePooling2D()(picture))
    scores = keras.layers.Softmax()(logits) if softmax else logits
    model = keras.Model(picture, scores)
    # On raw levels red, green, blue: light from dark red at 135, blue by more blue than red.
    weights = np.array([[0.0, 0.1, -0.2], [0, 0, 0], [0, 0, 0.2]])
    bias = np.array([0.0, -13.5, 4.0])
    if bgr:
        weights = weights[::-1]
    dense.set_weights([weights / scale, bias - (offset / scale) * weights.sum(axis=0)])
    return model


def exported(model: object, *, quantised: bool, scale: float, offset: float) -> bytes:
    """The model as its maker's tool would export it, float or uint8 throughout."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if quantised:
        rng = np.random.default_rng(1)

        def pictures() -> Iterator[list[np.ndarray]]:
            for level in np.linspace(0, 255, 30):
                picture = np.full((1, SIZE, SIZE, 3), level) * rng.uniform(0, 1, (1, 1, 1, 3))
                yield [(scale * picture + offset).astype(np.float32)]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = pictures
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


KINDS = {
    "float, -1..1, probabilities": ("-1..1", False, True),
    "float, 0..1, logits": ("0..1", False, False),
    "float, raw": ("raw", False, True),
    "float, 0..1, BGR": ("0..1, BGR", False, True),
    "quantised, -1..1": ("-1..1", True, True),
    "quantised, 0..1, BGR": ("0..1, BGR", True, True),
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The model of a kind and its labels, in a folder."""
    made: dict[str, Path] = {}

    def one(kind: str) -> Path:
        if kind not in made:
            way, quantised, softmax = KINDS[kind]
            normal = next(n for n in NORMALISATIONS if str(n) == way)
            model = foreign(normal.scale, normal.offset, bgr=normal.bgr, softmax=softmax)
            folder = tmp_path_factory.mktemp("theirs")
            content = exported(model, quantised=quantised, scale=normal.scale, offset=normal.offset)
            (folder / "model.tflite").write_bytes(content)
            lines = "".join(f"{i} {label}\n" for i, label in enumerate(LABELS))
            (folder / "labels.txt").write_text(lines)
            made[kind] = folder
        return made[kind]

    return one


def words(folder: Path, photos: Path, out: Path) -> list[str]:
    return ["import", str(folder / "model.tflite"), "--labels", str(folder / "labels.txt"),
            "--data", str(photos), "--out", str(out), "--name", "theirs"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_how_a_model_takes_its_pictures_is_found_out_and_shown(
    kind: str,
    make: Callable[[str], Path],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(words(make(kind), photos, tmp_path / "bundle")) == 0
    shown = capsys.readouterr().out
    way, _, softmax = KINDS[kind]
    assert f"-> {way:12} " in shown
    assert ("a softmax was put behind them" in shown) == (not softmax)
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle.labels == LABELS
    check_golden_exactly(bundle)
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    assert bundle.manifest.figures["imported"]["accuracy"] > 0.95
    assert bundle.manifest.figures["imported"]["images"] == 60
    right = 0
    for path in sorted(photos.rglob("*.png")):
        scores = classifier.scores(read_image(path))
        assert scores.sum() == pytest.approx(1, abs=0.02)
        right += LABELS[int(scores.argmax())] == path.parent.name
    assert right > 0.95 * 120
    card = (tmp_path / "bundle" / "card.md").read_text(encoding="utf-8")
    assert f"| {way} (this one) |" in card


def test_the_rewired_model_scores_as_theirs_does(make: Callable[[str], Path]) -> None:
    from ai_edge_litert.interpreter import Interpreter as LiteRt

    content = (make("float, -1..1, probabilities") / "model.tflite").read_bytes()
    way = next(n for n in NORMALISATIONS if str(n) == "-1..1")
    mine = Interpreter(contract_model(content, way, softmax=False))
    theirs = LiteRt(model_content=content)
    theirs.allocate_tensors()
    for tensor in np.random.default_rng(2).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8):
        theirs.set_tensor(
            theirs.get_input_details()[0]["index"], (tensor[None] / 127.5 - 1).astype(np.float32)
        )
        theirs.invoke()
        expected = theirs.get_tensor(theirs.get_output_details()[0]["index"])[0]
        np.testing.assert_allclose(mine.scores(tensor), expected, atol=1e-5)


def test_where_it_does_not_show_nothing_is_guessed(
    make: Callable[[str], Path], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Grey pictures: the order of the channels cannot be told from them.
    grey = tmp_path / "grey"
    for path in photos.rglob("*.png"):
        place = grey / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place), cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY))
    asked = words(make("float, 0..1, BGR"), grey, tmp_path / "bundle")
    assert main(asked) == ForeignModelError.exit_code
    error = capsys.readouterr().err
    assert "it does not show how the model wants its pictures" in error
    assert "0..1, BGR" in error
    assert not (tmp_path / "bundle").exists()
    assert main([*asked, "--normalisation", "0..1, BGR"]) == 0
    assert read_bundle(tmp_path / "bundle").manifest.recipe["normalisation"] == "0..1, BGR"
    assert main([*asked, "--replace", "--normalisation", "0-1"]) == ForeignModelError.exit_code
    assert "Received: '0-1'" in capsys.readouterr().err


def tried(counts: dict[str, tuple[int, int]]) -> list[Tried]:
    """Of 100 pictures, those from one number to before another are right; the best first."""
    numbers = np.arange(100)
    rows = [
        Tried(way, (numbers >= counts[str(way)][0]) & (numbers < counts[str(way)][1]))
        for way in NORMALISATIONS
    ]
    return sorted(rows, key=lambda row: -int(row.right.sum()))


UNDECIDED = {
    "-1..1": (0, 81), "-1..1, BGR": (2, 84), "0..1": (0, 60), "0..1, BGR": (0, 61),
    "raw": (0, 20), "raw, BGR": (0, 20),
}  # fmt: skip


def test_where_coloured_pictures_show_no_order_rgb_is_taken_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = tried(UNDECIDED)
    assert str(rows[0].normalisation) == "-1..1, BGR"
    assert str(decide(rows, None, Path("m.tflite"), coloured=True)) == "-1..1"
    said = capsys.readouterr().err
    assert "no difference that shows" in said
    assert '--normalisation "-1..1, BGR"' in said
    with pytest.raises(ForeignModelError, match="it does not show"):
        decide(rows, None, Path("m.tflite"), coloured=False)


def test_an_order_that_shows_is_taken_and_undecided_levels_are_refused() -> None:
    clear = tried(UNDECIDED | {"-1..1": (0, 60)})
    assert str(decide(clear, None, Path("m.tflite"), coloured=True)) == "-1..1, BGR"
    with pytest.raises(ForeignModelError, match="it does not show"):
        decide(tried(UNDECIDED | {"0..1": (0, 80)}), None, Path("m.tflite"), coloured=True)


def test_json_tells_what_was_tried(
    make: Callable[[str], Path], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = words(make("float, raw"), photos, tmp_path / "bundle")
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["tried"]) == {str(way) for way in NORMALISATIONS}
    assert max(found["tried"], key=found["tried"].get) == "raw"


def test_labels_of_another_model_are_refused(
    make: Callable[[str], Path], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "more.txt").write_text("".join(f"{label}\n" for label in (*LABELS, "green")))
    asked = words(make("float, raw"), photos, tmp_path / "bundle")
    asked[3] = str(tmp_path / "more.txt")
    assert main(asked) == ForeignModelError.exit_code
    assert "gives 3 scores, and there are 4 labels" in capsys.readouterr().err
