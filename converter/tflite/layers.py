"""Reads and changes the weights and biases of the layers in a `.tflite` file."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_CONV, _DEPTHWISE, _DENSE = "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"
_SAME = 0
"""The code of the padding SAME: with stride 1, the output has the size of the input."""


class Graph:
    """The only graph of a model, as objects of TensorFlow's FlatBuffer schema."""

    def __init__(self, content: Any) -> None:
        from tensorflow.lite.python import schema_py_generated as schema

        self.content = content
        (graph,) = content.subgraphs
        self.tensors: list[Any] = graph.tensors
        self.operators: list[Any] = graph.operators
        self.inputs: list[int] = graph.inputs
        self.outputs: list[int] = graph.outputs
        kinds, types = vars(schema.BuiltinOperator), vars(schema.TensorType)
        self._names = {code: name for name, code in kinds.items() if isinstance(code, int)}
        self._dtypes = {types["FLOAT32"]: np.float32, types["INT8"]: np.int8,
                        types["INT32"]: np.int32}  # fmt: skip
        self._int32, self._float32 = types["INT32"], types["FLOAT32"]

    def kind(self, operator: Any) -> str:
        """The name of an operator's type, such as "CONV_2D"."""
        code = self.content.operatorCodes[operator.opcodeIndex]
        return str(self._names[max(code.builtinCode, code.deprecatedBuiltinCode)])

    def is_float(self, index: int) -> bool:
        """Whether a tensor is float32."""
        return bool(self.tensors[index].type == self._float32)

    def constant(self, index: int) -> npt.NDArray[Any] | None:
        """The values of a constant tensor of float32, int8 or int32; None for other tensors."""
        tensor = self.tensors[index]
        data = self.content.buffers[tensor.buffer].data
        if data is None or tensor.type not in self._dtypes:
            return None
        return np.frombuffer(bytes(data), self._dtypes[tensor.type]).reshape(tensor.shape)

    def set_constant(self, index: int, values: npt.NDArray[Any]) -> None:
        """Replaces the values of a tensor; others that share its buffer keep the old values."""
        tensor = self.tensors[index]
        if Counter(other.buffer for other in self.tensors)[tensor.buffer] > 1:
            tensor.buffer = len(self.content.buffers)
            self.content.buffers.append(copy.copy(self.content.buffers[0]))
        dtype = self._dtypes[tensor.type]
        if tensor.type == self._int32:
            values = np.clip(values, np.iinfo(np.int32).min, np.iinfo(np.int32).max)
        data = np.ascontiguousarray(values, dtype).tobytes()
        self.content.buffers[tensor.buffer].data = np.frombuffer(data, np.uint8)

    def add_bias(self, like: Any, outputs: int, scales: npt.NDArray[np.float64]) -> int:
        """Adds a bias of zeros, int32 (outputs,), and returns its tensor index.

        Args:
            like: the tensor of the quantised weights.
            outputs: the number of outputs of the layer.
            scales: the quantisation scales of the bias: one, or (outputs,), as the weights have.
        """
        tensor = copy.deepcopy(like)
        tensor.name = like.name + b"/bias"
        tensor.type, tensor.shape = self._int32, np.array([outputs], np.int32)
        tensor.quantization.scale = scales.astype(np.float32)
        tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
        tensor.quantization.quantizedDimension = 0
        tensor.buffer = len(self.content.buffers)
        self.content.buffers.append(copy.copy(self.content.buffers[0]))
        self.tensors.append(tensor)
        self.set_constant(len(self.tensors) - 1, np.zeros(outputs, np.int32))
        return len(self.tensors) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A convolution or a Dense layer whose weights are constants in the file."""

    name: str
    """The name of its output tensor."""
    kind: str
    """The name of the operator's type."""
    operator: Any
    """The operator as an object of TensorFlow's FlatBuffer schema."""
    shape: tuple[int, ...]
    """The shape of the weights: (outputs, height, width, inputs) for a convolution,
    (1, height, width, channels) for a depthwise one, (outputs, inputs) for a Dense layer."""
    channels: int
    """The number of channels of its input."""
    shared: bool
    """True if another operator uses the same weights or bias."""

    @property
    def reads(self) -> int:
        """The index of its input tensor."""
        return int(self.operator.inputs[0])

    @property
    def weights(self) -> int:
        """The index of the tensor of its weights."""
        return int(self.operator.inputs[1])

    @property
    def bias(self) -> int:
        """The index of the tensor of its bias; -1 if it has none."""
        inputs = self.operator.inputs
        return int(inputs[2]) if len(inputs) > 2 else -1

    @property
    def depthwise(self) -> bool:
        """Whether it is a depthwise convolution, with one kernel per channel."""
        return self.kind == _DEPTHWISE

    @property
    def values(self) -> int:
        """The number of input values that one output is computed from."""
        return int(np.prod(self.shape[1:3] if self.depthwise else self.shape[1:]))

    @property
    def can_sample(self) -> bool:
        """Whether `sample_positions` supports the layer.

        It does not support dilated or grouped convolutions, nor depthwise ones with several outputs
        per channel.
        """
        options = self.operator.builtinOptions
        if self.kind == _DENSE:
            return True
        if options.dilationHFactor != 1 or options.dilationWFactor != 1:
            return False
        return self.shape[3] == self.channels

    def rows(self, weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The weights as a matrix (outputs, values), in the order of `sample_positions`."""
        flat = weights.astype(np.float64)
        return flat.reshape(-1, flat.shape[-1]).T if self.depthwise else flat.reshape(len(flat), -1)

    def from_rows(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The weights of a matrix from `rows`, in the shape that they have in the file."""
        return (rows.T if self.depthwise else rows).reshape(self.shape)

    def sample_positions(
        self, read: npt.NDArray[np.float32], most: int, draw: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """The input values of some of the layer's outputs for one picture, zero padding included.

        Args:
            read: the layer's input, (1, height, width, channels), or (..., inputs) for Dense.
            most: the largest number of positions: random ones of a convolution, the first ones of a
                Dense layer.
            draw: the random generator that chooses them.

        Returns:
            (positions, values), or (positions, channels, values) for a depthwise convolution.
        """
        if self.kind == _DENSE:
            return read.reshape(-1, self.shape[1])[:most]
        options, (height, width) = self.operator.builtinOptions, self.shape[1:3]
        steps = options.strideH, options.strideW
        picture = read[0]
        if options.padding == _SAME:
            wanted = [-(-size // step) for size, step in zip(picture.shape, steps, strict=False)]
            missing = [
                max(0, (count - 1) * step + kernel - size)
                for count, step, kernel, size in zip(
                    wanted, steps, (height, width), picture.shape, strict=False
                )
            ]
            pads = [(gap // 2, gap - gap // 2) for gap in missing]
            picture = np.pad(picture, (*pads, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(picture, (height, width), axis=(0, 1))
        windows = windows[:: steps[0], :: steps[1]]
        down, across = windows.shape[:2]
        chosen = np.arange(down * across)
        if len(chosen) > most:
            chosen = draw.choice(chosen, most, replace=False)
        # (positions, channels, height, width)
        taken: npt.NDArray[np.float32] = windows[chosen // across, chosen % across]
        if not self.depthwise:
            taken = taken.transpose(0, 2, 3, 1)
        return taken.reshape(*taken.shape[: 1 + self.depthwise], -1)


def read_graph(model: bytes) -> Graph:
    """The graph of a `.tflite` file's bytes."""
    from tensorflow.lite.tools import flatbuffer_utils

    return Graph(flatbuffer_utils.convert_bytearray_to_object(bytearray(model)))


def write_graph(graph: Graph) -> bytes:
    """The bytes of the `.tflite` file with this graph."""
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph.content))


def find_layers(graph: Graph) -> list[Layer]:
    """The layers whose weights are constants in the file, float or int8, in execution order."""
    found = []
    readers = Counter(int(index) for operator in graph.operators for index in operator.inputs)
    for operator in graph.operators:
        kind = graph.kind(operator)
        if kind not in (_CONV, _DEPTHWISE, _DENSE):
            continue
        weights = graph.constant(operator.inputs[1])
        if weights is not None:
            name = graph.tensors[operator.outputs[0]].name.decode()
            channels = int(graph.tensors[operator.inputs[0]].shape[-1])
            shared = any(readers[int(index)] > 1 for index in operator.inputs[1:] if index >= 0)
            found.append(Layer(name, kind, operator, weights.shape, channels, shared))
    return found
