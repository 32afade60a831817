"""Fixtures for all tests of the converter: shared runs and conversions, which take seconds each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from converter import convert as converting
from converter.calibration import Tensors, calibration_tensors, choose_calibration
from converter.exports.tflite import Kind, convert_model
from converter.tensorflow.process import shared_tensorflow
from edge.core.model import trial
from tests.converter.runs import UNKNOWN, make_run
from trainer.run import Run, read_run


@pytest.fixture(scope="package", autouse=True)
def loaded_once() -> Iterator[None]:
    """TensorFlow is loaded once for the conversions of all these tests."""
    with shared_tensorflow():
        yield


@pytest.fixture(scope="session")
def keras_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny network, saved by Keras."""
    from tests.data.make_tiny import tiny_model

    path = tmp_path_factory.mktemp("keras") / "model.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # see KERAS_READS_VARIABLES
        tiny_model().save(path)
    return path


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, keras_model: Path) -> Run:
    """A finished run; read only, shared by all tests."""
    return read_run(make_run(tmp_path_factory.mktemp("tiny"), keras_model))


@pytest.fixture(scope="session")
def novelty_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run whose model has a novelty score."""
    from tests.data.make_tiny import tiny_model, tiny_novelty_score
    from trainer.calibration.novelty import with_unknown_output

    path = tmp_path_factory.mktemp("keras") / "novelty.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # see KERAS_READS_VARIABLES
        with_unknown_output(tiny_model(), tiny_novelty_score()).save(path)
    return read_run(make_run(tmp_path_factory.mktemp("novelty"), path, unknown=UNKNOWN))


@pytest.fixture(scope="session")
def novelty_models(novelty_run: Run, tensors: Tensors) -> Mapping[Kind, bytes]:
    """The `.tflite` files of `novelty_run`, converted once."""
    return {kind: convert_model(novelty_run, kind, tensors) for kind in ("float32", "int8")}


@pytest.fixture(scope="session")
def tensors(run: Run) -> Tensors:
    """The calibration tensors of the tiny run."""
    chosen = choose_calibration(run.pictures(), 30, seed=run.facts.seed)
    return calibration_tensors(chosen, run.facts.input)


@pytest.fixture(scope="session")
def models(run: Run, tensors: Tensors) -> Mapping[Kind, bytes]:
    """The run's `.tflite` files, converted once."""
    return {kind: convert_model(run, kind, tensors) for kind in ("float32", "int8")}


@pytest.fixture
def known_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skips the subprocess in which an unknown model is tried first.

    `test_trial` tests it, and so do the imports of pilah's own exports.
    """
    monkeypatch.setattr(trial, "_try_apart", lambda model, golden, name: None)


@pytest.fixture
def converted_before(
    monkeypatch: pytest.MonkeyPatch, models: Mapping[Kind, bytes]
) -> Callable[[Kind, bytes], None]:
    """Replaces conversions by `models`. Call the fixture to replace one of these models."""
    return _spare_conversions(monkeypatch, models)


@pytest.fixture
def novelty_converted_before(
    monkeypatch: pytest.MonkeyPatch, novelty_models: Mapping[Kind, bytes]
) -> None:
    """Replaces conversions of `novelty_run` by `novelty_models`."""
    _spare_conversions(monkeypatch, novelty_models)


def _spare_conversions(
    patch: pytest.MonkeyPatch, models: Mapping[Kind, bytes]
) -> Callable[[Kind, bytes], None]:
    given = dict(models)
    patch.setattr(converting, "convert_model", lambda run, kind, tensors: given[kind])
    patch.setattr(converting, "start_in_background", lambda run, requests: None)
    return given.__setitem__
