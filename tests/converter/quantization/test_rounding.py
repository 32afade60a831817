"""Weights are rounded such that layer outputs change little, and ranges are the measured ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from converter.calibration import Tensors
from converter.exports.tflite import write_dynamic, write_float32
from converter.quantization.activation_statistics import ActivationStatistics, Moments
from converter.quantization.quantise import CalibratedModel, tflite_converter
from converter.quantization.rounding import damping_for, round_weights, round_with_compensation
from converter.tflite.layers import Graph, Layer, find_layers, read_graph, write_graph
from converter.tflite.operators import intermediate_tensors
from tests.converter.exports.graphs import levels
from tests.converter.runs import KERAS_READS_VARIABLES

SIZE = 24

pytestmark = [
    pytest.mark.filterwarnings(KERAS_READS_VARIABLES),
    pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs"),
]


@dataclass(frozen=True)
class Quantised:
    """A small network, calibrated, and quantised in the way of TensorFlow."""

    calibrated: bytes
    nearest: bytes
    tensors: Tensors
    statistics: ActivationStatistics


def widen_steps(model: Any) -> None:
    """Makes one weight of each output large, so that the quantisation steps become coarse."""
    for layer in model.layers:
        if values := layer.get_weights():
            values[0].reshape(-1, values[0].shape[-1])[0] *= 12
            layer.set_weights(values)


@pytest.fixture(scope="module")
def network() -> tuple[Any, Tensors]:
    """A network with every kind of layer, several strides, a sum and a Dense layer without a bias,
    and pictures for it."""
    import keras

    keras.utils.set_random_seed(3)
    chance = keras.initializers.RandomNormal(stddev=0.4)
    layers = keras.layers
    picture = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, -1)(picture)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu6")(x)
    wide = layers.Conv2D(16, 1, activation="relu6", kernel_initializer=chance)(x)
    deep = layers.DepthwiseConv2D(
        3, padding="same", activation="relu6", depthwise_initializer=chance
    )(wide)
    narrow = layers.Conv2D(8, 1, kernel_initializer=chance)(deep)
    x = layers.Add()([x, narrow])
    x = layers.DepthwiseConv2D(5, strides=2, padding="same", depthwise_initializer=chance)(x)
    x = layers.Conv2D(12, (3, 2), kernel_initializer=chance)(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(picture, layers.Softmax()(layers.Dense(5, use_bias=False)(x)))
    widen_steps(model)
    dense = model.layers[-2]
    dense.set_weights([dense.get_weights()[0] / 20])  # probabilities of which float32 has the log
    tensors = np.concatenate(
        [np.zeros((1, SIZE, SIZE, 3), np.uint8), np.full((1, SIZE, SIZE, 3), 255, np.uint8),
         levels(40, (SIZE, SIZE, 3))]
    )  # fmt: skip

    return model, tensors


@pytest.fixture(scope="module")
def quantised(network: tuple[Any, Tensors]) -> Quantised:
    model, tensors = network
    calibrated = CalibratedModel.from_keras(model, tensors, lambda doing: None)
    return Quantised(
        calibrated.model, calibrated.rounded_to_nearest(), tensors, calibrated.statistics
    )


def logits(model: bytes, tensors: Tensors) -> npt.NDArray[np.float64]:
    """The logits, (pictures, outputs), with the mean of each row subtracted."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for tensor in tensors:
        interpreter.set_tensor(taken["index"], tensor[None].astype(taken["dtype"]))
        interpreter.invoke()
        rows.append(np.log(interpreter.get_tensor(given["index"])[0].astype(np.float64)))
    return np.stack(rows) - np.mean(rows, axis=1, keepdims=True)


def constant(graph: Graph, index: int) -> npt.NDArray[Any]:
    values = graph.constant(index)
    assert values is not None
    return values


def test_independent_values_are_rounded_to_the_nearest() -> None:
    wanted = np.random.default_rng(0).normal(scale=40, size=(6, 9))
    assert (round_with_compensation(wanted, np.eye(9), 0.01) == np.rint(wanted)).all()
    each = np.broadcast_to(np.eye(9), (6, 9, 9))
    assert (round_with_compensation(wanted, each, 0.01) == np.rint(wanted)).all()


@pytest.mark.parametrize("shared", [True, False])
def test_values_that_vary_together_make_good_for_each_other(shared: bool) -> None:
    rng = np.random.default_rng(1)
    seen = rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 24))
    seen += 0.1 * rng.normal(size=seen.shape)
    covariance = np.cov(seen.T)
    wanted = rng.uniform(-127, 127, size=(10, 24))
    given = covariance if shared else np.broadcast_to(covariance, (10, 24, 24))
    found = round_with_compensation(wanted, given, 0.01)
    assert (found == np.rint(found)).all()
    assert np.abs(found).max() <= 127
    lost, lost_nearest = (((rows - wanted) @ seen.T).var() for rows in (found, np.rint(wanted)))
    assert lost < 0.3 * lost_nearest


