"""Which items a person is to look at: doubtful ones, and a share that is drawn by chance."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from edge.core.uuid7 import uuid7_seconds
from edge.events import utc_text
from edge.ledger.export.reading import find_item
from edge.ledger.upkeep.photographed import PhotographedItem, new_accepted_items, unsure_items
from edge.ledger.upkeep.reviewing import ReviewDecision, decided_items
from edge.samples.chance import chance_of
from edge.samples.photograph_store import oldest_day, photograph_file
from edge.web.plan import WebPlan

CONTROL_SHARE = 0.02
"""The share of accepted items that is drawn where photographs of all items are kept: one in 50."""
CONTROL_EVERY = 5
"""Each so many items that are shown, one is a drawn one, as long as there are any."""
MOST = 1000
"""Items that are told to wait, at most: the first ones."""
_MOST_DRAWN = 2000
"""Drawn items that are held in memory: those of the least chance."""
_DAY_SECONDS = 86400.0
_MOST_SKIPPED = 5000


class Shown(NamedTuple):
    """An item that is to be looked at."""

    id: str
    label: str | None
    """What the station took it for; None for a drawn item, of which nobody is told before they have
    answered."""
    row: int | None
    """The number of its row; None for a drawn item."""

    @property
    def drawn(self) -> bool:
        """Whether it was drawn by chance. It is shown in an order that its score has no part in, so
        that those that were looked at tell how pure the lanes are, whenever the person stops."""
        return self.row is None


class Waiting(NamedTuple):
    """What waits for a person."""

    items: Sequence[Shown]
    """In the order in which they are shown."""
    skipped: int
    """Drawn items that the person has skipped: the last ones of `items`."""


class ReviewQueue:
    """The items that are to be looked at, and what each person skipped or decided last. For any
    thread."""

    def __init__(self, plan: WebPlan) -> None:
        """Has shown nothing."""
        self._plan = plan
        self._drawn = _DrawnItems(plan)
        self._alone = threading.Lock()
        self.deciding = threading.Lock()
        """Held from the look at what is decided until the next decision is written, so that no item
        is decided on twice."""
        self._skipped: dict[str, dict[str, None]] = {}
        self._last: dict[str, list[tuple[ReviewDecision, ...]]] = {}

    def waiting(self, who: str, now: float) -> Waiting:
        """Those that wait for `who`.

        A doubtful item that `who` has skipped is left to others. A drawn one comes again after all
        others: those that are hard to tell are not to be missing from what tells how pure the
        lanes are.

        Args:
            now: seconds since 1970.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        plan, since = self._plan, self._since(now)
        begin = max(utc_text(since), oldest_day(plan.photographs) or "~")
        decided = self.decided(now)
        with self._alone:
            skipped = list(self._skipped.get(who, ()))
        drawn = self._drawn.waiting(since, decided)
        again = {one: place for place, one in enumerate(skipped)}
        later = sorted((one for one in drawn if one in again), key=again.__getitem__)
        others = unsure_items(
            plan.ledger, begin, decided.union(skipped), self._is_unsure, limit=MOST
        )
        found = _mixed(
            [Shown(one.id, one.label, one.row) for one in others],
            [Shown(one, None, None) for one in drawn if one not in again],
            offset=len(decided) + len(skipped),
        )
        items = [*islice(found, MOST - len(later)), *(Shown(one, None, None) for one in later)]
        return Waiting(items[:MOST], len(later))

    def decided(self, now: float) -> set[str]:
        """The ids of items that somebody has decided on and not taken back.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return decided_items(self._plan.ledger, self._since(now))

    def is_drawn(self, item_id: str) -> bool:
        """Whether an item is of the share that is drawn by chance: by its id alone, only of what
        the station accepted, which purity is about, and of what has a photograph, by which a person
        can judge. Asked when somebody decides on it, too: what a form says of that could be
        anything.

        Raises:
            UsageError: it is no id.
            LedgerError: the ledger cannot be read.
        """
        if chance_of(item_id) >= drawn_share(self._plan):
            return False
        found = find_item(self._plan.ledger, item_id)
        return found is not None and bool(found.row["accepted"] and found.row["photograph"])

    def skip(self, who: str, item_id: str) -> None:
        """Notes that `who` does not want to decide on an item now, until the pages are started
        again."""
        with self._alone:
            mine = self._skipped.setdefault(who, {})
            mine.pop(item_id, None)
            if len(mine) < _MOST_SKIPPED:
                mine[item_id] = None

    def note(self, who: str, decisions: Sequence[ReviewDecision]) -> None:
        """Notes what `who` decided, so that it can be taken back."""
        with self._alone:
            mine = self._last.setdefault(who, [])
            mine.append(tuple(decisions))
            del mine[:-100]

    def take_back(self, who: str) -> tuple[ReviewDecision, ...]:
        """What `who` decided last and has not taken back; empty: nothing."""
        self._drawn.look_again()
        with self._alone:
            mine = self._last.get(who, [])
            return mine.pop() if mine else ()

    def _since(self, now: float) -> float:
        """Before when no item is looked at: its photograph is too old. In seconds since 1970."""
        return now - (self._plan.kept_days or 30.0) * _DAY_SECONDS

    def _is_unsure(self, item: PhotographedItem) -> bool:
        """Whether it can be shown as one of those that were not drawn."""
        drawn = item.accepted and chance_of(item.id) < drawn_share(self._plan)
        return not drawn and _has_file(self._plan, item.id)


class _DrawnItems:
    """The drawn items of a ledger by their chance, which lies in their ids. They are held in
    memory, so that each look reads only the rows that are new. For any thread."""

    def __init__(self, plan: WebPlan) -> None:
        self._plan = plan
        self._alone = threading.Lock()
        self._found: list[tuple[float, str]] = []
        self._row = 0
        """The newest row that was read."""
        self._more = self._cut = False
        """Whether there are more to look at than are held, and whether any is not held."""

    def waiting(self, since: float, decided: Collection[str]) -> list[str]:
        """The ids of those from a time on that nobody has decided on, in their order."""
        with self._alone:
            left = sum(1 for _, one in self._found if one not in decided)
            if self._more and left < _MOST_DRAWN // 2:
                self._start_anew()
            self._read(since, decided)
            found = [one for _, one in self._found if one not in decided]
        return [one for one in found if _has_file(self._plan, one) and uuid7_seconds(one) >= since]

    def look_again(self) -> None:
        """Somebody takes a decision back, perhaps on one that is held no more."""
        with self._alone:
            if self._cut:
                self._start_anew()

    def _start_anew(self) -> None:
        self._found, self._row = [], 0
        self._more = self._cut = False

    def _read(self, since: float, decided: Collection[str]) -> None:
        share, begin = drawn_share(self._plan), utc_text(since)
        if share <= 0:
            return
        new, newest = new_accepted_items(self._plan.ledger, begin, self._row)
        if newest < self._row:  # another ledger lies there now
            self._start_anew()
            new, newest = new_accepted_items(self._plan.ledger, begin, 0)
        self._row = newest
        chances = ((chance_of(one), one) for one in new)
        self._found += [found for found in chances if found[0] < share]
        self._found.sort()
        if len(self._found) > _MOST_DRAWN:
            left = [found for found in self._found if found[1] not in decided]
            self._found, self._cut = left[:_MOST_DRAWN], True
            self._more = self._more or len(left) > _MOST_DRAWN


def drawn_share(plan: WebPlan) -> float:
    """The share of accepted items that is drawn by chance, 0 to 1."""
    return CONTROL_SHARE if plan.kept == "all" else plan.share


def photographs_are_kept(plan: WebPlan) -> bool:
    """Whether the station keeps photographs of any item."""
    return plan.kept != "none" or plan.share > 0


def _has_file(plan: WebPlan, item_id: str) -> bool:
    """Whether the photograph of an item is still there."""
    try:
        return (plan.photographs / photograph_file(item_id)).is_file()
    except ValueError:  # somebody wrote into the ledger by hand
        return False


def _mixed(others: Sequence[Shown], drawn: Sequence[Shown], *, offset: int) -> Iterator[Shown]:
    """Both, a drawn one at each CONTROL_EVERY-th place, counted from what was shown before."""
    left, control = iter(others), iter(drawn)
    for place in range(offset, offset + len(others) + len(drawn)):
        first, second = (control, left) if place % CONTROL_EVERY == 0 else (left, control)
        one = next(first, None)
        yield next(second) if one is None else one
