"""Quantises a Keras model to int8, in the plain way or with one of the fallbacks.

All functions here run in a TensorFlow subprocess; see `converter.tensorflow.process`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.calibration import BLACK_AND_WHITE, CALIBRATION_PICTURES, Tensors
from converter.errors import ConversionError
from converter.quantization.activation_statistics import (
    ActivationStatistics,
    measure_activations,
    with_ranges,
)
from converter.quantization.rounding import round_weights
from converter.tensorflow.tasks import Stage
from converter.tflite.layers import read_graph, write_graph
from converter.tflite.operators import intermediate_tensors, operators_after_weights, read_operators
from edge.core.model.interpreter import SCORES, UNKNOWN

_CLIPPED_SHARE = 1e-4
"""The share of a tensor's values that percentile calibration leaves out at either end: it keeps
99.99 % of them below the upper end. Source: Wu, Judd, Zhang, Isaev and Micikevicius, Integer
quantization for deep learning inference: principles and empirical evaluation, arXiv:2004.09602
(2020), which compares such percentiles."""
_CLIPPED_ON = 64
"""The number of pictures that these percentiles are computed from."""
_VALUES = 4000
"""The number of values that are sampled from each tensor for each picture, evenly spread."""
_AT_ONCE = 16
"""The batch size for Keras."""
_RIDGE = 0.1
"""How strongly the refitted head is regularised towards the old one, as a share of the features'
energy."""
_WIDER_SHARE = 0.1
"""The smallest share of the tensors that are left in float, the most sensitive ones."""
_SENSED_ON = 8
"""The number of pictures that sensitivity is measured on."""
_NOISY = 0.1
"""The share of rounding noise in a tensor's variance from which on the tensor is sensitive."""
_DEAD = 1e-8
"""Channels whose variance is below this share of the largest channel's are ignored: they carry
nothing that could be lost."""


def write_int8(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the int8 model, with ranges and rounding chosen by the calibration pictures."""
    stage("converting")
    calibrated = CalibratedModel.from_converted(_with_places_for_ranges_once(model), tensors, stage)
    out.write_bytes(calibrated.quantised(stage))


def write_int8_clipped(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the int8 model with narrower ranges, which clip the rarest values of every tensor.

    Otherwise one extreme value in one picture makes the steps of a whole tensor coarse.
    """
    calibrated = CalibratedModel.from_keras(model, tensors, stage)
    stage("looking for outliers")
    clipped = replace(calibrated, model=_clipped(calibrated.model, tensors))
    out.write_bytes(clipped.quantised(stage))


def write_int8_refitted(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the int8 model with a head that was fitted on int8 features to Keras's logits.

    The head is the Dense layer `logits`. It is fitted with all `tensors`; the rest of the model is
    calibrated with the first CALIBRATION_PICTURES of them.
    """
    import keras

    from trainer.fit.predict import scorer  # which loads Keras

    first = tensors[: BLACK_AND_WHITE + CALIBRATION_PICTURES]
    quantised = CalibratedModel.from_keras(model, first, stage).quantised(stage)
    stage("refitting the head")
    head = model.get_layer("logits")
    whole = keras.Model(model.input, head.output)
    logits = scorer(whole)
    chunks = range(0, len(tensors), _AT_ONCE)
    wanted = np.concatenate(
        [logits(tensors[i : i + _AT_ONCE].astype(np.float32)).numpy() for i in chunks]
    )
    weights, bias = (np.array(values, np.float64) for values in head.get_weights())
    features = _features(quantised, tensors)
    features = np.hstack([features, np.ones((len(features), 1))])
    old = np.vstack([weights, bias])
    gram = features @ features.T
    gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    new = old + features.T @ np.linalg.solve(gram, wanted - features @ old)
    head.set_weights([new[:-1].astype(np.float32), new[-1].astype(np.float32)])
    out.write_bytes(CalibratedModel.from_keras(model, first, stage).quantised(stage))


def write_int8_wider(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the int8 model with its most sensitive layers in float: it is larger and slower."""
    calibrated = CalibratedModel.from_keras(model, tensors, stage)
    stage("measuring each layer")
    sensitive = _sensitive(calibrated.model, tensors)
    out.write_bytes(calibrated.quantised(stage, also_float=sensitive))


def with_output_names(model: bytes) -> bytes:
    """The model with its outputs named `scores` and, if there is a second one, `unknown`."""
    graph = read_graph(model)
    for output, name in zip(graph.outputs, (SCORES, UNKNOWN), strict=False):
        graph.tensors[output].name = name.encode()
    return write_graph(graph)


def tflite_converter(model: Any, dtype: Any) -> Any:
    """A TFLite converter for a Keras model with one input picture of type `dtype`."""
    return converter_from_graph(frozen_graph(model, dtype))


def converter_from_graph(graph: Any) -> Any:
    """A TFLite converter for a graph from `frozen_graph`. Each converter can convert once."""
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_concrete_functions([graph])


def frozen_graph(model: Any, dtype: Any) -> Any:
    """The model as a function of one picture of type `dtype`, with its weights as constants."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = [tf.TensorSpec((1, *model.input_shape[1:]), dtype, name="picture")]

    def answer(picture: Any) -> Any:
        return model(tf.cast(picture, tf.float32), training=False)

    return convert_variables_to_constants_v2(
        tf.function(answer, input_signature=signature).get_concrete_function()
    )


def float_nodes(calibrated: bytes) -> list[str]:
    """The names of the tensors that stay in float: those behind the last layers with weights."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=calibrated)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    return [
        names[tensor]
        for op in operators_after_weights(read_operators(calibrated))
        for tensor in op.writes
    ]


def _with_places_for_ranges(model: Any) -> bytes:
    """The float model as a `.tflite` file's bytes, with a range for every tensor that needs one.

    The ranges are provisional: they are those of a black and of a white picture.
    """
    import tensorflow as tf

    def pictures() -> Iterator[list[Any]]:
        for level in (0.0, 255.0):
            yield [np.full((1, *model.input_shape[1:]), level, np.float32)]

    converter = tflite_converter(model, tf.float32)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=pictures
    )
    return bytes(debugger.calibrated_model)


