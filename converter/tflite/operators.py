"""Reads the operators of a `.tflite` file, and checks that an int8 model computes in integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.errors import ConversionError

WEIGHTED_OPERATORS = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
"""Operators with weights."""
_SOFTMAX = ("DEQUANTIZE", "SOFTMAX")
_ENERGY = ("REDUCE_MAX", "LOG", "REDUCE_MAX", "SUB", "MUL")
_DISTANCE = ("DEQUANTIZE", "REDUCE_MAX", "DEQUANTIZE", "SQUARE", "SUM", "SQRT", "MAXIMUM", "DIV",
             "SUB", "MUL")  # fmt: skip
_FLOAT_TAILS: dict[str | None, tuple[str, ...]] = {
    None: _SOFTMAX,
    "energy": (*_SOFTMAX, *_ENERGY, "ADD", "LOGISTIC"),
    "distance": (*_SOFTMAX, *_DISTANCE, "ADD", "LOGISTIC"),
    "both": (*_SOFTMAX, *_ENERGY, *_DISTANCE, "ADD", "ADD", "LOGISTIC"),
}
"""For each kind of novelty score, the float operators behind the last layers with weights. Every
TFLite runtime has all of them. REDUCE_MAX may also run in int8, because its result is the same."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a TFLite model."""

    name: str
    inputs: tuple[str, ...]
    """The NumPy names of the dtypes of its inputs, such as "int8"."""
    outputs: tuple[str, ...]
    """The NumPy names of the dtypes of its outputs."""
    input_scale: float
    """The quantisation scale of its first input; 0 if that is not quantised."""
    reads: tuple[int, ...]
    """The indices of its input tensors."""
    writes: tuple[int, ...]
    """The indices of its output tensors."""


def read_operators(model: bytes) -> tuple[Operator, ...]:
    """The operators of a `.tflite` file's bytes, in execution order."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # Without a delegate, which would replace the operators that it computes.
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    return tuple(
        Operator(
            name=op["op_name"],
            inputs=tuple(np.dtype(tensors[i]["dtype"]).name for i in op["inputs"] if i >= 0),
            outputs=tuple(np.dtype(tensors[i]["dtype"]).name for i in op["outputs"]),
            input_scale=float(tensors[op["inputs"][0]]["quantization"][0]),
            reads=tuple(int(i) for i in op["inputs"] if i >= 0),
            writes=tuple(int(i) for i in op["outputs"]),
        )
        for op in interpreter._get_ops_details()
    )


def intermediate_tensors(
    model: bytes, tensors: npt.NDArray[np.uint8], *, only: Collection[int] = ()
) -> Iterator[dict[int, npt.NDArray[Any]]]:
    """The values of a model's intermediate tensors for each picture, by tensor index.

    Args:
        model: a `.tflite` file's bytes.
        tensors: uint8 (pictures, height, width, channels).
        only: the indices of the requested tensors; all outputs of operators if empty.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    wanted = only or sorted({i for op in read_operators(model) for i in op.writes})
    for tensor in tensors:
        interpreter.set_tensor(taken["index"], tensor[None].astype(taken["dtype"]))
        interpreter.invoke()
        yield {index: interpreter.get_tensor(index) for index in wanted}


def check_integers(model: bytes, unknown: str | None = None, *, wider: bool = False) -> None:
    """Checks that an int8 model computes in integers up to its last layers with weights.

    Behind them it must have the float operators of a softmax and of its novelty score, and no
    others.

    Args:
        model: a `.tflite` file's bytes.
        unknown: the kind of the novelty score; None if the model has none.
        wider: True if some layers were left in float on purpose; then only the operators behind the
            last layers with weights are checked.

    Raises:
        ConversionError: an operator was left in float, or is not allowed behind the last weights.
    """
    found = read_operators(model)
    tail = operators_after_weights(found)
    left = [
        op.name
        for op in found
        if op not in tail and any("float" in dtype for dtype in op.inputs + op.outputs)
    ]
    if left and not wider:
        raise ConversionError(
            "the int8 model is not integer from its input to its logits; these operators are in "
            f"float: {', '.join(left)}. Use layers that TFLite supports in int8, and end the "
            "network with a Dense layer and a Softmax"
        )
    names = Counter(op.name for op in tail)
    coarse = [op for op in tail if op.name != "REDUCE_MAX" and set(op.outputs) != {"float32"}]
    expected = Counter(_FLOAT_TAILS[unknown])
    if wider:  # the logits may be float already
        names["DEQUANTIZE"] = expected["DEQUANTIZE"] = 0
    if coarse or names != expected:
        received = ", ".join(f"{op.name} ({op.outputs[0]})" for op in tail)
        raise ConversionError(
            f"the int8 model must end in {', '.join(_FLOAT_TAILS[unknown])}, in float. Received: "
            f"{received}. End the network with a Dense layer and a Softmax. If it does, this "
            "version of TensorFlow converts differently: install the versions of deploy/locks"
        )


def logit_scale(model: bytes) -> float:
    """The quantisation step of the logits; 0 if the logits are float."""
    found = read_operators(model)
    made_by = {tensor: op for op in found for tensor in op.writes}
    softmax = next((op for op in reversed(found) if op.name == "SOFTMAX"), None)
    before = made_by.get(softmax.reads[0]) if softmax else None
    return before.input_scale if before is not None and before.name == "DEQUANTIZE" else 0.0


def operators_after_weights(found: Sequence[Operator]) -> tuple[Operator, ...]:
    """The operators that no layer with weights depends on, in execution order."""
    wanted: set[int] = set()
    tail = []
    for op in reversed(found):
        if op.name in WEIGHTED_OPERATORS or wanted.intersection(op.writes):
            wanted.update(op.reads)
        else:
            tail.append(op)
    return tuple(reversed(tail))
