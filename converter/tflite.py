"""TFLite models of a run: int8 to the logits, and float32 to compare it with.

TensorFlow's `convert()` leaks memory, talks on stderr and warns that it is deprecated, so each
conversion has a process of its own (`python -m converter.tflite`); this side never imports it.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from converter.calibration import Tensors
from converter.errors import ConversionError
from edge.errors import EXIT_IO, PilahError, StorageError
from edge.files import storage_errors
from edge.model.interpreter import SCORES, UNKNOWN
from trainer.run import Run, read_run

Kind = Literal["int8", "float32"]

_TENSORS, _MODEL, _STAGE, _REFUSAL, _TALK = (
    "tensors.npy",
    "model.tflite",
    "stage",
    "refusal",
    "talk",
)
"""Files in the folder that both processes share."""

_WEIGHTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
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
"""By the score for things of no class: the operators behind the last layers with weights, all of
them in every TFLite runtime. The largest of the prototypes may be taken in int8: it is the same."""

_COMPARED = 8
"""Pictures on which the float32 model must answer as Keras does."""
_FLOAT_TOLERANCE = 1e-3
"""Largest difference of a score there: folded BatchNorm and other kernels round differently."""


def convert_model(run: Run, kind: Kind, tensors: Tensors) -> bytes:
    """The run's model as a `.tflite` file's bytes: uint8 levels in, float32 scores out, and where
    the run has one its float32 score for things of no class.

    int8: everything from the input to the logits in integers, then DEQUANTIZE and a float SOFTMAX,
    because an int8 softmax has steps of 1/256, which no threshold near 1 survives. In the same way
    float: what follows the last layers with weights on the way to the score for things of no class.
    float32: the same model in float, with a cast at its input, so that the same device code runs
    both; it has been found equal to Keras.

    Args:
        tensors: representative pictures, uint8 (pictures, height, width, channels).

    Raises:
        ConversionError: TensorFlow refuses, or what it made is not as described.
        StorageError: no room for the files in between.
    """
    with tempfile.TemporaryDirectory(prefix="pilah-") as name, _storage(Path(name)):
        folder = Path(name)
        _write_tensors(folder / _TENSORS, tensors)
        code = _run_apart(run, kind, folder)
        if code == EXIT_IO:
            raise StorageError(
                f"cannot write {folder}: the disk is full: free some space or set TMPDIR to a "
                "folder on another disk"
            )
        if (refusal := folder / _REFUSAL).is_file():
            raise ConversionError(refusal.read_text(encoding="utf-8"))
        if code != 0:
            raise ConversionError(_crash(run, kind, code, folder / _TALK))
        model = (folder / _MODEL).read_bytes()
    if kind == "int8":
        check_integers(model, None if run.facts.unknown is None else run.facts.unknown.score)
    return model


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a TFLite model."""

    name: str
    inputs: tuple[str, ...]
    """NumPy names of the dtypes of what it reads: "int8"."""
    outputs: tuple[str, ...]
    input_scale: float
    """Quantisation scale of its first input; 0 where that is not quantised."""
    reads: tuple[int, ...]
    """The tensors it reads."""
    writes: tuple[int, ...]
    """The tensors it writes."""


