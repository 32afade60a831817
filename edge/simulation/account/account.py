"""Counts what a simulated station does with what really passes, while it runs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.verdict import Verdict
from edge.events import Event, ItemSorted
from edge.flow import EMPTY, Actuated
from edge.simulation.account.fates import (
    Judgement,
    LaneMoves,
    LanePlace,
    Pending,
    fell_into,
    landing,
    moved_at,
)
from edge.simulation.account.spread import Spread
from edge.simulation.world import TrueItem, World
from edge.sorting.sorter import Outcome

REJECTED, NO_VERDICT = "rejected", "no verdict"
"""The columns of the confusion matrix beside the labels."""

_MARGIN_SECONDS = 5.0
"""An item is settled so long after the last actuator could have moved for it."""

_LOST_SECONDS = 120.0
"""A row that is not written so long after an item was to be settled is lost."""

Settled = Callable[[Pending, str], None]
"""Is told of each item with the lane that it fell into."""


class Account:
    """Which verdict is whose, where each item fell, and how long things took, as counts.

    `judge` and `settle` are for the sorting thread; `lane_moved` and `take_row` may be called by
    any thread. Memory does not grow with the number of items.
    """

    def __init__(
        self,
        places: Sequence[LanePlace],
        *,
        default: str,
        world: World,
        commit_seconds: float,
        settled: Settled | None = None,
    ) -> None:
        """Has counted nothing.

        Args:
            places: the station's lanes.
            default: the name of the default lane.
            world: what really passes.
            commit_seconds: how long rows may wait to be written.
            settled: is told of each item at its end; None: nobody is, and no pictures are kept.
        """
        self.places = {place.name: place for place in places}
        self._labels = {label for place in places for label in place.labels}
        self._default, self._world, self._settled = default, world, settled
        longest = max(((p.delay_seconds or 0) + (p.hold_seconds or 0) for p in places), default=0.0)
        self._horizon = longest + _MARGIN_SECONDS + 2 * commit_seconds
        self._moves = LaneMoves(places)
        self._pending: dict[int, Pending] = {}
        self._unwritten: dict[float, deque[Judgement]] = {}
        self._rows: deque[ItemSorted] = deque()
        self._moved: deque[tuple[str, float, bool]] = deque()
        self._ended: deque[Actuated] = deque()
        self._actuations: dict[str, Actuated] = {}
        """What became of the actuations for items, by the ids of their rows."""
        self.items = 0
        self.first_entered = self.last_entered = 0.0
        self.verdicts: Counter[int] = Counter()
        """Items by the number of their verdicts."""
        self.strays = 0
        """Verdicts when no item was in the picture."""
        self.unwritten = 0
        """Verdicts whose row was not written."""
        self.fallen: Counter[tuple[str, str]] = Counter()
        """Items by (true label, lane that they fell into)."""
        self.confusion: Counter[tuple[str, str]] = Counter()
        """Items by (true label, accepted label, or REJECTED or NO_VERDICT)."""
        self.rejects: Counter[str] = Counter()
        self.sorted = self.right = 0
        """Rows of items that were accepted and moved into their lane; those whose item was found in
        the right one, by somebody who looks at all of them."""
        self.landing_ms, self.after_plan_ms = Spread(), Spread()
        self.verdict_ms = Spread()
        """From the capture of the last frame to the verdict."""
        self.view_to_verdict_ms = Spread(step=1)
        """From when an item came into view to its verdict."""
        self.view_to_move_ms = Spread(step=1)
        """From when an item came into view to the move of a lane that moves at once."""

    def judge(
        self, outcome: Outcome, box: Box | None, *, now: float, picture: Image | None = None
    ) -> int | None:
        """Takes a verdict; returns the number of the item that it is of.

        Args:
            box: the item's box in the whole picture; None: it is the whole region.
            picture: the item, if pictures are kept.
        """
        if _is_empty(outcome.verdict) and EMPTY not in self._labels:
            return None
        self._learn()
        captured = outcome.frame.captured
        number = self._world.item_at(captured, box)
        judgement = Judgement(number, outcome.verdict.label, captured, now, picture)
        self._unwritten.setdefault(round(captured, 6), deque()).append(judgement)
        self.verdict_ms.add(1000 * (now - captured))
        if number in self._pending:
            self._pending[number].judgements.append(judgement)
            entered = self._pending[number].item.entered
            self.view_to_verdict_ms.add(1000 * (now - entered))
        else:
            self.strays += 1
        return number

    def take_row(self, event: Event) -> None:
        """Takes an event of the station, once its row is written."""
        if isinstance(event, ItemSorted):
            self._rows.append(event)

    def lane_moved(self, lane: str, at: float, *, active: bool) -> None:
        """Takes a move of an actuator."""
        self._moved.append((lane, at, active))

    def actuated(self, ended: Actuated) -> None:
        """Takes what became of an actuation."""
        self._ended.append(ended)

    def settle(self, now: float) -> int:
        """Counts the items for which nothing more can happen; returns how many there are."""
        self._learn()
        done = []
        for number, pending in self._pending.items():
            last = self._last_moment(pending.item)
            if now < last or (not pending.is_written and now < last + _LOST_SECONDS):
                break  # later ones are not older
            done.append(number)
        for number in done:
            self._give_up(self._pending[number])
            self._count(self._pending.pop(number))
        if not done:
            return 0
        oldest = next(iter(self._pending.values()), None)
        moment = now if oldest is None else oldest.item.entered
        self._moves.forget_before(moment)
        self._actuations = {
            row: ended for row, ended in self._actuations.items() if ended.done >= moment
        }
        return len(done)

    def _last_moment(self, item: TrueItem) -> float:
        """When nothing more can happen to an item."""
        gone = item.entered + self._world.longest_stay if item.passes is None else item.passes
        return gone + self._horizon

    def close(self) -> int:
        """Counts all items that are left; returns how many there are."""
        self._learn()
        left = len(self._pending)
        for pending in self._pending.values():
            self._count(pending)
        self._pending.clear()
        self.unwritten += sum(map(len, self._unwritten.values()))
        return left

    def _learn(self) -> None:
        """Takes in what other threads have seen."""
        for item in self._world.appeared():
            self._pending[item.number] = Pending(item)
        while self._moved:
            lane, at, active = self._moved.popleft()
            self._moves.moved(lane, at, active=active)
        while self._ended:
            ended = self._ended.popleft()
            if ended.key is not None:
                self._actuations[ended.key.id] = ended
        while self._rows:
            self._assign(self._rows.popleft())

    def _assign(self, event: ItemSorted) -> None:
        if event.reject is not None:
            self.rejects[event.reject] += 1
        key = event.monotonic
        waiting = self._unwritten.get(key) if key is not None else None
        if not waiting or key is None:
            return
        # Items of one frame get their rows in the order of their verdicts.
        judgement = next((j for j in waiting if j.label == (event.label or "")), None)
        if judgement is not None:
            judgement.row = event
            if judgement.number not in self._pending:  # a row of no item, which nobody finds
                self.sorted += self._is_sorted(judgement)
            waiting.remove(judgement)
        if not waiting:
            del self._unwritten[key]

    def _give_up(self, pending: Pending) -> None:
        """Counts the rows of an item that were lost, so that nobody waits for them."""
        for judgement in pending.judgements:
            if judgement.row is None:
                key = round(judgement.captured, 6)
                self._unwritten[key].remove(judgement)
                if not self._unwritten[key]:
                    del self._unwritten[key]
                self.unwritten += 1

    def _count(self, pending: Pending) -> None:
        item, first = pending.item, pending.first
        row = None if first is None else first.row
        actuated = None if row is None else self._actuations.get(row.id)
        if self.items == 0:
            self.first_entered = item.entered
        self.items += 1
        self.last_entered = item.entered
        self.verdicts[len(pending.judgements)] += 1
        moved = actuated is None or actuated.missed is None
        fell = fell_into(pending, self.places, self._default, self._moves, moved=moved)
        self.fallen[item.label, fell] += 1
        sorted_rows = sum(map(self._is_sorted, pending.judgements))
        self.sorted += sorted_rows
        self.right += (
            sorted_rows > 0 and fell in self.places and (item.label in self.places[fell].labels)
        )
        said = NO_VERDICT if row is None else (row.label or "") if row.accepted else REJECTED
        self.confusion[item.label, said] += 1
        found = landing(pending, self.places, self._moves, actuated)
        if found is not None:
            self.landing_ms.add(1000 * found.error_seconds)
            self.after_plan_ms.add(1000 * found.after_plan_seconds)
        if (began := moved_at(pending, self.places, self._moves)) is not None:
            self.view_to_move_ms.add(1000 * (began - item.entered))
        if self._settled is not None:
            self._settled(pending, fell)

    def _is_sorted(self, judgement: Judgement) -> bool:
        row = judgement.row
        if row is None or not row.accepted or row.missed is not None:
            return False
        actuated = self._actuations.get(row.id)
        return actuated is None or actuated.missed is None


def _is_empty(verdict: Verdict) -> bool:
    return verdict.accepted and verdict.label == EMPTY
