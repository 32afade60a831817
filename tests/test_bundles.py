"""The tests' own bundle is right: what is damaged elsewhere was whole before."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_exactly, check_golden_start
from tests.bundles import BGR, LABELS, write_picture


def test_the_tiny_bundle_reproduces(tiny_bundle: Path) -> None:
    bundle = read_bundle(tiny_bundle)
    assert bundle.labels == LABELS
    check_golden_exactly(bundle)
    check_golden_start(Classifier(bundle))


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp"])
def test_the_tiny_model_is_sure_of_a_colour(
    tiny_bundle: Path, tmp_path: Path, label: str, ending: str
) -> None:
    picture = write_picture(tmp_path / f"picture{ending}", BGR[label])
    scores = Classifier(read_bundle(tiny_bundle)).scores(read_image(picture))
    assert LABELS[scores.argmax()] == label
    assert scores.max() > 0.9
