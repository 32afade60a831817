"""How a Keras model becomes integers, and the known fallbacks where they answer too differently.

All of it is done in a TensorFlow subprocess; see `converter.tensorflow.process`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.calibration import BLACK_AND_WHITE, CALIBRATED_ON, Tensors
from converter.errors import ConversionError
from converter.quantization.activation_statistics import (
    ActivationStatistics,
    measure_activations,
    with_ranges,
)
from converter.quantization.rounding import round_weights
from converter.tensorflow.tasks import Stage
from converter.tflite.layers import read_graph, write_graph
from converter.tflite.operators import behind_weights, intermediates, operators
from edge.core.model.interpreter import SCORES, UNKNOWN

_CLIPPED_SHARE = 1e-4
"""Of a tensor's values beyond either end: what percentile calibration leaves out (N. Wu et al.,
Integer quantization for deep learning inference, 2020, use 99.99 %)."""
_CLIPPED_ON = 64
"""Pictures whose values are looked at for that."""
_VALUES = 4000
"""Of each tensor and picture, evenly spread."""
_AT_ONCE = 16
"""Pictures that Keras is asked about at a time."""
_RIDGE = 0.1
"""How strongly the refitted head is drawn to the old one, as a share of the features' energy."""
_WIDER_SHARE = 0.1
"""Of the tensors, the most sensitive, that are left in float at least."""
_SENSED_ON = 8
"""Pictures that sensitivity is measured on."""
_NOISY = 0.1
"""Share of a tensor's variance that rounding may be, before it counts as sensitive."""
_DEAD = 1e-8
"""Of the largest channel's variance: less says nothing, it is no loss."""


