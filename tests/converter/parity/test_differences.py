"""Differences between two models have the right value and interval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from converter.parity.differences import PairedDrop, expected_calibration_error
from edge.core.model.wilson import Z95

COUNTS = [(0, 0, 50), (1, 0, 44), (0, 1, 44), (5, 0, 300), (12, 3, 40), (9, 9, 300), (40, 2, 60)]


@pytest.mark.parametrize(("lost", "won", "total"), COUNTS)
def test_the_interval_holds_what_a_likelihood_search_cannot_refuse(
    lost: int, won: int, total: int
) -> None:
    """The interval agrees with its definition, a score test with the most likely shares."""

    def statistic(drop: float) -> float:
        # p = share of pictures only int8 gets right; p + drop = only float.
        shares = np.linspace(max(0.0, -drop), (1 - drop) / 2, 400_001)[1:-1]
        likelihood = (
            (lost * np.log(shares + drop) if lost else 0)
            + (won * np.log(shares) if won else 0)
            + (total - lost - won) * np.log(1 - 2 * shares - drop)
        )
        share = float(shares[np.argmax(likelihood)])
        return (lost - won - total * drop) / math.sqrt(total * (2 * share + drop - drop**2))

    low, high = PairedDrop(lost, won, total).interval
    assert low < (lost - won) / total < high
    assert statistic(low) == pytest.approx(Z95, abs=0.01)
    assert statistic(high) == pytest.approx(-Z95, abs=0.01)


def test_at_a_drop_of_zero_the_test_is_mcnemar_s() -> None:
    # (b - c)^2 / (b + c) = 3.84 is the bar of McNemar's test: just above it, zero is excluded.
    assert PairedDrop(31, 17, 500).interval[0] > 0  # 4.08
    assert PairedDrop(30, 17, 500).interval[0] < 0  # 3.60


def test_the_interval_turns_round_with_the_sign() -> None:
    low, high = PairedDrop(8, 3, 100).interval
    assert PairedDrop(3, 8, 100).interval == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("drop", "text"),
    [
        (PairedDrop(0, 3, 220), "+1.4 points (-0.4 to +3.9)"),
        (PairedDrop(3, 0, 220), "-1.4 points (-3.9 to +0.4)"),
        (PairedDrop(0, 0, 24), "-13.8 to +13.8 points"),
        (PairedDrop(0, 0, 6), "too few pictures to say (6)"),
    ],
)
def test_people_read_what_int8_gains(drop: PairedDrop, text: str) -> None:
    assert str(drop) == text


def test_of_nothing_anything_is_possible() -> None:
    assert PairedDrop(0, 0, 0).value == 0
    assert PairedDrop(0, 0, 0).interval == (-1.0, 1.0)


def test_where_every_pair_differs_one_way_the_interval_is_known() -> None:
    low, high = PairedDrop(10, 0, 10).interval
    assert low == pytest.approx((10 - Z95**2) / (10 + Z95**2))
    assert high == pytest.approx(1)


def test_confidence_that_means_what_it_says_has_no_calibration_error() -> None:
    # Of 1,000 pictures at 0.8, 800 are right; then 500 are.
    scores = np.tile(np.array([[0.8, 0.2]], np.float32), (1000, 1))
    truth = (np.arange(1000) >= 800).astype(np.int64)
    assert expected_calibration_error(scores, truth) == pytest.approx(0, abs=1e-6)
    truth = (np.arange(1000) >= 500).astype(np.int64)
    assert expected_calibration_error(scores, truth) == pytest.approx(0.3, abs=1e-6)
