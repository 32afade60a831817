"""The ledger's own threads, behind a bounded queue: whoever sorts never waits for a disk.

    offer ─▶ memory ─▶ ledger ─▶ observers          while the ledger answers
    offer ─▶ memory ─▶ spill ─▶ observers, ledger   while it does not, and until it has all rows

There are two threads: the recorder's own (`run`) never touches the ledger's disk, so that it can
tell when that hangs; the writer thread writes one batch of rows at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.core.errors import LedgerError, LedgerRefusedError, StorageError
from edge.events import ActuationEnded, Event, ItemSorted, Observer, Stamps, StationStarted
from edge.ledger.losses import Losses
from edge.ledger.observers import Observers, log_missed
from edge.ledger.rows import Writable
from edge.ledger.spill import Backlog, Chunk, Spill
from edge.ledger.waiting_rows import WaitingRows
from edge.ledger.writer_thread import Outage, RowBatch, WriterThread
from edge.runtime import heartbeat
from edge.runtime.clock import SYSTEM_CLOCK, Clock, wait_for
from edge.runtime.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

CAPACITY = 1000
"""Rows that may wait in memory; about a megabyte."""

_BATCH_ROWS = 100
_AT_ONCE = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a recorder waits, in seconds."""

    open: float = 10.0
    """For the ledger to be opened, before sorting begins without it. Creating a new one takes long
    on a slow board, and would hold up the threads that sort."""
    commit: float = 1.0
    """From one commit to the next; the first after a rest is made at once, and so is that of the
    first rows after the station's start. 0: every commit is made at once."""
    hang: float = 3.0
    """For the ledger to answer. It is longer than cards pause to clean up, and than another program
    may hold the ledger locked."""
    retry: float = 5.0
    """Until a ledger that could not be written is tried again."""
    finish: float = 2.0
    """For the last rows, when the station ends."""


