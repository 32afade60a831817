"""A static check that a `.tflite` file is a plain classifier that a runtime can load safely.

The runtimes trust the content of a file: an operator input of -1 ends the process, and a wrong size
overwrites its memory. So this module checks everything that they follow: each offset, each index of
a tensor, buffer or operator, shapes against the bytes of weights, scales against channels, and that
each tensor is computed before an operator reads it. Only operators of classifiers are allowed.

A file that passes can still be too much for a runtime: `edge.core.model.trial` tries it.
Source of the field numbers: TensorFlow Lite's schema.fbs, version 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.errors import BundleFormatError
from edge.core.model.flatbuffer import FlatBufferError, Table, root_table
from edge.core.model.model_operators import OPERATORS, SHAPES, OperatorKind
from edge.core.terminal.wording import number_of

_MOST_TENSORS = 10_000
_MOST_RANK = 6
"""The most dimensions of a tensor; several kernels have room for six only."""
_MOST_BYTES = 1 << 28
"""The largest size of one tensor in bytes."""
_VERSION = 3


@dataclass(frozen=True, slots=True)
class _Kind:
    """A number type of tensors."""

    bytes: int
    zero_points: tuple[int, int] = (0, 0)
    """The smallest and largest zero point."""


_KINDS: Mapping[int, _Kind] = {
    0: _Kind(4),  # float32
    1: _Kind(2),  # float16
    2: _Kind(4),  # int32
    3: _Kind(1, (0, 255)),  # uint8
    4: _Kind(8),  # int64
    6: _Kind(1),  # bool
    7: _Kind(2),  # int16
    9: _Kind(1, (-128, 127)),  # int8
}


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]
    constant: bool


class _ModelError(ValueError):
    """The file has something that a classifier cannot have."""


def check_model_file(content: bytes, *, name: str) -> None:
    """Checks that a `.tflite` file is consistent and uses only what picture classifiers need.

    Args:
        content: the content of the whole file.
        name: the name of the file in messages.

    Raises:
        BundleFormatError: the file is not consistent, or uses something else.
    """
    try:
        _check(root_table(content, b"TFL3"))
    except (FlatBufferError, _ModelError) as error:
        raise BundleFormatError(
            f"{name}: not a TFLite model that is safe to load: {error}. It is damaged or "
            "malicious: get it again from its maker"
        ) from error


def _check(model: Table) -> None:
    if (version := model.number(0, "I")) != _VERSION:
        raise _ModelError(f"it is of version {version}, and {_VERSION} is the only one known")
    codes = [_operator_kind(code) for code in model.tables(1, most=_MOST_TENSORS)]
    buffers = [_buffer_size(buffer) for buffer in model.tables(4, most=2 * _MOST_TENSORS)]
    graphs = model.tables(2, most=_MOST_TENSORS)
    if len(graphs) != 1:
        raise _ModelError(f"it has {len(graphs)} graphs, and a classifier has one")
    model.text(3)
    for index in model.numbers(5, "<i4"):
        _check_index(int(index), len(buffers), "a buffer")
    for metadata in model.tables(6, most=_MOST_TENSORS):
        metadata.text(0)
        _check_index(metadata.number(1, "I"), len(buffers), "a buffer")
    tensors = [_tensor(t, buffers) for t in graphs[0].tables(0, most=_MOST_TENSORS)]
    _check_graph(graphs[0], tensors, codes)
    for signature in model.tables(7, most=_MOST_TENSORS):
        _check_signature(signature, len(tensors))
    if model.has(8) or model.has(9):
        raise _ModelError("it keeps weights in other files")


def _operator_kind(code: Table) -> OperatorKind:
    # Files from before 2020 have the number in a one-byte field only; newer ones have both fields.
    number = max(code.number(0, "b"), code.number(3, "i"))
    if code.text(1) or number not in OPERATORS:
        what = f"the operator {code.text(1) or number}"
        raise _ModelError(f"it uses {what}, which no classifier that pilah runs needs")
    if not 0 <= code.number(2, "i") <= 100:
        raise _ModelError(f"its operator {OPERATORS[number].name} is of an impossible version")
    return OPERATORS[number]


def _buffer_size(buffer: Table) -> int:
    if buffer.number(1, "Q") > 1 or buffer.number(2, "Q") > 1:  # 1: a placeholder of converters
        raise _ModelError("it keeps weights outside of its tables")
    return int(buffer.numbers(0, "u1").size)


def _tensor(tensor: Table, buffers: Sequence[int]) -> _Tensor:
    name = tensor.text(3)
    shape = tuple(int(size) for size in tensor.numbers(0, "<i4"))
    kind = _KINDS.get(tensor.number(1, "b"))
    if kind is None:
        raise _ModelError(f"the tensor {name!r} has numbers of a kind that no classifier needs")
    size = math.prod(shape) * kind.bytes
    if len(shape) > _MOST_RANK or any(part < 0 for part in shape) or size > _MOST_BYTES:
        raise _ModelError(f"the tensor {name!r} has the shape {list(shape)}")
    signature = tensor.numbers(7, "<i4")
    if signature.size and (
        signature.size != len(shape)
        or any(part not in (-1, own) for part, own in zip(signature, shape, strict=True))
    ):
        raise _ModelError(f"the shape of the tensor {name!r} contradicts itself")
    _check_index(buffer := tensor.number(2, "I"), len(buffers), "a buffer")
    if buffers[buffer] not in (0, size):
        raise _ModelError(
            f"the tensor {name!r} has the shape {list(shape)} and {buffers[buffer]:,} bytes"
        )
    if tensor.number(5, "B") or tensor.has(6) or tensor.has(9) or tensor.number(10, "I"):
        raise _ModelError(f"the tensor {name!r} is a variable, sparse, or kept elsewhere")
    if (quantization := tensor.table(4)) is not None:
        _check_quantization(quantization, name, shape, kind)
    return _Tensor(shape, buffers[buffer] > 0)


def _check_quantization(found: Table, name: str, shape: Sequence[int], kind: _Kind) -> None:
    for field in (0, 1):  # the range of values, which no kernel reads
        found.numbers(field, "<f4")
    scales, zeros = found.numbers(2, "<f4"), found.numbers(3, "<i8")
    axis = found.number(6, "i")
    if found.number(4, "B") or found.has(5):
        raise _ModelError(f"the tensor {name!r} is quantised in a way of its own")
    if scales.size > 1 and (not 0 <= axis < len(shape) or scales.size != shape[axis]):
        raise _ModelError(f"the tensor {name!r} has {scales.size} scales and shape {list(shape)}")
    if zeros.size not in (0, 1, scales.size) or (zeros.size and not scales.size and zeros.any()):
        raise _ModelError(f"the tensor {name!r} has {scales.size} scales, {zeros.size} zero points")
    if scales.size and not (np.isfinite(scales).all() and (scales >= 0).all()):
        raise _ModelError(f"the tensor {name!r} has a scale that is no positive number")
    low, high = kind.zero_points
    if zeros.size and not ((zeros >= low).all() and (zeros <= high).all()):
        raise _ModelError(f"the tensor {name!r} has a zero point that its numbers cannot have")


def _check_graph(graph: Table, tensors: Sequence[_Tensor], codes: Sequence[OperatorKind]) -> None:
    graph.text(4)
    ready = {index for index, tensor in enumerate(tensors) if tensor.constant}
    inputs = [int(index) for index in graph.numbers(1, "<i4")]
    outputs = [int(index) for index in graph.numbers(2, "<i4")]
    if not 1 <= len(inputs) <= 8 or not 1 <= len(outputs) <= 8:
        raise _ModelError(
            f"it has {number_of(len(inputs), 'inputs')} and {number_of(len(outputs), 'outputs')}"
        )
    for index in inputs:
        _check_new(index, ready, tensors, "its input")
        ready.add(index)
    for operator in graph.tables(3, most=_MOST_TENSORS):
        _check_index(index := operator.number(0, "I"), len(codes), "an operator")
        kind = codes[index]
        reads = _check_reads(operator, kind, ready, tensors)
        writes = [int(index) for index in operator.numbers(2, "<i4")]
        if not kind.outputs[0] <= len(writes) <= kind.outputs[1]:
            raise _ModelError(f"its {kind.name} has {number_of(len(writes), 'outputs')}")
        for index in writes:
            _check_new(index, ready, tensors, f"an output of its {kind.name}")
            ready.add(index)
        _check_options(operator, kind)
        _check_shapes(kind, [tensors[i].shape if i >= 0 else None for i in reads],
                      tensors[writes[0]].shape)  # fmt: skip
    for index in outputs:
        _check_index(index, len(tensors), "a tensor")
        if index not in ready:
            raise _ModelError("one of its outputs is computed by no operator")


def _check_reads(
    operator: Table, kind: OperatorKind, ready: set[int], tensors: Sequence[_Tensor]
) -> list[int]:
    reads = [int(index) for index in operator.numbers(1, "<i4")]
    if not kind.inputs[0] <= len(reads) <= kind.inputs[1]:
        raise _ModelError(f"its {kind.name} has {number_of(len(reads), 'inputs')}")
    for place, index in enumerate(reads):
        if index == -1 and place >= kind.needed:  # left out, as a bias may be
            continue
        _check_index(index, len(tensors), "a tensor")
        if index not in ready:
            raise _ModelError(f"its {kind.name} reads a tensor that was not computed before")
        if place in kind.constants and not tensors[index].constant:
            raise _ModelError(f"its {kind.name} reads a computed tensor that must be a constant")
    return reads


def _check_options(operator: Table, kind: OperatorKind) -> None:
    extra = operator.numbers(5, "u1").size + operator.numbers(8, "<i4").size
    if extra or operator.number(9, "Q") or operator.number(10, "Q") or operator.number(11, "B"):
        raise _ModelError(f"its {kind.name} has options that a classifier does not need")
    if operator.numbers(7, "u1").any():
        raise _ModelError(f"its {kind.name} changes its input tensors")
    chosen, options = operator.number(3, "B"), operator.table(4)
    if chosen == 0 and options is None and not kind.must_have_options:
        return
    if chosen != kind.options or options is None:
        raise _ModelError(f"its {kind.name} has the options of another operator, or none")
    for field, allowed in enumerate(kind.fields):
        if not allowed.passes(options, field):
            raise _ModelError(f"its {kind.name} has an option that is out of range")


def _check_shapes(
    kind: OperatorKind, reads: Sequence[tuple[int, ...] | None], writes: tuple[int, ...]
) -> None:
    check = SHAPES.get(kind.name)
    if check is not None and not check(reads, writes):
        shown = [None if shape is None else list(shape) for shape in reads]
        raise _ModelError(f"its {kind.name} cannot take shapes {shown} and give {list(writes)}")


def _check_signature(signature: Table, tensors: int) -> None:
    for field in (0, 1):
        for named in signature.tables(field, most=64):
            named.text(0)
            _check_index(named.number(1, "I"), tensors, "a tensor")
    signature.text(2)
    signature.text(3)
    _check_index(signature.number(4, "I"), 1, "a graph")


def _check_index(index: int, count: int, what: str) -> None:
    if not 0 <= index < count:
        raise _ModelError(f"it refers to {what} with the number {index}, and has {count}")


def _check_new(index: int, ready: set[int], tensors: Sequence[_Tensor], what: str) -> None:
    _check_index(index, len(tensors), "a tensor")
    if index in ready:
        raise _ModelError(f"{what} is computed twice, or is a constant")
