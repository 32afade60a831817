"""The ledger's own thread, behind a bounded queue: whoever sorts never waits for a disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from edge.errors import LedgerError
from edge.ledger.ledger import Entry

CAPACITY = 1000
"""Entries that may wait for the disk; about a megabyte."""

_BATCH = 100
_RETRY_SECONDS = 5.0


class Writable(Protocol):
    """What entries are written to."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Writes all or none.

        Raises:
            LedgerError: it cannot be written now.
        """
        ...


class Recorder:
    """Takes entries from the sorting thread, shows each and writes it to the ledger.

    While the ledger cannot be written (a full disk), entries wait and writing is tried again; those
    for which there is no room are lost and counted. `run` is the body of the recorder's thread.

    Attributes:
        lost: entries that will never be in the ledger.
    """

    def __init__(
        self,
        ledger: Writable,
        *,
        show: Callable[[Entry], None],
        say: Callable[[str], None],
        capacity: int = CAPACITY,
    ) -> None:
        """Writes to `ledger`, which stays the caller's to close.

        Args:
            show: shows an entry to the operator, whether it could be written or not.
            say: tells the operator that writing fails, and that it works again.
        """
        self._ledger, self._show, self._say = ledger, show, say
        self._capacity = capacity
        self._changed = threading.Condition()
        self._unseen: deque[Entry] = deque()
        self._waiting: deque[Entry] = deque()
        self._finished = self._failing = self._told_lost = False
        self.lost = 0

    def offer(self, entry: Entry) -> None:
        """Takes an entry without waiting; where there is no room any more, it is lost."""
        with self._changed:
            if self.waiting >= self._capacity:
                self.lost += 1
                return
            self._unseen.append(entry)
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """Entries that are not in the ledger as yet."""
        with self._changed:
            return len(self._unseen) + len(self._waiting)

    def run(self) -> None:
        """Shows and writes entries until `finish`, and then what is left."""
        while True:
            with self._changed:
                pause = _RETRY_SECONDS if self._failing else None
                self._changed.wait_for(lambda: self._unseen or self._finished, pause)
                finished = self._finished
            taken = self._take()
            # Written first: what was shown is in the ledger, unless it was said that writing fails.
            self._drain()
            for entry in taken:
                self._show(entry)
            if finished:
                return

    def finish(self) -> None:
        """Lets `run` end when all is written, or cannot be."""
        with self._changed:
            self._finished = True
            self._changed.notify()

    def flush(self) -> None:
        """Writes what is left, for the last time: after `run` has ended, whatever ended it."""
        self._take()
        self._drain()
        self.lost += len(self._waiting)
        self._waiting.clear()

    def _take(self) -> list[Entry]:
        with self._changed:
            taken = list(self._unseen)
            self._waiting.extend(taken)
            self._unseen.clear()
        return taken

    def _drain(self) -> None:
        while self._waiting and self._append([*self._waiting][:_BATCH]):
            pass

    def _append(self, batch: list[Entry]) -> bool:
        try:
            self._ledger.append(batch)
        except LedgerError as error:
            if not self._failing:
                self._say(f"warning: {error}. Sorting goes on; its rows wait in memory")
            if self.lost and not self._told_lost:
                self._say("warning: no room for more rows in memory: they are being lost")
                self._told_lost = True
            self._failing = True
            return False
        if self._failing:
            self._say("the ledger can be written again")
        self._failing = self._told_lost = False
        with self._changed:
            for _ in batch:
                self._waiting.popleft()
        return True
