"""Intervals are as wide as the groups make them."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.model.metrics import Share, paired_interval
from trainer.statistics.intervals import NOTHING, Resampling, share_difference, students_t


def mask(right: int, total: int) -> np.ndarray:
    return np.arange(total) < right


def width(figure: object) -> float:
    low, high = figure.interval  # type: ignore[attr-defined]
    return high - low


@pytest.mark.parametrize(("right", "total"), [(0, 7), (7, 7), (30, 33), (81, 263)])
def test_of_independent_pictures_the_interval_is_wilsons(right: int, total: int) -> None:
    found = Resampling(None, total).share(mask(right, total))
    assert found.value == right / total
    assert found.interval == pytest.approx(Share(right, total).interval)


def test_groups_of_one_picture_each_are_independent() -> None:
    alone = Resampling([str(n) for n in range(40)], 40)
    assert alone.independent
    assert alone.share(mask(30, 40)) == Resampling(None, 40).share(mask(30, 40))


def test_series_of_one_object_make_the_interval_as_wide_as_their_number() -> None:
    # Twenty objects, ten pictures of each, all right or all wrong: twenty facts, not two hundred.
    groups = [str(n // 10) for n in range(200)]
    right = np.array([n // 10 < 16 for n in range(200)])
    found = Resampling(groups, 200).share(right)
    low, high = found.interval or (0, 0)
    few, many = Share(16, 20).interval, Share(160, 200).interval
    assert few is not None
    assert many is not None
    assert (low, high) == pytest.approx(few, abs=0.06)
    assert high - low > 2 * (many[1] - many[0])


def test_groups_that_are_all_alike_give_no_narrower_interval_than_none() -> None:
    # Nine of ten are right in every group: a bootstrap over groups alone would have no width.
    right = np.array([n % 10 != 0 for n in range(200)])
    found = Resampling([str(n // 10) for n in range(200)], 200).share(right)
    assert found.interval == pytest.approx(Share(180, 200).interval)


def test_where_all_are_right_the_groups_count_and_not_the_pictures() -> None:
    found = Resampling([str(n // 10) for n in range(200)], 200).share(np.ones(200, bool))
    assert found.interval == pytest.approx(Share(20, 20).interval)


def test_the_difference_of_two_shares_has_a_width_where_all_are_right() -> None:
    """Newcombe's own example, 56 of 70 less 48 of 80, and the bounds of -1 and 1."""
    one, other = (
        Resampling(None, total).share(mask(right, total)) for right, total in ((56, 70), (48, 80))
    )
    found = share_difference(one, other)
    assert found.value == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)
    all_right = Resampling(None, 20).share(mask(20, 20))
    low, high = share_difference(all_right, all_right).interval or (0, 0)
    assert -0.2 < low < -0.1
    assert high == -low
    none_right = Resampling(None, 5).share(mask(0, 5))
    assert (share_difference(all_right, none_right).interval or (0, 9))[1] == 1
    assert share_difference(NOTHING, one) == NOTHING


def test_one_group_is_one_fact() -> None:
    found = Resampling(["a"] * 30, 30).share(mask(24, 30))
    low, high = found.interval or (0, 0)
    assert low < 0.2
    assert high > 0.95


def test_a_share_among_some_counts_those() -> None:
    found = Resampling(None, 10).share(mask(3, 10), among=mask(4, 10))
    assert found.interval == pytest.approx(Share(3, 4).interval)
    assert Resampling(None, 10).share(mask(3, 10), among=mask(0, 10)) == NOTHING


def test_of_nothing_there_is_no_figure() -> None:
    nothing = Resampling(None, 0)
    none = np.zeros(0, bool)
    assert nothing.share(none) == nothing.f1(none, none) == nothing.change(none, none) == NOTHING


