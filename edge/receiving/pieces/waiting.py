"""The queue of items and scans that wait to be counted."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import islice

from edge.receiving.code import Code
from edge.receiving.pieces.answers import Cause, SeenItem
from edge.runtime.clock import Clock

_log = logging.getLogger(__name__)


class WaitingPieces:
    """A queue of items and scans: any thread may add to it without waiting, and one counts them."""

    def __init__(self, clock: Clock, capacity: int) -> None:
        """Makes an empty queue.

        Args:
            clock: the station's clock.
            capacity: the most items and scans that may wait; beyond that, the oldest are dropped.
        """
        self._clock, self._capacity = clock, capacity
        self._changed = clock.condition()
        self._waiting: deque[Cause] = deque(maxlen=capacity)
        self._looked_at: set[str] = set()
        """The ids of items whose pictures are being searched for codes."""
        self._codes: dict[str, tuple[Code, ...]] = {}
        """The codes of items that are not counted yet."""
        self._ending = self._urgent = self._overflowed = self._told = False

    def __len__(self) -> int:
        """The number of items and scans that wait; takes no lock."""
        return len(self._waiting)

    def expect(self, item_id: str) -> None:
        """Says that the picture of an item is being searched: it is not ready before `know`."""
        with self._changed:
            self._looked_at.add(item_id)

    def know(self, item_id: str, codes: tuple[Code, ...]) -> None:
        """Takes the codes that were read on an item that was expected."""
        with self._changed:
            self._looked_at.discard(item_id)
            self._urgent |= any(cause.id == item_id for cause in self._waiting)
            if codes:
                self._codes[item_id] = codes
                while len(self._codes) > self._capacity:  # of items that belong to no delivery
                    del self._codes[next(iter(self._codes))]
            self._changed.notify_all()

    def add(self, cause: Cause, *, urgent: bool) -> None:
        """Takes an item or a scan.

        Args:
            urgent: whether to wake the thread that counts.
        """
        with self._changed:
            full = len(self._waiting) == self._capacity
            first, self._told = full and not self._told, self._told or full
            self._overflowed |= full
            self._waiting.append(cause)
            self._urgent |= urgent
            if urgent:
                self._changed.notify_all()
        if first:
            _log.warning(
                f"warning    more than {self._capacity} items wait to be counted on their "
                "delivery: the oldest are counted from the ledger, once the file of deliveries can "
                "be written"
            )

    def end(self) -> None:
        """Says that nothing more will be added or searched: all that waits is ready."""
        with self._changed:
            self._ending = True
            self._looked_at.clear()
            self._changed.notify_all()

    def wait(self, seconds: float, *, for_all: bool) -> bool:
        """Waits until something urgent was added, `end` was called, or the time has passed.

        Args:
            seconds: the longest time to wait.
            for_all: whether to wait even if something urgent was added.

        Returns:
            Whether `end` was called.
        """
        with self._changed:
            if not self._ending and (for_all or not self._urgent):
                self._clock.wait(self._changed, self._clock.now() + seconds)
            self._urgent = False
            return self._ending

    def ready(self, limit: int) -> list[Cause]:
        """The items and scans that can be counted now, with their codes, the oldest first."""
        with self._changed:
            found = (cause for cause in self._waiting if cause.id not in self._looked_at)
            return [self._with_codes(cause) for cause in islice(found, limit)]

    def with_codes(self, causes: Sequence[Cause]) -> list[Cause]:
        """Items and scans that were read from the ledger, with codes that were read since."""
        with self._changed:
            return [self._with_codes(cause) for cause in causes]

    def overflowed(self) -> bool:
        """Whether items or scans were dropped since this was last called."""
        with self._changed:
            found, self._overflowed = self._overflowed, False
            return found

    def done(self, ids: Set[str]) -> None:
        """Removes the items and scans with these ids, which were counted."""
        with self._changed:
            left = [cause for cause in self._waiting if cause.id not in ids]
            self._waiting = deque(left, maxlen=self._capacity)
            for each in ids:
                self._codes.pop(each, None)

    def coming(self) -> set[str]:
        """The ids of the items and scans that wait, and of items that are being searched."""
        with self._changed:
            return self._looked_at | {cause.id for cause in self._waiting}

    def left_out(self, ids: Set[str]) -> bool:
        """Whether one of the items is still being searched, but does not wait here any more."""
        with self._changed:
            waiting = {cause.id for cause in self._waiting}
            return bool(ids & (self._looked_at - waiting))

    def _with_codes(self, cause: Cause) -> Cause:
        codes = self._codes.get(cause.id)
        return replace(cause, codes=codes) if isinstance(cause, SeenItem) and codes else cause
