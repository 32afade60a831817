"""Picture in, scores out, by a bundle whose parts fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import BundleFormatError, LabelCountError, ModelInputError, ModelOutputError
from edge.core.images.preprocess import Box, InputSpec, preprocess
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.verdict import RejectReason
from tests.bundles import BGR, LABELS, SPEC, TINY, TINY_UNKNOWN, make_bundle

GREEN = np.full((48, 64, 3), BGR["green"], np.uint8)


def test_a_picture_gets_its_scores(tiny_bundle: Path) -> None:
    classifier = Classifier(read_bundle(tiny_bundle))
    scores = classifier.scores(GREEN)
    assert scores.shape == (3,)
    assert classifier.labels[scores.argmax()] == "green"


def test_scores_are_the_callers_to_keep(tiny_bundle: Path) -> None:
    classifier = Classifier(read_bundle(tiny_bundle))
    green = classifier.scores(GREEN)
    classifier.scores(255 - GREEN)
    assert np.array_equal(green, classifier.scores(GREEN))


def test_a_model_of_items_looks_at_the_items_box(tmp_path: Path) -> None:
    spec = InputSpec(height=32, width=32, crop="item", padding=0)
    classifier = Classifier(read_bundle(make_bundle(tmp_path / "bundle", spec=spec)))
    belt = np.full((100, 200, 3), BGR["blue"], np.uint8)
    belt[40:60, 150:170] = BGR["red"]
    whole, item = classifier.scores(belt), classifier.scores(belt, box=Box(150, 40, 20, 20))
    assert LABELS[whole.argmax()] == "blue"
    assert LABELS[item.argmax()] == "red"


def change(
    bundle: Path, *, spec: InputSpec = SPEC, labels: tuple[str, ...] = LABELS, model: bytes = b""
) -> Path:
    """Writes the bundle's manifest anew, for parts that do not fit together."""
    from edge.core.model.bundle import read_bundle, write_manifest

    manifest = read_bundle(bundle).manifest
    (bundle / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    if model:
        (bundle / "model.tflite").write_bytes(model)
    fields = manifest.model_dump(exclude={"files", "schema_version"})
    write_manifest(bundle, **fields | {"input": spec, "accept": dict.fromkeys(labels, 0.5)})
    return bundle


@pytest.mark.parametrize("labels", [("red", "green"), ("red", "green", "blue", "grey")])
def test_labels_that_do_not_fit_the_output_are_refused(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    bundle = change(make_bundle(tmp_path / "bundle"), labels=labels)
    says = rf"labels\.txt has {len(labels)} labels, the model gives 3 scores"
    with pytest.raises(LabelCountError, match=says):
        Classifier(read_bundle(bundle))


@pytest.mark.parametrize(
    "spec",
    [
        InputSpec(height=32, width=48),
        InputSpec(height=32, width=32, channels=1),
    ],
    ids=["size", "channels"],
)
def test_a_spec_that_does_not_fit_the_input_is_refused(tmp_path: Path, spec: InputSpec) -> None:
    bundle = change(make_bundle(tmp_path / "bundle"), spec=spec)
    with pytest.raises(ModelInputError, match=r"the model takes \(32, 32, 3\).*bundle\.json says"):
        Classifier(read_bundle(bundle))


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    bundle = change(make_bundle(tmp_path / "bundle"), model=b"no model")
    with pytest.raises(BundleFormatError, match=r"model\.tflite: not a TFLite model"):
        Classifier(read_bundle(bundle))


def test_the_bundle_s_thresholds_make_the_verdict(tmp_path: Path) -> None:
    classifier = Classifier(read_bundle(make_bundle(tmp_path / "bundle", unknown=0.5)))
    grey = np.full((48, 64, 3), 128, np.uint8)
    assert classifier.verdict(classifier.predict(GREEN)).accepted
    assert classifier.verdict(classifier.predict(grey)).reject is RejectReason.UNKNOWN


def test_without_a_threshold_nothing_is_of_no_class(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", unknown=0.5)
    manifest = bundle / "bundle.json"
    manifest.write_text(manifest.read_text().replace('"threshold": 0.5', '"threshold": null'))
    classifier = Classifier(read_bundle(bundle))
    verdict = classifier.verdict(classifier.predict(np.full((48, 64, 3), 128, np.uint8)))
    assert verdict.reject is RejectReason.LOW_CONFIDENCE
    assert (verdict.novelty or 0) > 0.7


@pytest.mark.parametrize(
    ("unknown", "model", "says"),
    [
        (0.5, TINY, "the model has no novelty score, bundle.json tells of one"),
        (None, TINY_UNKNOWN, "the model has a novelty score, .* tells of none"),
    ],
)
def test_a_manifest_that_does_not_fit_the_outputs_is_refused(
    tmp_path: Path, unknown: float | None, model: Path, says: str
) -> None:
    bundle = make_bundle(tmp_path / "bundle", unknown=unknown, model=model.read_bytes())
    with pytest.raises(ModelOutputError, match=says):
        Classifier(read_bundle(bundle))


def test_what_goes_on_meanwhile_is_begun_as_soon_as_the_input_is_ready(
    tiny_bundle: Path,
) -> None:
    classifier, begun = Classifier(read_bundle(tiny_bundle)), []
    classifier.predict(255 - GREEN)
    classifier.predict(GREEN, meanwhile=lambda: begun.append(classifier.interpreter.tensor.copy()))
    (then,) = begun
    assert np.array_equal(then, preprocess(GREEN, classifier.spec))
