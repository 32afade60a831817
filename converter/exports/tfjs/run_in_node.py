"""Scores pictures with a TF.js graph model in Node.js."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.calibration import Tensors
from converter.errors import LibraryMissingError, TfjsError
from converter.exports.tfjs.library import find_node, tfjs_library
from converter.tensorflow.process import wait_with_progress
from converter.tensorflow.tasks import Stage
from edge.core.atomic import scratch_folder
from edge.core.files import storage_errors
from edge.core.processes.children import tied
from edge.core.terminal.hints import install_command

Outputs = Mapping[str, npt.NDArray[np.float32]]
"""The name of an output, `scores` or `unknown` -> its values, float32 (pictures, values)."""

_SCRIPT = Path(__file__).parent / "node" / "score.js"


def score_graph_model(folder: Path, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Scores `tensors` with TF.js in Node.js and writes the outputs to the file `out`, by name.

    Args:
        folder: the folder of `model.json`.
    """
    stage("running TF.js")
    with out.open("wb") as file:
        np.savez(file, **score_in_node(folder, tensors, library=tfjs_library()))  # type: ignore[arg-type]


def score_in_node(model: Path, tensors: Tensors, *, library: Path) -> Outputs:
    """The outputs of the graph model for `tensors`, computed by TF.js in plain JavaScript.

    Args:
        model: the folder of `model.json`.
        tensors: uint8 (pictures, height, width, channels).
        library: the path of `tf.es2017.min.js`, from `tfjs_library`.

    Raises:
        LibraryMissingError: there is no Node.js on this machine; see `find_node`.
        TfjsError: TF.js cannot load or run the model.
        StorageError: there is no room for temporary files.
    """
    node = find_node()
    if node is None:
        raise LibraryMissingError(
            "there is no Node.js on this machine to run the TF.js model. Install the package "
            "nodejs of your system, 16 or newer, or the extra tfjs: " + install_command("tfjs")
        )
    with scratch_folder() as folder, storage_errors("write", folder):
        (folder / "tensors").write_bytes(np.ascontiguousarray(tensors).tobytes())
        words = [
            str(node),
            str(_SCRIPT),
            str(library),
            str(model),
            str(folder),
            *map(str, tensors.shape),
        ]
        code, said = _run(words, folder, len(tensors))
        if code != 0:
            raise TfjsError(
                f"{model}: TF.js cannot run the model in Node.js (exit code {code}): "
                + ("\n".join(said.strip().splitlines()[-6:]) or "it wrote no message")
            )
        answer: dict[str, Any] = json.loads((folder / "outputs.json").read_text(encoding="utf-8"))
        return {
            output: np.fromfile(folder / output, "<f4").astype(np.float32).reshape(shape)
            for output, shape in answer.items()
        }


def _run(words: list[str], folder: Path, total: int) -> tuple[int, str]:
    """The exit code of Node.js and its output."""

    def stage() -> str:
        done = folder / "done"
        return f"{done.read_text() if done.is_file() else '0'}/{total}"

    with (folder / "talk").open("w+b") as talk:
        process = subprocess.Popen(
            tied(words), stdin=subprocess.DEVNULL, stdout=talk, stderr=subprocess.STDOUT
        )
        try:
            code = wait_with_progress(process, "scoring with TF.js in Node.js", stage)
        except BaseException:
            process.kill()
            process.wait()
            raise
        talk.seek(0)
        return code, talk.read().decode(errors="replace")
