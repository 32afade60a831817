"""Percentiles of many values in little memory."""

from __future__ import annotations

import pytest

from edge.simulation.account.spread import Spread


def spread(*values: float, step: float = 0.01) -> Spread:
    found = Spread(step=step)
    for value in values:
        found.add(value)
    return found


@pytest.mark.parametrize(
    ("values", "percent", "value"),
    [
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([1.0, 2.0], 50, 1.0),
        ([1.0, 2.0], 51, 2.0),
        ([1.0] * 99 + [7.0], 99, 1.0),
        ([1.0] * 98 + [7.0] * 2, 99, 7.0),
        ([5.0], 0, 5.0),
        ([-4.0, 4.0], 50, -4.0),
        ([], 50, None),
    ],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], percent: float, value: float | None
) -> None:
    assert spread(*values).percentile(percent) == value


def test_a_value_is_rounded_to_the_step() -> None:
    assert spread(0.123, step=0.1).percentile(50) == pytest.approx(0.1)
    assert spread(-0.001).to_json() == {"count": 1, "p50": 0, "p95": 0, "p99": 0, "max": 0}


def test_the_magnitudes_of_an_error_to_both_sides_are_joined() -> None:
    found = spread(-3.0, 3.0, 1.0).magnitudes()
    assert (len(found), found.percentile(50), found.percentile(100)) == (3, 3.0, 3.0)


def test_another_unit_is_a_factor() -> None:
    assert spread(2.5, 7.5).scaled(0.8).percentile(100) == pytest.approx(6.0)


def test_bins_have_all_values() -> None:
    found = spread(*(number / 100 for number in range(100)))
    bins = found.bins(7)
    assert len(bins) == 7
    assert sum(count for _, _, count in bins) == 100
    assert (bins[0][0], bins[0][1]) == (0, 0.15)
    assert spread().bins(7) == []
    assert spread(2.0).bins(7) == [(2.0, 2.01, 1)]
