"""Somebody else's TFLite classifier, given the input and output of pilah's contract.

Operators are put before and behind theirs; none of theirs is changed. Before: raw uint8 levels
become what their model takes (cast, times, plus, and quantised where theirs is). Behind: quantised
scores become float32, and logits probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from converter.errors import ConversionError
from edge.model.interpreter import SCORES

_FLOAT32, _UINT8, _INT8 = "FLOAT32", "UINT8", "INT8"


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What a model takes for a raw level 0..255: `scale * level + offset`."""

    name: str
    scale: float
    offset: float
    bgr: bool = False
    """The channels in the other order than RGB."""

    def __str__(self) -> str:
        return f"{self.name}{', BGR' if self.bgr else ''}"


NORMALISATIONS = tuple(
    Normalisation(name, scale, offset, bgr)
    for bgr in (False, True)
    for name, scale, offset in (
        ("raw", 1.0, 0.0),
        ("0..1", 1 / 255, 0.0),
        ("-1..1", 1 / 127.5, -1.0),
    )
)
"""What models are trained on: Keras's EfficientNet, most tutorials, MobileNet and Teachable
Machine; with OpenCV, blue comes first."""


def contract_model(model: bytes, normalisation: Normalisation, *, softmax: bool) -> bytes:
    """The model with raw uint8 RGB (or grey) levels in and float32 probabilities out.

    Args:
        model: a `.tflite` file's bytes: one picture (1, height, width, 1 or 3) in, float32, uint8
            or int8; one row (1, classes) out, of the same types.
        softmax: its output are logits.

    Raises:
        ConversionError: the model is not of that form.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    if len(content.subgraphs) != 1:
        raise ConversionError(f"the model has {len(content.subgraphs)} graphs, not one")
    graph = _Graph(schema, content)
    graph.prepend_input(normalisation)
    graph.append_output(softmax=softmax)
    content.metadata, content.signatureDefs = [], []
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(content.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _Graph:
    """A graph that operators are added to."""

    def __init__(self, schema: Any, content: Any) -> None:
        self._schema, self._content = schema, content
        (self._graph,) = content.subgraphs
        if len(self._graph.inputs) != 1 or len(self._graph.outputs) != 1:
            raise ConversionError(
                f"the model has {len(self._graph.inputs)} inputs and {len(self._graph.outputs)} "
                "outputs; a classifier has one of each"
            )

    def prepend_input(self, normalisation: Normalisation) -> None:
        schema, graph = self._schema, self._graph
        theirs = graph.tensors[graph.inputs[0]]
        shape = [int(size) for size in theirs.shape]
        if len(shape) != 4 or shape[0] not in (1, -1) or shape[3] not in (1, 3):
            raise ConversionError(
                "the model must take one picture (1, height, width, 1 or 3). Received: "
                f"{tuple(shape)}"
            )
        shape[0] = 1
        theirs.shape = np.array(shape, np.int32)
        taken = self._type_of(theirs)
        levels = self._tensor("picture", shape, _UINT8)
        before = [
            self._operator("CAST", [levels], [x := self._tensor("levels", shape, _FLOAT32)],
                           schema.CastOptionsT(), schema.BuiltinOptions.CastOptions)
        ]  # fmt: skip
        if normalisation.bgr:
            axis = self._constant("channel_axis", np.array([3], np.int32))
            turned = self._tensor("blue_first", shape, _FLOAT32)
            before.append(self._operator("REVERSE_V2", [x, axis], [turned]))
            x = turned
        for name, value in (("MUL", normalisation.scale), ("ADD", normalisation.offset)):
            if value == (1.0 if name == "MUL" else 0.0):
                continue
            last = taken == _FLOAT32 and (name == "ADD" or normalisation.offset == 0)
            made = graph.inputs[0] if last else self._tensor(f"{name.lower()}ed", shape, _FLOAT32)
            constant = self._constant(f"to_{name.lower()}", np.array([value], np.float32))
            options = schema.MulOptionsT() if name == "MUL" else schema.AddOptionsT()
            kind = getattr(schema.BuiltinOptions, f"{name.title()}Options")
            before.append(self._operator(name, [x, constant], [made], options, kind))
            x = made
        if taken != _FLOAT32:
            before.append(self._operator("QUANTIZE", [x], [graph.inputs[0]],
                                         schema.QuantizeOptionsT(),
                                         schema.BuiltinOptions.QuantizeOptions))  # fmt: skip
        elif x != graph.inputs[0]:  # raw: the cast itself gives what they take
            before[-1].outputs = np.array([graph.inputs[0]], np.int32)
        graph.operators = [*before, *graph.operators]
        graph.inputs = np.array([levels], np.int32)

    def append_output(self, *, softmax: bool) -> None:
        schema, graph = self._schema, self._graph
        x = int(graph.outputs[0])
        theirs = graph.tensors[x]
        shape = [int(size) for size in theirs.shape]
        if len(shape) != 2 or shape[0] not in (1, -1):
            raise ConversionError(
                f"the model must give one row of scores (1, classes). Received: {tuple(shape)}"
            )
        shape[0] = 1
        theirs.shape = np.array(shape, np.int32)
        if self._type_of(theirs) != _FLOAT32:
            made = self._tensor("dequantized", shape, _FLOAT32)
            graph.operators.append(
                self._operator("DEQUANTIZE", [x], [made], schema.DequantizeOptionsT(),
                               schema.BuiltinOptions.DequantizeOptions)
            )  # fmt: skip
            x = made
        if softmax:
            options = schema.SoftmaxOptionsT()
            options.beta = 1.0
            made = self._tensor("probabilities", shape, _FLOAT32)
            kind = schema.BuiltinOptions.SoftmaxOptions
            graph.operators.append(self._operator("SOFTMAX", [x], [made], options, kind))
            x = made
        graph.tensors[x].name = SCORES.encode()
        graph.outputs = np.array([x], np.int32)

    def _type_of(self, tensor: Any) -> str:
        names = {
            value: name
            for name, value in vars(self._schema.TensorType).items()
            if isinstance(value, int)
        }
        found = str(names[tensor.type])
        if found not in (_FLOAT32, _UINT8, _INT8):
            raise ConversionError(
                f"the model's {tensor.name.decode()} is {found}; float32, uint8 and int8 are known"
            )
        return found

    def _tensor(self, name: str, shape: list[int], kind: str, buffer: int = 0) -> int:
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape = f"pilah/{name}", np.array(shape, np.int32)
        tensor.type, tensor.buffer = getattr(self._schema.TensorType, kind), buffer
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, name: str, values: Any) -> int:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._content.buffers.append(buffer)
        kind = "INT32" if values.dtype == np.int32 else _FLOAT32
        return self._tensor(name, list(values.shape), kind, len(self._content.buffers) - 1)

    def _operator(
        self, name: str, reads: list[int], writes: list[int], options: Any = None, kind: int = 0
    ) -> Any:
        operator = self._schema.OperatorT()
        operator.opcodeIndex = self._code(name)
        operator.inputs = np.array(reads, np.int32)
        operator.outputs = np.array(writes, np.int32)
        operator.builtinOptions, operator.builtinOptionsType = options, kind
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
