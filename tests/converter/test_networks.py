"""Every network that can be trained is quantised to integers from its input to its logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converter.exports.tflite import convert_model
from converter.quantization.quantise import CalibratedModel
from converter.quantization.rounding import round_weights
from converter.tensorflow import process, tasks
from converter.tflite.layers import find_layers, read_graph
from edge.core.images.preprocess import InputSpec
from edge.core.model.interpreter import Interpreter
from tests.converter.runs import KERAS_READS_VARIABLES, LABELS, make_run
from trainer.networks import NETWORKS, build_network
from trainer.recipes.plan import NetworkPlan
from trainer.run import Run, read_run

pytestmark = [
    pytest.mark.filterwarnings(KERAS_READS_VARIABLES),
    # Converted in this process, TensorFlow warns of itself.
    pytest.mark.filterwarnings("ignore"),
]
SMALL = [
    ("ann", "plain"),
    ("cnn", "dense"),
    ("tuned_cnn", "plain"),
    ("advanced_cnn", "plain"),
    ("flat", "dense"),
    ("textbook_cnn", "plain"),
]
GREY = InputSpec(height=28, width=28, channels=1)
LARGE = [
    ("mobilenet_v2", "conv"),
    ("densenet121", "dense"),
    ("efficientnet_lite0", "plain"),
    ("efficientnet_lite1", "dense"),
    ("efficientnet_lite2", "conv"),
]


def make_untrained(
    folder: Path, name: str, head: str, spec: InputSpec, *, alpha: float = 1.0
) -> Run:
    given = {"name": name, "weights": "none", "head": head, "alpha": alpha}
    plan = NetworkPlan.model_validate(given)
    network = build_network(plan, spec, len(LABELS), seed=0)
    dense = network.model.get_layer("logits")
    # Weights of a size that training gives: the scores then differ.
    kernel = np.random.default_rng(0).normal(0, 0.5, dense.kernel.shape)
    dense.set_weights([kernel, np.zeros(len(LABELS))])
    network.model.save(folder / "made.keras")
    return read_run(make_run(folder, folder / "made.keras", spec=spec, parts={"train": 3}))


def check_conversion(run: Run) -> None:
    """Asserts that the int8 model takes raw levels and gives nearly the same scores as Keras."""
    spec = run.facts.input
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (40, 4, 4, spec.channels), dtype=np.uint8)
    factors = np.ones((1, spec.height // 4, spec.width // 4, 1), np.uint8)
    tensors = np.kron(coarse, factors)
    tensors[0], tensors[1] = 0, 255
    interpreter = Interpreter(convert_model(run, "int8", tensors))  # it checks the integers
    expected = np.asarray(run.load_model()(tensors.astype(np.float32)))
    given = np.stack([interpreter.scores(tensor) for tensor in tensors])
    assert np.abs(given - expected).mean() < 0.02
    assert (given.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.9


def test_every_network_is_tried() -> None:
    assert {name for name, _ in [*SMALL, *LARGE]} | {"convnet"} == set(NETWORKS)


@pytest.mark.parametrize(("name", "head"), SMALL)
def test_a_small_network_becomes_integers(
    name: str, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_run_job", lambda run, folder, _: tasks.main(run.path, folder))
    check_conversion(make_untrained(tmp_path, name, head, GREY, alpha=0.25))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), [*LARGE, ("convnet", "plain")])
def test_a_large_network_becomes_integers(name: str, head: str, tmp_path: Path) -> None:
    check_conversion(make_untrained(tmp_path, name, head, InputSpec(height=96, width=96)))


def check_every_layer_is_known(run: Run) -> None:
    """Asserts that the rounding of weights finds every int8 layer in the float model."""
    spec = run.facts.input
    tensors = np.random.default_rng(1).integers(0, 256, (6, *spec.shape), dtype=np.uint8)
    tensors[0], tensors[1] = 0, 255
    calibrated = CalibratedModel.from_keras(run.load_model(), tensors, lambda doing: None)
    before, after = (
        find_layers(read_graph(model))
        for model in (
            calibrated.rounded_to_nearest(),
            round_weights(calibrated.rounded_to_nearest(), calibrated.model, calibrated.statistics),
        )
    )
    assert len(before) > 1
    assert {layer.name for layer in before} <= set(calibrated.statistics.reads)
    assert not any(layer.shared for layer in before)
    assert all(layer.bias >= 0 for layer in after)


@pytest.mark.parametrize(("name", "head"), SMALL)
def test_every_layer_of_a_small_network_is_rounded_anew(
    name: str, head: str, tmp_path: Path
) -> None:
    check_every_layer_is_known(make_untrained(tmp_path, name, head, GREY, alpha=0.25))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), [*LARGE, ("convnet", "plain")])
def test_every_layer_of_a_large_network_is_rounded_anew(
    name: str, head: str, tmp_path: Path
) -> None:
    spec = InputSpec(height=96, width=96)
    check_every_layer_is_known(make_untrained(tmp_path, name, head, spec))
