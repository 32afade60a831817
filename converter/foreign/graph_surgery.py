"""Adapts somebody else's TFLite classifier to the input and output that pilah's bundles have.

Operators are added in front of the model's own and behind them; its own are not changed. Those in
front turn raw uint8 levels into the model's input: cast, multiply, add, reorder the channels, and
quantise if the input is an integer. Those behind turn quantised scores into float32, and logits
into probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from converter.foreign.interface import ModelInterface
from edge.core.model.interpreter import SCORES

OutputKind = Literal["probabilities", "logits", "sigmoids"]
"""What the outputs of a model are. sigmoids: a number 0..1 for each class that is independent of
the other classes."""

_FLOAT32, _UINT8 = "FLOAT32", "UINT8"
_LEAST_SUM = 1e-6
"""Added to the sum of sigmoids before it divides, because integers may round that sum to 0."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How a model's input follows from a raw level 0..255: `scale * level + offset`."""

    name: str
    scale: tuple[float, ...]
    """One value for all channels, or one each for red, green and blue."""
    offset: tuple[float, ...]
    """As many values as `scale` has."""
    bgr: bool = False
    """True if the model takes the channels as blue, green, red."""

    def __str__(self) -> str:
        return f"{self.name}{', BGR' if self.bgr else ''}"

    @property
    def uniform(self) -> bool:
        """Whether all channels have the same scale and offset."""
        return len(self.scale) == 1

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value that a level can become."""
        highest = (255 * s + o for s, o in zip(self.scale, self.offset, strict=True))
        return min(self.offset), max(highest)

    @classmethod
    def from_mean_and_deviation(
        cls, name: str, mean: tuple[float, ...], deviation: tuple[float, ...]
    ) -> Normalisation:
        """The normalisation `(level - mean) / deviation`."""
        return cls(
            name,
            tuple(1 / d for d in deviation),
            tuple(-m / d for m, d in zip(mean, deviation, strict=True)),
        )


_KNOWN = (
    Normalisation("raw", (1.0,), (0.0,)),
    Normalisation("0..1", (1 / 255,), (0.0,)),
    Normalisation("-1..1", (1 / 127.5,), (-1.0,)),
    Normalisation.from_mean_and_deviation(
        "torchvision", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    ),
    Normalisation.from_mean_and_deviation("caffe", (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
)
NORMALISATIONS = tuple(replace(way, bgr=bgr) for bgr in (False, True) for way in _KNOWN)
"""The normalisations that models are usually trained with. raw: Keras's EfficientNet; 0..1: most
tutorials; -1..1: MobileNet and Teachable Machine; torchvision: ImageNet's mean is subtracted and
the result divided by ImageNet's deviation, as nearly all PyTorch models need it; caffe: ImageNet's
mean is subtracted, as for Keras's VGG16 and ResNet50. OpenCV and Caffe put blue first. Sources:
`keras.applications.imagenet_utils.preprocess_input` and the transforms of torchvision's weights."""


def adapt_model(
    model: bytes, interface: ModelInterface, normalisation: Normalisation, *, gives: OutputKind
) -> bytes:
    """The model changed to take raw uint8 RGB (or grey) levels and to give float32 probabilities.

    Args:
        model: a `.tflite` file's bytes.
        interface: that file's inputs and outputs, from `read_interface`.
        normalisation: for a grey model, one with the same values for all channels.
        gives: what the model's own outputs are.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = _Graph(schema, content, interface)
    graph.prepend_input(normalisation)
    graph.append_output(gives)
    content.metadata, content.signatureDefs = [], []
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(content.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _Graph:
    """The graph of a model, to which operators are added in front and behind."""

    def __init__(self, schema: Any, content: Any, interface: ModelInterface) -> None:
        self._schema, self._content, self._interface = schema, content, interface
        (self._graph,) = content.subgraphs

    def prepend_input(self, normalisation: Normalisation) -> None:
        interface, graph = self._interface, self._graph
        theirs = int(graph.inputs[0])
        tensor = graph.tensors[theirs]
        tensor.shape = np.array([1, *tensor.shape[1:]], np.int32)
        tensor.shapeSignature = None
        levels = takes_raw_levels(interface)
        kind = _UINT8 if levels else _FLOAT32
        turned = (1, interface.height, interface.width, interface.channels)
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
        if interface.channels_first:
            first = (1, interface.channels, interface.height, interface.width)
            steps.append(_Step("TRANSPOSE", kind, first, np.array([0, 3, 1, 2], np.int32)))
        elif len(interface.input.shape) == 3:
            flat = (1, interface.height, interface.width)
            steps.append(_Step("RESHAPE", kind, flat, np.array(flat, np.int32)))
        if not levels and interface.input.dtype != _FLOAT32:
            steps.append(_Step("QUANTIZE", interface.input.dtype, tuple(tensor.shape)))
        if not steps:
            return
        picture = self._tensor("picture", turned, _UINT8)
        graph.operators = [*self._chain(picture, steps, last=theirs), *graph.operators]
        graph.inputs = np.array([picture], np.int32)

    def append_output(self, gives: OutputKind) -> None:
        interface, graph = self._interface, self._graph
        x = int(graph.outputs[interface.output_index])
        tensor = graph.tensors[x]
        tensor.shape = np.array([1] * (len(tensor.shape) - 1) + [interface.classes], np.int32)
        tensor.shapeSignature = None
        row = (1, interface.classes)
        steps: list[_Step] = []
        if interface.output.dtype != _FLOAT32:
            steps.append(_Step("DEQUANTIZE", _FLOAT32, tuple(tensor.shape)))
        if len(tensor.shape) != 2:
            steps.append(_Step("RESHAPE", _FLOAT32, row, np.array(row, np.int32)))
        if gives == "logits":
            steps.append(_Step("SOFTMAX", _FLOAT32, row))
        if steps:
            operators = self._chain(x, steps)
            graph.operators = [*graph.operators, *operators]
            x = int(operators[-1].outputs[0])
        if gives == "sigmoids":
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
        """A chain of operators, each of which reads what the one before it writes.

        Args:
            x: the tensor that the first one reads.
            last: the tensor that the last one writes; None adds a new tensor.
        """
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
    """The TensorType of its output."""
    shape: tuple[int, ...]
    """The shape of its output."""
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


def takes_raw_levels(interface: ModelInterface) -> bool:
    """Whether a model takes raw uint8 levels, unscaled, as pilah's own models do."""
    tensor = interface.input
    return tensor.dtype == _UINT8 and tensor.scale in (0.0, 1.0) and tensor.zero_point == 0
