"""Whether one way to train is better than another, by trainings with the same splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


def paired_difference(changes: Floats, groups: Sequence[str], seeds: Sequence[int]) -> Difference:
    """The mean of `changes` with its interval, over pictures and over trainings.

    Two things vary. Pictures of one group are right or wrong together, also in the splits of
    several seeds; and a training with another seed comes out a little better or worse on all
    pictures. The variance is that of means clustered both ways (Cameron, Gelbach and Miller, Robust
    inference with multiway clustering, Journal of Business and Economic Statistics 29, 2011): that
    by groups, and what seeds add to it. The degrees of freedom are Satterthwaite's (Biometrics 2,
    1946). With a single seed nothing is known of the latter, and it is left out.

    Args:
        changes: (pictures,), 1 where only the first way is right, -1 where only the other is, and 0
            where both agree; a picture counts once for each seed that tests on it.
        groups: the group of each picture, the same in all seeds.
        seeds: the seed of each picture's training.
    """
    from scipy.special import stdtr, stdtrit

    total = len(changes)
    mean = float(changes.mean()) if total else 0.0
    excess = changes - mean
    both = [f"{group}\0{seed}" for group, seed in zip(groups, seeds, strict=True)]
    by_groups, group_count = _clustered(excess, groups)
    by_seeds, seed_count = _clustered(excess, [str(seed) for seed in seeds])
    by_both, _ = _clustered(excess, both)
    added = max(0.0, by_seeds - by_both) if seed_count > 1 else 0.0
    variance = by_groups + added
    if variance == 0:
        # All pictures agree: as little as one disagreement among as many groups is not excluded.
        room = 1 - (1 - CONFIDENCE) ** (1 / max(1, group_count))
        return Difference(mean, (max(-1.0, mean - room), min(1.0, mean + room)), 1.0)
    freedom = variance**2 / (
        by_groups**2 / max(1, group_count - 1) + added**2 / max(1, seed_count - 1)
    )
    deviation = math.sqrt(variance)
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * deviation
    p = 2 * float(stdtr(freedom, -abs(mean) / deviation))
    return Difference(mean, (max(-1.0, mean - half), min(1.0, mean + half)), p)


def _clustered(excess: Floats, names: Sequence[str]) -> tuple[float, int]:
    """(the variance of the mean by these clusters, their number)."""
    if not len(excess):
        return 0.0, 0
    of = np.unique(list(names), return_inverse=True)[1]
    count = int(of.max()) + 1
    sums = np.bincount(of, weights=excess)
    scale = count / max(1, count - 1) / len(excess) ** 2
    return float((sums**2).sum()) * scale, count


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
