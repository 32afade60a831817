"""Converts a run to TFLite: int8, float16, dynamic and float32.

All models take one picture of uint8 levels and give float32 scores and, if the run has one, a
float32 novelty score, so that the same device code runs each of them. The functions `write_...` run
in a separate process; see `converter.tensorflow.process`.
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
from converter.quantization.quantise import converter_from_graph, frozen_graph, with_output_names
from converter.quantization.rounding import round_weights
from converter.tensorflow.process import in_subprocess
from converter.tensorflow.tasks import Stage
from converter.tflite.operators import check_integers
from trainer.run import Run

Kind = Literal["int8", "float16", "dynamic", "float32"]
"""int8: everything from the input to the logits is integer, then come DEQUANTIZE and a float
SOFTMAX, because an int8 softmax has steps of 1/256, too coarse for thresholds near 1. The operators
that compute the novelty score behind the last weights are float, too. float16: float32 arithmetic
with float16 weights. dynamic: int8 weights and float activations. float32: as in Keras."""

_MEASURED_ON = 40
"""The number of pictures that decide how the weights of the dynamic model are rounded."""
_COMPARED = 8
"""The number of pictures on which the float32 model must give the same scores as Keras."""
_FLOAT_TOLERANCE = 1e-3
"""The largest allowed difference of a score, by folded BatchNorm and the rounding of kernels."""


def convert_model(run: Run, kind: Kind, tensors: Tensors) -> bytes:
    """The run's model as the bytes of a `.tflite` file.

    The operators of an int8 model are checked to be integer where `Kind` says so, and the scores of
    a float32 model are compared with Keras's.

    Args:
        run: the run.
        kind: the number format of weights and activations.
        tensors: calibration pictures, uint8 (pictures, height, width, channels).

    Raises:
        ConversionError: TensorFlow cannot convert the model, or the result fails its check.
        StorageError: there is no room for temporary files.
    """
    with in_subprocess(kind, run, tensors, doing=f"converting to {kind}") as made:
        model = made.result.read_bytes()
    if kind == "int8":
        check_integers(model, None if run.facts.unknown is None else run.facts.unknown.score)
    return model


# The functions below run in the TensorFlow subprocess.


def write_float16(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the `.tflite` file with float16 weights."""
    import tensorflow as tf

    stage("converting")
    converter = converter_from_graph(_graph(model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    out.write_bytes(with_output_names(bytes(converter.convert())))


def write_dynamic(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the `.tflite` file with int8 weights and float activations.

    The runtime may quantise activations while it computes.
    """
    import tensorflow as tf

    stage("converting")
    whole = _whole(model)
    converter = converter_from_graph(_graph(model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    nearest = bytes(converter.convert())
    statistics = measure_activations(whole, tensors[: BLACK_AND_WHITE + _MEASURED_ON], stage)
    stage("rounding the weights")
    out.write_bytes(with_output_names(round_weights(nearest, whole, statistics)))


def write_float32(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the float32 `.tflite` file after comparing it with Keras on the first `tensors`."""
    from edge.core.model.interpreter import Interpreter

    stage("converting")
    content = with_output_names(_whole(model))
    stage("comparing with Keras")
    interpreter = Interpreter(content)
    some = tensors[:_COMPARED]
    for tensor in some:
        # One at a time: a batch of eight takes 660 MB, which TensorFlow does not give back.
        by_keras = outputs_by_name(
            model(tensor[np.newaxis].astype(np.float32), training=False)
        ).values()
        for mine, (theirs,) in zip(
            interpreter.predict(tensor), map(np.asarray, by_keras), strict=False
        ):
            change = float(np.abs(mine - theirs).max())
            if not change <= _FLOAT_TOLERANCE:
                raise ConversionError(
                    f"a score of the float32 TFLite model differs by {change:.3g} from the Keras "
                    f"model's (allowed {_FLOAT_TOLERANCE:g}): this version of TensorFlow converts "
                    "it wrongly. Install the versions of deploy/locks"
                )
    out.write_bytes(content)


@functools.lru_cache(maxsize=1)  # three formats begin with it; tracing takes long
def _graph(model: Any) -> Any:
    import tensorflow as tf

    return frozen_graph(model, tf.uint8)


@functools.lru_cache(maxsize=1)
def _whole(model: Any) -> bytes:
    """The float32 `.tflite` file's bytes, as TensorFlow converts the model."""
    return bytes(converter_from_graph(_graph(model)).convert())
