"""Work that needs TensorFlow, done in a process of its own: this side of it.

TensorFlow's `convert()` leaks memory, talks on stderr and warns that it is deprecated, so whatever
needs it runs in a fork of a process that has loaded it, see `converter.tensorflow.fork_server` and
`converter.tensorflow.tasks`. This side never imports it, shows how far the work is, and ends the
process when it is stopped itself.

What will be wanted later can be begun before, see `begin_ahead`: it is then done beside other work,
by a fork that loads the model once for all of it.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from converter.calibration import Tensors
from converter.errors import ConversionError
from converter.tensorflow.fork_server import TALK, ForkServer
from converter.tensorflow.tasks import DONE, PIECES, REFUSAL, RESULTS, STAGE, TENSORS
from edge.core.atomic import scratch_folder
from edge.core.errors import EXIT_IO, StorageError
from edge.core.files import storage_errors
from edge.core.terminal.progress import bar
from trainer.run import Run

_log = logging.getLogger(__name__)

_TERMINAL_EVERY = 0.5
_PLAIN_EVERY = 10.0
"""Seconds from one word about what is going on to the next."""


@dataclass(frozen=True, slots=True)
class SubprocessResult:
    """What the other process left."""

    result: Path
    """A file or a folder, until the block ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A task, and what it is done with."""

    task: str
    """One of those named above."""
    tensors: Tensors
    """uint8 (pictures, height, width, channels)."""
    source: Path | Piece | None = None
    """What it reads instead of the run's `model.keras`: a path, or what a piece before it made."""


@contextmanager
def in_subprocess(
    task: str,
    run: Run,
    tensors: npt.NDArray[np.uint8],
    *,
    doing: str,
    source: Path | None = None,
) -> Iterator[SubprocessResult]:
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
    piece = Piece(task, tensors, source)
    for begun in _ahead.begun if _ahead else ():
        if (result := begun.result(run, piece, doing)) is not None:
            yield SubprocessResult(result)
            return
    with scratch_folder() as folder:
        with storage_errors("write", folder):
            (result,) = _write_pieces(folder, [piece])
            code = _run_job(run, folder, doing)
        if code == EXIT_IO:
            raise StorageError(
                f"cannot write {folder}: the disk is full: free some space or set TMPDIR to a "
                "folder on another disk"
            )
        if (refusal := folder / REFUSAL).is_file():
            raise ConversionError(refusal.read_text(encoding="utf-8"))
        if code != 0:
            raise ConversionError(_crash(run, doing, code, folder / TALK))
        yield SubprocessResult(result)


def begin_ahead(run: Run, pieces: Sequence[Piece]) -> None:
    """Begins pieces of work that will be asked for, one after the other in one fork.

    `in_subprocess` then gives what was made of the same task, tensors and source. Where one of the
    pieces fails, the rest is left, and each is done alone when it is asked for: that tells what
    failed.

    To be called within a block of `working_ahead`.

    Raises:
        StorageError: no room for the files in between.
    """
    assert _ahead is not None
    folder = _ahead.folders.enter_context(scratch_folder())
    with storage_errors("write", folder):
        results = _write_pieces(folder, pieces)
    server = _ahead.server
    job = server.begin([str(run.path.absolute()), str(folder)], folder)
    _ahead.begun.append(_Begun(run, pieces, results, folder, server, job))


