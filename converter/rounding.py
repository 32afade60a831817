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

from converter.graph_file import Graph, Layer, layers_of, read_graph, write_graph
from converter.observed import Moments, Observed

_LARGEST = 127
"""-128 is not used: weights are symmetric in TFLite."""
_DAMPING = 0.01
"""Of the mean variance, added to each, as in GPTQ: few pictures do not show all that varies."""

Rows = npt.NDArray[np.float64]
"""(outputs, values)."""


def round_weights(int8: bytes, calibrated: bytes, observed: Observed) -> bytes:
    """The int8 model with weights and biases that give on average what the float model gives.

    Args:
        int8: made of `calibrated`; layers that are not int8 in it are left as they are.
        calibrated: the float model.
        observed: of the float model.
    """
    graph, original = read_graph(int8), read_graph(calibrated)
    of_float = {layer.name: layer for layer in layers_of(original)}
    for layer in layers_of(graph):
        moments, before = observed.reads.get(layer.name), of_float.get(layer.name)
        if moments is None or before is None:
            continue
        wanted, now = original.constant(before.weights), graph.constant(layer.weights)
        if wanted is None or now is None or now.dtype != np.int8 or now.shape != wanted.shape:
            continue
        _round_layer(graph, layer, layer.rows(wanted), layer.rows(now), moments)
    return write_graph(graph)


def _round_layer(graph: Graph, layer: Layer, wanted: Rows, now: Rows, moments: Moments) -> None:
    found = np.asarray(graph.tensors[layer.weights].quantization.scale, np.float64)
    scales = np.broadcast_to(found, len(wanted))
    integers = now
    if moments.covariance is not None:
        integers = rounded(wanted / scales[:, None], moments.covariance)
        graph.set_constant(layer.weights, layer.unrows(integers))
    lost = ((wanted - integers * scales[:, None]) * moments.mean).sum(axis=1)
    step = float(graph.tensors[layer.reads].quantization.scale[0])
    if layer.bias < 0:
        bias = graph.add_bias(graph.tensors[layer.weights], step * scales)
        layer.operator.inputs = np.array([layer.reads, layer.weights, bias], np.int32)
    old = graph.constant(layer.bias)
    if old is not None and old.dtype == np.int32:
        graph.set_constant(layer.bias, np.rint(old + lost / (step * scales)))


def rounded(wanted: Rows, covariance: npt.NDArray[np.float64]) -> Rows:
    """Integers for real weights, so that little changes in what the layer gives.

    Args:
        wanted: (outputs, values), in integer steps.
        covariance: (values, values) of what the layer reads, or (outputs, values, values).
    """
    shared = covariance.ndim == 2
    each = covariance[None] if shared else covariance
    values = wanted.shape[1]
    # Those that vary most are rounded first, while there are many others to make good for them.
    order = np.argsort(-np.einsum("cii->i", each), kind="stable")
    each = each[:, order][:, :, order]
    variances = np.einsum("cii->ci", each)
    each = each + (_DAMPING * variances.mean(axis=1) + 1e-12)[:, None, None] * np.eye(values)
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
