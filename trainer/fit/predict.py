"""The predictions of a network for pictures, computed from its cut layer on.

The cut layer is where a training cuts a network in two: the layers up to it are frozen, so their
outputs are computed once for each picture and saved; the layers behind it train on those outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.networks import INPUT, POOLED, Network

_CHUNK = 64
"""The number of pictures that are scored at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """The pictures that the phases train and validate on."""

    tensors: Any
    """uint8 (pictures, height, width, channels), all pictures; an array, or a file read like
    one."""
    truth: npt.NDArray[np.int64]
    """int64 (pictures,), the class index of each picture."""
    features: Mapping[str, Any]
    """The saved outputs by the name of their layer; see `SavedOutputs`."""
    train: npt.NDArray[np.int64]
    """Indices of the pictures to train on."""
    validation: npt.NDArray[np.int64]
    """Indices of the pictures that choose the best epoch."""
    taught: npt.NDArray[np.float16] | None = None
    """float16 (pictures, 1 + copies, classes), what a teacher says of each picture to train on and
    of its copies, probabilities at the temperature of `distill`; None if there is no teacher."""


def predict(
    network: Network, cut_layer: str, data: TrainingSet, indices: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Logits (pictures, classes) and pooled outputs (pictures, depth) of pictures, not augmented.

    Args:
        network: the trained network.
        cut_layer: a layer below which nothing was trained, or `input`.
        data: the pictures and their saved outputs.
        indices: the indices of the wanted pictures in `data`.
    """
    if cut_layer == POOLED:
        pooled = inputs_at(data, cut_layer, indices)
        return scorer_at(network, cut_layer)(pooled).numpy(), pooled
    forward = scorer_at(network, cut_layer, POOLED)
    parts = [forward(inputs_at(data, cut_layer, chunk)) for chunk in chunks_of(indices)]
    logits, pooled = (np.concatenate([part[i].numpy() for part in parts]) for i in (0, 1))
    return logits, pooled


def chunks_of(indices: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The indices in parts that are scored at a time."""
    return np.array_split(indices, max(1, math.ceil(len(indices) / _CHUNK)))


def inputs_at(
    data: TrainingSet, cut_layer: str, indices: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """The inputs at `cut_layer` for pictures, not augmented: float32 (pictures, ...)."""
    if cut_layer == INPUT:
        return np.asarray(data.tensors[indices], np.float32)
    return np.asarray(data.features[cut_layer][indices, 0], np.float32)


def scorer_at(
    network: Network, cut_layer: str, *more: str
) -> Callable[[npt.NDArray[np.float32]], Any]:
    """The `scorer` of the layers of `network` from `cut_layer` on, traced once.

    Args:
        network: the network.
        cut_layer: the layer to compute from.
        more: layers whose outputs are returned beside the logits; see `Network.upper`.
    """
    return network.once(
        ("scorer", cut_layer, *more), lambda: scorer(network.upper(cut_layer, *more))
    )


def scorer(upper: Any) -> Callable[[npt.NDArray[np.float32]], Any]:
    """A traced function from the inputs of `upper` to its outputs in inference mode."""
    import tensorflow as tf

    signature = tf.TensorSpec((None, *upper.input_shape[1:]), tf.float32)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]
    def forward(inputs: Any) -> Any:
        return upper(inputs, training=False)

    return forward  # type: ignore[no-any-return]
