"""Which items a person is to look at: doubtful ones, and a share that is drawn by chance."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge.events import utc_text
from edge.ledger.export.reading import ExportedItem, Selection, find_item, newest_items
from edge.ledger.upkeep.reviewing import ReviewDecision, decided_items
from edge.samples.chance import chance_of
from edge.web.plan import WebPlan

CONTROL_SHARE = 0.02
"""The share of accepted items that is drawn where photographs of all items are kept: one in 50."""
CONTROL_EVERY = 5
"""Each so many items that are shown, one is a drawn one, as long as there are any."""
_NEWEST = 1000
"""Items with a photograph that are looked through, the newest."""
_DAY_SECONDS = 86400.0
_MOST_SKIPPED = 5000


class Shown(NamedTuple):
    """An item that is to be looked at."""

    item: ExportedItem
    drawn: bool
    """Whether it was drawn by chance. It is shown in an order that its score has no part in, so
    that those that were looked at tell how pure the lanes are, whenever the person stops."""


class ReviewQueue:
    """The items that are to be looked at, and what each person skipped or decided last. For any
    thread."""

    def __init__(self, plan: WebPlan) -> None:
        """Has shown nothing."""
        self._plan = plan
        self._alone = threading.Lock()
        self.deciding = threading.Lock()
        """Held from the look at what is decided until the next decision is written, so that no item
        is decided on twice."""
        self._skipped: dict[str, set[str]] = {}
        self._last: dict[str, list[tuple[ReviewDecision, ...]]] = {}

    def items(self, who: str, now: float) -> list[Shown]:
        """Those that wait for `who`, in the order in which they are shown.

        Args:
            now: seconds since 1970.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        plan, since = self._plan, self._since(now)
        done = self.decided(now) | self._skipped.get(who, set())
        found, _ = newest_items(
            plan.ledger, Selection(utc_text(since), photographed=True), before=None, limit=_NEWEST,
            photographs=plan.photographs,
        )  # fmt: skip
        there = [
            one for one in found if one.row["id"] not in done and not one.row["photograph_gone"]
        ]
        drawn = sorted((one for one in there if self._is_drawn(one)), key=_chance)
        others = sorted((one for one in there if not self._is_drawn(one)), key=_doubt)
        return list(_mixed(others, drawn, offset=len(done)))

    def decided(self, now: float) -> set[str]:
        """The ids of items that somebody has decided on and not taken back.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return decided_items(self._plan.ledger, self._since(now))

    def is_drawn(self, item_id: str) -> bool:
        """Whether an item is of the share that is drawn by chance. Asked when somebody decides on
        it, too: what a form says of that could be anything.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        found = find_item(self._plan.ledger, item_id)
        return found is not None and self._is_drawn(found)

    def skip(self, who: str, item_id: str) -> None:
        """Shows an item to `who` no more, until the pages are started again."""
        with self._alone:
            mine = self._skipped.setdefault(who, set())
            if len(mine) < _MOST_SKIPPED:
                mine.add(item_id)

    def note(self, who: str, decisions: Sequence[ReviewDecision]) -> None:
        """Notes what `who` decided, so that it can be taken back."""
        with self._alone:
            mine = self._last.setdefault(who, [])
            mine.append(tuple(decisions))
            del mine[:-100]

    def take_back(self, who: str) -> tuple[ReviewDecision, ...]:
        """What `who` decided last and has not taken back; empty: nothing."""
        with self._alone:
            mine = self._last.get(who, [])
            return mine.pop() if mine else ()

    def _since(self, now: float) -> float:
        return now - (self._plan.kept_days or 30.0) * _DAY_SECONDS

    def _is_drawn(self, item: ExportedItem) -> bool:
        """By the item's id alone, and only of what the station accepted, which purity is about."""
        share = CONTROL_SHARE if self._plan.kept == "all" else self._plan.share
        return bool(item.row["accepted"]) and chance_of(item.row["id"]) < share


def photographs_are_kept(plan: WebPlan) -> bool:
    """Whether the station keeps photographs of any item."""
    return plan.kept != "none" or plan.share > 0


def _chance(item: ExportedItem) -> float:
    return chance_of(item.row["id"])


def _doubt(item: ExportedItem) -> tuple[bool, float]:
    """Rejected items first, and then those of which the station was least sure."""
    return bool(item.row["accepted"]), item.row["confidence"] or 0.0


def _mixed(
    others: Sequence[ExportedItem], drawn: Sequence[ExportedItem], *, offset: int
) -> Iterator[Shown]:
    """Both, a drawn one at each CONTROL_EVERY-th place, counted from what was shown before."""
    left, control = iter(others), iter(drawn)
    for place in range(offset, offset + len(others) + len(drawn)):
        first, second = (control, left) if place % CONTROL_EVERY == 0 else (left, control)
        one = next(first, None)
        if one is None:
            one, from_control = next(second), second is control
        else:
            from_control = first is control
        yield Shown(one, from_control)
