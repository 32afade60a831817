"""A TFLite model run by LiteRT, or by tflite-runtime where LiteRT is not installed."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge.core.errors import (
    BundleError,
    BundleFormatError,
    ModelInputError,
    ModelOutputError,
    RuntimeMissingError,
    UsageError,
)
from edge.core.images.preprocess import Tensor
from edge.core.terminal.chatter import chatter_held_back
from edge.core.terminal.hints import install_command
from edge.core.verdict import Prediction

Kernels = Literal["default", "plain", "reference"]
"""default: kernels with XNNPACK if it is available; plain: the runtime's own optimised kernels;
reference: slow kernels that give the same bytes on every machine."""

KERNELS: tuple[Kernels, ...] = ("default", "plain", "reference")
_RESOLVERS = {
    "default": "AUTO",
    "plain": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "reference": "BUILTIN_REF",
}
_RUNTIMES = (
    ("ai_edge_litert.interpreter", "ai-edge-litert"),
    ("tflite_runtime.interpreter", "tflite-runtime"),
)
SCORES, UNKNOWN = "scores", "unknown"
"""The names that the converter gives the outputs of a model that has both."""
_HEAVY = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}


class Interpreter:
    """One model on one runtime; not to be shared between threads.

    Attributes:
        runtime: the name and version of the TFLite runtime in use.
        threads: the number of threads that the kernels may use.
        xnnpack: whether XNNPACK computes the model's convolutions; None if that is not known.
            The existence of a delegate is not enough: tflite-runtime's takes float operators only.
        input_shape: (height, width, channels).
        classes: the number of scores.
        has_unknown: whether the model also gives a novelty score.
    """

    def __init__(self, model: bytes, *, threads: int = 1, kernels: Kernels = "default") -> None:
        """Loads `model`, the bytes of a `.tflite` file.

        Raises:
            UsageError: `threads` is less than one.
            RuntimeMissingError: neither runtime is installed.
            BundleFormatError: the bytes are not a TFLite model.
            ModelInputError: the input is not one uint8 picture of scale 1 and zero point 0.
            ModelOutputError: the outputs are not a row of float32 scores, or that and one float32
                number named `unknown`.
        """
        if threads < 1:
            raise UsageError(f"threads must be 1 or more. Received: {threads}")
        module, self.runtime = load_runtime()
        self.threads = threads
        resolver = getattr(module.OpResolverType, _RESOLVERS[kernels])
        try:
            with chatter_held_back():
                self._interpreter = module.Interpreter(
                    model_content=model,
                    num_threads=threads,
                    experimental_op_resolver_type=resolver,
                )
            # Checked first, because LiteRT 2.3 can abort the process on an unusual model.
            self.input_shape = self._check_input()
            self.classes, self.has_unknown = self._check_outputs()
            with chatter_held_back():
                self._interpreter.allocate_tensors()
        except BundleError:
            raise
        except (ValueError, RuntimeError) as error:
            raise BundleFormatError(
                f"model.tflite cannot be loaded by {self.runtime}: {error}. Convert the run again"
            ) from error
        self.xnnpack = _xnnpack_runs(self._interpreter)
        self._input_memory = self._interpreter.tensor(self._input)

    @property
    def title(self) -> str:
        """Text for people: the runtime and whether XNNPACK is on."""
        return runtime_title(self.runtime, self.xnnpack)

    @property
    def tensor(self) -> Tensor:
        """The model's own input, uint8 `input_shape`, to preprocess into before `answer`.

        It is memory of the runtime, which does not compute while somebody holds on to it.
        """
        tensor: Tensor = self._input_memory()[0]
        return tensor

    def scores(self, tensor: Tensor) -> npt.NDArray[np.float32]:
        """Class probabilities, float32 (classes,), of one uint8 tensor of `input_shape`."""
        return self.predict(tensor).scores

    def predict(self, tensor: Tensor) -> Prediction:
        """Class probabilities and novelty score of one uint8 tensor of `input_shape`.

        Raises:
            BundleFormatError: the runtime cannot compute the model.
        """
        self.tensor[...] = tensor
        return self.answer()

    def answer(self) -> Prediction:
        """Class probabilities and novelty score of what is in `tensor`.

        Raises:
            BundleFormatError: the runtime cannot compute the model.
        """
        self.invoke()
        scores: npt.NDArray[np.float32] = self._interpreter.get_tensor(self._scores)[0]
        if not self.has_unknown:
            return Prediction(scores)
        return Prediction(scores, self._interpreter.get_tensor(self._unknown).item())

    def invoke(self) -> None:
        """Runs the model again on the last tensor, for example to measure the time it takes.

        Raises:
            BundleFormatError: the runtime cannot compute the model.
        """
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise BundleFormatError(
                f"model.tflite cannot be run by {self.runtime}: {error}. Convert the run again"
            ) from error

    def _check_input(self) -> tuple[int, int, int]:
        inputs = self._interpreter.get_input_details()
        shape = tuple(int(size) for size in inputs[0]["shape"]) if len(inputs) == 1 else ()
        if len(shape) != 4 or shape[0] != 1 or inputs[0]["dtype"] != np.uint8:
            raise ModelInputError(
                "the model's input must be one uint8 picture (1, height, width, channels). "
                f"Received: {[(i['dtype'].__name__, i['shape'].tolist()) for i in inputs]}. "
                "Convert with pilah-converter, which quantises the input to raw uint8"
            )
        scale, zero_point = inputs[0]["quantization"]
        # A float model with a uint8 input reports (0, 0), which means no quantisation.
        if (scale, zero_point) not in ((1.0, 0), (0.0, 0)):
            raise ModelInputError(
                "the model must take raw levels 0..255: scale 1 and zero point 0. "
                f"Received: scale {scale}, zero point {zero_point}. Put the normalisation "
                "inside the graph and pure black and white among the calibration pictures"
            )
        self._input = int(inputs[0]["index"])
        return shape[1], shape[2], shape[3]

    def _check_outputs(self) -> tuple[int, bool]:
        outputs = self._interpreter.get_output_details()
        # The order of the outputs is arbitrary, and a row of scores may also have just one number.
        named = {SCORES: outputs[0]} if len(outputs) == 1 else {o["name"]: o for o in outputs}
        rows = {name: _row(output) for name, output in named.items()}
        whole = len(rows) == len(outputs) and set(rows) in ({SCORES}, {SCORES, UNKNOWN})
        if not whole or not rows[SCORES] or rows.get(UNKNOWN, 1) != 1:
            received = [(o["name"], o["dtype"].__name__, o["shape"].tolist()) for o in outputs]
            raise ModelOutputError(
                "the model's output must be one row of float32 scores (1, classes), named "
                f"{SCORES!r} where there is another: one number (1, 1) named {UNKNOWN!r}. "
                f"Received: {received}"
            )
        self._scores = int(named[SCORES]["index"])
        if UNKNOWN in named:
            self._unknown = int(named[UNKNOWN]["index"])
        return rows[SCORES], UNKNOWN in named


def _row(output: Any) -> int:
    """The number of float32 values of an output with one row; 0 for any other output."""
    shape = tuple(int(size) for size in output["shape"])
    return shape[1] if len(shape) == 2 and shape[0] == 1 and output["dtype"] == np.float32 else 0


def load_runtime() -> tuple[Any, str]:
    """The module of the installed TFLite runtime, and its name and version.

    Raises:
        RuntimeMissingError: no runtime is installed.
    """
    for module, distribution in _RUNTIMES:
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        except ImportError as error:
            raise RuntimeMissingError(
                f"{distribution} is installed but does not load ({error}). "
                "tflite-runtime needs numpy below 2: " + install_command("legacy")
            ) from error
        return found, f"{distribution} {_version(distribution)}"
    raise RuntimeMissingError(
        f"no TFLite runtime is installed: {install_command('edge')}; "
        "on Python 3.11 where LiteRT has no wheel: " + install_command("legacy")
    )


@functools.cache  # it searches all installed packages
def _version(distribution: str) -> str:
    return importlib.metadata.version(distribution)


def _xnnpack_runs(interpreter: Any) -> bool | None:
    """Whether a delegate computes most of the heavy operators.

    The list of operators keeps those that a delegate replaced and adds the delegate itself, so this
    walks back from the outputs of a delegate to its inputs and counts the operators between them.
    """
    try:
        operators = interpreter._get_ops_details()
    except AttributeError:  # a private call: another runtime version may not have it
        return None
    producers = {int(out): op for op in operators for out in op["outputs"]
                 if op["op_name"] != "DELEGATE"}  # fmt: skip
    replaced: set[int] = set()
    for delegate in (op for op in operators if op["op_name"] == "DELEGATE"):
        given = {int(tensor) for tensor in delegate["inputs"]}
        wanted = [int(tensor) for tensor in delegate["outputs"]]
        while wanted:
            tensor = wanted.pop()
            if tensor in given or tensor not in producers:
                continue
            operator = producers[tensor]
            if operator["index"] not in replaced:
                replaced.add(operator["index"])
                wanted.extend(int(source) for source in operator["inputs"])
    heavy = [op for op in operators if op["op_name"] in _HEAVY]
    return bool(heavy) and sum(op["index"] in replaced for op in heavy) * 2 > len(heavy)


def runtime_title(runtime: str, xnnpack: bool | None) -> str:
    """Text for people: a runtime and whether XNNPACK is on; None: that is not known."""
    known = {True: "on", False: "off", None: "unknown"}[xnnpack]
    return f"{runtime}, XNNPACK {known}"
