"""TFLite models of a run: int8 to the logits, and float ones beside it.

All take one picture of uint8 levels and give float32 scores, and where the run has one a float32
novelty score, so that the same device code runs each of them. What begins with
`write_` is done in a process of its own, see `converter.tensorflow.process`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal

import numpy as np

from converter.calibration import BLACK_AND_WHITE, Tensors
from converter.errors import ConversionError
from converter.parity.predictions import outputs_by_name
from converter.quantization.activation_statistics import measure_activations
from converter.quantization.quantise import converter_of_graph, frozen_graph, named
from converter.quantization.rounding import round_weights
from converter.tensorflow.process import in_subprocess
from converter.tensorflow.tasks import Stage
from converter.tflite.operators import check_integers
from trainer.run import Run

Kind = Literal["int8", "float16", "dynamic", "float32"]
"""int8: everything from the input to the logits in integers, then DEQUANTIZE and a float SOFTMAX,
because an int8 softmax has steps of 1/256, which no threshold near 1 survives; in the same way what
follows the last layers with weights on the way to the novelty score. float16: float
with weights of half the size. dynamic: weights int8, the rest float. float32: as Keras computes."""

_MEASURED_ON = 40
"""Pictures by which the weights of the dynamic model are rounded."""
_COMPARED = 8
"""Pictures on which the float32 model must answer as Keras does."""
_FLOAT_TOLERANCE = 1e-3
"""Largest difference of a score there: folded BatchNorm and other kernels round differently."""


def convert_model(run: Run, kind: Kind, tensors: Tensors) -> bytes:
    """The run's model as a `.tflite` file's bytes.

    An int8 model has been found integer as described, a float32 one equal to Keras.

    Args:
        tensors: representative pictures, uint8 (pictures, height, width, channels).

    Raises:
        ConversionError: TensorFlow refuses, or what it made is not as described.
        StorageError: no room for the files in between.
    """
    with in_subprocess(kind, run, tensors, doing=f"converting to {kind}") as made:
        model = made.result.read_bytes()
    if kind == "int8":
        check_integers(model, None if run.facts.unknown is None else run.facts.unknown.score)
    return model


# From here on: the other process.


def write_float16(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The model with float16 weights."""
    import tensorflow as tf

    stage("converting")
    converter = converter_of_graph(_graph(model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    out.write_bytes(named(bytes(converter.convert())))


def write_dynamic(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The model with int8 weights, its activations quantised as they come or left in float."""
    import tensorflow as tf

    stage("converting")
    whole = _whole(model)
    converter = converter_of_graph(_graph(model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    nearest = bytes(converter.convert())
    statistics = measure_activations(whole, tensors[: BLACK_AND_WHITE + _MEASURED_ON], stage)
    stage("rounding the weights")
    out.write_bytes(named(round_weights(nearest, whole, statistics)))


def write_float32(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The float model, found equal to Keras on the first of `tensors`."""
    from edge.core.model.interpreter import Interpreter

    stage("converting")
    content = named(_whole(model))
    stage("comparing with Keras")
    interpreter = Interpreter(content)
    some = tensors[:_COMPARED]
    for tensor in some:
        # One at a time: eight together took 660 MB, and kept it.
        by_keras = outputs_by_name(
            model(tensor[np.newaxis].astype(np.float32), training=False)
        ).values()
        for mine, (theirs,) in zip(
            interpreter.predict(tensor), map(np.asarray, by_keras), strict=False
        ):
            change = float(np.abs(mine - theirs).max())
            if not change <= _FLOAT_TOLERANCE:
                raise ConversionError(
                    f"the float32 TFLite model scores a picture {change:.3g} away from the Keras "
                    f"model (allowed {_FLOAT_TOLERANCE:g}): this TensorFlow converts it wrongly. "
                    "Install the versions of deploy/locks"
                )
    out.write_bytes(content)


@functools.lru_cache(maxsize=1)  # three formats begin with it; tracing takes long
def _graph(model: Any) -> Any:
    import tensorflow as tf

    return frozen_graph(model, tf.uint8)


@functools.lru_cache(maxsize=1)
def _whole(model: Any) -> bytes:
    """The float model as TensorFlow gives it."""
    return bytes(converter_of_graph(_graph(model)).convert())
