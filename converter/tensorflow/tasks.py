"""The tasks that need TensorFlow, and the function that runs them in a separate process."""

from __future__ import annotations

import errno
import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from converter.calibration import Tensors
from edge.core.errors import EXIT_IO, PilahError
from edge.core.terminal.wording import number_of
from trainer.errors import RunError
from trainer.run import read_run

Stage = Callable[[str], None]
"""A function that is called with a description of the current step, which is shown to the user."""


class TensorFlowTask(Protocol):
    """A function that is run in the TensorFlow process."""

    def __call__(self, model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
        """Writes the result of the task to `out`, a path that does not exist yet.

        Args:
            model: the run's Keras model, or the path that was given as the task's source.
            tensors: uint8 (pictures, height, width, channels), as given to `in_subprocess`.
            out: a file or folder to write.
            stage: called with a description of the current step.
        """


_TASKS: Mapping[str, tuple[str, str]] = {
    "int8": ("converter.quantization.quantise", "write_int8"),
    "int8 clipped": ("converter.quantization.quantise", "write_int8_clipped"),
    "int8 refitted": ("converter.quantization.quantise", "write_int8_refitted"),
    "int8 wider": ("converter.quantization.quantise", "write_int8_wider"),
    "float32": ("converter.exports.tflite", "write_float32"),
    "float16": ("converter.exports.tflite", "write_float16"),
    "dynamic": ("converter.exports.tflite", "write_dynamic"),
    "saved_model": ("converter.exports.saved_model", "write_saved_model"),
    "keras": ("converter.exports.keras_file", "write_keras"),
    "tfjs": ("converter.exports.tfjs.graph_model", "write_graph_model"),
    "keras scores": ("converter.exports.keras_file", "score_keras"),
    "tfjs scores": ("converter.exports.tfjs.run_in_node", "score_graph_model"),
    "saved_model scores": ("converter.exports.saved_model", "score_saved_model"),
}
"""The name of a task -> the module and the function of that `TensorFlowTask`."""

REQUESTS, TENSORS, STAGE, ERROR_MESSAGE, DONE = "requests", "tensors.npy", "stage", "error", "done"
"""The names of files in a job's folder, which both processes use. TENSORS and DONE are in a
subfolder for each task."""
RESULTS: Mapping[str, str] = {"keras": "model.keras"}
"""The file name of a task's result where it matters: Keras requires the suffix `.keras`."""


def main(run: Path, folder: Path) -> int:
    """Runs the tasks of a job, and returns the exit code.

    The first task that fails ends the job. Its error message is written to the file ERROR_MESSAGE.

    Args:
        run: the folder of the run.
        folder: the folder of the job, with the file REQUESTS.
    """

    def stage(doing: str) -> None:
        (folder / STAGE).write_text(doing, encoding="utf-8")

    requests = json.loads((folder / REQUESTS).read_text(encoding="utf-8"))
    model = None
    try:
        stage("loading the model")
        for number, request in enumerate(requests):
            module, function = _TASKS[request["task"]]
            place = folder / str(number)
            tensors: Tensors = np.load(place / TENSORS, mmap_mode="r")
            work: TensorFlowTask = getattr(importlib.import_module(module), function)
            if request["source"] is not None:
                given = Path(request["source"])
            else:
                given = model = model or _checked_model(run)
            work(given, tensors, place / RESULTS.get(request["task"], "result"), stage)
            (place / DONE).touch()
    except PilahError as error:
        (folder / ERROR_MESSAGE).write_text(str(error), encoding="utf-8")
        return error.exit_code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return EXIT_IO
    return 0


def _checked_model(path: Path) -> Any:
    run = read_run(path)
    model = run.load_model()
    expected = (*run.facts.input.shape, len(run.facts.labels))
    found = (*model.input_shape[1:], model.outputs[0].shape[-1])
    outputs = 1 if run.facts.unknown is None else 2
    if expected != found or len(model.outputs) != outputs:
        raise RunError(
            f"{path}: the model's height, width, channels and classes are {found}, with "
            f"{number_of(len(model.outputs), 'outputs')}, but run.json says {expected}, with "
            f"{outputs}: train again"
        )
    return model
