"""How a layer's weights are rounded, and what its bias makes good.

Weights rounded each to the nearest integer move what a layer gives, and move it alike for every
picture: through fifty layers that adds up to more than all other rounding. So the weights of one
output are rounded one after the other, and what one loses the next make good, by how what the layer
reads varies together (GPTQ: E. Frantar et al., 2022); what is left on average goes into the bias
(M. Nagel et al., Data-free quantization through weight equalization and bias correction, 2019).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from converter.quantization.activation_statistics import ActivationStatistics, Moments
from converter.tflite.layers import Graph, Layer, layers_of, read_graph, write_graph

_LARGEST = 127
"""-128 is not used: weights are symmetric in TFLite."""
_DAMPING = 0.01
"""Of the mean variance, added to each, as in GPTQ."""
_FEW = 1.0
"""The same where there are hardly more places than values, as of a Dense layer, which has one for
each picture: what varies together in them does so by chance, and would be fitted."""
_MANY = 4
"""Places a value, from which on there are not few."""

Rows = npt.NDArray[np.float64]
"""(outputs, values)."""


def round_weights(int8: bytes, calibrated: bytes, statistics: ActivationStatistics) -> bytes:
    """The model with weights and biases that give on average what the float model gives.

    Args:
        int8: with int8 weights, in integers or in float arithmetic; other layers are left as they
            are.
        calibrated: the float model that it was made of.
        statistics: of the float model.
    """
    graph, original = read_graph(int8), read_graph(calibrated)
    of_float = {layer.name: layer for layer in layers_of(original)}
    for layer in layers_of(graph):
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
        return  # another layer's weights under the same name: to be left as they are
    integers = now
    if moments.covariance is not None:
        damping = damping_of(moments, layer.values)
        integers = rounded(wanted / scales[:, None], moments.covariance, damping)
        graph.set_constant(layer.weights, layer.unrows(integers))
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


def damping_of(moments: Moments, values: int) -> float:
    """How little the covariance of so many values is to be believed."""
    return _DAMPING if moments.places >= _MANY * values else _FEW


def rounded(wanted: Rows, covariance: npt.NDArray[np.floating], damping: float) -> Rows:
    """Integers for real weights, so that little changes in what the layer gives.

    Args:
        wanted: (outputs, values), in integer steps.
        covariance: (values, values) of what the layer reads, or (outputs, values, values).
        damping: how little to believe that, as a share of the mean variance.
    """
    shared = covariance.ndim == 2
    each = np.asarray(covariance[None] if shared else covariance, np.float64)
    values = wanted.shape[1]
    # Those that vary most are rounded first, while there are many others to make good for them.
    order = np.argsort(-np.einsum("cii->i", each), kind="stable")
    each = each[:, order][:, :, order]
    variances = np.einsum("cii->ci", each)
    each = each + (damping * variances.mean(axis=1) + 1e-12)[:, None, None] * np.eye(values)
    # Row i of this: how the values behind the i-th make good what the i-th loses.
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