_with_places_for_ranges_once = functools.lru_cache(maxsize=1)(_with_places_for_ranges)
"""The cached variant, for models whose weights do not change afterwards. Other calibration pictures
change only the ranges."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedModel:
    """A float model with the measured range of every tensor, ready to be quantised."""

    model: bytes
    """The float `.tflite` file's bytes."""
    statistics: ActivationStatistics
    """The activation statistics of the float model."""

    @classmethod
    def from_keras(cls, model: Any, tensors: Tensors, stage: Stage) -> CalibratedModel:
        """The calibrated model of a Keras model.

        Args:
            model: the Keras model.
            tensors: calibration tensors, black and white first.
            stage: called with a description of the current step.
        """
        stage("converting")
        return cls.from_converted(_with_places_for_ranges(model), tensors, stage)

    @classmethod
    def from_converted(cls, converted: bytes, tensors: Tensors, stage: Stage) -> CalibratedModel:
        """The calibrated model of a float `.tflite` file that has provisional ranges."""
        statistics = measure_activations(converted, tensors, stage)
        return cls(with_ranges(converted, statistics), statistics)

    def quantised(self, stage: Stage, *, also_float: Sequence[str] = ()) -> bytes:
        """The int8 model as a `.tflite` file's bytes.

        Args:
            stage: called with a description of the current step.
            also_float: names of tensors; the operators that write them stay in float.
        """
        import tensorflow as tf
        from tensorflow.lite.python.util import modify_model_io_type

        stage("quantising")
        nearest = self.rounded_to_nearest(also_float)
        stage("rounding the weights")
        best = round_weights(nearest, self.model, self.statistics)
        return with_output_names(bytes(modify_model_io_type(best, tf.uint8, tf.float32)))

    def rounded_to_nearest(self, also_float: Sequence[str] = ()) -> bytes:
        """The int8 model with each weight rounded to the nearest integer, and a float32 input."""
        # The converter itself cannot leave operators in float. Its debugger calls this function,
        # but would do so three times.
        from tensorflow.lite.python.convert import mlir_quantize

        left = [*float_nodes(self.model), *also_float]
        return bytes(mlir_quantize(self.model, denylisted_nodes=left))


