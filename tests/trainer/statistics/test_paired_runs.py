"""Ways that are the same are told apart as seldom as promised, and ways that are not, often."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from trainer.statistics.paired_runs import Difference, paired_difference

DRAWS = 400
"""Comparisons of a way with itself. The wider of two intervals is wrong less often than one time in
20, so that no more than that are found among so many."""


def drawn(
    rng: np.random.Generator,
    *,
    gain: float = 0.0,
    seeds: int = 3,
    spread: float = 0.005,
    series: int = 1,
) -> Difference:
    """Two ways, trained with so many seeds each, on 6,000 pictures of which each seed tests 1,000.

    So many, because with few what chance does to pictures hides what it does to trainings.

    Args:
        gain: how much more of all pictures the first way gets right.
        spread: of the accuracy of one way from training to training.
        series: pictures of a group, which are right or wrong together.
    """
    hard = np.repeat(rng.normal(0, 1, 6000 // series), series)
    changes, groups, of = [], [], []
    for seed in range(seeds):
        tested = rng.choice(6000 // series, 1000 // series, replace=False)
        pictures = (tested[:, None] * series + np.arange(series)).ravel()
        right = []
        for way in (gain, 0.0):
            # One in ten is wrong; what a training finds hard is in part its own.
            own = np.repeat(rng.normal(0, 0.7, len(tested)), series)
            ease = (hard[pictures] + own) / np.hypot(1, 0.7)
            accuracy = 0.9 + way + rng.normal(0, spread)
            right.append(ease < ndtri(min(0.999, accuracy)))
        changes.append(right[0].astype(float) - right[1])
        groups += [str(i // series) for i in pictures]
        of += [seed] * len(pictures)
    return paired_difference(np.concatenate(changes), groups, of, overlap=1 / 8)


@pytest.mark.parametrize(
    ("seeds", "series", "spread"),
    [(3, 1, 0.005), (3, 1, 0.02), (5, 1, 0.01), (3, 5, 0.01)],
)
def test_of_the_same_way_95_of_100_comparisons_show_no_difference(
    seeds: int, series: int, spread: float
) -> None:
    rng = np.random.default_rng(0)
    found = [drawn(rng, seeds=seeds, series=series, spread=spread) for _ in range(DRAWS)]
    assert np.mean([each.p < 0.05 for each in found]) <= 0.05
    within = [each.interval[0] <= 0 <= each.interval[1] for each in found]
    assert within == [each.p >= 0.05 for each in found]


def drawn_folds(
    rng: np.random.Generator, *, gain: float = 0.0, repeats: int = 1, spread: float = 0.01
) -> Difference:
    """Two ways, cross-validated in 5 folds on 500 pictures in series of 5.

    What a training learned is in part that of its pictures, which it shares with those of the other
    folds: so is a part of what makes it better or worse than another one, on all pictures.
    """
    hard = np.repeat(rng.normal(0, 1, 100), 5)
    shared = rng.normal(0, spread / 2, 2)
    changes, groups, of = [], [], []
    for repeat in range(repeats):
        fold_of = np.repeat(rng.permutation(np.arange(100) % 5), 5)
        for fold in range(5):
            tested = np.flatnonzero(fold_of == fold)
            right = []
            for way, more in ((gain, shared[0]), (0.0, shared[1])):
                own = np.repeat(rng.normal(0, 0.7, len(tested) // 5), 5)
                accuracy = 0.88 + way + more + rng.normal(0, spread)
                right.append((hard[tested] + own) / np.hypot(1, 0.7) < ndtri(min(0.999, accuracy)))
            changes.append(right[0].astype(float) - right[1])
            groups += [str(i // 5) for i in tested]
            of += [5 * repeat + fold] * len(tested)
    return paired_difference(np.concatenate(changes), groups, of, overlap=1 / 4)


@pytest.mark.parametrize("repeats", [1, 4])
@pytest.mark.parametrize("spread", [0.01, 0.04])
def test_of_the_same_way_95_of_100_cross_validations_show_no_difference(
    repeats: int, spread: float
) -> None:
    rng = np.random.default_rng(0)
    found = [drawn_folds(rng, repeats=repeats, spread=spread) for _ in range(DRAWS)]
    assert np.mean([each.p < 0.05 for each in found]) <= 0.05


def test_a_better_way_is_found_by_cross_validation() -> None:
    rng = np.random.default_rng(1)
    found = [drawn_folds(rng, gain=0.1, repeats=4) for _ in range(20)]
    assert np.mean([each.interval[0] > 0 for each in found]) > 0.6


def test_folds_that_share_pictures_are_corrected_as_nadeau_and_bengio_say() -> None:
    """Ten accuracies of folds; the t value is that of the formula, worked out by hand."""
    means = np.array([0.02, 0.04, 0.01, 0.03, 0.05, 0.02, 0.03, 0.01, 0.04, 0.02])
    changes = np.repeat(means, 4)
    plain, corrected = (
        # Each picture is its own group, and all of a fold agree: the folds alone decide.
        paired_difference(changes, [str(i) for i in range(40)], np.repeat(range(10), 4), overlap=o)
        for o in (0.0, 1 / 4)
    )
    # The variance of the means is 0.000179: 0.027 / sqrt(0.000179 * (1/10 + 1/4)) is t = 3.412.
    assert corrected.p == pytest.approx(0.00772, abs=2e-5)
    assert corrected.value == plain.value == pytest.approx(0.027)
    assert plain.p < corrected.p


def test_a_better_way_is_found_with_enough_pictures_and_seeds() -> None:
    rng = np.random.default_rng(1)
    found = [drawn(rng, gain=0.04, seeds=5) for _ in range(20)]
    assert np.mean([each.interval[0] > 0 for each in found]) > 0.9
    assert np.mean([each.value for each in found]) == pytest.approx(0.04, abs=0.01)


def test_trainings_that_differ_widely_show_less_than_their_pictures_say() -> None:
    """On each seed the first way is surely better or surely worse, by chance of the training."""
    changes = np.concatenate([np.full(100, change) for change in (0.2, -0.15, 0.1)])
    changes += np.random.default_rng(0).normal(0, 0.1, 300)
    groups = [str(i) for i in range(300)]
    apart = paired_difference(changes, groups, [i // 100 for i in range(300)], overlap=0.0)
    alone = paired_difference(changes, groups, [0] * 300, overlap=0.0)
    assert alone.p < 0.001
    assert apart.p > 0.2


def test_where_all_agree_there_is_no_difference() -> None:
    found = paired_difference(np.zeros(60), [str(i) for i in range(60)], [0] * 60, overlap=0.0)
    assert (found.value, found.p) == (0, 1)
    assert found.interval == pytest.approx((-0.049, 0.049), abs=1e-3)


def test_where_all_pictures_change_alike_the_difference_is_sure() -> None:
    groups = [str(i) for i in range(300)]
    found = paired_difference(np.ones(300), groups, [0] * 300, overlap=0.0)
    assert found.value == 1
    assert found.p < 1e-9
    # Of one group of alike pictures nothing is sure.
    assert paired_difference(np.ones(300), ["one"] * 300, [0] * 300, overlap=0.0).p == 1


@pytest.mark.parametrize("count", [3, 4, 6, 12, 60])
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("pairs", [1, 6])
def test_the_interval_and_the_p_value_say_the_same(count: int, share: float, pairs: int) -> None:
    """Also where all groups change alike, so that nothing varies."""
    rng = np.random.default_rng(count)
    alike = np.tile(np.arange(10) < 10 * share, count).astype(float)
    varied = alike * rng.choice([1, -1], len(alike), p=[0.7, 0.3])
    groups = [str(i // 10) for i in range(len(alike))]
    for changes in (alike, -alike, varied):
        found = paired_difference(changes, groups, [0] * len(groups), overlap=0.0, pairs=pairs)
        low, high = found.interval
        assert found.sure == (not low <= 0 <= high)
        assert found.corrected == pytest.approx(min(1, pairs * found.p))


def test_of_many_pairs_the_interval_is_wider() -> None:
    """One of 25 independent groups against, of which two in three change: by hand."""
    changes = np.array([1.0] * 15 + [-1.0] * 5 + [0.0] * 5)
    groups = [str(i) for i in range(25)]
    one, six = (
        paired_difference(changes, groups, [0] * 25, overlap=0.0, pairs=pairs) for pairs in (1, 6)
    )
    # The standard error is 0.1633; t of 24 at 0.05 and at 0.05 / 6 is 2.064 and 2.875.
    assert one.interval == pytest.approx((0.4 - 0.337, 0.4 + 0.337), abs=2e-3)
    assert six.interval == pytest.approx((0.4 - 0.470, 0.4 + 0.470), abs=2e-3)
    assert one.sure
    assert not six.sure
