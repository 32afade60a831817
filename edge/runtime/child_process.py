"""A part of a station in a process of its own, which does one thing at a time that it is asked for.

A thread that waits for a disk that hangs cannot be ended, nor can its process. Where a child does
the writing, the child hangs, and the station goes on and can be stopped. The child ends with the
pipe on its standard input, and so with the station, however that ends.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from edge.core.closing import Closing
from edge.core.errors import PilahError

_log = logging.getLogger(__name__)

_SAID, _DONE, _FAILED = range(3)
_ENDED = (EOFError, pickle.UnpicklingError, BrokenPipeError)
"""What reading from or writing to a process raises when it ends, also in the midst of it."""


class ChildEndedError(Exception):
    """The child ended, or could not be started; the message is the end of a sentence about it, such
    as `ended (SIGBUS), as it does where a disk fails`."""


class ChildProcess(Closing):
    """A child that runs a module of pilah which calls `serve`; used by one thread at a time."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Starts it, which takes its time; nobody has to wait for it yet.

        Args:
            module: run as `python -m`.
            arguments: its command line.
        """
        self._words = ["-P", "-m", module, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(ChildEndedError):  # `ask` tries again, and tells
            self._start()

    def ask(self, request: object) -> None:
        """Has the child do `request`, and waits until that is done. What it logs is logged here.

        Raises:
            PilahError: what the child failed with.
            ChildEndedError: it ended. The next call starts a new one.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(request, process.stdin)
            process.stdin.flush()
            while True:
                kind, what = pickle.load(process.stdout)
                if kind == _SAID:
                    _log.log(*what)
                elif kind == _FAILED:
                    raise what
                else:
                    return
        except _ENDED as error:
            code = self._end()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise ChildEndedError(f"ended ({how}), as it does where a disk fails") from error

    def close(self) -> None:
        """Ends the child once it has done what it was asked for; may be called twice."""
        if self._process is not None:
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(
                [sys.executable, *self._words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the station
            )
        except OSError as error:
            raise ChildEndedError(f"cannot be started ({error.strerror})") from error
        return self._process

    def _end(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        with suppress(BrokenPipeError):  # of what it did not take any more
            process.communicate()
        return process.returncode


def serve(work: Callable[[Any], None]) -> None:
    """Does what the station asks for until it ends: the body of the child's process.

    Args:
        work: is called with each request; a PilahError that it raises is the answer.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the station ends first, and then this one
    from edge.core.terminal.log_lines import pass_log_on

    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # no other word gets among the answers

    def tell(kind: int, what: object) -> None:
        pickle.dump((kind, what), told)
        told.flush()

    pass_log_on(lambda level, text: tell(_SAID, (level, text)))
    with suppress(*_ENDED):
        while True:
            request = pickle.load(sys.stdin.buffer)
            try:
                work(request)
            except PilahError as error:
                tell(_FAILED, error)
            else:
                tell(_DONE, None)
