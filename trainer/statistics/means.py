"""Means of a quantity over pictures that come in groups, and their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.statistics.intervals import NOTHING, Figure, students_t

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, with what its uncertainty follows from."""

    value: float
    variance: float
    """The square of the standard error of the mean, by groups."""
    groups: int

    @property
    def figure(self) -> Figure:
        """The mean and its 95 % interval; no interval if there is one group only."""
        return _figure(self.value, self.variance, self.groups - 1)

    def less(self, other: Mean) -> Figure:
        """This mean less that of other pictures."""
        freedom = min(self.groups, other.groups) - 1
        return _figure(self.value - other.value, self.variance + other.variance, freedom)


def mean_of(values: Floats, groups: Sequence[str]) -> Mean | None:
    """The mean of `values` (pictures,); None if there are none.

    Pictures of one group are alike, so the variance is that of the groups' sums: the
    cluster-robust one of Liang and Zeger, Biometrika 73 (1986).
    """
    if not len(values):
        return None
    variance, number = clustered_variance(values, groups)
    return Mean(float(np.mean(values)), variance, number)


def clustered_variance(values: Floats, groups: Sequence[str]) -> tuple[float, int]:
    """(the variance of the mean of `values`, by groups; the number of groups)."""
    of = np.unique(list(groups), return_inverse=True)[1]
    number = int(of.max()) + 1
    sums = np.bincount(of, weights=values - np.mean(values))
    scale = number / max(1, number - 1) / len(values) ** 2
    return float((sums**2).sum()) * scale, number


def _figure(value: float, variance: float, freedom: int) -> Figure:
    if freedom < 1:
        return Figure(value, None)
    half = students_t(freedom) * math.sqrt(variance)
    return Figure(value, (value - half, value + half))


def difference(one: Mean | None, other: Mean | None) -> Figure:
    """The first mean less the second; nothing if either has no pictures."""
    return NOTHING if one is None or other is None else one.less(other)
