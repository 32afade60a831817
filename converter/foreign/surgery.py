"""Somebody else's TFLite classifier, given the input and output of pilah's contract.

Operators are put before and behind theirs; none of theirs is changed. Before: raw uint8 levels
become what their model takes (cast, times, plus, turned, and quantised where theirs is). Behind:
quantised scores become float32, and logits probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from converter.foreign.interface import ModelInterface
from edge.core.model.interpreter import SCORES

Outputs = Literal["probabilities", "logits", "shares"]
"""What a model gives. shares: a number 0..1 for each class by itself, as sigmoids do."""

_FLOAT32, _UINT8 = "FLOAT32", "UINT8"
_LEAST_SUM = 1e-6
"""Put to a sum of shares, which integers may round to 0."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What a model takes for a raw level 0..255: `scale * level + offset`."""

    name: str
    scale: tuple[float, ...]
    """One for all channels, or one each for red, green and blue."""
    offset: tuple[float, ...]
    """As many."""
    bgr: bool = False
    """The channels in the other order than RGB."""

    def __str__(self) -> str:
        return f"{self.name}{', BGR' if self.bgr else ''}"

    @property
    def plain(self) -> bool:
        """The same for all channels."""
        return len(self.scale) == 1

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the most that a level can become."""
        highest = (255 * s + o for s, o in zip(self.scale, self.offset, strict=True))
        return min(self.offset), max(highest)

    @classmethod
    def of_moments(
        cls, name: str, mean: tuple[float, ...], deviation: tuple[float, ...]
    ) -> Normalisation:
        """`(level - mean) / deviation`."""
        return cls(
            name,
            tuple(1 / d for d in deviation),
            tuple(-m / d for m, d in zip(mean, deviation, strict=True)),
        )


_KNOWN = (
    Normalisation("raw", (1.0,), (0.0,)),
    Normalisation("0..1", (1 / 255,), (0.0,)),
    Normalisation("-1..1", (1 / 127.5,), (-1.0,)),
    Normalisation.of_moments("torchvision", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    Normalisation.of_moments("caffe", (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
)
NORMALISATIONS = tuple(replace(way, bgr=bgr) for bgr in (False, True) for way in _KNOWN)
"""What models are trained on. raw: Keras's EfficientNet; 0..1: most tutorials; -1..1: MobileNet and
Teachable Machine; torchvision: less ImageNet's mean and through its deviation, as nearly all that
comes from PyTorch; caffe: less ImageNet's mean, as Keras's VGG16 and ResNet50. With OpenCV, and in
caffe, blue comes first. Sources: `keras.applications.imagenet_utils.preprocess_input`, and the
transforms of torchvision's weights."""