def operators(model: bytes) -> tuple[Operator, ...]:
    """The operators of a `.tflite` file's bytes, in the order they run."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # Without a delegate, which would put itself in the place of what it computes.
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


def check_integers(model: bytes, unknown: str | None = None) -> None:
    """Passes an int8 model that is integer up to its last layers with weights, and behind them has
    the float operators of a softmax and of its score for things of no class, and no others.

    Args:
        unknown: what that score is computed from; None: there is none.

    Raises:
        ConversionError: an operator was left in float, or is not one of those.
    """
    found = operators(model)
    tail = _behind_weights(found)
    left = [
        op.name
        for op in found
        if op not in tail and any("float" in dtype for dtype in op.inputs + op.outputs)
    ]
    if left:
        raise ConversionError(
            f"the int8 model is not integer from its input to its logits: left in float: "
            f"{', '.join(left)}. Use layers that TFLite has in int8, and end with a Dense and a "
            "Softmax"
        )
    names = Counter(op.name for op in tail)
    coarse = [op for op in tail if op.name != "REDUCE_MAX" and set(op.outputs) != {"float32"}]
    if coarse or names != Counter(_FLOAT_TAILS[unknown]):
        received = ", ".join(f"{op.name} ({op.outputs[0]})" for op in tail)
        raise ConversionError(
            f"the int8 model must end in {', '.join(_FLOAT_TAILS[unknown])}, in float. Received: "
            f"{received}. End the network with a Dense and a Softmax; or this TensorFlow converts "
            "otherwise: install the versions of deploy/constraints.txt"
        )


def logit_scale(model: bytes) -> float:
    """What one integer step of a logit is worth, in units of the logit, of an int8 model."""
    found = operators(model)
    made_by = {tensor: op for op in found for tensor in op.writes}
    softmax = next(op for op in reversed(found) if op.name == "SOFTMAX")
    return made_by[softmax.reads[0]].input_scale


def _behind_weights(found: Sequence[Operator]) -> tuple[Operator, ...]:
    """Those that no layer with weights comes after, in the order they run."""
    wanted: set[int] = set()
    tail = []
    for op in reversed(found):
        if op.name in _WEIGHTED or wanted.intersection(op.writes):
            wanted.update(op.reads)
        else:
            tail.append(op)
    return tuple(reversed(tail))


def _write_tensors(path: Path, tensors: Tensors) -> None:
    # As np.save does, which on a full disk raises an OSError that does not say so.
    layout = np.lib.format
    with path.open("wb") as file:
        layout.write_array_header_1_0(file, layout.header_data_from_array_1_0(tensors))
        file.write(np.ascontiguousarray(tensors).data)


def _storage(folder: Path) -> Any:
    return storage_errors("write", folder)


def _run_apart(run: Run, kind: Kind, folder: Path) -> int:
    environment = os.environ | {
        "KERAS_BACKEND": "tensorflow",
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "TMPDIR": str(folder),  # what TensorFlow leaves there when killed goes with the folder
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    command = [sys.executable, "-P", "-W", "ignore", "-m", "converter.tflite"]
    with (
        (folder / _TALK).open("wb") as talk,
        subprocess.Popen(
            [*command, kind, str(run.path.absolute()), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        try:
            return _wait(process, kind, folder / _STAGE)
        except BaseException:
            process.kill()
            raise


def _wait(process: subprocess.Popen[bytes], kind: Kind, stage: Path) -> int:
    """Waits for the other process and shows how far it is; returns its exit code."""
    terminal = sys.stderr.isatty()
    start = time.monotonic()
    next_line = 0.5 if terminal else 10.0
    while True:
        try:
            code = process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            seconds = time.monotonic() - start
            if seconds >= next_line:
                next_line += 0.5 if terminal else 10.0
                doing = stage.read_text(encoding="utf-8") if stage.is_file() else "starting"
                line = f"converting to {kind}: {doing}, {seconds:.0f} s"
                sys.stderr.write(f"\r\x1b[K{line}" if terminal else f"{line}\n")
                sys.stderr.flush()
            continue
        if terminal:
            sys.stderr.write("\r\x1b[K")
        if code == 0:
            seconds = time.monotonic() - start
            print(f"converting to {kind}: done in {seconds:.0f} s", file=sys.stderr, flush=True)
        return code


def _crash(run: Run, kind: Kind, code: int, talk: Path) -> str:
    end = talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
    why = (
        f"was ended by signal {-code} (9: probably no memory left; close other programs)"
        if code < 0
        else "failed"
    )
    return f"{run.path}: TensorFlow's conversion to {kind} {why}. Its last words:\n" + "\n".join(
        end
    )


# From here on: the other process.


def _main(kind: Kind, run: Path, folder: Path) -> int:
    def stage(doing: str) -> None:
        (folder / _STAGE).write_text(doing, encoding="utf-8")

    try:
        stage("loading TensorFlow")
        tensors: Tensors = np.load(folder / _TENSORS, mmap_mode="r")
        source = read_run(run)
        model = source.load_model()
        expected = (*source.facts.input.shape, len(source.facts.labels))
        found = (*model.input_shape[1:], model.outputs[0].shape[-1])
        outputs = 1 if source.facts.unknown is None else 2
        if expected != found or len(model.outputs) != outputs:
            raise ConversionError(
                f"{run}: the model's height, width, channels and classes are {found}, in "
                f"{len(model.outputs)} outputs; run.json says {expected}, in {outputs}: train again"
            )
        content = (_int8 if kind == "int8" else _float32)(model, tensors, stage)
        (folder / _MODEL).write_bytes(content)
    except PilahError as error:
        (folder / _REFUSAL).write_text(str(error), encoding="utf-8")
        return error.exit_code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return EXIT_IO
    return 0


def _int8(model: Any, tensors: Tensors, stage: Callable[[str], None]) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python.util import modify_model_io_type

    def pictures() -> Iterator[list[Any]]:
        for index, tensor in enumerate(tensors):
            if index % 10 == 0:
                stage(f"calibrating, picture {index} of {len(tensors)}")
            yield [tensor[None].astype(np.float32)]
        stage("quantising")

    converter = _converter(model, tf.float32)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    # The converter itself has no way to leave operators in float; its debugger has, and gives the
    # model without its own instruments, too.
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=pictures
    )
    debugger.options = tf.lite.experimental.QuantizationDebugOptions(
        denylisted_nodes=_float_nodes(debugger.calibrated_model)
    )
    quantised = debugger.get_nondebug_quantized_model()
    return _named(bytes(modify_model_io_type(quantised, tf.uint8, tf.float32)))


def _float_nodes(calibrated: bytes) -> list[str]:
    """The names of what is to stay in float: all that no layer with weights comes after."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=calibrated)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    return [names[tensor] for op in _behind_weights(operators(calibrated)) for tensor in op.writes]


