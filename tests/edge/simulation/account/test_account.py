"""The account of a simulated run does not grow with its items, whatever becomes of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from edge.core.images.preprocess import Box
from edge.core.verdict import Verdict
from edge.flow import Frame, ItemInFrame
from edge.simulation.account.account import Account
from edge.simulation.account.fates import LanePlace
from edge.simulation.world import TrueItem
from edge.sorting.sorter import Outcome
from tests.edge.simulation.account.test_fates import row

IMAGE = np.zeros((8, 8, 3), np.uint8)


class Belt:
    """A world in which somebody lays items down."""

    kind, count, rate, items_from, metres_per_second = "belt", 9, 1.0, "drawn", None
    longest_stay = 0.0

    def __init__(self) -> None:
        self.laid: list[TrueItem] = []

    def lay(self, number: int) -> None:
        at = float(number)
        self.laid.append(TrueItem(number, "can", "", entered=at, passes=at))

    def appeared(self) -> Iterator[TrueItem]:
        while self.laid:
            yield self.laid.pop()

    def item_at(self, moment: float, box: Box | None) -> int | None:
        return round(moment)


def outcome(at: float) -> Outcome:
    frame = Frame(IMAGE, at, round(at))
    return Outcome(
        item=round(at), verdict=Verdict("can", 1.0, {}, "m", "d"), frame=frame, box=None, first=at,
        passed=at, frames=3, deciding=frame, sharpest=ItemInFrame(frame, None), closes=None,
    )  # fmt: skip


def test_an_item_whose_row_is_lost_holds_up_those_behind_it_for_a_while_only() -> None:
    places = [LanePlace("cans", ("can",), None, None), LanePlace("rest", (), None, None)]
    belt = Belt()
    account = Account(places, default="rest", world=belt, commit_seconds=0.0)  # type: ignore[arg-type]
    settled, told = [], 0
    for number in range(1, 301):
        at = float(number)
        belt.lay(number)
        account.judge(outcome(at), None, now=at)
        if number != 3:  # its row is never written
            account.take_row(replace(row("cans"), monotonic=at))
        told += account.settle(at)
        assert told == account.items
        settled.append(account.items)
    assert settled[100] == 2
    assert settled[-1] > 250
    assert told + account.close() == account.items == 300
    assert account.unwritten == 1
    assert account.confusion == {("can", "can"): 299, ("can", "no verdict"): 1}