class Recorder:
    """Takes events from all threads, writes their rows to the ledger, and then tells observers.

    While the ledger cannot be written, rows wait in the spill, or in memory if there is none. The
    ledger is tried again and again, and gets them in order. Rows without room are lost and counted.

    Attributes:
        heartbeat: the signs of life of `run`.
    """

    def __init__(
        self,
        ledger: Writable,
        *,
        observers: Sequence[Observer],
        patience: Patience | None = None,
        capacity: int = CAPACITY,
        clock: Clock = SYSTEM_CLOCK,
        stamps: Stamps | None = None,
    ) -> None:
        """Writes to `ledger`, which the recorder closes.

        Args:
            stamps: for the events of outages of the ledger; None: there are no such events.
            observers: are told of each event by `run`'s thread, once its row is in the ledger or
                the spill, or was said to be in neither. Must not wait.
        """
        self._ledger = ledger
        self._observers = Observers([*observers, log_missed])
        self._backlog: Backlog | None = None
        self._patience = patience or Patience()
        self._capacity, self._clock = capacity, clock
        self.heartbeat = Heartbeat(clock.now)
        self._changed = clock.condition()
        self._writer = WriterThread(self._wake, clock)
        self._batch: RowBatch | None = None
        self._answered = self._begun = self._finished = self._ending = self._ended = False
        self._failing = self._spill_failing = False
        self._commit_at = self._retry_at = self._failed_at = _AT_ONCE
        self._losses = Losses(clock=clock.now)
        self._waiting = WaitingRows(self._changed, capacity, self._losses)
        self._outage = Outage(self.offer, stamps, clock.now)

    @property
    def lost(self) -> int:
        """The number of items whose rows are lost."""
        return self._losses.items

    @property
    def lost_actuations(self) -> int:
        """The number of actuations whose rows are lost."""
        return self._losses.actuations

    @property
    def lost_others(self) -> int:
        """The number of other events whose rows are lost."""
        return self._losses.others

    @property
    def spilled(self) -> int:
        """The number of items whose rows are in the spill and not yet known to be in the ledger."""
        return 0 if self._backlog is None else self._backlog.items

    @property
    def queued(self) -> int:
        """Events whose rows are in memory only; takes no lock, so that it may be one off."""
        return len(self._waiting)

    @property
    def ledger_fails(self) -> bool:
        """Whether the ledger cannot be written, as far as is known; may be asked by any thread."""
        batch = self._batch  # one read: the recorder's thread may change it in between
        return self._failing or (batch is not None and batch.overdue)

    # For the threads that something happens in

    def offer(self, event: Event) -> None:
        """Takes an event without waiting; where there is no room any more, its row is lost."""
        self._waiting.offer(event)

    def keeps_state(self, seconds: float) -> bool:
        """Whether the newest change of the state is in the ledger or the spill, where a power cut
        does not reach it. Waits for that; for a thread that nobody waits for."""
        until = self._clock.now() + seconds
        with self._changed:
            return wait_for(self._clock, self._changed, lambda: self._waiting.keeps_state, until)

    @property
    def waiting(self) -> int:
        """The number of items whose rows are in memory only."""
        return self._waiting.count(ItemSorted)

    @property
    def waiting_actuations(self) -> int:
        """The number of actuations whose rows are in memory only."""
        return self._waiting.count(ActuationEnded)

    @property
    def waiting_others(self) -> int:
        """The number of other events whose rows are in memory only."""
        return self._waiting.count(Event) - self.waiting - self.waiting_actuations

    # For the thread that begins and ends the station

    def open(self) -> None:
        """Opens the ledger, as far as that can be done soon; `run` goes on from there.

        Raises:
            LedgerRefusedError: a person must decide what to do; see its kinds.
        """
        self._send([])
        with self._changed:
            until = self._clock.now() + self._patience.open
            wait_for(self._clock, self._changed, lambda: self._answered, until)
            answer = self._writer.answer if self._answered else None
        if isinstance(answer, LedgerRefusedError):
            self._batch, self._ended = None, True
            self._writer.end(self._patience.finish)
            self._ledger.close()
            raise answer

    def add_spill(self, spill: Spill) -> None:
        """Has rows wait in `spill` from now on; to be called before `run`.

        Rows that are in it already go to the ledger first. The recorder closes it.
        """
        self._backlog = Backlog(spill)
        if spill.size:
            _log.info(
                f"ledger     rows of {spill.items} items of an earlier run wait in {spill.path}"
            )

    def finish(self) -> None:
        """Lets `run` end once every row is written, or is known not to be writable now."""
        with self._changed:
            self._finished = True
            self._changed.notify()

    def flush(self) -> None:
        """Writes what is left and closes ledger and spill, if `run` could not; may be repeated."""
        if not self._ended:
            self._end(show=False)

    def close(self) -> None:
        """Closes ledger and spill where `run` never began, which closes them itself."""
        if not self._begun:
            self.flush()

    # The recorder's thread

    def run(self) -> None:
        """Writes and shows rows until `finish`, and then what is left; closes ledger and spill."""
        self._begun = True
        try:
            with self.heartbeat.working():
                while not self._finished:
                    self._waiting.take()
                    self._step(show=True)
                    self._wait()
                self._end(show=True)
        finally:
            self.flush()

    def _step(self, *, show: bool) -> None:
        """Takes the writer thread's answer, spills what cannot be written, and gives it more."""
        self._take_answer(show=show)
        batch, now = self._batch, self._clock.now()
        if batch and not batch.overdue and now >= batch.since + self._patience.hang:
            batch.overdue = True
            self._outage.begin(f"no answer for {self._patience.hang:g} seconds")
            _log.error(
                f"incident   the ledger has not answered for {self._patience.hang:g} seconds: its "
                f"disk hangs, or has much to read. Sorting goes on; {self._where_rows_wait}"
            )
        if self.ledger_fails or self._waiting.is_crowded:
            self._spill_waiting(show=show)
        wanted = bool(self._waiting.taken) or self._has_spilled
        if wanted and self._clock.now() >= self._due:
            self._send_next()
        self._losses.tell()

    def _end(self, *, show: bool) -> None:
        began = self._clock.now()
        until = began + self._patience.finish
        self._ending = True
        while True:
            if self._failed_at < began:
                self._retry_at = _AT_ONCE  # one more try, whatever failed before
            self._waiting.take()
            self._step(show=show)
            done = not (self._waiting.taken or self._has_spilled or self._batch)
            hopeless = self._batch.overdue if self._batch else self._failed_at >= began
            if done or hopeless or self._clock.now() >= until:
                break
            self._wait(until)
        self._spill_waiting(show=show)
        self._losses.add(self._waiting.taken)
        self._waiting.drop(len(self._waiting.taken), lost=True)
        self._losses.tell(now=True)
        if self._backlog is not None and self._backlog.waits:
            _log.warning(
                f"ledger     the rows of {self.spilled} items wait in {self._backlog.path}: the "
                "next start adds them to the ledger"
            )
        if self._batch is None:
            self._writer.give(self._ledger.close)
            self._writer.end(self._patience.finish)
        if self._backlog is not None:
            self._backlog.close()
        self._ended = True

    @property
    def _has_spilled(self) -> bool:
        return self._backlog is not None and self._backlog.waits

    @property
    def _due(self) -> float:
        """When the writer thread is to write again, on the clock."""
        if self._batch is not None:
            return float("inf")
        full = len(self._waiting.taken) >= _BATCH_ROWS or self._waiting.is_urgent
        if self._failing or self._has_spilled or self._ending or full:
            return self._retry_at
        return self._commit_at

    @property
    def _where_rows_wait(self) -> str:
        if self._backlog is not None:
            return f"rows wait in {self._backlog.path}"
        return f"rows wait in memory, {self._capacity} at most"

    def _wait(self, until: float = float("inf")) -> None:
        """Waits for something to do, no longer than a heartbeat."""
        self.heartbeat.beat()
        moments = [until, self._clock.now() + heartbeat.BEAT_SECONDS, self._losses.next_telling]
        if self._batch is not None and not self._batch.overdue:
            moments.append(self._batch.since + self._patience.hang)
        if self._batch is None and (self._waiting.taken or self._has_spilled):
            moments.append(self._due)
        with self._changed:
            wait_for(self._clock, self._changed, lambda: self._is_called, min(moments))

    @property
    def _is_called(self) -> bool:
        finished = self._finished and not self._ending
        return self._waiting.offered or self._answered or finished

    # The writer thread, and what becomes of the rows that it was given

    def _wake(self) -> None:
        with self._changed:
            self._answered = True
            self._changed.notify_all()

    def _send_next(self) -> None:
        if self._backlog is None or not self._backlog.waits:
            self._send(self._waiting.first(_BATCH_ROWS))
            return
        try:
            chunk = self._backlog.next()
        except StorageError as error:
            _log.error(f"LOST       the rows of {self.spilled} items: {error}")
            self._losses.add_said(self.spilled)
            self._backlog.clear()
            return
        if chunk.damaged:
            _log.error(
                f"LOST       {chunk.damaged} lines of {self._backlog.path} are no whole rows"
            )
        self._send(chunk.rows, chunk)

    def _send(self, rows: list[Event], chunk: Chunk | None = None) -> None:
        self._batch = RowBatch(rows, self._clock.now(), chunk)
        # The start of the station is no reason for its first item to wait.
        if any(not isinstance(row, StationStarted) for row in rows):
            self._commit_at = self._batch.since + self._patience.commit
        self._writer.give(lambda: self._ledger.append(rows))

    def _take_answer(self, *, show: bool) -> None:
        """If the writer thread has answered, drops the rows that it wrote or says what failed."""
        with self._changed:
            if not self._answered or self._batch is None:
                return
            batch, self._batch, self._answered = self._batch, None, False
        error = self._writer.answer
        if isinstance(error, LedgerError):
            self._failed_at = batch.since
            self._retry_at = self._clock.now() + self._patience.retry
            if not self._failing:
                self._outage.begin(str(error))
                _log.error(f"incident   {error}. Sorting goes on; {self._where_rows_wait}")
            self._failing = True
            return
        if error is not None:
            raise error
        self._outage.end()
        self._failing, self._retry_at = False, _AT_ONCE
        if batch.chunk is not None and self._backlog is not None:
            self._backlog.written(batch.chunk)
        elif not batch.spilled:
            self._tell(self._waiting.drop(len(batch.rows)), show=show)

    def _spill_waiting(self, *, show: bool) -> None:
        """Writes the rows that wait to the spill; if that fails, they stay in memory."""
        if not self._waiting.taken:
            return
        if self._backlog is not None:
            try:
                self._backlog.append(self._waiting.taken)
            except StorageError as error:
                if not self._spill_failing:
                    _log.error(f"incident   {error}. Rows wait in memory, {self._capacity} at most")
                self._spill_failing = True
            else:
                self._spill_failing = False
                if self._batch is not None and self._batch.chunk is None:
                    self._batch.spilled = True
                self._tell(self._waiting.drop(len(self._waiting.taken)), show=show)
                return
        if self.ledger_fails:  # which has been said: showing them promises nothing
            self._tell(self._waiting.tell_all(), show=show)

    def _tell(self, rows: Iterable[Event], *, show: bool) -> None:
        if show:
            self._observers.tell(rows)
