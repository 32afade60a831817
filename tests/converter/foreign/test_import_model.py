"""Imports of other people's classifiers: the normalisation is never guessed, and labels in another
order are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from converter.cli import main
from converter.errors import ConversionError, ForeignModelError
from converter.exports.tflite import Kind
from converter.foreign.evidence import Evidence
from converter.foreign.graph_surgery import NORMALISATIONS, adapt_model
from converter.foreign.interface import read_interface
from converter.foreign.normalisations import TriedNormalisation, choose_normalisation
from converter.tflite.metadata import with_metadata
from edge.core.errors import EXIT_USAGE, PictureSetError
from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_exactly, check_golden_start
from edge.core.model.interpreter import Interpreter
from tests import bundles
from tests.converter.foreign.models import (
    LABELS,
    SIZE,
    colour_model,
    colour_photos,
    way,
    with_labels,
)
from tests.converter.runs import KERAS_READS_VARIABLES

pytestmark = pytest.mark.filterwarnings(KERAS_READS_VARIABLES, "ignore::UserWarning")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures of each of the ten colours."""
    return colour_photos(tmp_path_factory.mktemp("photos") / "colours")


class Import:
    """`pilah-converter import` of one model on the photographs of ten colours."""

    def __init__(self, folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.out = folder / "bundle"
        self._model, self._labels = folder / "theirs.tflite", folder / "labels.txt"
        self._photos, self._capsys = photos, capsys
        self.shown = self.said = ""

    def __call__(
        self, model: bytes, *more: str, labels: tuple[str, ...] | None = LABELS,
        photos: Path | None = None,
    ) -> int:  # fmt: skip
        """Runs the import and returns its exit code; `shown` is its stdout, `said` its stderr."""
        self._model.write_bytes(model)
        words = ["import", str(self._model), "--data", str(photos or self._photos),
                 "--out", str(self.out), "--name", "theirs", *more]  # fmt: skip
        if labels is not None:
            self._labels.write_text("\n".join(labels), encoding="utf-8")
            words += ["--labels", str(self._labels)]
        self._capsys.readouterr()
        code = main(words)
        self.shown, self.said = self._capsys.readouterr()
        return code

    @property
    def taken(self) -> str:
        """The normalisation of the bundle."""
        return str(read_bundle(self.out).manifest.recipe["normalisation"])


@pytest.fixture
def imports(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    return Import(tmp_path, photos, capsys)


FORMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "torchvision, channels first": ("torchvision", {"layout": "NCHW"}, ""),
    "-1..1, channels first": ("-1..1", {"layout": "NCHW"}, ""),
    "caffe, BGR": ("caffe, BGR", {}, ""),
    "raw, logits": ("raw", {"gives": "logits"}, "a softmax was added behind them"),
    "0..1, sigmoids": ("0..1", {"gives": "sigmoids"}, "each is divided by their sum"),
    "-1..1, scores in four dimensions": ("-1..1", {"flat": False}, ""),
    "0..1, any batch": ("0..1", {"signature": (-1, SIZE, SIZE, 3)}, ""),
    "-1..1, uint8": ("-1..1", {"integers": ("UINT8", 1 / 127.5, 127)}, ""),
    "0..1, int8": ("0..1", {"integers": ("INT8", 1 / 255, -128)}, ""),
    "raw, BGR, uint8": ("raw, BGR", {"integers": ("UINT8", 1.0, 0)}, ""),
}


@pytest.mark.usefixtures("known_harmless")
@pytest.mark.parametrize("kind", FORMS)
def test_models_of_every_form_are_taken_as_they_are_meant(kind: str, imports: Import) -> None:
    wanted, options, shown = FORMS[kind]
    assert imports(colour_model(way(wanted), **options)) == 0
    assert f"-> {wanted:16} 100.0%" in imports.shown
    assert shown in imports.shown
    bundle = read_bundle(imports.out)
    assert bundle.labels == LABELS
    assert bundle.manifest.figures["imported"]["accuracy"] > 0.9
    check_golden_exactly(bundle)
    assert "in another order" not in imports.said
    # None of the ten labels has enough pictures for a promise: one note says so for all of them.
    assert imports.shown.count("carry no promise") == 1
    card = (imports.out / "card.md").read_text(encoding="utf-8")
    assert f"| {wanted} (this one) |" in card
    assert card.count("carry no promise") == 1


WRONG = {
    "shifted": (LABELS[3:] + LABELS[:3], ()),
    "reversed": (LABELS[::-1], ()),
    "two swapped": (("brick", "amber", *LABELS[2:]), ()),
    "shifted, forced": (LABELS[3:] + LABELS[:3], ("--normalisation", "-1..1")),
    "two swapped, forced": (("brick", "amber", *LABELS[2:]), ("--normalisation", "-1..1")),
    "shifted, forced otherwise": (LABELS[3:] + LABELS[:3], ("--normalisation", "raw")),
}


@pytest.mark.parametrize("kind", WRONG)
def test_labels_in_another_order_are_refused_and_the_order_is_named(
    kind: str, imports: Import
) -> None:
    labels, more = WRONG[kind]
    assert imports(colour_model(way("-1..1")), *more, labels=labels) == ForeignModelError.exit_code
    assert "labels.txt are in another order" in imports.said
    right = "\n".join(LABELS)
    assert f"\n\n{right}\n\n" in imports.said
    assert not imports.out.exists()
    # What it names can be given as it stands.
    assert imports(colour_model(way("-1..1")), labels=tuple(right.split("\n"))) == 0


def test_a_model_of_other_things_is_refused(imports: Import, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in LABELS:
        for number in range(6):
            place = tmp_path / "noise" / label / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(place), rng.integers(0, 256, (18, 20, 3), np.uint8))
    code = imports(colour_model(way("0..1")), photos=tmp_path / "noise")
    assert code == ForeignModelError.exit_code
    assert "no better than chance" in imports.said
    assert not imports.out.exists()


def test_a_normalisation_that_is_forced_is_held_against_chance_and_the_others(
    imports: Import,
) -> None:
    model = colour_model(way("-1..1"))
    assert imports(model, "--normalisation", "raw") == ForeignModelError.exit_code
    assert "which is no better than chance" in imports.said
    assert "leave out --normalisation" in imports.said
    assert imports(model, "--normalisation", "torchvision") == 0
    assert "with -1..1 it would be 100.0%" in imports.said
    assert imports(model, "--replace", "--normalisation", "-1..1,bgr") == 0
    assert imports.taken == "-1..1, BGR"
    assert imports(model, "--replace", "--normalisation", "0-1") == EXIT_USAGE
    assert "Received: '0-1'" in imports.said


def test_a_forced_order_of_channels_does_not_blame_the_labels(
    imports: Import, photos: Path, tmp_path: Path
) -> None:
    # With red and blue exchanged brick is answered with ink or denim, and denim with brick.
    for label in ("brick", "denim", "ink", "grey", "emerald"):
        for number in range(2):
            for path in (photos / label).iterdir():
                place = tmp_path / "few" / label / f"{number}{path.name}"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(path.read_bytes())
    forced = ("--normalisation", "-1..1, BGR")
    assert imports(colour_model(way("-1..1")), *forced, photos=tmp_path / "few") == 0
    assert "in another order" not in imports.said
    assert "with -1..1 it would be" in imports.said


def test_a_file_that_contradicts_the_pictures_is_told(imports: Import) -> None:
    lying = colour_model(way("0..1"), integers=("UINT8", 1 / 127.5, 128))
    assert imports(lying) == 0
    assert "indicates -1..1, but your pictures indicate 0..1" in imports.said
    assert imports.taken == "0..1"
    right = colour_model(way("-1..1"), integers=("UINT8", 1 / 127.5, 128))
    assert imports(right, "--replace") == 0
    assert "zero point 128) indicates -1..1\n" in imports.said


def test_labels_inside_the_model_suffice(imports: Import) -> None:
    assert imports(with_labels(colour_model(way("0..1")), LABELS), labels=None) == 0
    assert read_bundle(imports.out).labels == LABELS
    code = imports(colour_model(way("0..1")), "--replace", labels=None)
    assert code == ForeignModelError.exit_code
    assert "has no labels inside" in imports.said


COUNTS = {
    "background left out": (LABELS[1:], "write a line `background` before"),
    "background too many": (("background", *LABELS), "without the first line, 'background'"),
}


@pytest.mark.usefixtures("known_harmless")
@pytest.mark.parametrize("kind", COUNTS)
def test_another_number_of_labels_than_outputs_is_told_with_what_is_meant(
    kind: str, imports: Import
) -> None:
    labels, meant = COUNTS[kind]
    assert imports(colour_model(way("raw")), labels=labels) == ForeignModelError.exit_code
    assert f"gives 10 scores, but there are {len(labels)} labels" in imports.said
    assert meant in imports.said


def test_a_model_compiled_for_the_edge_tpu_asks_for_the_other_file(imports: Import) -> None:
    model = colour_model(way("raw"), custom="edgetpu-custom-op")
    assert imports(model) == ConversionError.exit_code
    assert "the file that it was compiled from, without _edgetpu" in imports.said


def test_pictures_of_one_class_decide_nothing(
    imports: Import, photos: Path, tmp_path: Path
) -> None:
    for number in range(4):
        for path in (photos / "amber").iterdir():
            place = tmp_path / "one" / "amber" / f"{number}{path.name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    code = imports(colour_model(way("raw")), photos=tmp_path / "one")
    assert code == PictureSetError.exit_code
    assert "all pictures are of one class, 'amber'" in imports.said


def test_where_it_does_not_show_nothing_is_guessed(
    imports: Import, photos: Path, tmp_path: Path
) -> None:
    # Grey pictures: the order of the channels cannot be told from them.
    greys = [label for label in LABELS if label in ("coal", "grey", "snow")]
    for label in greys:
        for path in (photos / label).iterdir():
            for number in range(2):
                place = tmp_path / "grey" / label / f"{number}{path.name}"
                place.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(place), cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY))
    model = colour_model(way("0..1, BGR"))
    assert imports(model, photos=tmp_path / "grey") == ForeignModelError.exit_code
    assert "your pictures do not show which normalisation the model needs" in imports.said
    assert "0..1, BGR" in imports.said
    assert not imports.out.exists()
    assert imports(model, "--normalisation", "0..1, BGR", photos=tmp_path / "grey") == 0
    assert imports.taken == "0..1, BGR"


