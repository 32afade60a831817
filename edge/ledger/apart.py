"""The ledger in a process of its own, because of what a disk can do to a process.

A thread that waits for a disk that hangs cannot be ended, nor can its process: a station could not
be stopped. And where a disk fails, SQLite's index in shared memory ends the process (SIGBUS). Here
that one hangs or ends, and the station goes on.

Started as `python -m edge.ledger.apart LEDGER PROCESS [KEEP]`, it ends with the pipe on its
standard input: with the station, however that ends.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from edge.core.errors import LedgerError
from edge.events import Event
from edge.outbox.retention import Keep

_log = logging.getLogger(__name__)

_SAID, _DONE, _FAILED = range(3)
_ENDED = (EOFError, pickle.UnpicklingError, BrokenPipeError)
"""What reading from or writing to a process raises when it ends, also in the midst of it."""


class LedgerApart:
    """A KeptLedger in a process of its own; used by one thread at a time."""

    def __init__(self, path: Path, *, keep: Keep | None = None) -> None:
        """Starts the process, which takes its time; nobody has to wait for it yet.

        Args:
            keep: what the ledger's outbox keeps; None: nothing is written to the outbox.
        """
        self.path, self._keep = path, keep
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(LedgerError):  # `append` tries again, and tells
            self._start()

    def append(self, rows: Sequence[Event]) -> None:
        """Writes `rows` durably, as `KeptLedger.append` does; with none it only opens the ledger.

        Raises:
            LedgerError: it cannot be written now. The next call tries again, in a new process
                where this one has ended.
            LedgerRefusedError: it must not be opened; see its kinds.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(list(rows), process.stdin)
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
            raise LedgerError(
                f"cannot write the ledger {self.path}: its process ended ({how}), as it does where "
                "a disk fails"
            ) from error

    def close(self) -> None:
        """Closes the file and ends the process; may be called twice."""
        if self._process is not None:
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-P", "-m", "edge.ledger.apart", str(self.path), str(os.getpid())]
        if self._keep is not None:
            words.append(self._keep.as_json())
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the station
            )
        except OSError as error:
            raise LedgerError(
                f"cannot write the ledger {self.path}: no process can be started for it "
                f"({error.strerror})"
            ) from error
        return self._process

    def _end(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        with suppress(BrokenPipeError):  # of what it did not take any more
            process.communicate()
        return process.returncode


def main() -> None:
    """The process: writes what it is told to, until the station ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the station ends first, and then this one
    from edge.core.terminal.log_lines import pass_log_on
    from edge.ledger.kept import KeptLedger

    path, owner = Path(sys.argv[1]), int(sys.argv[2])
    keep = Keep.from_json(sys.argv[3]) if len(sys.argv) > 3 else None
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # no other word gets among the answers

    def tell(kind: int, what: object) -> None:
        pickle.dump((kind, what), told)
        told.flush()

    pass_log_on(lambda level, text: tell(_SAID, (level, text)))
    with suppress(*_ENDED), KeptLedger(path, owner=owner, keep=keep) as ledger:
        while True:
            rows = pickle.load(sys.stdin.buffer)
            try:
                ledger.append(rows)
            except LedgerError as error:
                tell(_FAILED, error)
            else:
                tell(_DONE, None)
    os._exit(0)  # the station waits for the end: nothing is left to tidy up


if __name__ == "__main__":
    main()
