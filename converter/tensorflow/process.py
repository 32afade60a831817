"""Runs tasks that need TensorFlow in a separate process, and waits for their results.

TensorFlow's `convert()` leaks memory, writes to stderr and warns that it is deprecated. So each job
runs in a fork of a process that has loaded TensorFlow; see `converter.tensorflow.fork_server` and
`converter.tensorflow.tasks`. This module never imports TensorFlow. It shows the progress of a job,
and stops the job if it is interrupted itself.

Tasks whose results are needed later can be started early with `start_in_background`. They then run
beside other work, in one fork that loads the model once for all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from converter.calibration import Tensors
from converter.errors import ConversionError
from converter.tensorflow.fork_server import OUTPUT_LOG, ForkServer
from converter.tensorflow.tasks import DONE, ERROR_MESSAGE, REQUESTS, RESULTS, STAGE, TENSORS
from edge.core.atomic import scratch_folder
from edge.core.errors import EXIT_IO, StorageError
from edge.core.files import storage_errors
from edge.core.terminal.progress import Progress
from trainer.run import Run


@dataclass(frozen=True, slots=True)
class SubprocessResult:
    """The result that the TensorFlow process wrote."""

    result: Path
    """A file or a folder, which exists until the `with` block ends."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskRequest:
    """A task and its input."""

    task: str
    """The name of a task of `converter.tensorflow.tasks`."""
    tensors: Tensors
    """The input tensors, uint8 (pictures, height, width, channels)."""
    source: Path | TaskRequest | None = None
    """The file or folder that the task reads instead of the run's `model.keras`: a path, or the
    result of an earlier request."""


@contextmanager
def in_subprocess(
    task: str,
    run: Run,
    tensors: npt.NDArray[np.uint8],
    *,
    doing: str,
    source: Path | None = None,
) -> Iterator[SubprocessResult]:
    """The result of a task, for the length of the `with` block.

    If `start_in_background` has started the same task, its result is waited for.

    Args:
        task: the name of a task of `converter.tensorflow.tasks`.
        run: the run whose model the task reads.
        tensors: uint8 (pictures, height, width, channels).
        doing: what the progress messages say, such as "converting to int8".
        source: the path that the task reads instead of the run's `model.keras`, or None.

    Raises:
        ConversionError: TensorFlow fails, or its result fails a check.
        StorageError: there is no room for temporary files.
    """
    request = TaskRequest(task, tensors, source)
    for job in _background.jobs if _background else ():
        if (result := job.result(run, request, doing)) is not None:
            yield SubprocessResult(result)
            return
    with scratch_folder() as folder:
        with storage_errors("write", folder):
            (result,) = _write_requests(folder, [request])
            code = _run_job(run, folder, doing)
        if code == EXIT_IO:
            raise StorageError(
                f"cannot write {folder}: the disk is full: free some space or set TMPDIR to a "
                "folder on another disk"
            )
        if (refusal := folder / ERROR_MESSAGE).is_file():
            raise ConversionError(refusal.read_text(encoding="utf-8"))
        if code != 0:
            raise ConversionError(_crash(run, doing, code, folder / OUTPUT_LOG))
        yield SubprocessResult(result)


def start_in_background(run: Run, requests: Sequence[TaskRequest]) -> None:
    """Starts tasks whose results will be needed later, one after the other in one fork.

    `in_subprocess` then returns the result of the request with the same task, tensors and source.
    If one of the tasks fails, the rest of them are not run. `in_subprocess` then runs each of them
    by itself when it is needed, and raises the error of the one that fails.

    This must be called within a block of `background_tasks`.

    Args:
        run: the run whose model the tasks read.
        requests: the tasks; a request comes after the requests whose results it reads.

    Raises:
        StorageError: there is no room for temporary files.
    """
    assert _background is not None
    folder = _background.folders.enter_context(scratch_folder())
    with storage_errors("write", folder):
        results = _write_requests(folder, requests)
    server = _background.server
    job = server.begin([str(run.path.absolute()), str(folder)], folder)
    _background.jobs.append(_BackgroundJob(run, requests, results, folder, server, job))


@contextmanager
def background_tasks() -> Iterator[None]:
    """A block within which tasks can be started in the background.

    At its end, the tasks that still run are stopped, and all results are removed.
    """
    global _background
    with ExitStack() as folders, shared_tensorflow() as server:
        before, _background = _background, _Background(server, folders, [])
        try:
            yield
        finally:
            jobs, _background = _background.jobs, before
            for each in jobs:
                server.end(each.job)