def test_json_tells_what_was_tried(imports: Import) -> None:
    assert imports(colour_model(way("raw")), "--json") == 0
    found = json.loads(imports.shown)
    assert set(found["tried"]) == {str(way) for way in NORMALISATIONS}
    assert max(found["tried"], key=found["tried"].get) == "raw"


def tried(counts: Mapping[str, tuple[int, int]]) -> list[TriedNormalisation]:
    """Normalisations tried on 100 pictures, given the range of right ones of each; best first."""
    numbers = np.arange(100)
    rows = []
    for normalisation in NORMALISATIONS:
        low, high = counts.get(str(normalisation), (0, 20))
        right = (numbers >= low) & (numbers < high)
        rows.append(TriedNormalisation(normalisation, numbers, right, np.where(right, 0.1, 2.0)))
    return sorted(rows, key=lambda row: -int(row.right.sum()))


UNDECIDED = {"-1..1": (0, 81), "-1..1, BGR": (2, 84), "0..1": (0, 60), "0..1, BGR": (0, 61)}


def decided(
    rows: list[TriedNormalisation], *, coloured: bool = True, evidence: Evidence | None = None
) -> str:
    return str(choose_normalisation(rows, None, evidence, Path("m.tflite"), coloured=coloured))


@pytest.mark.usefixtures("log_lines")
def test_where_coloured_pictures_show_no_order_rgb_is_taken_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = tried(UNDECIDED)
    assert str(rows[0].normalisation) == "-1..1, BGR"
    assert decided(rows) == "-1..1"
    said = capsys.readouterr().err
    assert "are equally good" in said
    assert '--normalisation "-1..1, BGR"' in said
    with pytest.raises(ForeignModelError, match="do not show which normalisation"):
        decided(rows, coloured=False)


