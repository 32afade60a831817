"""Rows for which there was no room: how many, and when that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge.ledger.rows import Entry, Row

_PAUSE_SECONDS = 10.0
"""How often it is said that more rows were lost."""


class Losses:
    """Counts rows that will never be in the ledger.

    Attributes:
        items: items whose rows were lost.
        actuations: actuations of which that is so.
    """

    def __init__(self, *, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        """Counts nothing as yet.

        Args:
            say: tells the operator. Must not wait.
            clock: seconds, monotonic.
        """
        self._say, self._clock = say, clock
        self.items = self.actuations = 0
        self._said = 0
        self._next = float("-inf")

    def add(self, rows: Iterable[Row]) -> None:
        """Counts `rows`; `tell` says it."""
        for row in rows:
            if isinstance(row, Entry):
                self.items += 1
            else:
                self.actuations += 1

    def add_said(self, items: int) -> None:
        """Counts so many items, whose loss has been said already."""
        self.items += items
        self._said = self._count

    @property
    def next_telling(self) -> float:
        """When more is to be said, on the clock; infinity where there is nothing to say."""
        return self._next if self._count > self._said else float("inf")

    def tell(self, *, now: bool = False) -> None:
        """Says that rows are lost: the first time at once, then how many, now and then."""
        if self._count > self._said and (now or self._clock() >= self._next):
            self._said = self._count
            self._next = self._clock() + _PAUSE_SECONDS
            self._say(f"LOST       {self._said} rows so far: there was no room for them")

    @property
    def _count(self) -> int:
        return self.items + self.actuations
