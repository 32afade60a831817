"""Counts the rows that were lost because there was no room, and logs how many they are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from edge.events import ActuationEnded, Event, ItemSorted

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 10.0
"""The time between two messages about lost rows."""


class Losses:
    """Counts events whose rows will never be in the ledger.

    Attributes:
        items: the items among them.
        actuations: the ends of actuations.
        others: what happened to the station itself.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Starts at zero.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self.items = self.actuations = self.others = 0
        self._said = 0
        self._next = float("-inf")

    def add(self, rows: Iterable[Event]) -> None:
        """Counts `rows`; `tell` logs how many they are."""
        for row in rows:
            if isinstance(row, ItemSorted):
                self.items += 1
            elif isinstance(row, ActuationEnded):
                self.actuations += 1
            else:
                self.others += 1

    def add_said(self, items: int) -> None:
        """Counts items whose loss has been logged already."""
        self.items += items
        self._said = self._count

    @property
    def next_telling(self) -> float:
        """When `tell` is next to be called, on the clock; infinity if it has nothing to log."""
        return self._next if self._count > self._said else float("inf")

    def tell(self, *, now: bool = False) -> None:
        """Logs how many rows are lost: the first time at once, later every few seconds."""
        if self._count > self._said and (now or self._clock() >= self._next):
            self._said = self._count
            self._next = self._clock() + _PAUSE_SECONDS
            _log.error(f"LOST       {self._said} rows so far: there was no room for them")

    @property
    def _count(self) -> int:
        return self.items + self.actuations + self.others
