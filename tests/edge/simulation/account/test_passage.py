"""Which lane an item falls into."""

from __future__ import annotations

import pytest

from edge.simulation.account.passage import Flap, Interval, lane_of


@pytest.mark.parametrize(
    ("first", "second", "lane"),
    [
        ([], [], "end"),
        ([(11.9, 12.1)], [], "first"),
        ([], [(12.9, 13.1)], "second"),
        # Both are out as it passes: it never comes to the second.
        ([(11.9, 12.1)], [(12.9, 13.1)], "first"),
        # Out too late, or drawn in too early: just as if it had not moved.
        ([(12.001, 12.3)], [], "end"),
        ([(11.8, 12.0)], [], "end"),
        ([(12.0, 12.3)], [], "first"),
        # Still out from the item before.
        ([(11.0, 12.01)], [(12.9, 13.1)], "first"),
    ],
)
def test_the_first_flap_that_is_out_takes_the_item(
    first: list[Interval], second: list[Interval], lane: str
) -> None:
    flaps = [Flap("first", 2.0, first), Flap("second", 3.0, second)]
    assert lane_of(lambda seconds: 10.0 + seconds, flaps, end="end") == lane
