"""The ledger's own thread, behind a bounded queue: whoever sorts never waits for a disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from edge.errors import LedgerError
from edge.flow import Missed
from edge.heartbeat import BEAT_SECONDS, Heartbeat
from edge.ledger.ledger import Actuation, Entry, Row

CAPACITY = 1000
"""Rows that may wait for the disk; about a megabyte."""

_BATCH = 100
_RETRY_SECONDS = 5.0


class Writable(Protocol):
    """What rows are written to."""

    def append(self, rows: Sequence[Row]) -> None:
        """Writes all or none.

        Raises:
            LedgerError: it cannot be written now.
        """
        ...


class Recorder:
    """Takes rows from the sorting and lanes threads, writes them to the ledger and shows items.

    While the ledger cannot be written (a full disk), rows wait and writing is tried again; those
    for which there is no room are lost and counted. `run` is the body of the recorder's thread.

    Attributes:
        lost: items whose rows will never be in the ledger.
        lost_actuations: actuations of which that is so.
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
            show: shows an item's row to the operator, whether it could be written or not.
            say: tells the operator that writing fails, that it works again, and that an actuator
                did not move.
        """
        self._ledger, self._show, self._say = ledger, show, say
        self._capacity = capacity
        self._changed = threading.Condition()
        self._unseen: deque[Row] = deque()
        self._waiting: deque[Row] = deque()
        self._finished = self._failing = self._told_lost = False
        self.lost = self.lost_actuations = 0
        self._heartbeat = Heartbeat()

    @property
    def silent_seconds(self) -> float:
        """How long `run`'s thread has given no sign of life; 0 before and after it."""
        return self._heartbeat.silent_seconds

    def offer(self, row: Row) -> None:
        """Takes a row without waiting; where there is no room any more, it is lost."""
        with self._changed:
            if len(self._unseen) + len(self._waiting) >= self._capacity:
                self._lose([row])
                return
            self._unseen.append(row)
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """Items whose rows are not in the ledger as yet."""
        return self._waiting_of(Entry)

    @property
    def waiting_actuations(self) -> int:
        """Actuations whose rows are not in the ledger as yet."""
        return self._waiting_of(Actuation)

    def run(self) -> None:
        """Shows and writes rows until `finish`, and then what is left."""
        with self._heartbeat.working():
            self._run()

    def _run(self) -> None:
        while True:
            self._wait()
            finished = self._finished
            self._heartbeat.beat()
            taken = self._take()
            # Written first: what was shown is in the ledger, unless it was said that writing fails.
            self._drain()
            for row in taken:
                if isinstance(row, Entry):
                    self._show(row)
                if row.missed is not None:
                    self._say(
                        f"missed     item {row.item}: {row.lane} did not move: "
                        f"{Missed(row.missed).words}"
                    )
            if finished:
                return

    def _wait(self) -> None:
        """Waits for rows, for the end, or for the time to try again."""
        tried = time.monotonic()
        with self._changed:
            while not (self._unseen or self._finished):
                self._heartbeat.beat()
                if self._failing and time.monotonic() - tried >= _RETRY_SECONDS:
                    return
                self._changed.wait(BEAT_SECONDS)

    def finish(self) -> None:
        """Lets `run` end when all is written, or cannot be."""
        with self._changed:
            self._finished = True
            self._changed.notify()

    def flush(self) -> None:
        """Writes what is left, for the last time: after `run` has ended, whatever ended it."""
        self._take()
        self._drain()
        self._lose(self._waiting)
        self._waiting.clear()

    def _lose(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if isinstance(row, Entry):
                self.lost += 1
            else:
                self.lost_actuations += 1

    def _waiting_of(self, kind: type[Row]) -> int:
        with self._changed:
            return sum(isinstance(row, kind) for row in (*self._unseen, *self._waiting))

    def _take(self) -> list[Row]:
        with self._changed:
            taken = list(self._unseen)
            self._waiting.extend(taken)
            self._unseen.clear()
        return taken

    def _drain(self) -> None:
        while self._waiting and self._append([*self._waiting][:_BATCH]):
            pass

    def _append(self, batch: list[Row]) -> bool:
        try:
            self._ledger.append(batch)
        except LedgerError as error:
            if not self._failing:
                self._say(f"warning: {error}. Sorting goes on; its rows wait in memory")
            if (self.lost or self.lost_actuations) and not self._told_lost:
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
