"""Reads the spill into the ledger, and knows how far it has come."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from edge.core.errors import StorageError
from edge.events import Event, ItemSorted
from edge.ledger.spill import Chunk, Spill

_log = logging.getLogger(__name__)


class Backlog:
    """A spill that is read into the ledger, in order, while more is added at its end."""

    def __init__(self, spill: Spill) -> None:
        """Begins with what is in `spill`, which the backlog closes."""
        self._spill = spill
        self._read = self._items_read = 0
        """How many bytes of the spill, and how many items in them, are in the ledger."""

    @property
    def path(self) -> Path:
        """The spill's file."""
        return self._spill.path

    @property
    def items(self) -> int:
        """The number of items whose rows are in the spill and not yet known to be in the ledger."""
        return self._spill.items - self._items_read

    @property
    def waits(self) -> bool:
        """Whether there are rows that are not known to be in the ledger."""
        return self._read < self._spill.size

    def append(self, rows: Sequence[Event]) -> None:
        """Adds `rows` at the end of the spill, all of them or none.

        Raises:
            StorageError: there is no room, or the file cannot be written.
        """
        self._spill.append(rows)

    def next(self) -> Chunk:
        """The first rows that are not known to be in the ledger.

        Raises:
            StorageError: the file cannot be read.
        """
        return self._spill.read(self._read)

    def written(self, chunk: Chunk) -> None:
        """Notes that the rows of `chunk` are in the ledger; empties the spill after the last."""
        self._read = chunk.end
        self._items_read += sum(isinstance(row, ItemSorted) for row in chunk.rows)
        if not self.waits:
            self.clear()

    def clear(self) -> None:
        """Empties the spill; logs a warning if that fails."""
        try:
            self._spill.clear()
        except StorageError as error:  # adding them twice does no harm
            _log.warning(f"warning: {error}. The next start adds the same rows again")
            self._read = self._spill.size
            return
        self._read = self._items_read = 0

    def close(self) -> None:
        """Closes the spill; may be called twice."""
        self._spill.close()
