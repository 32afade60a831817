"""TFLite classifiers with every kind of input and output, built quickly without TensorFlow.

Each one has ten colours as classes: the colour that is nearest to the mean of a picture wins.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from converter.foreign.graph_surgery import NORMALISATIONS, Normalisation
from edge.core.images.preprocess import InputSpec

COLOURS = {
    "amber": (230, 160, 20), "brick": (140, 50, 30), "coal": (30, 30, 35), "denim": (50, 80, 150),
    "emerald": (20, 150, 80), "fawn": (200, 170, 130), "grey": (120, 120, 120),
    "ink": (20, 20, 90), "lilac": (170, 110, 200), "snow": (235, 240, 245),
}  # fmt: skip
"""The RGB levels of each label's colour."""
LABELS = tuple(COLOURS)
SIZE = 16
SHARP = 0.002
"""The factor between the squared distance of two colours, in levels, and a logit."""


def way(name: str) -> Normalisation:
    """The known normalisation of this name, such as "0..1, BGR"."""
    return next(way for way in NORMALISATIONS if str(way) == name)


def colour_photos(root: Path, *, each: int = 12, noise: float = 12.0) -> Path:
    """Writes a folder per colour, with pictures of nearly that colour."""
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (root / label).mkdir(parents=True)
        for number in range(each):
            picture = np.array(colour) + rng.normal(0, noise, 3) + rng.normal(0, 6, (18, 20, 1))
            levels = np.clip(picture, 0, 255).astype(np.uint8)[..., ::-1]  # OpenCV writes BGR
            cv2.imwrite(str(root / label / f"{number}.png"), levels)
    return root


def colour_model(
    wanted: Normalisation,
    *,
    gives: str = "probabilities",
    layout: str = "NHWC",
    integers: tuple[str, float, int] | None = None,
    custom: str = "",
    outputs: int = 1,
    flat: bool = True,
    size: Sequence[int] = (SIZE, SIZE),
    signature: Sequence[int] | None = None,
    batch: int = 1,
) -> bytes:
    """The `.tflite` file's bytes of a classifier of colours.

    Args:
        wanted: the normalisation that it needs.
        gives: the kind of its outputs, "probabilities", "logits" or "sigmoids".
        layout: "NHWC" or "NCHW".
        integers: the type (UINT8 or INT8), scale and zero point of its input; None for float32.
        custom: the name of a custom operator in front of all others, which no runtime knows.
        outputs: the number of outputs; each has the scores.
        flat: True for scores of shape (1, classes), False for (1, 1, 1, classes).
        size: height and width of the input.
        signature: the input shape with -1 for variable sizes; None if all sizes are fixed.
    """
    build = _Build()
    shape = [batch, 3, *size] if layout == "NCHW" else [batch, *size, 3]
    kind, scale, zero_point = integers or ("FLOAT32", 0.0, 0)
    taken = x = build.tensor(shape, kind, scale=scale, zero_point=zero_point, signature=signature)
    if custom:
        x = build.operator("CUSTOM", [x], shape, kind, custom=custom)
    if integers:
        x = build.operator("DEQUANTIZE", [x], shape)
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    x = build.operator("MEAN", [x, build.constant(np.array(axes, np.int32))], [batch, 3])
    colours = np.array(list(COLOURS.values()), np.float64)
    sharp = SHARP / 50 if gives == "sigmoids" else SHARP  # a sigmoid of much is 1 for all
    weights, bias = 2 * sharp * colours, -sharp * (colours**2).sum(axis=1)
    scales, offsets = np.broadcast_arrays(wanted.scale, np.zeros(3))[0], np.array(wanted.offset)
    weights, bias = weights / scales, bias - (weights / scales * offsets).sum(axis=1)
    if wanted.bgr:
        weights = weights[:, ::-1]
    row = [batch, len(COLOURS)]
    reads = [x, build.constant(weights), build.constant(bias)]
    x = build.operator("FULLY_CONNECTED", reads, row)
    if gives != "logits":
        x = build.operator("SOFTMAX" if gives == "probabilities" else "LOGISTIC", [x], row)
    if not flat:
        wide = [batch, 1, 1, len(COLOURS)]
        x = build.operator("RESHAPE", [x, build.constant(np.array(wide, np.int32))], wide)
    return build.finish([taken], [x] * outputs)


def with_labels(model: bytes, labels: Sequence[str]) -> bytes:
    """The model's bytes with a list of labels in an archive at their end."""
    content = io.BytesIO(model)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("labels.txt", "".join(f"{label}\n" for label in labels))
    return content.getvalue()


SPEC = InputSpec(height=SIZE, width=SIZE, geometry="squash")


class _Build:
    """Builds a graph, operator by operator."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema = schema
        self._model, self._graph = schema.ModelT(), schema.SubGraphT()
        self._model.version, self._model.description = 3, "a colour classifier"
        self._model.buffers, self._model.operatorCodes = [schema.BufferT()], []
        self._graph.tensors, self._graph.operators = [], []

    def tensor(
        self,
        shape: Sequence[int],
        kind: str = "FLOAT32",
        *,
        buffer: int = 0,
        scale: float = 0.0,
        zero_point: int = 0,
        signature: Sequence[int] | None = None,
    ) -> int:
        tensor = self._schema.TensorT()
        tensor.name = f"tensor_{len(self._graph.tensors)}"
        tensor.shape, tensor.buffer = np.array(shape, np.int32), buffer
        tensor.type = getattr(self._schema.TensorType, kind)
        if signature is not None:
            tensor.shapeSignature = np.array(signature, np.int32)
        if scale:
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale = np.array([scale], np.float32)
            tensor.quantization.zeroPoint = np.array([zero_point], np.int64)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, values: Any) -> int:
        values = values if values.dtype == np.int32 else values.astype(np.float32)
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        kind = "INT32" if values.dtype == np.int32 else "FLOAT32"
        return self.tensor(values.shape, kind, buffer=len(self._model.buffers) - 1)

    def operator(
        self,
        name: str,
        reads: Sequence[int],
        shape: Sequence[int],
        kind: str = "FLOAT32",
        *,
        custom: str = "",
    ) -> int:
        schema = self._schema
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        code.customCode = custom or None
        self._model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs = np.array(reads, np.int32)
        made = self.tensor(shape, kind)
        operator.outputs = np.array([made], np.int32)
        if name in ("FULLY_CONNECTED", "SOFTMAX"):
            options = {"FULLY_CONNECTED": "FullyConnectedOptions", "SOFTMAX": "SoftmaxOptions"}
            operator.builtinOptions = getattr(schema, f"{options[name]}T")()
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options[name])
            if name == "SOFTMAX":
                operator.builtinOptions.beta = 1.0
        self._graph.operators.append(operator)
        return made

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        import flatbuffers

        self._graph.inputs = np.array(inputs, np.int32)
        self._graph.outputs = np.array(outputs, np.int32)
        self._model.subgraphs = [self._graph]
        builder = flatbuffers.Builder(4096)
        builder.Finish(self._model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
