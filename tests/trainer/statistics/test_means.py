"""An interval of a mean covers the truth as often as it says, where pictures come in groups too."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.statistics.intervals import NOTHING
from trainer.statistics.means import difference, mean_of


def test_of_single_pictures_it_is_student_s() -> None:
    found = mean_of(np.array([1.0, 2.0, 3.0, 4.0]), ["a", "b", "c", "d"])
    assert found is not None
    assert found.figure.value == 2.5
    half = 3.1824 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert found.figure.interval == pytest.approx((2.5 - half, 2.5 + half), abs=1e-3)


@pytest.mark.parametrize("series", [1, 10])
def test_it_covers_the_difference_of_two_means(series: int) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        samples = []
        for shift in (0.0, 0.5):
            values = np.repeat(rng.normal(shift, 1, 30), series) + rng.normal(0, 0.1, 30 * series)
            samples.append(mean_of(values, [str(i // series) for i in range(len(values))]))
        low, high = difference(samples[1], samples[0]).interval or (0.0, 0.0)
        covered.append(low <= 0.5 <= high)
    assert 0.91 <= np.mean(covered) <= 0.99


def test_one_group_gives_no_interval_and_no_pictures_nothing() -> None:
    one = mean_of(np.array([1.0, 2.0]), ["a", "a"])
    assert one is not None
    assert (one.figure.value, one.figure.interval) == (1.5, None)
    assert mean_of(np.zeros(0), []) is None
    assert difference(one, None) == NOTHING
