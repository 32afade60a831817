"""The interval of a share over several trainings is as wide as groups and trainings make it."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.model.wilson import wilson
from trainer.statistics.intervals import NOTHING, Figure
from trainer.statistics.several_trainings import share_of_trainings


def ends(figure: Figure) -> tuple[float, float]:
    assert figure.interval is not None
    return figure.interval


def test_pictures_of_a_group_make_it_wider_than_independent_ones() -> None:
    """As of the bottles: 458 pictures in runs of twenty, 89.3 % right, the errors in few runs."""
    right = np.ones(458, bool)
    right[:49] = False
    folds = np.arange(458) % 5  # which the errors do not tell apart
    groups = [str(i // 20) for i in range(458)]
    low, high = ends(share_of_trainings(right, groups, folds, overlap=1 / 4))
    alone_low, alone_high = wilson(409 / 458, 458)
    assert high - low > 2 * (alone_high - alone_low)


def test_repeats_of_the_same_pictures_are_no_new_pictures() -> None:
    right = np.arange(200) % 10 != 0
    groups = [str(i) for i in range(200)]
    once = ends(share_of_trainings(right, groups, [0] * 200, overlap=0.0))
    often = ends(share_of_trainings(np.tile(right, 6), groups * 6, [0] * 1200, overlap=0.0))
    assert often[1] - often[0] > 0.9 * (once[1] - once[0])


def test_folds_that_differ_make_it_as_wide_as_nadeau_and_bengio_say() -> None:
    """Five folds of 100: the standard deviation is 5 points, as of the bottles."""
    means = np.array([0.83, 0.865, 0.89, 0.915, 0.96])
    right = np.concatenate([np.arange(100) < round(100 * mean) for mean in means])
    folds = np.repeat(range(5), 100)
    low, high = ends(share_of_trainings(right, list(map(str, range(500))), folds, overlap=1 / 4))
    shares = [right[folds == fold].mean() for fold in range(5)]
    half = 2.776 * np.std(shares, ddof=1) * np.sqrt(1 / 5 + 1 / 4)
    assert high - low == pytest.approx(2 * half, rel=0.05)
    # The figure is nearer to 1 than to 0, and so is the end that is nearer to it.
    assert right.mean() - low > high - right.mean()
    plain = ends(share_of_trainings(right, list(map(str, range(500))), folds, overlap=0.0))
    assert plain[1] - plain[0] < high - low


@pytest.mark.parametrize("wrong", [0, 1, 4])
@pytest.mark.parametrize("series", [1, 20])
def test_it_never_leaves_what_a_share_can_be(wrong: int, series: int) -> None:
    right = np.arange(60) >= wrong
    groups = [str(i // series) for i in range(60)]
    for shares in (right, right.astype(float)):
        low, high = ends(share_of_trainings(shares, groups, np.arange(60) // 20, overlap=1 / 8))
        assert 0 < low < shares.mean() <= high <= 1


def test_shares_of_several_tries_vary_less_than_right_and_wrong() -> None:
    rng = np.random.default_rng(0)
    shares = rng.binomial(18, 0.7, 300) / 18
    groups = list(map(str, range(300)))
    low, high = ends(share_of_trainings(shares, groups, [0] * 300, overlap=0.0))
    half = 1.96 * np.sqrt(0.7 * 0.3 / 18 / 300)
    assert high - low == pytest.approx(2 * half, rel=0.15)
    assert low < shares.mean() < high


def test_of_no_pictures_nothing_is_told() -> None:
    assert share_of_trainings(np.zeros(0, bool), [], [], overlap=0.1) == NOTHING


@pytest.mark.parametrize(("series", "spread"), [(1, 0.0), (5, 0.0), (1, 0.04), (5, 0.04)])
def test_it_holds_the_true_share_95_times_in_100(series: int, spread: float) -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        tendency = np.repeat(rng.normal(0, 1, 300 // series), series)
        fold_of = np.repeat(rng.permutation(300 // series) % 5, series)
        shift = rng.normal(0, spread, 5)[fold_of] / 0.175
        # 90 % of such pictures are right: the 90 % point of the normal distribution is 1.2816.
        right = tendency < 1.2816 + shift
        groups = [str(i // series) for i in range(300)]
        low, high = ends(share_of_trainings(right, groups, fold_of, overlap=1 / 4))
        held += low <= 0.9 <= high
    assert held >= 190
