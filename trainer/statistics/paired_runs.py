"""Whether one way to train is better than another, by trainings with the same splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.statistics.means import clustered_variance

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""The confidence of the intervals, and one less it the share of false differences."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The accuracy of one way less that of another, on the same pictures with the same seeds."""

    value: float
    """-1..1."""
    interval: tuple[float, float]
    """95 %, not corrected for the number of comparisons."""
    p: float
    """The probability of so large a difference, either way, if there were none."""


def paired_difference(
    changes: Floats, groups: Sequence[str], trainings: Sequence[int], *, overlap: float = 0.0
) -> Difference:
    """The mean of `changes` with its interval, over pictures and over trainings.

    Two things vary. Pictures of one group are right or wrong together, also in the splits of
    several seeds; and a training with another seed comes out a little better or worse on all
    pictures. So there are two tests, and the one that shows less counts: Student's t over the
    groups of pictures, and over the mean differences of the trainings. (One variance of both,
    clustered both ways, called up to one in nine comparisons of a way with itself a difference,
    because that of a few seeds is often estimated near 0.) With a single seed nothing is known of
    the latter.

    The trainings of the folds of a cross-validation share most of their pictures, so that their
    differences vary less than those of new pictures would: their variance is multiplied by
    1 + n * overlap. Source: C. Nadeau and Y. Bengio, Inference for the generalization error,
    Machine Learning 52 (2003), the corrected resampled t-test.

    Args:
        changes: (pictures,), 1 where only the first way is right, -1 where only the other is, and 0
            where both agree; a picture counts once for each training that is tested on it.
        groups: the group of each picture, the same in all trainings.
        trainings: the number of each picture's training: of its seed, or of its fold.
        overlap: of folds, the pictures that are tested on for each one that is trained on.
    """
    mean = float(changes.mean())
    of = np.unique(list(trainings), return_inverse=True)[1]
    means = np.bincount(of, weights=changes) / np.bincount(of)
    variance, count = clustered_variance(changes, groups)
    tests = [_student(mean, variance, count)]
    if len(means) > 1 and np.ptp(means) > 0:
        between = float(np.var(means, ddof=1)) * (1 / len(means) + overlap)
        tests.append(_student(mean, between, len(means)))
    half = max(half for half, _ in tests)
    p = max(p for _, p in tests)
    return Difference(mean, (max(-1.0, mean - half), min(1.0, mean + half)), p)


def _student(mean: float, variance: float, count: int) -> tuple[float, float]:
    """(half the interval's width, the p value) of a mean over so many independent parts."""
    from scipy.special import stdtr, stdtrit

    if variance == 0:
        # All parts agree: as little as one that does not, of as many, is not excluded, and by
        # chance as many would all go one way with this probability.
        half = 1 - (1 - CONFIDENCE) ** (1 / count)
        return half, 1.0 if mean == 0 else min(1.0, 2 * 0.5**count)
    if count < 2:
        return 1.0, 1.0
    deviation = math.sqrt(variance)
    half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * deviation
    return half, 2 * float(stdtr(count - 1, -abs(mean) / deviation))


def holm(values: Sequence[float]) -> list[float]:
    """The p values, corrected for their number so that one in twenty families has a false one.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979).
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    corrected = [1.0] * len(values)
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[index]))
        corrected[index] = highest
    return corrected
