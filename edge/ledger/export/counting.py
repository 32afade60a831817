"""Counts the items of a ledger in spans of time, for those who show how a day goes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from edge.ledger.sqlite_file import open_to_read

_QUERY = (
    "SELECT lane, accepted, count(*) FROM items WHERE time >= ? AND time < ? "
    "GROUP BY lane, accepted"
)


class CountKey(NamedTuple):
    """What items are told apart by."""

    lane: str
    accepted: bool


class ItemCounts:
    """The number of items by lane and verdict in some spans of time. May be used by any thread.

    What a span that is long over has come to is remembered: rows never change, and those that
    waited in a spill while a disk failed come within the time that is waited for them here.
    """

    def __init__(self, path: Path, *, settled_seconds: float = 3600.0) -> None:
        """Has counted nothing.

        Args:
            path: the ledger.
            settled_seconds: how long after its end a span is remembered.
        """
        self._path, self._settled_seconds = path, settled_seconds
        self._known: dict[tuple[str, str], Counter[CountKey]] = {}
        self._alone = threading.Lock()

    def counts(
        self, spans: Sequence[tuple[datetime, datetime]], now: datetime
    ) -> list[Counter[CountKey]]:
        """The items of each span: those from its begin on, and before its end.

        Raises:
            LedgerMissingError: there is no ledger.
            LedgerError: it cannot be read.
        """
        with self._alone, open_to_read(self._path) as connection:
            found, known = [], {}
            for begin, end in spans:
                key = _text(begin), _text(end)
                counted = self._known.get(key)
                if counted is None:
                    rows = connection.execute(_QUERY, key).fetchall()
                    counted = Counter({CountKey(x, bool(y)): count for x, y, count in rows})
                if (now - end).total_seconds() > self._settled_seconds:
                    known[key] = counted
                found.append(counted)
            self._known = known
        return found


def _text(moment: datetime) -> str:
    """A moment as the ledger writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