def test_few_pictures_are_not_believed() -> None:
    """A Dense layer with 128 inputs does not overfit to 100 pictures: with damping, it is better
    than rounding to the nearest, on other pictures, too."""
    rng = np.random.default_rng(4)
    mixed = 0.3 * rng.normal(size=(12, 128))
    seen, fresh = (
        np.maximum(0, rng.normal(size=(count, 12)) @ mixed + rng.normal(size=(count, 128)))
        for count in (100, 900)
    )
    wanted = rng.uniform(-127, 127, size=(30, 128))
    covariance = np.cov(seen.T)

    def lost(damping: float) -> float:
        return float(
            ((round_with_compensation(wanted, covariance, damping) - wanted) @ fresh.T).var()
        )

    lost_nearest = float(((np.rint(wanted) - wanted) @ fresh.T).var())
    assert lost(damping_for(Moments(np.zeros(128), covariance, positions=100), 128)) < lost_nearest
    assert lost(damping_for(Moments(np.zeros(128), covariance, positions=6400), 128)) > lost_nearest


def test_nothing_that_varies_is_no_reason_to_fail() -> None:
    wanted = np.array([[3.4, -2.6]])
    assert round_with_compensation(wanted, np.zeros((2, 2)), 0.01).tolist() == [[3, -3]]


def test_places_are_what_the_outputs_are_computed_from(quantised: Quantised) -> None:
    """Weights times inputs plus bias equals the output, for every kind of layer and stride."""
    graph = read_graph(quantised.calibrated)
    tensor = quantised.tensors[2:3]
    (written,) = intermediate_tensors(quantised.calibrated, tensor)
    layers = find_layers(graph)
    assert [layer.kind for layer in layers] == [
        "CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D",
        "FULLY_CONNECTED",
    ]  # fmt: skip
    for layer in layers:
        assert layer.can_sample
        read = written[layer.reads]
        places = layer.sample_positions(read, 10**6, np.random.default_rng(0))
        rows = layer.rows(constant(graph, layer.weights))
        assert (layer.from_rows(rows) == constant(graph, layer.weights)).all()
        made = np.einsum("pcv,cv->pc", places, rows) if layer.depthwise else places @ rows.T
        if layer.bias >= 0:
            made = made + constant(graph, layer.bias)
        found = written[int(layer.operator.outputs[0])]
        if layer.operator.builtinOptions.fusedActivationFunction:
            made = np.clip(made, 0, 6)
        np.testing.assert_allclose(made, found.reshape(made.shape), atol=2e-3)


def test_moments_are_those_of_the_places(quantised: Quantised) -> None:
    graph = read_graph(quantised.calibrated)
    layer = find_layers(graph)[-1]
    rows = np.concatenate(
        [w[layer.reads] for w in intermediate_tensors(quantised.calibrated, quantised.tensors[2:])]
    ).astype(np.float64)
    moments = quantised.statistics.reads[layer.name]
    assert moments.covariance is not None
    np.testing.assert_allclose(moments.mean, rows.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moments.covariance, np.cov(rows.T, bias=True), rtol=1e-3, atol=1e-4)


def test_ranges_are_those_that_were_seen(quantised: Quantised) -> None:
    """TensorFlow's own calibration records the output of an addition that overwrote its input."""
    graph = read_graph(quantised.calibrated)
    checked = 0
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    for written in intermediate_tensors(quantised.calibrated, quantised.tensors):
        for index, values in written.items():
            low[index] = min(low.get(index, 0.0), float(values.min()))
            high[index] = max(high.get(index, 0.0), float(values.max()))
    for index in low:
        ranges = graph.tensors[index].quantization
        if ranges is not None and ranges.min is not None:
            assert (float(ranges.min[0]), float(ranges.max[0])) == (low[index], high[index])
            checked += 1
    assert checked >= 8


def test_the_network_gives_what_it_gave_in_float(quantised: Quantised) -> None:
    better = round_weights(quantised.nearest, quantised.calibrated, quantised.statistics)
    fresh = levels(60, (SIZE, SIZE, 3))[40:]  # none of those it was calibrated on
    wanted = logits(quantised.calibrated, fresh)
    off, off_nearest = (logits(m, fresh) - wanted for m in (better, quantised.nearest))
    spread = wanted.std(axis=0)
    assert (np.abs(off.mean(axis=0)) / spread).mean() < 0.1
    assert np.abs(off.mean(axis=0)).sum() < 0.5 * np.abs(off_nearest.mean(axis=0)).sum()
    assert (off**2).mean() < 0.5 * (off_nearest**2).mean()