@dataclass(frozen=True, slots=True, eq=False)
class _BackgroundJob:
    """A job that was started in the background."""

    run: Run
    requests: Sequence[TaskRequest]
    results: Sequence[Path]
    folder: Path
    server: ForkServer
    job: int

    def result(self, run: Run, wanted: TaskRequest, doing: str) -> Path | None:
        """Waits for the result of a request like `wanted`; None if there is none, or it failed."""
        if run.path != self.run.path:
            return None
        for request, result in zip(self.requests, self.results, strict=True):
            source = request.source
            if isinstance(source, TaskRequest):
                source = self.results[self.requests.index(source)]
            if (request.task, source) != (wanted.task, wanted.source):
                continue
            if np.array_equal(request.tensors, wanted.tensors):
                waiting = _Waiting(self.server, self.job, result.with_name(DONE))
                return result if wait_with_progress(waiting, doing, self._stage) == 0 else None
        return None

    def _stage(self) -> str:
        return _read_stage(self.folder / STAGE)


@dataclass(frozen=True, slots=True, eq=False)
class _Background:
    """The jobs that were started in the background, and their folders."""

    server: ForkServer
    folders: ExitStack
    jobs: list[_BackgroundJob]


_background: _Background | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job to wait for, or one task of it, for which the job creates the file `done`."""

    server: ForkServer
    job: int
    done: Path | None = None

    def wait(self, timeout: float) -> int:
        """0 when the task is done, or the exit code of a job that ended before."""
        if self.done is None:
            return self.server.wait(self.job, timeout)
        if self.done.exists():
            return 0
        code = self.server.wait(self.job, timeout)
        return 0 if self.done.exists() else code or 1


def _write_requests(folder: Path, requests: Sequence[TaskRequest]) -> list[Path]:
    """Writes the input of the tasks to `folder`, and returns the paths of the future results."""
    results: list[Path] = []
    written = []
    tensors: dict[tuple[int, tuple[int, ...]], Path] = {}  # by their address in memory
    for number, request in enumerate(requests):
        place = folder / str(number)
        place.mkdir()
        same = request.tensors.ctypes.data, request.tensors.shape
        if same in tensors:
            os.link(tensors[same], place / TENSORS)
        else:
            tensors[same] = place / TENSORS
            _write_tensors(place / TENSORS, request.tensors)
        source = request.source
        if isinstance(source, TaskRequest):
            source = results[requests.index(source)]
        results.append(place / RESULTS.get(request.task, "result"))
        written.append({"task": request.task, "source": source and str(source.absolute())})
    (folder / REQUESTS).write_text(json.dumps(written), encoding="utf-8")
    return results


def _write_tensors(path: Path, tensors: Tensors) -> None:
    # The same as np.save, whose OSError on a full disk does not say that the disk is full.
    layout = np.lib.format
    with path.open("wb") as file:
        layout.write_array_header_1_0(file, layout.header_data_from_array_1_0(tensors))
        file.write(np.ascontiguousarray(tensors).data)


@contextmanager
def shared_tensorflow() -> Iterator[ForkServer]:
    """A block within which all tasks use one process, so that TensorFlow is loaded only once."""
    global _shared
    if _shared is not None:
        yield _shared
        return
    with ForkServer() as _shared:
        try:
            yield _shared
        finally:
            _shared = None


_shared: ForkServer | None = None


def _run_job(run: Run, folder: Path, doing: str) -> int:
    with shared_tensorflow() as server:
        try:
            job = server.begin([str(run.path.absolute()), str(folder)], folder)
            return wait_with_progress(
                _Waiting(server, job), doing, lambda: _read_stage(folder / STAGE)
            )
        except BaseException:
            server.close()
            raise


def _read_stage(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else "loading TensorFlow"


class WaitableProcess(Protocol):
    """A `subprocess.Popen`, or another object with such a method `wait`."""

    def wait(self, timeout: float) -> int:
        """The exit code; raises `subprocess.TimeoutExpired` after `timeout` seconds."""


def wait_with_progress(process: WaitableProcess, doing: str, stage: Callable[[], str]) -> int:
    """Waits for `process`, shows meanwhile on stderr what it is doing, and returns its exit code.

    Args:
        process: the process to wait for.
        doing: what the messages say, such as "converting to int8".
        stage: gives the description of the current step.
    """
    with Progress(doing, total=None) as progress:
        while True:
            try:
                code = process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                progress.advance(0, note=stage())
                continue
            if code != 0:
                progress.stop()
            return code


def _crash(run: Run, doing: str, code: int, talk: Path) -> str:
    end = talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
    why = (
        f"was ended by signal {-code} (9: there was probably not enough memory; close other "
        "programs)"
        if code < 0
        else "failed"
    )
    return f"{run.path}: {doing}: TensorFlow {why}. Its last messages:\n" + "\n".join(end)
