"""The ledger in a process of its own, because of what a disk can do to a process.

A thread that waits for a disk that hangs cannot be ended, nor can its process: a station could not
be stopped. And where a disk fails, SQLite's index in shared memory ends the process (SIGBUS). Here
the ledger's process hangs or ends, and the station goes on.

The process is started as `python -m edge.ledger.ledger_process LEDGER PROCESS [KEEP]`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.core.closing import Closing
from edge.core.errors import LedgerError
from edge.events import Event
from edge.outbox.retention import Keep
from edge.runtime.child_process import ChildEndedError, ChildProcess, serve


class LedgerProcess(Closing):
    """A RecoveringLedger in a process of its own; used by one thread at a time."""

    def __init__(self, path: Path, *, keep: Keep | None = None) -> None:
        """Starts the process, which takes its time; nobody has to wait for it yet.

        Args:
            keep: what the ledger's outbox keeps; None: nothing is written to the outbox.
        """
        self.path = path
        words = [str(path), str(os.getpid())]
        if keep is not None:
            words.append(keep.as_json())
        self._child = ChildProcess("edge.ledger.ledger_process", *words)

    def append(self, rows: Sequence[Event]) -> None:
        """Writes `rows` durably, as `RecoveringLedger.append` does; with none it only opens the
        ledger.

        Raises:
            LedgerError: it cannot be written now. The next call tries again, in a new process
                where this one has ended.
            LedgerRefusedError: it must not be opened; see its kinds.
        """
        try:
            self._child.ask(list(rows))
        except ChildEndedError as error:
            raise LedgerError(
                f"cannot write the ledger {self.path}: its process {error}"
            ) from error

    def close(self) -> None:
        """Closes the file and ends the process; may be called twice."""
        self._child.close()


def main() -> None:
    """The process: writes what it is told to, until the station ends."""
    from edge.ledger.recovering import RecoveringLedger

    path, owner = Path(sys.argv[1]), int(sys.argv[2])
    keep = Keep.from_json(sys.argv[3]) if len(sys.argv) > 3 else None
    with RecoveringLedger(path, owner=owner, keep=keep) as ledger:
        serve(ledger.append)
    os._exit(0)  # the station waits for the end: nothing is left to tidy up


if __name__ == "__main__":
    main()
