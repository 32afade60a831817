"""Rounds the weights of layers to int8 such that the outputs of the layers change little.

If each weight is rounded to the nearest integer, a layer's outputs shift by the same amount for
every picture, and over fifty layers these shifts add up to more than all other rounding errors. So
the weights of one output are rounded one after the other, and the error of each is compensated by
the weights that follow, using the covariance of the layer's inputs (GPTQ: E. Frantar et al., 2022).
The mean error that remains is added to the bias (M. Nagel et al., Data-free quantization through
weight equalization and bias correction, 2019).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from converter.quantization.activation_statistics import ActivationStatistics, Moments
from converter.tflite.layers import Graph, Layer, find_layers, read_graph, write_graph

_LARGEST = 127
"""The largest integer weight. -128 is not used, because TFLite's weights are symmetric."""
_DAMPING = 0.01
"""The share of the mean variance that is added to each variance, as in GPTQ."""
_FEW = 1.0
"""The same share if there are few positions, as for a Dense layer, which has one position per
picture: most covariance is then chance, and rounding would overfit it."""
_MANY = 4
"""The number of positions per value from which on the positions are not few."""

Rows = npt.NDArray[np.float64]
"""The weights of a layer as a matrix, float64 (outputs, values)."""


def round_weights(int8: bytes, calibrated: bytes, statistics: ActivationStatistics) -> bytes:
    """The quantised model with weights and biases rounded such that its outputs change little.

    Args:
        int8: the bytes of a `.tflite` file with int8 weights, for integer or float arithmetic.
            Layers with other weights are not changed.
        calibrated: the bytes of the float model that it was made from.
        statistics: the float model's activation statistics.
    """
    graph, original = read_graph(int8), read_graph(calibrated)
    of_float = {layer.name: layer for layer in find_layers(original)}
    for layer in find_layers(graph):
        moments, before = statistics.reads.get(layer.name), of_float.get(layer.name)
        if moments is None or before is None or layer.shared or layer.shape != before.shape:
            continue
        wanted, now = original.constant(before.weights), graph.constant(layer.weights)
        if wanted is not None and now is not None and now.dtype == np.int8:
            _round_layer(graph, layer, layer.rows(wanted), layer.rows(now), moments)
    return write_graph(graph)


def _round_layer(graph: Graph, layer: Layer, wanted: Rows, now: Rows, moments: Moments) -> None:
    found = np.asarray(graph.tensors[layer.weights].quantization.scale, np.float64)
    scales = np.broadcast_to(found, len(wanted))
    if np.abs(wanted / scales[:, None] - now).max() > 1:
        return  # these are the weights of another layer with the same name
    integers = now
    if moments.covariance is not None:
        damping = damping_for(moments, layer.values)
        integers = round_with_compensation(wanted / scales[:, None], moments.covariance, damping)
        graph.set_constant(layer.weights, layer.from_rows(integers))
    lost = ((wanted - integers * scales[:, None]) * moments.mean).sum(axis=1)
    bias = graph.constant(layer.bias) if layer.bias >= 0 else None
    if graph.is_float(layer.reads):
        if bias is not None:
            graph.set_constant(layer.bias, bias + lost)
        return
    step = float(graph.tensors[layer.reads].quantization.scale[0])
    if layer.bias < 0:
        new = graph.add_bias(graph.tensors[layer.weights], len(wanted), step * found)
        layer.operator.inputs = np.array([layer.reads, layer.weights, new], np.int32)
        bias = np.zeros(len(wanted), np.int32)
    if bias is not None:
        graph.set_constant(layer.bias, np.rint(bias + lost / (step * scales)))


def damping_for(moments: Moments, values: int) -> float:
    """The damping of a covariance, a share of its mean variance; larger if positions are few."""
    return _DAMPING if moments.positions >= _MANY * values else _FEW


def round_with_compensation(
    wanted: Rows, covariance: npt.NDArray[np.floating], damping: float
) -> Rows:
    """Integer weights for real ones, chosen such that the layer's outputs change little.

    Args:
        wanted: the real weights in units of an integer step, float64 (outputs, values).
        covariance: the covariance of the layer's inputs, (values, values), or
            (outputs, values, values) if it differs by output.
        damping: the share of the mean variance that is added to each variance.

    Returns:
        Whole numbers from -127 to 127, float64 (outputs, values).
    """
    shared = covariance.ndim == 2
    each = np.asarray(covariance[None] if shared else covariance, np.float64)
    values = wanted.shape[1]
    # Values that vary most are rounded first, while many others are left to compensate for them.
    order = np.argsort(-np.einsum("cii->i", each), kind="stable")
    each = each[:, order][:, :, order]
    variances = np.einsum("cii->ci", each)
    each = each + (damping * variances.mean(axis=1) + 1e-12)[:, None, None] * np.eye(values)
    # Row i of this says how the values after value i compensate the error of value i.
    factor = np.swapaxes(np.linalg.cholesky(np.linalg.inv(each)), -1, -2)
    left = wanted[:, order]
    integers = np.empty_like(left)
    for i in range(values):
        integers[:, i] = np.clip(np.rint(left[:, i]), -_LARGEST, _LARGEST)
        lost = (left[:, i] - integers[:, i]) / factor[:, i, i]
        left[:, i + 1 :] -= lost[:, None] * factor[:, i, i + 1 :]
    result = np.empty_like(integers)
    result[:, order] = integers
    return result
