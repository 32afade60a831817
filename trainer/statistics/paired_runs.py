"""Whether one way to train is better than another, by trainings with the same splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.statistics.intervals import students_t
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
    """95 %; of several pairs, so wide that those of all hold together 95 times in 100."""
    p: float
    """The probability of so large a difference, either way, if there were none."""
    corrected: float
    """The same, corrected for the number of pairs; below 0.05 where the interval is without 0."""

    @property
    def sure(self) -> bool:
        """Whether they differ by more than chance explains."""
        return self.corrected < 1 - CONFIDENCE

    @property
    def turned(self) -> Difference:
        """The accuracy of the other way less that of the one."""
        low, high = self.interval
        return Difference(-self.value, (-high, -low), self.p, self.corrected)


def paired_difference(
    changes: Floats,
    groups: Sequence[str],
    trainings: Sequence[int],
    *,
    overlap: float,
    pairs: int = 1,
) -> Difference:
    """The mean of `changes` with its interval, over pictures and over trainings.

    Two things vary. Pictures of one group are right or wrong together, also in the splits of
    several seeds; and a training with another seed comes out a little better or worse on all
    pictures. So there are two tests, and the one that shows less counts: Student's t over the
    groups of pictures, and over the mean differences of the trainings. (One variance of both,
    clustered both ways, called up to one in nine comparisons of a way with itself a difference,
    because that of a few seeds is often estimated near 0.) With a single seed nothing is known of
    the latter.

    Trainings share most of their pictures, those of the folds of a cross-validation as well as
    those of random splits, so that their differences vary less than those of new pictures would:
    their variance is multiplied by 1 + n * overlap. Source: C. Nadeau and Y. Bengio, Inference for
    the generalization error, Machine Learning 52 (2003), the corrected resampled t-test.

    Of several pairs the p value and the interval are both corrected by Bonferroni's method, so that
    they say the same.

    Args:
        changes: (pictures,), 1 where only the first way is right, -1 where only the other is, and 0
            where both agree; a picture counts once for each training that is tested on it.
        groups: the group of each picture, the same in all trainings.
        trainings: the number of each picture's training: of its seed, or of its fold.
        overlap: the pictures that a training is tested on for each one that it is trained on.
        pairs: how many pairs of ways are looked at.
    """
    doubt = (1 - CONFIDENCE) / pairs
    mean = float(changes.mean())
    of = np.unique(list(trainings), return_inverse=True)[1]
    means = np.bincount(of, weights=changes) / np.bincount(of)
    variance, count = clustered_variance(changes, groups)
    tests = [_student(mean, variance, count, doubt)]
    if len(means) > 1 and np.ptp(means) > 0:
        between = float(np.var(means, ddof=1)) * (1 / len(means) + overlap)
        tests.append(_student(mean, between, len(means), doubt))
    half = max(half for half, _ in tests)
    p = max(p for _, p in tests)
    return Difference(mean, (max(-1.0, mean - half), min(1.0, mean + half)), p, min(1.0, pairs * p))


def _student(mean: float, variance: float, count: int, doubt: float) -> tuple[float, float]:
    """(half the width of the interval, the p value) of a mean over independent parts.

    The interval is that of 1 - `doubt`: it is without 0 where the p value is below, and only there.
    """
    from scipy.special import stdtr

    if variance == 0:
        # All parts agree: as little as one that does not, of as many, is not excluded, and by
        # chance as many would all go one way with this probability.
        half = 1 - doubt ** (1 / count)
        p = min(1.0, max(2 * 0.5**count, (1 - abs(mean)) ** count)) if mean else 1.0
        return (half if p < doubt else max(half, abs(mean))), p
    if count < 2:
        return 1.0, 1.0
    deviation = math.sqrt(variance)
    half = students_t(count - 1, 1 - doubt) * deviation
    return half, 2 * float(stdtr(count - 1, -abs(mean) / deviation))
