"""Work that needs TensorFlow, done in a process of its own.

TensorFlow's `convert()` leaks memory, talks on stderr and warns that it is deprecated, so whatever
needs it runs in a fork of a process that has loaded it, see `converter.nursery`; this side never
imports it, shows how far the work is, and ends the process when it is stopped itself.
"""

from __future__ import annotations

import errno
import importlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from converter.calibration import Tensors
from converter.errors import ConversionError
from converter.nursery import TALK, Nursery
from edge.asides import scratch_folder
from edge.errors import EXIT_IO, PilahError, StorageError
from edge.files import storage_errors
from trainer.errors import RunError
from trainer.run import Run, read_run

Stage = Callable[[str], None]
"""Called with what is being done, for the person who waits."""


class Task(Protocol):
    """What is done in the other process."""

    def __call__(self, model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
        """Writes its result to `out`, a path where nothing is yet.

        Args:
            model: the run's Keras model.
            tensors: uint8 (pictures, height, width, channels), as given to `apart`.
        """


_TASKS: Mapping[str, tuple[str, str]] = {
    "int8": ("converter.quantise", "write_int8"),
    "int8 clipped": ("converter.quantise", "write_int8_clipped"),
    "int8 refitted": ("converter.quantise", "write_int8_refitted"),
    "int8 wider": ("converter.quantise", "write_int8_wider"),
    "float32": ("converter.tflite", "write_float32"),
    "float16": ("converter.tflite", "write_float16"),
    "dynamic": ("converter.tflite", "write_dynamic"),
    "saved_model": ("converter.saved_model", "write_saved_model"),
    "keras": ("converter.keras_file", "write_keras"),
    "tfjs": ("converter.graph_model", "write_graph_model"),
    "keras scores": ("converter.keras_file", "score_keras"),
    "saved_model scores": ("converter.saved_model", "score_saved_model"),
}
"""Name -> module and function, a `Task`."""

_TENSORS, _RESULT, _STAGE, _REFUSAL = "tensors.npy", "result", "stage", "refusal"
"""In the folder that both processes share."""


@dataclass(frozen=True, slots=True)
class Apart:
    """What the other process left."""

    result: Path
    """A file or a folder, until the block ends."""


@contextmanager
def apart(
    task: str,
    run: Run,
    tensors: npt.NDArray[np.uint8],
    *,
    doing: str,
    source: Path | None = None,
) -> Iterator[Apart]:
    """What `task` makes of the run's model and `tensors`, for the length of the block.

    Args:
        task: one of those named above.
        tensors: uint8 (pictures, height, width, channels).
        doing: what to say is going on: "converting to int8".
        source: what the task reads instead of the run's `model.keras`: a path.

    Raises:
        ConversionError: TensorFlow refuses, or what it made is not as it must be.
        StorageError: no room for the files in between.
    """
    with scratch_folder() as folder:
        with storage_errors("write", folder):
            _write_tensors(folder / _TENSORS, tensors)
            code = _run_apart(task, run, folder, doing, source)
        if code == EXIT_IO:
            raise StorageError(
                f"cannot write {folder}: the disk is full: free some space or set TMPDIR to a "
                "folder on another disk"
            )
        if (refusal := folder / _REFUSAL).is_file():
            raise ConversionError(refusal.read_text(encoding="utf-8"))
        if code != 0:
            raise ConversionError(_crash(run, doing, code, folder / TALK))
        yield Apart(folder / _RESULT)


def _write_tensors(path: Path, tensors: Tensors) -> None:
    # As np.save does, which on a full disk raises an OSError that does not say so.
    layout = np.lib.format
    with path.open("wb") as file:
        layout.write_array_header_1_0(file, layout.header_data_from_array_1_0(tensors))
        file.write(np.ascontiguousarray(tensors).data)


@contextmanager
def one_tensorflow() -> Iterator[Nursery]:
    """Loads TensorFlow once for all tasks within the block, instead of once for each."""
    global _shared
    if _shared is not None:
        yield _shared
        return
    with Nursery() as _shared:
        try:
            yield _shared
        finally:
            _shared = None


_shared: Nursery | None = None


def _run_apart(task: str, run: Run, folder: Path, doing: str, source: Path | None) -> int:
    words = [task, str(run.path.absolute()), str(folder)]
    if source is not None:
        words.append(str(source.absolute()))
    with one_tensorflow() as nursery:
        try:
            nursery.begin(words, folder)
            return wait_for(nursery, doing, lambda: _read_stage(folder / _STAGE))
        except BaseException:
            nursery.close()
            raise


def _read_stage(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else "loading TensorFlow"


class Waitable(Protocol):
    """A `subprocess.Popen`, or what can be waited for like one."""

    def wait(self, timeout: float) -> int:
        """The exit code, or `subprocess.TimeoutExpired` after `timeout` seconds."""


def wait_for(process: Waitable, doing: str, stage: Callable[[], str]) -> int:
    """The exit code of `process`; until it ends, shows on stderr what it is doing."""
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
                line = f"{doing}: {stage()}, {seconds:.0f} s"
                sys.stderr.write(f"\r\x1b[K{line}" if terminal else f"{line}\n")
                sys.stderr.flush()
            continue
        if terminal:
            sys.stderr.write("\r\x1b[K")
        if code == 0:
            seconds = time.monotonic() - start
            print(f"{doing}: done in {seconds:.0f} s", file=sys.stderr, flush=True)
        return code


def _crash(run: Run, doing: str, code: int, talk: Path) -> str:
    end = talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
    why = (
        f"was ended by signal {-code} (9: probably no memory left; close other programs)"
        if code < 0
        else "failed"
    )
    return f"{run.path}: {doing}: TensorFlow {why}. Its last words:\n" + "\n".join(end)


# From here on: the other process.


def main(task: str, run: Path, folder: Path, source: Path | None = None) -> int:
    """Does the task and returns the exit code; what it refuses is written to `folder`."""

    def stage(doing: str) -> None:
        (folder / _STAGE).write_text(doing, encoding="utf-8")

    module, function = _TASKS[task]
    try:
        stage("loading the model")
        tensors: Tensors = np.load(folder / _TENSORS, mmap_mode="r")
        work: Task = getattr(importlib.import_module(module), function)
        work(_checked_model(run) if source is None else source, tensors, folder / _RESULT, stage)
    except PilahError as error:
        (folder / _REFUSAL).write_text(str(error), encoding="utf-8")
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
