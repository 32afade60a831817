"""When a flap stood out, and which row of the ledger is an item's own."""

from __future__ import annotations

import math

import pytest

from deploy.demo.passage import match_rows, times_out
from edge.core.images.preprocess import Box
from edge.simulation.account.passage import Interval
from edge.simulation.belt.traffic import GroundTruth


def item(number: int, centred: float, *, label: str = "can", half_view: float = 0.5) -> GroundTruth:
    return GroundTruth(
        item=number,
        label=label,
        source="",
        cut="drawn",
        entered=centred - half_view,
        centred=centred,
        left=centred + half_view,
        box=Box(100, 50, 80, 60),
        pixels_per_second=320,
    )


@pytest.mark.parametrize(
    ("changes", "out"),
    [
        ([], []),
        ([(1.0, 1.0), (1.5, 0.0)], [(1.0, 1.5)]),
        ([(0.5, 0.0), (1.0, 1.0), (1.2, 1.0), (1.5, 0.0)], [(1.0, 1.5)]),
        ([(1.0, 1.0), (1.5, 0.0), (3.0, 1.0), (4.0, 0.0)], [(1.0, 1.5), (3.0, 4.0)]),
        # Never drawn in again.
        ([(1.0, 1.0)], [(1.0, math.inf)]),
    ],
)
def test_a_flap_is_out_from_one_change_to_the_next(
    changes: list[tuple[float, float]], out: list[Interval]
) -> None:
    assert times_out(changes, rest=0.0, active=1.0) == out


def test_a_flap_may_be_out_at_a_low_level_or_with_a_turned_arm() -> None:
    assert times_out([(1, 0.0), (2, 1.0)], rest=1.0, active=0.0) == [(1, 2)]
    arm = [(0.0, 0.05), (1.0, 0.07), (1.2, 0.09), (2.0, 0.05)]
    assert times_out(arm, rest=0.05, active=0.10) == [(1.2, 2.0)]


@pytest.mark.parametrize(
    ("times", "missing", "repeated", "strays"),
    [
        ([10.0, 12.0, 14.0], [], [], []),
        # Anywhere in view will do.
        ([9.51, 12.49, 14.2], [], [], []),
        ([10.0, 14.0], [2], [], []),
        ([10.0, 10.1, 12.0, 14.0], [], [1], []),
        # One too many for the first makes up for none of the second.
        ([10.0, 10.1, 14.0], [2], [1], []),
        ([10.0, 11.0, 12.0, 14.0], [], [], [1]),
        ([9.4, 12.0, 14.0], [1], [], [0]),
        ([], [1, 2, 3], [], []),
    ],
)
def test_every_item_needs_one_row_of_its_own(
    times: list[float], missing: list[int], repeated: list[int], strays: list[int]
) -> None:
    found = match_rows([item(1, 10), item(2, 12), item(3, 14)], times)
    assert (found.missing, found.repeated, list(found.strays)) == (missing, repeated, strays)
    assert found.one_each is not bool(missing or repeated or strays)


def test_of_two_items_in_view_a_row_is_of_the_one_nearer_the_middle() -> None:
    crowded = [item(1, 10.0), item(2, 10.6)]
    assert match_rows(crowded, [9.9, 10.4]).rows == {1: (0,), 2: (1,)}
    # Both verdicts came for the first: the second item has none.
    assert match_rows(crowded, [9.9, 10.2]).missing == [2]
