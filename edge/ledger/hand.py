"""The hand that writes: a thread that does one thing at a time, and that nobody has to wait for."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from dataclasses import dataclass

from edge.events import Event
from edge.ledger.spill import Chunk
from edge.runtime.clock import Clock, ClockedThread


@dataclass(slots=True)
class Flight:
    """Rows that the hand is writing, and since when, in seconds on the clock."""

    rows: list[Event]
    since: float
    chunk: Chunk | None
    """What of the spill they are; None: they are the first ones in memory."""
    overdue: bool = False
    """The hand has not answered for too long."""
    put_by: bool = False
    """They were put into the spill as well."""


class Hand:
    """Does what it is given in a thread of its own, which a hanging disk may hold for ever.

    Attributes:
        answer: what the last thing ended with, once it has ended; None: it went well.
    """

    def __init__(self, answered: Callable[[], None], clock: Clock) -> None:
        """Has nothing to do yet; the thread begins with the first thing.

        Args:
            answered: called, by the hand's thread, each time that something is done.
        """
        self._answered, self._clock = answered, clock
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = ClockedThread("ledger-hand", self._run, clock)
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
