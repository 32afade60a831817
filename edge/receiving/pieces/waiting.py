"""Items and scans that wait to be counted: any thread brings them, and one takes them."""

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
    """Takes items and scans from any thread, which does not wait, and gives them to one."""

    def __init__(self, clock: Clock, capacity: int) -> None:
        """Nothing waits.

        Args:
            clock: the station's.
            capacity: how many may wait; the oldest are left out beyond that.
        """
        self._clock, self._capacity = clock, capacity
        self._changed = clock.condition()
        self._waiting: deque[Cause] = deque(maxlen=capacity)
        self._looked_at: set[str] = set()
        """Items whose pictures are looked at for codes now."""
        self._codes: dict[str, tuple[Code, ...]] = {}
        """The codes of items that are not counted yet."""
        self._ending = self._urgent = self._overflowed = self._told = False

    def __len__(self) -> int:
        """How many wait; takes no lock."""
        return len(self._waiting)

    def expect(self, item_id: str) -> None:
        """The picture of an item is looked at for codes: it is not ready before `know`."""
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
            urgent: whether whoever counts is to be woken for it.
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
        """No more comes, and what waits is ready."""
        with self._changed:
            self._ending = True
            self._looked_at.clear()  # nobody looks any more
            self._changed.notify_all()

    def wait(self, seconds: float, *, for_all: bool) -> bool:
        """Waits until something is urgent, `end` is called, or so much time has passed.

        Args:
            for_all: whether to wait even though something is urgent.

        Returns:
            Whether `end` was called.
        """
        with self._changed:
            if not self._ending and (for_all or not self._urgent):
                self._clock.wait(self._changed, self._clock.now() + seconds)
            self._urgent = False
            return self._ending

    def ready(self, limit: int) -> list[Cause]:
        """What can be counted now, the oldest first, with the codes that are known."""
        with self._changed:
            found = (cause for cause in self._waiting if cause.id not in self._looked_at)
            return [self._with_codes(cause) for cause in islice(found, limit)]

    def with_codes(self, causes: Sequence[Cause]) -> list[Cause]:
        """Items and scans of the ledger with the codes that are known of late."""
        with self._changed:
            return [self._with_codes(cause) for cause in causes]

    def overflowed(self) -> bool:
        """Whether there was no room for some since this was last asked."""
        with self._changed:
            found, self._overflowed = self._overflowed, False
            return found

    def done(self, ids: Set[str]) -> None:
        """What was counted waits no more."""
        with self._changed:
            left = [cause for cause in self._waiting if cause.id not in ids]
            self._waiting = deque(left, maxlen=self._capacity)
            for each in ids:
                self._codes.pop(each, None)

    def coming(self) -> set[str]:
        """The ids of what waits to be counted, or will."""
        with self._changed:
            return self._looked_at | {cause.id for cause in self._waiting}

    def left_out(self, ids: Set[str]) -> bool:
        """Whether one of the items is looked at for codes still, but found no room to wait."""
        with self._changed:
            waiting = {cause.id for cause in self._waiting}
            return bool(ids & (self._looked_at - waiting))

    def _with_codes(self, cause: Cause) -> Cause:
        codes = self._codes.get(cause.id)
        return replace(cause, codes=codes) if isinstance(cause, SeenItem) and codes else cause
