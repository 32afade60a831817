"""Summarises a `.tflite` file: its inputs, outputs, operators, number formats and cost."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converter.errors import ConversionError
from converter.tflite.metadata import LABELS
from converter.tflite.operators import WEIGHTED_OPERATORS
from edge.core.errors import BundleError
from edge.core.model.trial import check_model_harmless


@dataclass(frozen=True, slots=True)
class TensorSummary:
    """An input or an output of a model."""

    name: str
    dtype: str
    """The name of the NumPy dtype, such as "uint8"."""
    shape: tuple[int, ...]
    scale: float
    """The quantisation scale; 0 if the tensor is not quantised."""
    zero_point: int
    """The quantisation zero point."""

    def __str__(self) -> str:
        shape = "x".join(str(size) for size in self.shape)
        quantised = f", scale {self.scale:g}, zero point {self.zero_point}" if self.scale else ""
        return f"{self.name}  {self.dtype} {shape}{quantised}"


@dataclass(frozen=True, slots=True)
class ModelStructure:
    """The summary of one model."""

    size: int
    """The size of the file in bytes."""
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    operators: Mapping[str, int]
    """The number of operators of each name, the most frequent first."""
    not_int8: Mapping[str, int]
    """The number of operators of each name that read or write a float tensor."""
    multiply_accumulates: int
    """The multiply-accumulates of convolutions and dense layers for one picture."""
    weighted: int
    """The number of convolutions and dense layers."""
    per_channel: int
    """The number of those whose weights have a scale for each output channel."""
    labels: tuple[str, ...]
    """The labels in the archive at the end of the file; empty if there are none."""

    def to_json(self) -> dict[str, Any]:
        """The object that `pilah-converter inspect --json` prints."""

        def ports(row: Sequence[TensorSummary]) -> list[dict[str, Any]]:
            return [
                {
                    "name": port.name,
                    "dtype": port.dtype,
                    "shape": port.shape,
                    "scale": port.scale,
                    "zero_point": port.zero_point,
                }
                for port in row
            ]

        return {
            "bytes": self.size,
            "inputs": ports(self.inputs),
            "outputs": ports(self.outputs),
            "operators": dict(self.operators),
            "not_int8": dict(self.not_int8),
            "multiply_accumulates": self.multiply_accumulates,
            "weighted_operators": self.weighted,
            "per_channel": self.per_channel,
            "labels": self.labels,
        }


def read_structure(model: bytes, *, name: str) -> ModelStructure:
    """The summary of a `.tflite` file.

    Args:
        model: the file's bytes.
        name: the file's name, for messages.

    Raises:
        ConversionError: it is no TFLite model, or loading it is harmful.
        TrialError: it could not be found out whether loading it is harmful.
    """
    try:
        check_model_harmless(model, name=name)
    except BundleError as error:
        raise ConversionError(str(error)) from error
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        # Without a delegate, which would replace the operators that it computes.
        interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ConversionError(
            f"{name}: this is not a TFLite model that can be run: {error}. Give a .tflite file or "
            "a bundle"
        ) from error
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    found = interpreter._get_ops_details()
    floats = [op["op_name"] for op in found if _has_float(op, tensors)]
    weights = [w for op in found if (w := _weights_of(op, tensors)) is not None]
    channels = [len(tensor["quantization_parameters"]["scales"]) for tensor in weights]
    return ModelStructure(
        size=len(model),
        inputs=tuple(_port(port) for port in interpreter.get_input_details()),
        outputs=tuple(_port(port) for port in interpreter.get_output_details()),
        operators=dict(Counter(op["op_name"] for op in found).most_common()),
        not_int8=dict(Counter(floats).most_common()),
        multiply_accumulates=sum(_cost(op, tensors) for op in found),
        weighted=len(weights),
        per_channel=sum(count > 1 for count in channels),
        labels=_labels(model),
    )


def _port(port: Mapping[str, Any]) -> TensorSummary:
    scale, zero_point = port["quantization"]
    shape = tuple(int(size) for size in port["shape"])
    return TensorSummary(
        port["name"], np.dtype(port["dtype"]).name, shape, float(scale), int(zero_point)
    )


def _has_float(op: Mapping[str, Any], tensors: Mapping[int, Mapping[str, Any]]) -> bool:
    touched = [*op["inputs"], *op["outputs"]]
    return any(np.dtype(tensors[i]["dtype"]).kind == "f" for i in touched if i in tensors)


def _weights_of(
    op: Mapping[str, Any], tensors: Mapping[int, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    return tensors[int(op["inputs"][1])] if op["op_name"] in WEIGHTED_OPERATORS else None


def _cost(op: Mapping[str, Any], tensors: Mapping[int, Mapping[str, Any]]) -> int:
    """The multiply-accumulates of one operator."""
    weights = _weights_of(op, tensors)
    if weights is None:
        return 0
    shape = [int(size) for size in weights["shape"]]
    written = math.prod(int(size) for size in tensors[int(op["outputs"][0])]["shape"])
    if op["op_name"] == "DEPTHWISE_CONV_2D":  # (1, rows, columns, channels)
        return written * shape[1] * shape[2]
    if op["op_name"] == "TRANSPOSE_CONV":  # (out, rows, columns, in), once for each input value
        read = math.prod(int(size) for size in tensors[int(op["inputs"][2])]["shape"])
        return read * math.prod(shape[:3])
    return written * math.prod(shape[1:])


def _labels(model: bytes) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            return tuple(archive.read(LABELS).decode("utf-8", "replace").splitlines())
    except (zipfile.BadZipFile, KeyError):
        return ()
