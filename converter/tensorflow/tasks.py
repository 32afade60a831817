"""Work that needs TensorFlow, done in a process of its own: the tasks, and what does them there."""

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
from trainer.errors import RunError
from trainer.run import read_run

Stage = Callable[[str], None]
"""Called with what is being done, for the person who waits."""


class Task(Protocol):
    """What is done in the other process."""

    def __call__(self, model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
        """Writes its result to `out`, a path where nothing is yet.

        Args:
            model: the run's Keras model.
            tensors: uint8 (pictures, height, width, channels), as given to `in_subprocess`.
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
"""Name -> module and function, a `Task`."""

PIECES, TENSORS, STAGE, REFUSAL, DONE = "pieces", "tensors.npy", "stage", "refusal", "done"
"""In the folder that both processes share; what belongs to one piece in a folder of its own."""
RESULTS: Mapping[str, str] = {"keras": "model.keras"}
"""The name of a task's result, where it matters: Keras looks at the end of it."""


def main(run: Path, folder: Path) -> int:
    """Does the pieces of a job and returns the exit code; what is refused is written to `folder`.

    The first that fails ends it.
    """

    def stage(doing: str) -> None:
        (folder / STAGE).write_text(doing, encoding="utf-8")

    pieces = json.loads((folder / PIECES).read_text(encoding="utf-8"))
    model = None
    try:
        stage("loading the model")
        for number, piece in enumerate(pieces):
            module, function = _TASKS[piece["task"]]
            place = folder / str(number)
            tensors: Tensors = np.load(place / TENSORS, mmap_mode="r")
            work: Task = getattr(importlib.import_module(module), function)
            if piece["source"] is not None:
                given = Path(piece["source"])
            else:
                given = model = model or _checked_model(run)
            work(given, tensors, place / RESULTS.get(piece["task"], "result"), stage)
            (place / DONE).touch()
    except PilahError as error:
        (folder / REFUSAL).write_text(str(error), encoding="utf-8")
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
            f"{path}: the model's height, width, channels and classes are {found}, in "
            f"{len(model.outputs)} outputs; run.json says {expected}, in {outputs}: train again"
        )
    return model