def test_the_true_accuracy_lies_inside_about_as_often_as_said() -> None:
    """400 test splits of 12 groups, which differ much in how hard they are."""
    rng = np.random.default_rng(3)
    inside = plain_inside = 0
    for _ in range(400):
        sizes = rng.integers(3, 12, 12)
        hard = rng.beta(0.8 * 4, 0.2 * 4, 12)  # correlation 0.2 within a group
        right = np.concatenate([rng.random(s) < p for s, p in zip(sizes, hard, strict=True)])
        names = np.repeat(np.arange(12), sizes).astype(str)
        low, high = Resampling(list(names), len(names), seed=1).share(right).interval or (1, 0)
        inside += low <= 0.8 <= high
        low, high = Share(int(right.sum()), len(right)).interval or (1, 0)
        plain_inside += low <= 0.8 <= high
    assert inside >= 0.91 * 400
    assert plain_inside < 0.85 * 400, "the pictures of a group are alike: Wilson's is too narrow"


def test_f1_is_the_harmonic_mean_with_a_bootstrap_interval() -> None:
    is_label = np.array([True] * 50 + [False] * 50)
    taken = np.array([True] * 40 + [False] * 55 + [True] * 5)
    found = Resampling(None, 100).f1(is_label, taken)
    precision, recall = 40 / 45, 40 / 50
    assert found.value == pytest.approx(2 * precision * recall / (precision + recall))
    low, high = found.interval or (0, 0)
    assert low < found.value < high
    # The delta method's standard error is 0.036 or so: about 0.14 wide.
    assert 0.10 < high - low < 0.18


def test_f1_without_a_mistake_is_bounded_by_what_precision_and_recall_may_be() -> None:
    is_label = mask(20, 60)
    found = Resampling(None, 60).f1(is_label, is_label)
    low = (Share(20, 20).interval or (0, 0))[0]
    assert found.value == 1
    assert found.interval == pytest.approx((low, 1))


def test_f1_of_a_label_that_is_never_right() -> None:
    found = Resampling(None, 60).f1(mask(20, 60), np.zeros(60, bool))
    assert found.value == 0
    assert found.interval is not None
    assert found.interval[0] == 0
    assert 0 < found.interval[1] < 0.2
    assert Resampling(None, 60).f1(mask(0, 60), mask(0, 60)) == NOTHING


def test_f1_of_one_group_is_nearly_anything() -> None:
    is_label, taken = np.ones(20, bool), mask(15, 20)
    found = Resampling(["a"] * 20, 20).f1(is_label, taken)
    assert found.value == pytest.approx(30 / 35)
    assert found.interval is not None
    assert found.interval[0] < 0.3
    assert found.interval[1] > 0.95


def test_f1_over_groups_is_wider() -> None:
    is_label = np.array([n % 2 == 0 for n in range(200)])
    taken = np.array([n % 2 == 0 if n // 10 < 16 else n % 2 == 1 for n in range(200)])
    grouped = Resampling([str(n // 10) for n in range(200)], 200).f1(is_label, taken)
    assert width(grouped) > 1.5 * width(Resampling(None, 200).f1(is_label, taken))


def test_a_change_is_paired() -> None:
    before, after = mask(90, 100), mask(80, 100)
    found = Resampling(None, 100).change(before, after)
    low, high = paired_interval(10, 0, 100)
    assert found.value == pytest.approx(-0.1)
    assert found.interval == pytest.approx((-high, -low))


@pytest.mark.parametrize("changed", [0, 10])
def test_a_change_over_groups_is_never_narrower(changed: int) -> None:
    before, after = mask(90, 100), mask(90 - changed, 100)
    plain = Resampling(None, 100).change(before, after)
    grouped = Resampling([str(n // 10) for n in range(100)], 100).change(before, after)
    assert grouped.value == plain.value
    assert width(grouped) > 1.5 * width(plain)


def test_the_same_seed_gives_the_same_interval() -> None:
    groups = [str(n // 7) for n in range(100)]
    first, again = (Resampling(groups, 100, seed=4).share(mask(61, 100)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (30, 2.042)]
)
def test_student_s_t_is_that_of_the_tables(freedom: int, value: float) -> None:
    assert students_t(freedom) == pytest.approx(value, abs=0.0005)


def test_groups_must_be_as_many_as_the_pictures() -> None:
    with pytest.raises(ValueError, match="Received: 3"):
        Resampling(["a"] * 3, 4)
