"""The operators that a classifier may use: those of pilah's models and of imported models.

Custom operators, control flow, variables, strings and recurrent layers are not among them. The
table has for each operator the number of tensors that it reads and writes, and its options, with
the numbers of TensorFlow Lite's schema.fbs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.model.flatbuffer import Table

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Number:
    """An integer option of an operator."""

    low: int
    high: int
    letter: str = "i"
    absent: int = 0
    """The value that applies if the file has none."""

    def passes(self, options: Table, field: int) -> bool:
        """Whether the option is one that the operator can have."""
        if not options.has(field):
            return self.low <= self.absent <= self.high
        return self.low <= options.number(field, self.letter) <= self.high


@dataclass(frozen=True, slots=True)
class _Real:
    """A float32 option of an operator."""

    def passes(self, options: Table, field: int) -> bool:
        """Whether the option is one that the operator can have."""
        return math.isfinite(options.real(field))


@dataclass(frozen=True, slots=True)
class _Shape:
    """An option of an operator that is a list of sizes or axes."""

    def passes(self, options: Table, field: int) -> bool:
        """Whether the option is one that the operator can have."""
        return options.numbers(field, "<i4").size <= 8


_STEP = _Number(1, 4096)
"""Strides and window sizes; 0 is not allowed, because the kernels divide by them."""
_DILATION = _Number(1, 4096, absent=1)
_COUNT = _Number(0, 4096)
_AXIS = _Number(-6, 6)
_MASK = _Number(0, 63)
_FLAG = _Number(0, 1, "B")
_PADDING = _Number(0, 1, "b")
_ACTIVATION = _Number(0, 5, "b")
_TYPE = _Number(0, 22, "b")
_REAL = _Real()
_SHAPE = _Shape()
_Option = _Number | _Real | _Shape


@dataclass(frozen=True, slots=True)
class OperatorKind:
    """One operator."""

    name: str
    inputs: tuple[int, int]
    """The fewest and the most tensors that the operator reads."""
    options: int
    """The number of its table of options in the union `BuiltinOptions`."""
    fields: tuple[_Option, ...]
    """The fields of that table."""
    outputs: tuple[int, int] = (1, 1)
    """The fewest and the most tensors that the operator writes."""
    constants: tuple[int, ...] = ()
    """The positions of inputs that must be constants in the file."""

    @property
    def needed(self) -> int:
        """The number of inputs that cannot be left out (by a -1 in their place)."""
        return self.inputs[0]

    @property
    def must_have_options(self) -> bool:
        """Whether a file must have the options, because the runtime's default of 0 is not valid."""
        return any(isinstance(field, _Number) and field.low > 0 for field in self.fields)


