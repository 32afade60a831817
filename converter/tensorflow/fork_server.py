"""A fork server: a process that has loaded TensorFlow and runs each job in a fork of itself.

TensorFlow's `convert()` leaks memory, so each job needs its own process; loading TensorFlow takes
seconds, so it is done once. The server itself never computes with TensorFlow, because TensorFlow
would then start threads, which do not exist in a fork.

`python -m converter.tensorflow.fork_server` is the server. It reads requests from its standard
input, one JSON object per line. When a job is done, it writes a line with the number of the job and
its exit code. Jobs start in the order of the requests, and up to two run at the same time. A
request can also be to stop a job. When the input ends, because the client is done or was killed,
the server stops the jobs and itself.
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
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from edge.core.closing import Closing
from edge.core.processes.children import end_with_parent

OUTPUT_LOG = "talk"
"""The file in the folder of a job that receives the job's standard output and standard error."""
_LOADED = b"loaded\n"
"""The first line that the server writes, before any exit code."""
_SIDE_BY_SIDE = 2
"""The largest number of jobs that run at the same time, each mostly on one core. With two, the
conversion of a MobileNetV2 with 224 pixels took 1.5 GB in all processes together."""


class ForkServer(Closing):
    """The client: it starts the server with the first job, and stops it when it is closed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded = False
        self._begun = 0
        self._open: set[int] = set()
        self._codes: dict[int, int] = {}

    @property
    def process_id(self) -> int | None:
        """The process id of the server, or None if it is not running."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def begin(self, words: Sequence[str], folder: Path) -> int:
        """Requests a job, and returns its number; it runs `tasks.main(*words)` in a fork.

        Args:
            words: the arguments of `tasks.main`.
            folder: the folder for the output and the temporary files of the job.
        """
        if self._process is None or self.process_id is None:
            self.close()
            self._process, self._loaded = _start(folder / OUTPUT_LOG), False
        assert self._process.stdin is not None
        self._begun += 1
        self._open.add(self._begun)
        request = {"job": self._begun, "words": list(words), "folder": str(folder)}
        with suppress(BrokenPipeError):  # the server has died: `wait` gives its exit code
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        return self._begun

    def wait(self, job: int, timeout: float) -> int:
        """The exit code of a job, negative for the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: the job was not done after `timeout` seconds.
        """
        while job not in self._codes:
            assert self._process is not None
            answers = self._process.stdout
            assert answers is not None
            if not select.select([answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._process.args, timeout)
            line = answers.readline()
            if line == _LOADED:
                self._loaded = True
            elif line:
                number, code = map(int, line.split())
                self._end({number}, code)
            else:
                self._end(set(self._open), self._process.wait())
        return self._codes[job]

    def end(self, job: int) -> None:
        """Stops a job if it is not done, and returns when it has ended."""
        timeout = 0.0
        while True:
            with suppress(subprocess.TimeoutExpired):
                self.wait(job, timeout)
                return
            assert self._process is not None
            assert self._process.stdin is not None
            if not self._loaded:
                self.close()  # which does not wait until TensorFlow is loaded
            elif not timeout:
                timeout = 1.0
                with suppress(BrokenPipeError):
                    self._process.stdin.write(json.dumps({"end": job}).encode() + b"\n")

    def close(self) -> None:
        """Stops the server and its jobs; may be called again."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        assert process.stdout is not None
        if not self._loaded:
            process.kill()  # it has no forks yet, and would not read its input for seconds
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        process.stdout.close()
        self._end(set(self._open), -signal.SIGKILL)

    def _end(self, jobs: set[int], code: int) -> None:
        self._open -= jobs
        self._codes |= dict.fromkeys(jobs, code)


def _start(talk: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "CUDA_VISIBLE_DEVICES": "-1",
        # Several jobs run at the same time, and NumPy's threads keep a core busy while they wait.
        "OPENBLAS_NUM_THREADS": "1",
    }
    with talk.open("wb") as said:  # the reason, if TensorFlow cannot be loaded
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", "converter.tensorflow.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            bufsize=0,  # a buffer would hide answers from `select`
        )


# The functions below run in the server and in its forks.


def serve() -> None:
    """Answers requests until there are no more."""
    # Ctrl-C in a terminal also reaches the client, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()  # the input is read only after TensorFlow is loaded
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    gc.collect()
    gc.freeze()  # so that the collector does not write to memory pages that all forks share
    os.write(1, _LOADED)
    _serve(min(_SIDE_BY_SIDE, len(os.sched_getaffinity(0))))


def _serve(side_by_side: int) -> None:
    """Runs each requested job in a fork, at most `side_by_side` at a time, until the input ends."""
    serving = os.getpid()
    received = b""
    waiting: deque[dict[str, Any]] = deque()
    running: dict[int, tuple[int, int]] = {}  # pidfd -> the job's number, its process id
    while True:
        while waiting and len(running) < side_by_side:
            asked = waiting.popleft()
            child = os.fork()
            if child == 0:
                end_with_parent(serving)
                _do(asked["words"], Path(asked["folder"]))
            running[os.pidfd_open(child)] = asked["job"], child
        for ready in select.select([0, *running], [], [])[0]:
            if ready:
                job, child = running.pop(ready)
                os.close(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                os.write(1, b"%d %d\n" % (job, code))
            elif read := os.read(0, 1 << 16):
                *lines, received = (received + read).split(b"\n")
                for request in map(json.loads, lines):
                    if "end" not in request:
                        waiting.append(request)
                        continue
                    for job, child in running.values():
                        if job == request["end"]:
                            os.kill(child, signal.SIGKILL)
                    for asked in [each for each in waiting if each["job"] == request["end"]]:
                        waiting.remove(asked)
                        os.write(1, b"%d %d\n" % (asked["job"], -signal.SIGKILL))
            else:
                _kill([child for _, child in running.values()])
                return


def _kill(children: Sequence[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def _do(words: Sequence[str], folder: Path) -> NoReturn:
    """Runs the job in the fork, and ends the fork."""
    code = 1
    try:
        talk = os.open(folder / OUTPUT_LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (talk, 1), (talk, 2)):
            os.dup2(source, target)
        # Temporary files that TensorFlow leaves when it is killed are removed with the folder.
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
        from converter.tensorflow.tasks import main

        code = main(*map(Path, words))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # not sys.exit, which would return to the server's loop in the fork


if __name__ == "__main__":
    serve()