def write_int8(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The int8 model, its ranges and the rounding of its weights by what `tensors` show."""
    stage("converting")
    calibrated = CalibratedModel.by(_with_places_for_ranges_once(model), tensors, stage)
    out.write_bytes(calibrated.quantised(stage))


def write_int8_clipped(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The int8 model with the rarest values of every tensor left out of its range.

    One spike in one picture makes the steps of a whole tensor coarse. What lies beyond is cut off.
    """
    calibrated = CalibratedModel.of(model, tensors, stage)
    stage("looking for outliers")
    clipped = replace(calibrated, model=_clipped(calibrated.model, tensors))
    out.write_bytes(clipped.quantised(stage))


def write_int8_refitted(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The int8 model with a head that was fitted, on int8 features, to Keras's logits.

    The head needs all of `tensors`, the rest only the first of them: see CALIBRATED_ON.
    """
    import keras

    from trainer.fit.predict import scorer  # which loads Keras

    first = tensors[: BLACK_AND_WHITE + CALIBRATED_ON]
    quantised = CalibratedModel.of(model, first, stage).quantised(stage)
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
    out.write_bytes(CalibratedModel.of(model, first, stage).quantised(stage))


def write_int8_wider(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """The int8 model with its most sensitive layers in float: larger and slower."""
    calibrated = CalibratedModel.of(model, tensors, stage)
    stage("measuring each layer")
    sensitive = _sensitive(calibrated.model, tensors)
    out.write_bytes(calibrated.quantised(stage, also_float=sensitive))


def named(model: bytes) -> bytes:
    """The model with its outputs named; a model of one needs no name, but is easier to read."""
    graph = read_graph(model)
    for output, name in zip(graph.outputs, (SCORES, UNKNOWN), strict=False):
        graph.tensors[output].name = name.encode()
    return write_graph(graph)


def converter_of(model: Any, dtype: Any) -> Any:
    """A converter of the graph that runs one picture of `dtype` through the frozen model."""
    return converter_of_graph(frozen_graph(model, dtype))


def converter_of_graph(graph: Any) -> Any:
    """A converter of a graph that `frozen_graph` gave; each converts once."""
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_concrete_functions([graph])


def frozen_graph(model: Any, dtype: Any) -> Any:
    """The function that runs one picture of `dtype` through the model, its weights constants."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = [tf.TensorSpec((1, *model.input_shape[1:]), dtype, name="picture")]

    def answer(picture: Any) -> Any:
        return model(tf.cast(picture, tf.float32), training=False)

    return convert_variables_to_constants_v2(
        tf.function(answer, input_signature=signature).get_concrete_function()
    )


def float_nodes(calibrated: bytes) -> list[str]:
    """The names of what is to stay in float: all that no layer with weights comes after."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=calibrated)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    return [names[tensor] for op in behind_weights(operators(calibrated)) for tensor in op.writes]


def _with_places_for_ranges(model: Any) -> bytes:
    """The float model as a `.tflite` file's bytes, with a range wherever one is wanted.

    The ranges are of black and white alone.
    """
    import tensorflow as tf

    def pictures() -> Iterator[list[Any]]:
        for level in (0.0, 255.0):
            yield [np.full((1, *model.input_shape[1:]), level, np.float32)]

    converter = converter_of(model, tf.float32)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=pictures
    )
    return bytes(debugger.calibrated_model)


_with_places_for_ranges_once = functools.lru_cache(maxsize=1)(_with_places_for_ranges)
"""The same of a model whose weights nobody changes: other pictures give other ranges only."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedModel:
    """The float model with the range of every tensor, ready to become integers."""

    model: bytes
    """A float `.tflite` file's."""
    statistics: ActivationStatistics

    @classmethod
    def of(cls, model: Any, tensors: Tensors, stage: Stage) -> CalibratedModel:
        """That of a Keras model; `tensors` has black and white first."""
        stage("converting")
        return cls.by(_with_places_for_ranges(model), tensors, stage)

    @classmethod
    def by(cls, converted: bytes, tensors: Tensors, stage: Stage) -> CalibratedModel:
        """That of a float model with places for ranges."""
        statistics = measure_activations(converted, tensors, stage)
        return cls(with_ranges(converted, statistics), statistics)

    def quantised(self, stage: Stage, *, also_float: Sequence[str] = ()) -> bytes:
        """The int8 model; the operators that write `also_float` stay in float."""
        import tensorflow as tf
        from tensorflow.lite.python.util import modify_model_io_type

        stage("quantising")
        nearest = self.nearest(also_float)
        stage("rounding the weights")
        best = round_weights(nearest, self.model, self.statistics)
        return named(bytes(modify_model_io_type(best, tf.uint8, tf.float32)))

    def nearest(self, also_float: Sequence[str] = ()) -> bytes:
        """The same as TensorFlow makes it, each weight the nearest integer; float32 levels in."""
        # The converter itself has no way to leave operators in float; this is what its debugger
        # calls, which would do it three times.
        from tensorflow.lite.python.convert import mlir_quantize

        left = [*float_nodes(self.model), *also_float]
        return bytes(mlir_quantize(self.model, denylisted_nodes=left))


def _clipped(calibrated: bytes, tensors: Tensors) -> bytes:
    """The calibrated model with narrower ranges; black and white at the front are not looked at."""
    seen: dict[int, list[npt.NDArray[np.float32]]] = {}
    for written in intermediates(calibrated, tensors[BLACK_AND_WHITE:][:_CLIPPED_ON]):
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
    """What the Dense layer `logits` of an int8 model reads, (pictures, depth), in real numbers."""
    from ai_edge_litert.interpreter import Interpreter

    details = Interpreter(model_content=model).get_tensor_details()
    names = {tensor["index"]: tensor["name"] for tensor in details}
    dense = [
        op
        for op in operators(model)
        if op.name == "FULLY_CONNECTED" and "logits" in names[op.writes[0]]
    ]
    if not dense:
        raise ConversionError("the int8 model has no Dense layer whose weights could be refitted")
    place = dense[0].reads[0]
    scale, zero_point = next(t["quantization"] for t in details if t["index"] == place)
    rows = [w[place].ravel() for w in intermediates(model, tensors, only=[place])]
    return np.asarray((np.stack(rows).astype(np.float64) - zero_point) * scale, np.float64)


def _sensitive(calibrated: bytes, tensors: Tensors) -> list[str]:
    """The outputs of the operators that write or read a tensor whose steps are too coarse for it.

    One scale serves all channels of a tensor. The noise of rounding to steps of `scale` has the
    variance scale^2 / 12 (B. Widrow, 1956); where that is a large part of what a channel varies by,
    the channel is lost.
    """
    pictures = list(intermediates(calibrated, tensors[BLACK_AND_WHITE:][:_SENSED_ON]))
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
    # What reads such a tensor as well: it would be rounded again at its door. And what writes the
    # inputs of those: a concatenation gives its own scale to all that it joins.
    found = operators(calibrated)
    touched = [op for op in found if coarse & {*op.reads, *op.writes}]
    read = {index for op in touched for index in op.reads}
    touched += [op for op in found if read & {*op.writes}]
    names = {index: tensor.name.decode() for index, tensor in enumerate(graph.tensors)}
    return list(dict.fromkeys(names[index] for op in touched for index in op.writes))
