"""A bundle that does not answer here as where it was made is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import GoldenError
from edge.core.images.preprocess import InputSpec, Tensor, preprocess
from edge.core.model import golden as module
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_exactly, check_golden_start
from edge.core.verdict import Prediction
from tests.bundles import change_manifest, make_bundle


def record(bundle: Path, *, picture: int, **fields: object) -> None:
    """Changes what the manifest says of a golden picture."""
    change_manifest(bundle, lambda found: found["golden"]["pictures"][picture].update(fields))


def scores(bundle: Path, picture: int) -> list[float]:
    return list(read_bundle(bundle).manifest.golden.pictures[picture].scores)


@pytest.mark.parametrize(
    "spec",
    [
        InputSpec(height=32, width=32, geometry="squash"),
        InputSpec(height=32, width=32, geometry="center_crop"),
        InputSpec(height=32, width=32, crop="item", padding=0.3),
    ],
    ids=["squash", "center_crop", "item"],
)
def test_a_bundle_of_any_spec_reproduces(tmp_path: Path, spec: InputSpec) -> None:
    bundle = read_bundle(make_bundle(tmp_path / "bundle", spec=spec))
    check_golden_exactly(bundle)
    check_golden_start(Classifier(bundle))


def with_logit_moved(scores: list[float], index: int, step: float) -> list[float]:
    """The softmax of the same logits but one, which is `step` higher."""
    moved = np.array(scores, np.float64)
    moved[index] *= np.exp(step)
    return [float(score) for score in (moved / moved.sum()).astype(np.float32)]


@pytest.mark.parametrize("picture", [0, 1])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_exact_check_finds_a_logit_that_is_off_by_a_hundredth(
    bundle: Path, picture: int, index: int
) -> None:
    # A step of the tiny model's logits is 0.035, of MobileNetV2's 0.02 to 0.1.
    changed = with_logit_moved(scores(bundle, picture), index, 0.01)
    record(bundle, picture=picture, scores=changed)
    with pytest.raises(GoldenError, match=rf"golden/{picture}\.png gets other scores"):
        check_golden_exactly(read_bundle(bundle))


def test_the_exact_check_allows_a_softmax_to_round_otherwise(bundle: Path) -> None:
    record(
        bundle,
        picture=0,
        scores=[float(np.nextafter(np.float32(s), np.float32(1))) for s in scores(bundle, 0)],
    )
    check_golden_exactly(read_bundle(bundle))


def test_the_check_at_start_allows_the_tolerance_and_no_more(bundle: Path) -> None:
    right = scores(bundle, 0)
    record(bundle, picture=0, scores=[right[0], right[1] + 0.04, right[2] - 0.04])
    check_golden_start(Classifier(read_bundle(bundle)))
    record(bundle, picture=0, scores=[right[0], right[1] + 0.08, right[2] - 0.08])
    with pytest.raises(GoldenError, match=r"allowed difference 0\.05.*This model must not sort"):
        check_golden_start(Classifier(read_bundle(bundle)))


@pytest.mark.parametrize("wrong", [[0.5, 0.5], [0.2] * 4])
def test_scores_of_another_kind_do_not_pass(bundle: Path, wrong: list[float]) -> None:
    record(bundle, picture=0, scores=wrong)
    with pytest.raises(GoldenError):
        check_golden_start(Classifier(read_bundle(bundle)))
    with pytest.raises(GoldenError):
        check_golden_exactly(read_bundle(bundle))


def test_a_model_that_answers_nan_does_not_pass(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = Classifier(read_bundle(bundle))
    nothing = Prediction(np.full(3, np.nan, np.float32))
    monkeypatch.setattr(classifier.interpreter, "predict", lambda tensor: nothing)
    with pytest.raises(GoldenError):
        check_golden_start(classifier)


def test_another_input_tensor_is_refused_whatever_the_scores(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_level_off(*words: object, **options: object) -> Tensor:
        tensor = preprocess(*words, **options)  # type: ignore[arg-type]
        tensor[0, 0, 0] ^= 1
        return tensor

    monkeypatch.setattr(module, "preprocess", one_level_off)
    says = r"golden/0\.png becomes another input tensor.*deploy/locks"
    with pytest.raises(GoldenError, match=says):
        check_golden_start(Classifier(read_bundle(bundle)))
    with pytest.raises(GoldenError, match=says):
        check_golden_exactly(read_bundle(bundle))


@pytest.fixture
def telling(tmp_path: Path) -> Path:
    """A whole bundle with a novelty score."""
    return make_bundle(tmp_path / "telling", unknown=0.5)


def test_a_novelty_score_reproduces_too(telling: Path) -> None:
    bundle = read_bundle(telling)
    assert all(picture.unknown is not None for picture in bundle.manifest.golden.pictures)
    check_golden_exactly(bundle)
    check_golden_start(Classifier(bundle))


@pytest.mark.parametrize("unknown", [None, 0.01])
def test_another_novelty_score_is_refused(telling: Path, unknown: float | None) -> None:
    record(telling, picture=0, unknown=unknown)
    with pytest.raises(GoldenError, match=r"golden/0\.png gets another novelty score"):
        check_golden_exactly(read_bundle(telling))
    with pytest.raises(GoldenError, match="another novelty score"):
        check_golden_start(Classifier(read_bundle(telling)))


def test_the_exact_check_finds_a_novelty_score_whose_logits_are_off_by_a_hundredth(
    telling: Path,
) -> None:
    right = read_bundle(telling).manifest.golden.pictures[1].unknown or 0.0
    odds = right / (1 - right)
    record(telling, picture=1, unknown=odds * np.exp(1e-5) / (1 + odds * np.exp(1e-5)))
    check_golden_exactly(read_bundle(telling))  # floats may round otherwise
    record(telling, picture=1, unknown=odds * np.exp(0.01) / (1 + odds * np.exp(0.01)))
    with pytest.raises(GoldenError, match="another novelty score"):
        check_golden_exactly(read_bundle(telling))


def test_the_check_at_start_allows_a_novelty_score_its_own_tolerance(telling: Path) -> None:
    right = read_bundle(telling).manifest.golden.pictures[0].unknown or 0.0
    record(telling, picture=0, unknown=right + 0.04)
    check_golden_start(Classifier(read_bundle(telling)))
    record(telling, picture=0, unknown=right + 0.08)
    with pytest.raises(GoldenError, match=r"allowed difference 0\.05"):
        check_golden_start(Classifier(read_bundle(telling)))
