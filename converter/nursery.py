"""A process that has TensorFlow loaded and lends it out: each task runs in a fork of it.

TensorFlow's `convert()` never gives back what it takes, so each task needs a process of its own;
loading TensorFlow takes seconds, so that is done once. The parent process never computes with
TensorFlow: what is forked has none of its threads, which would not live on in the copy.

`python -m converter.nursery` is that process. It reads requests from its standard input, a JSON
object a line, and answers each with the exit code of the task, a line each. When the input ends,
because the caller is done or was killed, it ends the task and itself.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from edge.children import end_with_parent

TALK = "talk"
"""In the folder of a task: what it wrote to its standard output and error."""
_LOADED = b"loaded\n"
"""What the process says first, before any exit code."""


class Nursery:
    """The caller's side: starts the process with the first task, and ends it when it is closed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded = False

    @property
    def process_id(self) -> int | None:
        """Of the process, while it is there."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def begin(self, words: Sequence[str], folder: Path) -> None:
        """Begins `converter.apart.main(*words)` in a fork, whose temporary files go to `folder`."""
        if self._process is None or self.process_id is None:
            self.close()
            self._process, self._loaded = _start(folder / TALK), False
        assert self._process.stdin is not None
        request = {"words": list(words), "folder": str(folder)}
        with suppress(BrokenPipeError):  # it has died: `wait` tells of what
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def wait(self, timeout: float) -> int:
        """The exit code of the task that was begun, negative for the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: it was not done after `timeout` seconds.
        """
        assert self._process is not None
        answers = self._process.stdout
        assert answers is not None
        while select.select([answers], [], [], timeout)[0]:
            line = answers.readline()
            if line != _LOADED:
                return int(line) if line else self._process.wait()
            self._loaded = True
        raise subprocess.TimeoutExpired(self._process.args, timeout)

    def close(self) -> None:
        """Ends the process and the task that it is at; may be called again."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        assert process.stdout is not None
        if not self._loaded:
            process.kill()  # it has no fork yet, and would not look at its input for seconds
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _start(talk: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    with talk.open("wb") as said:  # why TensorFlow cannot be loaded, if it cannot
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", "converter.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
        )


# From here on: the other process, and its forks.


def serve() -> None:
    """Answers requests until there are no more."""
    # Ctrl-C in a terminal goes to the caller too, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()  # it looks at its input only when TensorFlow is loaded
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    gc.collect()
    gc.freeze()  # so that the collector does not write to the pages that all forks share
    os.write(1, _LOADED)
    serving = os.getpid()
    while request := _line(0):
        asked = json.loads(request)
        child = os.fork()
        if child == 0:
            end_with_parent(serving)
            _do(asked["words"], Path(asked["folder"]))
        code = _ended(child)
        os.write(1, b"%d\n" % code)


def _line(descriptor: int) -> bytes:
    """The next line, read without a buffer, which would hide what `_ended` waits for."""
    read = bytearray()
    while not read.endswith(b"\n"):
        if not (byte := os.read(descriptor, 1)):
            return b""
        read += byte
    return bytes(read)


def _ended(child: int) -> int:
    """The exit code of a fork. When no caller is left, it is killed."""
    done = os.pidfd_open(child)
    try:
        # The caller writes nothing before it has the answer: what can be read is the end.
        ready = select.select([done, 0], [], [])[0]
        if done not in ready:
            os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os.close(done)


def _do(words: Sequence[str], folder: Path) -> NoReturn:
    """Does the task and ends the fork."""
    code = 1
    try:
        talk = os.open(folder / TALK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (talk, 1), (talk, 2)):
            os.dup2(source, target)
        # What TensorFlow leaves there when it is killed goes with the folder.
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
        from converter.apart import main

        task, run, place, *source_path = words
        code = main(task, Path(run), Path(place), *map(Path, source_path))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # not sys.exit: the loop of the process that was forked is not to go on


if __name__ == "__main__":
    serve()