def _clipped(calibrated: bytes, tensors: Tensors) -> bytes:
    """The calibrated model with narrower ranges, chosen without the black and white pictures."""
    seen: dict[int, list[npt.NDArray[np.float32]]] = {}
    for written in intermediate_tensors(calibrated, tensors[BLACK_AND_WHITE:][:_CLIPPED_ON]):
        for index, values in written.items():
            flat = values.ravel()
            seen.setdefault(index, []).append(flat[:: max(1, len(flat) // _VALUES)].copy())
    graph = read_graph(calibrated)
    for index, rows in seen.items():
        ranges = graph.tensors[index].quantization
        if ranges is None or ranges.min is None or len(ranges.min) != 1:
            continue
        low, high = np.quantile(np.concatenate(rows), (_CLIPPED_SHARE, 1 - _CLIPPED_SHARE))
        # Zero stays in range: padding needs it.
        ranges.min = np.array([max(float(ranges.min[0]), min(0.0, float(low)))], np.float32)
        ranges.max = np.array([min(float(ranges.max[0]), max(0.0, float(high)))], np.float32)
    return write_graph(graph)


def _features(model: bytes, tensors: Tensors) -> npt.NDArray[np.float64]:
    """The inputs of the Dense layer `logits` of an int8 model, dequantised, (pictures, depth)."""
    from ai_edge_litert.interpreter import Interpreter

    details = Interpreter(model_content=model).get_tensor_details()
    names = {tensor["index"]: tensor["name"] for tensor in details}
    dense = [
        op
        for op in read_operators(model)
        if op.name == "FULLY_CONNECTED" and "logits" in names[op.writes[0]]
    ]
    if not dense:
        raise ConversionError("the int8 model has no Dense layer `logits` that could be refitted")
    place = dense[0].reads[0]
    scale, zero_point = next(t["quantization"] for t in details if t["index"] == place)
    rows = [w[place].ravel() for w in intermediate_tensors(model, tensors, only=[place])]
    return np.asarray((np.stack(rows).astype(np.float64) - zero_point) * scale, np.float64)


def _sensitive(calibrated: bytes, tensors: Tensors) -> list[str]:
    """The outputs of all operators that write or read a tensor whose quantisation is too coarse.

    All channels of a tensor have one scale. Rounding to steps of `scale` adds noise of the variance
    scale^2 / 12 (B. Widrow, 1956). If that is a large part of a channel's variance, the channel's
    information is lost.
    """
    pictures = list(intermediate_tensors(calibrated, tensors[BLACK_AND_WHITE:][:_SENSED_ON]))
    graph = read_graph(calibrated)
    lost = {}
    for index in pictures[0]:
        ranges = graph.tensors[index].quantization
        if ranges is None or ranges.min is None or len(ranges.min) != 1:
            continue
        rows = np.concatenate([written[index] for written in pictures])
        channels = rows.reshape(-1, rows.shape[-1]).var(axis=0)
        noise = ((float(ranges.max[0]) - float(ranges.min[0])) / 255) ** 2 / 12
        alive = channels > _DEAD * channels.max()
        if alive.any():
            lost[index] = float((noise / (noise + channels[alive])).mean())
    worst = sorted(lost, key=lambda index: -lost[index])
    least = max(1, round(_WIDER_SHARE * len(worst)))
    coarse = {i for n, i in enumerate(worst) if n < least or lost[i] > _NOISY}
    # Operators that read such a tensor are included, or it would be rounded at their input. So are
    # the operators that write the other inputs of those: a concatenation imposes its own scale on
    # everything that it joins.
    found = read_operators(calibrated)
    touched = [op for op in found if coarse & {*op.reads, *op.writes}]
    read = {index for op in touched for index in op.reads}
    touched += [op for op in found if read & {*op.writes}]
    names = {index: tensor.name.decode() for index, tensor in enumerate(graph.tensors)}
    return list(dict.fromkeys(names[index] for op in touched for index in op.writes))