def test_an_order_that_shows_is_taken_and_undecided_levels_are_refused() -> None:
    assert decided(tried(UNDECIDED | {"-1..1": (0, 60)})) == "-1..1, BGR"
    with pytest.raises(ForeignModelError, match="do not show which normalisation"):
        decided(tried(UNDECIDED | {"0..1": (0, 80)}))


@pytest.mark.usefixtures("log_lines")
def test_the_file_decides_what_the_pictures_leave_open(capsys: pytest.CaptureFixture[str]) -> None:
    rows = tried(UNDECIDED | {"0..1": (0, 80)})
    evidence = Evidence(way("0..1"), "its metadata")
    assert decided(rows, evidence=evidence) == "0..1"
    assert "its metadata indicates 0..1" in capsys.readouterr().err


@pytest.mark.usefixtures("log_lines")
def test_of_two_ways_that_are_nearly_the_same_the_usual_one_is_taken_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = tried({"-1..1": (0, 80), "torchvision": (1, 81)})
    assert decided(rows) == "-1..1"
    assert 'to use another, give --normalisation "torchvision"' in capsys.readouterr().err


def test_where_all_are_right_alike_the_scores_decide() -> None:
    rows = [
        TriedNormalisation(t.normalisation, t.best, np.ones(100, bool), loss)
        for t in tried({})
        for loss in [np.full(100, 0.1 if str(t.normalisation) == "0..1" else 0.4)]
    ]
    spread = np.random.default_rng(0).normal(0, 0.1, 100)
    rows = [TriedNormalisation(t.normalisation, t.best, t.right, t.loss + i * spread)
            for i, t in enumerate(rows)]  # fmt: skip
    assert decided(rows) == "0..1"


OWN: dict[str, Kind] = {"the bundle's own": "int8", "float32": "float32"}


