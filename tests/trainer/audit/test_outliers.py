"""What is far from its class is odd; rare copies do not vouch for one another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.audit.outliers import find_outliers


def ring(count: int, direction: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    points = rng.normal(0, 0.1, (count, 16))
    points[:, direction] += 1
    return points.astype(np.float32)


def test_the_stranger_is_found_in_its_own_class_only() -> None:
    rng = np.random.default_rng(0)
    features = np.concatenate([ring(40, 0, rng), ring(40, 1, rng), ring(1, 1, rng)])
    truth = np.array([0] * 40 + [1] * 40 + [0])  # the last looks like the other class
    found = find_outliers(features, truth, np.arange(81))
    assert found[0].index == 80
    assert found[0].score > 10
    assert all(outlier.score <= found[0].score for outlier in found)
    assert len(found) <= 3


def test_copies_of_a_stranger_do_not_make_it_usual() -> None:
    rng = np.random.default_rng(1)
    stranger = np.repeat(ring(1, 5, rng), 8, axis=0)
    features = np.concatenate([ring(60, 0, rng), stranger])
    truth, groups = np.zeros(68, np.int64), np.array([*range(60), *[99] * 8])
    outlier = {found.index for found in find_outliers(features, truth, groups)}
    assert set(range(60, 68)) <= outlier
    apart = {found.index for found in find_outliers(features, truth, np.arange(68))}
    assert not set(range(60, 68)) & apart


def test_of_few_pictures_nobody_can_tell() -> None:
    rng = np.random.default_rng(2)
    features = np.concatenate([ring(10, 0, rng), ring(1, 3, rng)])
    assert find_outliers(features, np.zeros(11, np.int64), np.arange(11)) == ()