@contextmanager
def working_ahead() -> Iterator[None]:
    """Work can be begun ahead within the block. At its end what was begun is ended, and gone."""
    global _ahead
    with ExitStack() as folders, shared_tensorflow() as server:
        before, _ahead = _ahead, _Ahead(server, folders, [])
        try:
            yield
        finally:
            begun, _ahead = _ahead.begun, before
            for each in begun:
                server.end(each.job)


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A job whose pieces nobody waits for yet."""

    run: Run
    pieces: Sequence[Piece]
    results: Sequence[Path]
    folder: Path
    server: ForkServer
    job: int

    def result(self, run: Run, wanted: Piece, doing: str) -> Path | None:
        """What this job made of a piece like `wanted`, waited for; None: it has none, or failed."""
        if run.path != self.run.path:
            return None
        for piece, result in zip(self.pieces, self.results, strict=True):
            source = piece.source
            if isinstance(source, Piece):
                source = self.results[self.pieces.index(source)]
            if (piece.task, source) != (wanted.task, wanted.source):
                continue
            if np.array_equal(piece.tensors, wanted.tensors):
                waiting = _Waiting(self.server, self.job, result.with_name(DONE))
                return result if wait_for(waiting, doing, self._stage) == 0 else None
        return None

    def _stage(self) -> str:
        return _read_stage(self.folder / STAGE)


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """What was begun, and where it lies."""

    server: ForkServer
    folders: ExitStack
    begun: list[_Begun]


_ahead: _Ahead | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A piece that is waited for: a job, or what it leaves when it is done with one of many."""

    server: ForkServer
    job: int
    done: Path | None = None

    def wait(self, timeout: float) -> int:
        """0, or the exit code of the job that ended without having come so far."""
        if self.done is None:
            return self.server.wait(self.job, timeout)
        if self.done.exists():
            return 0
        code = self.server.wait(self.job, timeout)
        return 0 if self.done.exists() else code or 1


def _write_pieces(folder: Path, pieces: Sequence[Piece]) -> list[Path]:
    """Writes to `folder` what the other process needs, and gives where the results will lie."""
    results: list[Path] = []
    written = []
    tensors: dict[tuple[int, tuple[int, ...]], Path] = {}  # by their place in memory
    for number, piece in enumerate(pieces):
        place = folder / str(number)
        place.mkdir()
        same = piece.tensors.ctypes.data, piece.tensors.shape
        if same in tensors:
            os.link(tensors[same], place / TENSORS)
        else:
            tensors[same] = place / TENSORS
            _write_tensors(place / TENSORS, piece.tensors)
        source = piece.source
        if isinstance(source, Piece):
            source = results[pieces.index(source)]
        results.append(place / RESULTS.get(piece.task, "result"))
        written.append({"task": piece.task, "source": source and str(source.absolute())})
    (folder / PIECES).write_text(json.dumps(written), encoding="utf-8")
    return results


def _write_tensors(path: Path, tensors: Tensors) -> None:
    # As np.save does, which on a full disk raises an OSError that does not say so.
    layout = np.lib.format
    with path.open("wb") as file:
        layout.write_array_header_1_0(file, layout.header_data_from_array_1_0(tensors))
        file.write(np.ascontiguousarray(tensors).data)


@contextmanager
def shared_tensorflow() -> Iterator[ForkServer]:
    """Loads TensorFlow once for all tasks within the block, instead of once for each."""
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
            return wait_for(_Waiting(server, job), doing, lambda: _read_stage(folder / STAGE))
        except BaseException:
            server.close()
            raise


def _read_stage(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else "loading TensorFlow"


class Waitable(Protocol):
    """A `subprocess.Popen`, or what can be waited for like one."""

    def wait(self, timeout: float) -> int:
        """The exit code, or `subprocess.TimeoutExpired` after `timeout` seconds."""


def wait_for(process: Waitable, doing: str, stage: Callable[[], str]) -> int:
    """The exit code of `process`; until it ends, shows on stderr what it is doing."""
    line, start = bar(), time.monotonic()
    every = _PLAIN_EVERY if line is None else _TERMINAL_EVERY
    next_line = every
    while True:
        try:
            code = process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            seconds = time.monotonic() - start
            if seconds >= next_line:
                next_line += every
                said = f"{doing}: {stage()}, {seconds:.0f} s"
                if line is None:
                    _log.info(said)
                else:
                    line.show(said)
            continue
        if line is not None:
            line.clear()
        seconds = time.monotonic() - start
        if code == 0 and seconds >= 1:
            _log.info(f"{doing}: done in {seconds:.0f} s")
        return code


def _crash(run: Run, doing: str, code: int, talk: Path) -> str:
    end = talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
    why = (
        f"was ended by signal {-code} (9: probably no memory left; close other programs)"
        if code < 0
        else "failed"
    )
    return f"{run.path}: {doing}: TensorFlow {why}. Its last words:\n" + "\n".join(end)