_MANY = 256
OPERATORS: Mapping[int, OperatorKind] = {
    0: OperatorKind("ADD", (2, 2), 11, (_ACTIVATION, _FLAG)),
    1: OperatorKind(
        "AVERAGE_POOL_2D", (1, 1), 5, (_PADDING, _STEP, _STEP, _STEP, _STEP, _ACTIVATION)
    ),
    2: OperatorKind("CONCATENATION", (1, _MANY), 10, (_AXIS, _ACTIVATION)),
    3: OperatorKind(
        "CONV_2D", (2, 3), 1, (_PADDING, _STEP, _STEP, _ACTIVATION, _DILATION, _DILATION, _TYPE)
    ),
    4: OperatorKind(
        "DEPTHWISE_CONV_2D",
        (2, 3),
        2,
        (_PADDING, _STEP, _STEP, _COUNT, _ACTIVATION, _DILATION, _DILATION),
    ),
    5: OperatorKind("DEPTH_TO_SPACE", (1, 1), 94, (_STEP,)),
    6: OperatorKind("DEQUANTIZE", (1, 1), 38, ()),
    8: OperatorKind("FLOOR", (1, 1), 0, ()),
    9: OperatorKind("FULLY_CONNECTED", (2, 3), 8, (_ACTIVATION, _PADDING, _FLAG, _FLAG, _TYPE)),
    11: OperatorKind("L2_NORMALIZATION", (1, 1), 12, (_ACTIVATION,)),
    14: OperatorKind("LOGISTIC", (1, 1), 0, ()),
    17: OperatorKind("MAX_POOL_2D", (1, 1), 5, (_PADDING, _STEP, _STEP, _STEP, _STEP, _ACTIVATION)),
    18: OperatorKind("MUL", (2, 2), 21, (_ACTIVATION,)),
    19: OperatorKind("RELU", (1, 1), 0, ()),
    20: OperatorKind("RELU_N1_TO_1", (1, 1), 0, ()),
    21: OperatorKind("RELU6", (1, 1), 0, ()),
    22: OperatorKind("RESHAPE", (1, 2), 17, (_SHAPE,)),
    23: OperatorKind("RESIZE_BILINEAR", (2, 2), 15, (_COUNT, _COUNT, _FLAG, _FLAG), constants=(1,)),
    25: OperatorKind("SOFTMAX", (1, 1), 9, (_REAL,)),
    26: OperatorKind("SPACE_TO_DEPTH", (1, 1), 19, (_STEP,)),
    28: OperatorKind("TANH", (1, 1), 0, ()),
    34: OperatorKind("PAD", (2, 2), 22, (), constants=(1,)),
    36: OperatorKind("GATHER", (2, 2), 23, (_AXIS, _AXIS), constants=(1,)),
    39: OperatorKind("TRANSPOSE", (2, 2), 26, (), constants=(1,)),
    40: OperatorKind("MEAN", (2, 2), 27, (_FLAG,), constants=(1,)),
    41: OperatorKind("SUB", (2, 2), 28, (_ACTIVATION, _FLAG)),
    42: OperatorKind("DIV", (2, 2), 29, (_ACTIVATION,)),
    43: OperatorKind("SQUEEZE", (1, 1), 30, (_SHAPE,)),
    45: OperatorKind("STRIDED_SLICE", (4, 4), 32, (_MASK, _MASK, _MASK, _MASK, _MASK, _FLAG)),
    47: OperatorKind("EXP", (1, 1), 33, ()),
    49: OperatorKind("SPLIT", (2, 2), 35, (_STEP,), (1, _MANY), constants=(0,)),
    50: OperatorKind("LOG_SOFTMAX", (1, 1), 36, ()),
    53: OperatorKind("CAST", (1, 1), 37, (_TYPE, _TYPE)),
    54: OperatorKind("PRELU", (2, 2), 0, ()),
    55: OperatorKind("MAXIMUM", (2, 2), 39, ()),
    57: OperatorKind("MINIMUM", (2, 2), 39, ()),
    59: OperatorKind("NEG", (1, 1), 42, ()),
    60: OperatorKind("PADV2", (3, 3), 43, (), constants=(1, 2)),
    65: OperatorKind("SLICE", (3, 3), 48, ()),
    67: OperatorKind(
        "TRANSPOSE_CONV", (3, 4), 49, (_PADDING, _STEP, _STEP, _ACTIVATION, _TYPE), constants=(0,)
    ),
    69: OperatorKind("TILE", (2, 2), 51, (), constants=(1,)),
    70: OperatorKind("EXPAND_DIMS", (2, 2), 52, (), constants=(1,)),
    73: OperatorKind("LOG", (1, 1), 0, ()),
    74: OperatorKind("SUM", (2, 2), 27, (_FLAG,), constants=(1,)),
    75: OperatorKind("SQRT", (1, 1), 0, ()),
    76: OperatorKind("RSQRT", (1, 1), 0, ()),
    77: OperatorKind("SHAPE", (1, 1), 55, (_TYPE,)),
    78: OperatorKind("POW", (2, 2), 56, ()),
    82: OperatorKind("REDUCE_MAX", (2, 2), 27, (_FLAG,), constants=(1,)),
    83: OperatorKind("PACK", (1, _MANY), 59, (_STEP, _AXIS)),
    88: OperatorKind("UNPACK", (1, 1), 64, (_STEP, _AXIS), (1, _MANY)),
    89: OperatorKind("REDUCE_MIN", (2, 2), 27, (_FLAG,), constants=(1,)),
    92: OperatorKind("SQUARE", (1, 1), 66, ()),
    97: OperatorKind("RESIZE_NEAREST_NEIGHBOR", (2, 2), 74, (_FLAG, _FLAG), constants=(1,)),
    98: OperatorKind("LEAKY_RELU", (1, 1), 75, (_REAL,)),
    99: OperatorKind("SQUARED_DIFFERENCE", (2, 2), 76, ()),
    100: OperatorKind("MIRROR_PAD", (2, 2), 77, (_FLAG,), constants=(1,)),
    101: OperatorKind("ABS", (1, 1), 78, ()),
    102: OperatorKind("SPLIT_V", (3, 3), 79, (_STEP,), (1, _MANY), constants=(1, 2)),
    111: OperatorKind("ELU", (1, 1), 0, ()),
    114: OperatorKind("QUANTIZE", (1, 1), 89, ()),
    117: OperatorKind("HARD_SWISH", (1, 1), 91, ()),
    126: OperatorKind("BATCH_MATMUL", (2, 2), 101, (_FLAG, _FLAG, _FLAG)),
    130: OperatorKind("BROADCAST_TO", (2, 2), 104, (), constants=(1,)),
    150: OperatorKind("GELU", (1, 1), 116, (_FLAG,)),
}
"""The operators, by their number in the enumeration `BuiltinOperator`."""