@pytest.mark.parametrize("kind", OWN)
def test_pilahs_own_exports_are_imported(
    kind: str, imports: Import, novelty_models: Mapping[Kind, bytes], tmp_path: Path
) -> None:
    for label, bgr in bundles.BGR.items():
        for number in range(16):
            picture = tmp_path / "rgb" / label / f"{number}.png"
            bundles.write_picture(picture, bgr, height=40 + number)
    model = with_metadata(
        novelty_models[OWN[kind]], name="own", version="1", spec=bundles.SPEC, labels=bundles.LABELS
    )
    assert imports(model, labels=None, photos=tmp_path / "rgb") == 0
    assert "the novelty score of this model is left out" in imports.said
    assert imports.taken == "raw"
    bundle = read_bundle(imports.out)
    assert bundle.labels == bundles.LABELS
    tensor = np.random.default_rng(0).integers(0, 256, bundles.SPEC.shape, np.uint8)
    np.testing.assert_allclose(
        Interpreter(bundle.model).scores(tensor), Interpreter(model).scores(tensor), atol=1e-6
    )


def keras_export(scale: float, offset: float, *, quantised: bool) -> bytes:
    """A model for dark red, light red and blue, as a tool exports it: float, or uint8 throughout.

    Its input is levels times `scale` plus `offset`.
    """
    import keras
    import tensorflow as tf

    picture = keras.Input((SIZE, SIZE, 3))
    dense = keras.layers.Dense(3)
    logits = dense(keras.layers.GlobalAveragePooling2D()(picture))
    model = keras.Model(picture, keras.layers.Softmax()(logits))
    # On raw levels red, green, blue: light from dark red at 135, blue by more blue than red.
    weights = np.array([[0.0, 0.1, -0.2], [0, 0, 0], [0, 0, 0.2]])
    bias = np.array([0.0, -13.5, 4.0])
    dense.set_weights([weights / scale, bias - (offset / scale) * weights.sum(axis=0)])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if quantised:
        rng = np.random.default_rng(1)

        def pictures() -> Iterator[list[np.ndarray]]:
            for level in np.linspace(0, 255, 30):
                levels = np.full((1, SIZE, SIZE, 3), level) * rng.uniform(0, 1, (1, 1, 1, 3))
                yield [(scale * levels + offset).astype(np.float32)]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = pictures
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


@pytest.fixture(scope="module")
def reds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the three classes, which differ in brightness and in the order of channels."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("reds")
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


KERAS: dict[str, Callable[[], bytes]] = {
    "-1..1": lambda: keras_export(1 / 127.5, -1.0, quantised=False),
    "0..1": lambda: keras_export(1 / 255, 0.0, quantised=True),
}


@pytest.mark.usefixtures("known_harmless")
@pytest.mark.parametrize("wanted", KERAS)
def test_what_tensorflow_exports_is_imported(wanted: str, imports: Import, reds: Path) -> None:
    names = ("dark red", "light red", "blue")
    model = KERAS[wanted]()
    numbered = tuple(f"{index} {name}" for index, name in enumerate(names))
    assert imports(model, labels=numbered, photos=reds) == 0
    assert imports.taken == wanted
    bundle = read_bundle(imports.out)
    assert bundle.labels == names
    check_golden_exactly(bundle)
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    right = 0
    for path in sorted(reds.rglob("*.png")):
        scores = classifier.scores(read_image(path))
        assert scores.sum() == pytest.approx(1, abs=0.02)
        right += names[int(scores.argmax())] == path.parent.name
    assert right > 0.95 * 120


@pytest.mark.parametrize(
    ("wanted", "layout"), [("-1..1", "NHWC"), ("torchvision", "NCHW"), ("caffe, BGR", "NHWC")]
)
def test_the_rewired_model_scores_as_theirs_does(wanted: str, layout: str) -> None:
    from ai_edge_litert.interpreter import Interpreter as LiteRt

    normal = way(wanted)
    content = colour_model(normal, layout=layout)
    interface = read_interface(content, Path("theirs.tflite"))
    mine = Interpreter(adapt_model(content, interface, normal, gives="probabilities"))
    theirs = LiteRt(model_content=content)
    theirs.allocate_tensors()
    for tensor in np.random.default_rng(2).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8):
        taken = tensor * np.array(normal.scale) + np.array(normal.offset)
        taken = taken[..., ::-1] if normal.bgr else taken
        taken = taken.transpose(2, 0, 1) if layout == "NCHW" else taken
        theirs.set_tensor(theirs.get_input_details()[0]["index"], taken[None].astype(np.float32))
        theirs.invoke()
        expected = theirs.get_tensor(theirs.get_output_details()[0]["index"])[0]
        np.testing.assert_allclose(mine.scores(tensor), expected, atol=1e-4)
