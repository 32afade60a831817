"""Finds the hand scan that belongs to an item before the item is sent to its lane.

The rule for people is: scan, then put the piece in. An item and a scan are paired here only if
`answers.py` will pair them for certain.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.receiving.code import Code, is_same_code
from edge.receiving.pieces.answers import HandScan


@dataclass(slots=True)
class _Item:
    taken: float
    alone: bool
    paired: bool = False


@dataclass(slots=True)
class _Scan:
    at: float
    code: Code
    paired: bool = False


class ScanClaims:
    """The latest items and hand scans, and which of them belong together; any thread may use it.

    An item gets the code of a scan if they are at most `pair_seconds` apart, no other scan is near
    the item, no other item without a code is near the scan, and no other item is in view. Otherwise
    somebody may have put in two pieces, and the lane depends on the picture alone.
    """

    def __init__(self, pair_seconds: float) -> None:
        """Knows no item and no scan.

        Args:
            pair_seconds: see `receiving` in the station file; 0 means that nothing is paired.
        """
        self._seconds = pair_seconds
        self._lock = threading.Lock()
        self._items: dict[str, _Item] = {}
        self._scans: list[_Scan] = []

    def saw(self, item_id: str, taken: float, *, alone: bool) -> None:
        """Takes an item that has a verdict, and whose code may be asked for next.

        Args:
            taken: when its picture was taken, in seconds since 1970.
            alone: whether no other item was in view.
        """
        with self._lock:
            self._forget(taken)
            self._items[item_id] = _Item(taken, alone)

    def read(self, item_id: str, codes: Sequence[Code]) -> None:
        """Takes the codes that were read on an item: it belongs to no scan of another code."""
        with self._lock:
            item = self._items.get(item_id)
            if item is None or not codes:
                return
            item.paired = True
            for scan in self._near(item):
                if any(is_same_code(code, scan.code) for code in codes):
                    scan.paired = True
                    return

    def scanned(self, scan: HandScan) -> None:
        """Takes a hand scan."""
        at = datetime.fromisoformat(scan.time).timestamp()
        with self._lock:
            self._forget(at)
            if scan.code.sscc is None:  # the code of a container belongs to no piece
                self._scans.append(_Scan(at, scan.code))

    @property
    def waits(self) -> bool:
        """Whether one of the latest scans belongs to no item yet; takes no lock."""
        return any(not scan.paired for scan in self._scans)

    def claim(self, item_id: str) -> Code | None:
        """The code of the scan that belongs to an item; None if there is none for certain."""
        with self._lock:
            item = self._items.get(item_id)
            if item is None or item.paired or not item.alone:
                return None
            near = self._near(item)
            if len(near) != 1 or self._has_rivals(near[0], item):
                return None
            item.paired = near[0].paired = True
            return near[0].code

    def _near(self, item: _Item) -> list[_Scan]:
        """The scans that may belong to an item, the oldest first."""
        if not self._seconds:
            return []
        return [
            scan
            for scan in self._scans
            if not scan.paired and abs(scan.at - item.taken) <= self._seconds
        ]

    def _has_rivals(self, scan: _Scan, item: _Item) -> bool:
        """Whether the scan may belong to another item."""
        return any(
            not other.paired and abs(other.taken - scan.at) <= self._seconds
            for other in self._items.values()
            if other is not item
        )

    def _forget(self, now: float) -> None:
        """Forgets items and scans that are too far from `now` to belong to anything that follows.

        They may be in the future, if the clock was set back.
        """
        far = 2 * self._seconds
        self._items = {k: one for k, one in self._items.items() if abs(one.taken - now) <= far}
        self._scans = [one for one in self._scans if abs(one.at - now) <= far]
