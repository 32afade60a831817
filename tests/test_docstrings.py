"""The examples in docstrings do what they show."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from unittest.mock import create_autospec

import cv2
import numpy as np
import pytest

from tests.bundles import make_bundle
from tests.test_architecture import MODULES

WITH_EXAMPLES = sorted(
    name for name, file in MODULES.items() if ">>> " in file.read_text(encoding="utf-8")
)
CALLED_FROM_PYTHON = {
    "edge.core.dataset.reading": "read_picture_set",
    "edge.core.images.image_file": "read_image",
    "edge.core.images.preprocess": "preprocess",
    "edge.core.model.bundle": "read_bundle",
    "edge.core.model.classifier": "Classifier",
}
"""What is of use to a program of one's own: each has an example."""

TAKES_MINUTES = {
    "trainer.session.training": "train",
    "trainer.evaluation.crossval": "cross_validate",
    "trainer.fit.learning_rate_finder": "find_rates",
    "converter.convert": "convert",
}
"""The same, of what trains or converts: a stand-in takes the call that the example shows."""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the photographs and the bundle that examples speak of."""
    monkeypatch.chdir(tmp_path)
    make_bundle(Path("bundles/first"))
    for label, colour in (("red", (0, 0, 255)), ("blue", (255, 0, 0))):
        Path("photos", label).mkdir(parents=True)
        cv2.imwrite(f"photos/{label}/1.png", np.full((60, 80, 3), colour, np.uint8))


@pytest.mark.parametrize("module", sorted({*WITH_EXAMPLES} - {*TAKES_MINUTES}))
def test_an_example_does_what_it_shows(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize(("module", "name"), TAKES_MINUTES.items())
def test_an_example_of_what_takes_minutes_is_a_call_that_the_function_takes(
    module: str, name: str
) -> None:
    real = importlib.import_module(module)
    stand_in = create_autospec(getattr(real, name))
    found = doctest.DocTestFinder().find(getattr(real, name), name, real)
    for example in found:
        example.globs[name] = stand_in
        assert doctest.DocTestRunner().run(example).failed == 0
    stand_in.assert_called()


@pytest.mark.parametrize(("module", "name"), CALLED_FROM_PYTHON.items())
def test_what_is_called_from_python_has_an_example(module: str, name: str) -> None:
    assert ">>> " in (getattr(importlib.import_module(module), name).__doc__ or "")