def contract_model(
    model: bytes, form: ModelInterface, normalisation: Normalisation, *, gives: Outputs
) -> bytes:
    """The model with raw uint8 RGB (or grey) levels in and float32 probabilities out.

    Args:
        model: a `.tflite` file's bytes.
        form: what `read_form` says of it.
        normalisation: one for all channels where the model takes grey.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = _Graph(schema, content, form)
    graph.prepend_input(normalisation)
    graph.append_output(gives)
    content.metadata, content.signatureDefs = [], []
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(content.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _Graph:
    """A graph that operators are added to."""

    def __init__(self, schema: Any, content: Any, form: ModelInterface) -> None:
        self._schema, self._content, self._form = schema, content, form
        (self._graph,) = content.subgraphs

    def prepend_input(self, normalisation: Normalisation) -> None:
        form, graph = self._form, self._graph
        theirs = int(graph.inputs[0])
        tensor = graph.tensors[theirs]
        tensor.shape = np.array([1, *tensor.shape[1:]], np.int32)
        tensor.shapeSignature = None
        levels = takes_levels(form)
        kind = _UINT8 if levels else _FLOAT32
        turned = (1, form.height, form.width, form.channels)
        steps: list[_Step] = [] if levels else [_Step("CAST", _FLOAT32, turned)]
        if not levels:
            for name, values, neutral in (
                ("MUL", normalisation.scale, 1.0), ("ADD", normalisation.offset, 0.0)
            ):  # fmt: skip
                if any(value != neutral for value in values):
                    constant = np.array(values, np.float32)
                    steps.append(_Step(name, _FLOAT32, turned, constant))
        if normalisation.bgr:
            steps.append(_Step("REVERSE_V2", kind, turned, np.array([3], np.int32)))
        if form.channels_first:
            first = (1, form.channels, form.height, form.width)
            steps.append(_Step("TRANSPOSE", kind, first, np.array([0, 3, 1, 2], np.int32)))
        elif len(form.taken.shape) == 3:
            flat = (1, form.height, form.width)
            steps.append(_Step("RESHAPE", kind, flat, np.array(flat, np.int32)))
        if not levels and form.taken.dtype != _FLOAT32:
            steps.append(_Step("QUANTIZE", form.taken.dtype, tuple(tensor.shape)))
        if not steps:
            return
        picture = self._tensor("picture", turned, _UINT8)
        graph.operators = [*self._chain(picture, steps, last=theirs), *graph.operators]
        graph.inputs = np.array([picture], np.int32)

    def append_output(self, gives: Outputs) -> None:
        form, graph = self._form, self._graph
        x = int(graph.outputs[form.output])
        tensor = graph.tensors[x]
        tensor.shape = np.array([1] * (len(tensor.shape) - 1) + [form.classes], np.int32)
        tensor.shapeSignature = None
        row = (1, form.classes)
        steps: list[_Step] = []
        if form.given.dtype != _FLOAT32:
            steps.append(_Step("DEQUANTIZE", _FLOAT32, tuple(tensor.shape)))
        if len(tensor.shape) != 2:
            steps.append(_Step("RESHAPE", _FLOAT32, row, np.array(row, np.int32)))
        if gives == "logits":
            steps.append(_Step("SOFTMAX", _FLOAT32, row))
        if steps:
            operators = self._chain(x, steps)
            graph.operators = [*graph.operators, *operators]
            x = int(operators[-1].outputs[0])
        if gives == "shares":
            axis = np.array([1], np.int32)
            least = np.array([_LEAST_SUM], np.float32)
            sums = self._chain(
                x, [_Step("SUM", _FLOAT32, (1, 1), axis), _Step("ADD", _FLOAT32, (1, 1), least)]
            )
            made = self._tensor("probabilities", row, _FLOAT32)
            divide = self._operator("DIV", [x, int(sums[-1].outputs[0])], [made])
            graph.operators = [*graph.operators, *sums, divide]
            x = made
        graph.tensors[x].name = SCORES.encode()
        graph.outputs = np.array([x], np.int32)

    def _chain(self, x: int, steps: list[_Step], last: int | None = None) -> list[Any]:
        """Operators, each on what the one before it gives; the last writes to `last`."""
        operators = []
        for index, step in enumerate(steps):
            made = last if last is not None and index == len(steps) - 1 else None
            if made is None:
                made = self._tensor(f"{step.operator.lower()}_{x}", step.shape, step.kind)
            reads = [x] if step.constant is None else [x, self._constant(step.constant)]
            operators.append(self._operator(step.operator, reads, [made]))
            x = made
        return operators

    def _tensor(self, name: str, shape: tuple[int, ...], kind: str, buffer: int = 0) -> int:
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape = f"pilah/{name}", np.array(shape, np.int32)
        tensor.type, tensor.buffer = getattr(self._schema.TensorType, kind), buffer
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, values: Any) -> int:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._content.buffers.append(buffer)
        number = len(self._content.buffers) - 1
        kind = "INT32" if values.dtype == np.int32 else _FLOAT32
        return self._tensor(f"constant_{number}", values.shape, kind, number)

    def _operator(self, name: str, reads: list[int], writes: list[int]) -> Any:
        schema = self._schema
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(name)
        operator.inputs = np.array(reads, np.int32)
        operator.outputs = np.array(writes, np.int32)
        options = _OPTIONS[name]
        operator.builtinOptions = getattr(schema, f"{options}T")()
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        if name == "SOFTMAX":
            operator.builtinOptions.beta = 1.0
        if name == "SUM":
            operator.builtinOptions.keepDims = True
        return operator

    def _code(self, name: str) -> int:
        builtin = getattr(self._schema.BuiltinOperator, name)
        for index, code in enumerate(self._content.operatorCodes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
                return index
        code = self._schema.OperatorCodeT()
        code.builtinCode = builtin
        code.deprecatedBuiltinCode = min(builtin, 127)
        code.version = 1
        self._content.operatorCodes.append(code)
        return len(self._content.operatorCodes) - 1


@dataclass(frozen=True, slots=True)
class _Step:
    """One operator of a chain."""

    operator: str
    kind: str
    """TensorType of what it gives."""
    shape: tuple[int, ...]
    """Of what it gives."""
    constant: Any = None
    """Its second input, float32 or int32."""


_OPTIONS = {
    "ADD": "AddOptions",
    "CAST": "CastOptions",
    "DEQUANTIZE": "DequantizeOptions",
    "DIV": "DivOptions",
    "MUL": "MulOptions",
    "QUANTIZE": "QuantizeOptions",
    "RESHAPE": "ReshapeOptions",
    "REVERSE_V2": "ReverseV2Options",
    "SOFTMAX": "SoftmaxOptions",
    "SUM": "ReducerOptions",
    "TRANSPOSE": "TransposeOptions",
}


def takes_levels(form: ModelInterface) -> bool:
    """Whether a model's integers are the picture's levels as they are, as in pilah's own."""
    return form.taken.dtype == _UINT8 and (form.taken.scale, form.taken.zero_point) in (
        (0.0, 0), (1.0, 0),
    )  # fmt: skip
