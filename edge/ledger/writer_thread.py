"""The thread that writes: it does one thing at a time, and nobody has to wait for it."""

from __future__ import annotations

import logging
import math
import queue
from collections.abc import Callable
from dataclasses import dataclass

from edge.events import Event, LedgerBack, LedgerFailed, Stamps
from edge.ledger.spill import Chunk
from edge.runtime.clock import Clock, ClockedThread

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RowBatch:
    """Rows that the writer thread is writing."""

    rows: list[Event]
    since: float
    """When it began, in seconds on the clock."""
    chunk: Chunk | None
    """What of the spill they are; None: they are the first ones in memory."""
    overdue: bool = False
    """The thread has not answered for too long."""
    spilled: bool = False
    """The rows were written to the spill as well."""


class Outage:
    """A time during which the ledger cannot be written, as two events; used by one thread."""

    def __init__(
        self, offer: Callable[[Event], None], stamps: Stamps | None, now: Callable[[], float]
    ) -> None:
        """The ledger can be written, as far as is known.

        Args:
            offer: takes the events, which are written once there is room for them.
            stamps: gives the events their ids and times; None: no events are made.
            now: seconds, monotonic.
        """
        self._offer, self._stamps, self._now = offer, stamps, now
        self._since: float | None = None

    def begin(self, reason: str) -> None:
        """The ledger cannot be written; only the first call of an outage counts."""
        if self._since is None:
            self._since = self._now()
            if self._stamps is not None:
                self._offer(LedgerFailed(*self._stamps.now(), reason))

    def end(self) -> None:
        """The ledger was written; says so if there was an outage."""
        if self._since is None:
            return
        seconds, self._since = self._now() - self._since, None
        _log.info("ledger     it can be written again: the rows that waited are added")
        if self._stamps is not None:
            self._offer(LedgerBack(*self._stamps.now(), round(seconds, 3)))


class WriterThread:
    """Does what it is given in a thread of its own, which a hanging disk may hold for ever.

    Attributes:
        answer: what the last thing ended with, once it has ended; None: it went well.
    """

    def __init__(self, answered: Callable[[], None], clock: Clock) -> None:
        """Has nothing to do yet; the thread begins with the first thing.

        Args:
            answered: called, by that thread, each time that something is done.
        """
        self._answered, self._clock = answered, clock
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = ClockedThread("ledger-writer", self._run, clock)
        self.answer: BaseException | None = None

    def give(self, work: Callable[[], None]) -> None:
        """Has `work` done after all that was given before."""
        if self._thread.ident is None:
            self._thread.start()
        self._work.put(work)

    def end(self, seconds: float) -> None:
        """Lets the thread end when all is done, and waits so long for that."""
        if self._thread.ident is not None:
            self._work.put(None)
            self._thread.join(seconds)

    def _run(self) -> None:
        while (work := self._clock.get(self._work, math.inf)) is not None:
            try:
                work()
            except BaseException as error:  # raised again by whoever reads the answer
                self.answer = error
            else:
                self.answer = None
            self._answered()