def _named(model: bytes) -> bytes:
    """The model with its outputs named; a model of one needs no name, but is easier to read."""
    from tensorflow.lite.tools import flatbuffer_utils

    content = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    (graph,) = content.subgraphs
    for output, name in zip(graph.outputs, (SCORES, UNKNOWN), strict=False):
        graph.tensors[output].name = name.encode()
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def _float32(model: Any, tensors: Tensors, stage: Callable[[str], None]) -> bytes:
    import tensorflow as tf

    from edge.model.interpreter import Interpreter

    stage("converting")
    content = _named(bytes(_converter(model, tf.uint8).convert()))
    stage("comparing with Keras")
    interpreter = Interpreter(content)
    for tensor in tensors[:_COMPARED]:
        outputs = model(tensor[None].astype(np.float32), training=False)
        keras_answer = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        answer = interpreter.answer(tensor)
        for mine, theirs in zip(answer, keras_answer, strict=False):
            change = float(np.abs(mine - np.asarray(theirs)[0]).max())
            if not change <= _FLOAT_TOLERANCE:
                raise ConversionError(
                    f"the float32 TFLite model scores a picture {change:.3g} away from the Keras "
                    f"model (allowed {_FLOAT_TOLERANCE:g}): this TensorFlow converts it wrongly. "
                    "Install the versions of deploy/constraints.txt"
                )
    return content


def _converter(model: Any, dtype: Any) -> Any:
    """A converter of the graph that runs one picture of `dtype` through the frozen model."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    signature = [tf.TensorSpec((1, *model.input_shape[1:]), dtype, name="picture")]

    def answer(picture: Any) -> Any:
        return model(tf.cast(picture, tf.float32), training=False)

    graph = tf.function(answer, input_signature=signature).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(graph)]
    )


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))  # type: ignore[arg-type]