def _convolution(reads: Sequence[Shape | None], writes: Shape) -> bool:
    picture, weights, *bias = reads
    if picture is None or weights is None or not len(picture) == len(weights) == len(writes) == 4:
        return False
    if min(*picture, *weights, *writes) < 1 or picture[3] % weights[3] or writes[0] != picture[0]:
        return False
    return writes[3] == weights[0] and _is_bias(bias, writes[3])


def _depthwise(reads: Sequence[Shape | None], writes: Shape) -> bool:
    picture, weights, *bias = reads
    if picture is None or weights is None or not len(picture) == len(weights) == len(writes) == 4:
        return False
    if min(*picture, *weights, *writes) < 1 or weights[0] != 1 or weights[3] % picture[3]:
        return False
    return writes[3] == weights[3] and writes[0] == picture[0] and _is_bias(bias, writes[3])


def _fully_connected(reads: Sequence[Shape | None], writes: Shape) -> bool:
    values, weights, *bias = reads
    if values is None or weights is None or len(weights) != 2 or min(weights) < 1 or not writes:
        return False
    if not values or math.prod(values) < 1 or math.prod(values) % weights[1]:
        return False
    rows = math.prod(values) // weights[1]
    return math.prod(writes) == rows * weights[0] and _is_bias(bias, weights[0])


def _is_bias(given: Sequence[Shape | None], channels: int) -> bool:
    return not given or given[0] is None or math.prod(given[0]) == channels


def _pool(reads: Sequence[Shape | None], writes: Shape) -> bool:
    (picture,) = reads
    if picture is None or not len(picture) == len(writes) == 4 or min(*picture, *writes) < 1:
        return False
    return writes[0] == picture[0] and writes[3] == picture[3]


def _same(reads: Sequence[Shape | None], writes: Shape) -> bool:
    return reads[0] == writes


def _same_count(reads: Sequence[Shape | None], writes: Shape) -> bool:
    return reads[0] is not None and math.prod(reads[0]) == math.prod(writes)


SHAPES: Mapping[str, Callable[[Sequence[Shape | None], Shape], bool]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "RESHAPE": _same_count,
    "SQUEEZE": _same_count,
    "EXPAND_DIMS": _same_count,
} | dict.fromkeys(
    ("DEQUANTIZE", "QUANTIZE", "SOFTMAX", "LOGISTIC", "RELU", "RELU6", "RELU_N1_TO_1", "TANH",
     "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "ABS", "NEG", "FLOOR", "ELU", "GELU", "HARD_SWISH",
     "LEAKY_RELU", "LOG_SOFTMAX", "L2_NORMALIZATION", "CAST"),
    _same,
)  # fmt: skip
"""For operators where a runtime uses one shape to write and another to read: a function that tells
whether the shapes of the inputs (None for one that is left out) and of the output fit together."""