def test_so_it_does_where_only_its_weights_are_integers(
    network: tuple[Any, Tensors], tmp_path: Path
) -> None:
    """A network with layers of more than 1,024 weights: TensorFlow leaves smaller ones in float."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    picture, tensors = keras.Input((SIZE, SIZE, 3)), network[1]
    x = keras.layers.Rescaling(1 / 127.5, -1)(picture)
    for width in (16, 32, 48):
        x = keras.layers.Conv2D(width, 3, activation="relu6")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(picture, keras.layers.Softmax()(keras.layers.Dense(5)(x)))
    widen_steps(model)
    converter = tflite_converter(model, tf.uint8)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    nearest = bytes(converter.convert())
    write_dynamic(model, tensors, tmp_path / "model", lambda doing: None)
    better = (tmp_path / "model").read_bytes()
    write_float32(model, tensors, tmp_path / "float", lambda doing: None)
    fresh = levels(60, (SIZE, SIZE, 3))[40:]
    wanted = logits((tmp_path / "float").read_bytes(), fresh)
    off, off_nearest = (logits(m, fresh) - wanted for m in (better, nearest))
    assert (off**2).mean() < 0.5 * (off_nearest**2).mean()


def test_a_layer_without_a_bias_gets_one(quantised: Quantised) -> None:
    def dense(model: bytes) -> tuple[Graph, Layer]:
        graph = read_graph(model)
        return graph, find_layers(graph)[-1]

    assert dense(quantised.nearest)[1].bias < 0
    graph, layer = dense(
        round_weights(quantised.nearest, quantised.calibrated, quantised.statistics)
    )
    bias = graph.tensors[layer.bias]
    assert constant(graph, layer.bias).dtype == np.int32
    assert constant(graph, layer.bias).any()
    weights, read = graph.tensors[layer.weights], graph.tensors[layer.reads]
    np.testing.assert_allclose(
        bias.quantization.scale,
        read.quantization.scale[0] * np.broadcast_to(weights.quantization.scale, 5),
        rtol=1e-6,
    )


def test_what_shares_its_values_keeps_them(quantised: Quantised) -> None:
    graph = read_graph(quantised.nearest)
    first, second = find_layers(graph)[3].weights, len(graph.tensors)
    graph.tensors.append(type(graph.tensors[0])())
    shared = graph.tensors[first]
    graph.tensors[second].__dict__.update(shared.__dict__)
    before = constant(graph, first)
    graph.set_constant(first, before + 1)
    assert (constant(graph, first) == before + 1).all()
    assert (constant(graph, second) == before).all()
    assert write_graph(graph)


def test_it_is_the_same_twice(quantised: Quantised) -> None:
    once, again = (
        round_weights(quantised.nearest, quantised.calibrated, quantised.statistics) for _ in "ab"
    )
    assert once == again


def changed(quantised: Quantised, change: Callable[[Graph], object]) -> list[bool]:
    """The layers whose weights `round_weights` changes, after the int8 graph was changed."""
    graph = read_graph(quantised.nearest)
    change(graph)
    before = write_graph(graph)
    after = read_graph(round_weights(before, quantised.calibrated, quantised.statistics))
    pairs = zip(find_layers(graph), find_layers(after), strict=True)
    return [
        bool((constant(graph, old.weights) != constant(after, new.weights)).any())
        for old, new in pairs
    ]


def test_every_layer_is_rounded_anew(quantised: Quantised) -> None:
    assert changed(quantised, lambda graph: None) == [True] * 7


def test_weights_that_two_operators_read_are_left_alone(quantised: Quantised) -> None:
    def share(graph: Graph) -> None:
        graph.operators.append(find_layers(graph)[3].operator)

    assert changed(quantised, share)[3] is False


def test_other_weights_under_the_same_name_are_left_alone(quantised: Quantised) -> None:
    def turn(graph: Graph) -> None:
        weights = find_layers(graph)[1].weights
        graph.set_constant(weights, constant(graph, weights)[::-1])

    assert changed(quantised, turn)[:3] == [True, False, True]


def test_a_grouped_convolution_has_no_places() -> None:
    import keras

    picture = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(8, 3, groups=2)(picture)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(picture, keras.layers.Softmax()(keras.layers.Dense(3)(x)))
    tensors = np.concatenate([np.zeros((1, 8, 8, 4), np.uint8), levels(12, (8, 8, 4))])
    calibrated = CalibratedModel.from_keras(model, tensors, lambda doing: None)
    layers = find_layers(read_graph(calibrated.model))
    places = {layer.kind: layer.can_sample for layer in layers}
    assert places == {"CONV_2D": False, "FULLY_CONNECTED": True}
    assert calibrated.quantised(lambda doing: None)


def test_a_layer_that_reads_the_picture_itself_is_seen() -> None:
    import keras

    picture = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, name="first")(picture))
    model = keras.Model(picture, keras.layers.Softmax()(keras.layers.Dense(3)(x)))
    tensors = np.concatenate([np.zeros((2, 8, 8, 3), np.uint8), levels(12, (8, 8, 3))])
    calibrated = CalibratedModel.from_keras(model, tensors, lambda doing: None)
    assert any("first" in name for name in calibrated.statistics.reads)
