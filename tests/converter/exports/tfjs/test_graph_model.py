"""A TF.js graph model has the right files, and TF.js in Node.js gives the same scores as Keras."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.errors import ConversionError
from converter.exports.tfjs import graph_model
from converter.exports.tfjs.graph_model import write_graph_model
from converter.exports.tfjs.library import tfjs_library
from converter.exports.tfjs.run_in_node import score_in_node
from edge.core.images.preprocess import InputSpec
from tests.converter.exports.graphs import levels, save_model
from tests.converter.runs import KERAS_READS_VARIABLES
from trainer.networks import NETWORKS, build_network
from trainer.recipes.plan import NetworkPlan

pytestmark = [
    pytest.mark.filterwarnings(KERAS_READS_VARIABLES),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow warns of itself
]

LARGE = {
    "mobilenet_v2": "conv",
    "densenet121": "dense",
    "efficientnet_lite0": "plain",
    "efficientnet_lite1": "dense",
    "efficientnet_lite2": "conv",
}
SMALL = {
    "ann": "plain",
    "cnn": "dense",
    "tuned_cnn": "plain",
    "advanced_cnn": "plain",
    "convnet": "conv",
    "flat": "dense",
    "textbook_cnn": "plain",
}


def written(model: Any, folder: Path) -> Path:
    """The folder of the graph model of a Keras model."""
    saved = save_model(model, folder / "saved")
    out = folder / "graph"
    write_graph_model(saved, levels(3, model.input_shape[1:]), out, lambda doing: None)
    return out


def convolutions() -> Any:
    """A model with both kinds of convolution, each with a BatchNormalization and activation."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    picture = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, -1)(picture)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(max_value=6.0)(layers.BatchNormalization(name="first")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(max_value=6.0)(layers.BatchNormalization(name="second")(x))
    kept = layers.Conv2D(8, 1, bias_initializer="ones")(x)
    x = layers.Add()([kept, layers.ReLU()(kept)])  # two read it: nothing goes inside but its bias
    scores = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(picture, scores)
    rng = np.random.default_rng(0)
    for name in ("first", "second"):
        norm = model.get_layer(name)
        norm.set_weights([rng.uniform(0.5, 2, w.shape) for w in norm.get_weights()])
    return model


def operators(folder: Path) -> Counter[str]:
    nodes = json.loads((folder / "model.json").read_text())["modelTopology"]["node"]
    return Counter(node["op"] for node in nodes)


def test_biases_norms_and_activations_are_inside_the_convolutions(tmp_path: Path) -> None:
    found = operators(written(convolutions(), tmp_path))
    assert found["_FusedConv2D"] == 2
    assert found["FusedDepthwiseConv2dNative"] == 1
    assert not {"Conv2D", "DepthwiseConv2dNative", "Relu6", "BiasAdd", "Rsqrt"} & set(found)
    assert found["Relu"] == 1
    assert found["Cast"] == 0


def test_inputs_and_outputs_have_their_names(novelty: Any, tmp_path: Path) -> None:
    out = written(novelty, tmp_path)
    model = json.loads((out / "model.json").read_text())
    (name,) = model["signature"]["inputs"]
    sizes = model["signature"]["inputs"][name]["tensorShape"]["dim"]
    assert (name, [size["size"] for size in sizes]) == ("picture", ["-1", "32", "32", "3"])
    assert set(model["signature"]["outputs"]) == {"scores", "unknown"}
    nodes = [node["name"] for node in model["modelTopology"]["node"]]
    assert {"picture", "scores", "unknown"} <= set(nodes)
    assert len(set(nodes)) == len(nodes)


def test_weights_lie_in_files_that_browsers_like_in_the_order_of_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_model, "_SHARD", 300)
    out = written(convolutions(), tmp_path)
    (group,) = json.loads((out / "model.json").read_text())["weightsManifest"]
    files = [out / path for path in group["paths"]]
    assert len(files) > 1
    assert all(0 < file.stat().st_size <= 300 for file in files)
    sizes = [int(np.prod(weight["shape"], dtype=int)) for weight in group["weights"]]
    assert {weight["dtype"] for weight in group["weights"]} <= {"float32", "int32"}
    assert sum(file.stat().st_size for file in files) == 4 * sum(sizes)


def test_an_operator_that_was_never_tried_is_named(tmp_path: Path) -> None:
    import keras

    picture = keras.Input((8, 8, 3))
    mean = keras.layers.GlobalAveragePooling2D()(picture)
    model = keras.Model(picture, keras.layers.Softmax()(keras.ops.erfinv(mean / 1e3)))
    with pytest.raises(ConversionError, match=r"not tested in TF\.js: Erfinv"):
        written(model, tmp_path)
    assert not (tmp_path / "graph").exists()


def test_a_graph_that_answers_differently_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from converter.exports.tfjs import graph_passes

    real = graph_passes._Nodes._set_constant

    def wrong(self: Any, name: str, value: Any) -> None:
        real(self, name, value * np.float32(1.1))

    monkeypatch.setattr(graph_passes._Nodes, "_set_constant", wrong)
    with pytest.raises(
        ConversionError, match=r"output scores .* differs by .* from the SavedModel"
    ):
        written(convolutions(), tmp_path)
    assert not (tmp_path / "graph").exists()


def test_every_network_is_tried() -> None:
    assert set(LARGE | SMALL) == set(NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), [*SMALL.items(), *LARGE.items()])
def test_tf_js_in_node_scores_every_network_as_keras_does(
    name: str, head: str, tmp_path: Path
) -> None:
    small = InputSpec(height=28, width=28, channels=1)
    spec = InputSpec(height=96, width=96) if name in LARGE else small
    plan = NetworkPlan.model_validate({"name": name, "weights": "none", "head": head})
    model = build_network(plan, spec, 3, seed=0).model
    dense = model.get_layer("logits")
    kernel = np.random.default_rng(0).normal(0, 0.5, dense.kernel.shape)
    dense.set_weights([kernel, np.zeros(3)])
    for layer in model.layers:
        layer.momentum = 0.0  # where it is a norm, of statistics as if trained
    model(levels(8, spec.shape).astype(np.float32), training=True)
    check_in_node(model, tmp_path)


@pytest.mark.slow
def test_tf_js_in_node_gives_the_novelty_score_too(novelty: Any, tmp_path: Path) -> None:
    check_in_node(novelty, tmp_path)


@pytest.mark.slow
def test_tf_js_in_node_fuses_as_tensorflow_does(tmp_path: Path) -> None:
    check_in_node(convolutions(), tmp_path)


def check_in_node(model: Any, folder: Path) -> None:
    tensors = levels(3, model.input_shape[1:])
    outputs = model(tensors.astype(np.float32), training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    found = score_in_node(written(model, folder), tensors, library=tfjs_library())
    assert list(found) == ["scores", "unknown"][: len(outputs)]
    for values, expected in zip(found.values(), outputs, strict=True):
        np.testing.assert_allclose(values, np.asarray(expected), atol=1e-4)
    assert np.ptp(found["scores"], axis=0).max() > 1e-3  # it does look at the pictures
