"""Which scan by hand is of which item, before either is counted: so that a scan chooses the item's
lane. It is the rule of `answers.py` where that is certain already: scan, then put the piece in."""

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
    """The items and scans of late, and which of them belong together; any thread may use it.

    An item is given the code of a scan where the two come within `pair_seconds`, and neither could
    be of another piece: there is no other scan near the item, and no other item near the scan that
    has no code, in view neither. Where there is one, somebody may have put in two pieces, and the
    lane is that of the picture.
    """

    def __init__(self, pair_seconds: float) -> None:
        """Knows of none.

        Args:
            pair_seconds: see `receiving` in the station file; 0: none belong together.
        """
        self._seconds = pair_seconds
        self._lock = threading.Lock()
        self._items: dict[str, _Item] = {}
        self._scans: list[_Scan] = []

    def saw(self, item_id: str, taken: float, *, alone: bool) -> None:
        """The station has a verdict for an item, whose code may be asked for next.

        Args:
            taken: when its picture was taken, in seconds since 1970.
            alone: whether no other item was in view.
        """
        with self._lock:
            self._forget(taken)
            self._items[item_id] = _Item(taken, alone)

    def read(self, item_id: str, codes: Sequence[Code]) -> None:
        """Codes were read in the picture of an item: no other scan is of it."""
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
        """Somebody has scanned a code by hand."""
        at = datetime.fromisoformat(scan.time).timestamp()
        with self._lock:
            self._forget(at)
            if scan.code.sscc is None:  # that is of no piece
                self._scans.append(_Scan(at, scan.code))

    @property
    def waits(self) -> bool:
        """Whether there is a scan of late that is of no item yet; takes no lock."""
        return any(not scan.paired for scan in self._scans)

    def claim(self, item_id: str) -> Code | None:
        """The code that was scanned for an item; None: there is none, or it is not certain."""
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
        """The scans that may be of an item, the oldest first."""
        if not self._seconds:
            return []
        return [
            scan
            for scan in self._scans
            if not scan.paired and abs(scan.at - item.taken) <= self._seconds
        ]

    def _has_rivals(self, scan: _Scan, item: _Item) -> bool:
        """Whether another item could be the one that was scanned."""
        return any(
            not other.paired and abs(other.taken - scan.at) <= self._seconds
            for other in self._items.values()
            if other is not item
        )

    def _forget(self, now: float) -> None:
        """Forgets what is too far from now to belong to anything that comes; the clock may have
        been set back."""
        far = 2 * self._seconds
        self._items = {k: one for k, one in self._items.items() if abs(one.taken - now) <= far}
        self._scans = [one for one in self._scans if abs(one.at - now) <= far]
