"""Measures how the answers of two models to the same pictures differ.

The figures here know nothing of limits; `converter.parity.gate` has those of int8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from converter.parity.predictions import ScoreRows
from edge.core.model.grade import Grade, grade_loss
from edge.core.model.metrics import ShareWording, paired_interval, share_wording

_BINS = 15
"""The number of bins of the expected calibration error."""
_LEAST_SCORE = 1e-7
"""Scores are raised to this for the divergence: float32 scores are not exact below it."""


@dataclass(frozen=True, slots=True)
class PairedDrop:
    """The accuracy that the second of two models loses, from a paired comparison of pictures."""

    first_only: int
    """The number of pictures that only the first model gets right; here mostly the float model."""
    second_only: int
    """The number of pictures that only the second model gets right."""
    total: int
    """The number of all pictures."""
    by_groups: tuple[float, float] | None = None
    """The interval of `value` where it is known which pictures belong together."""

    @classmethod
    def between(cls, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedDrop:
        """The drop between two models, given which pictures each gets right, bool (pictures,)."""
        return cls(int((first & ~second).sum()), int((second & ~first).sum()), len(first))

    @property
    def value(self) -> float:
        """The accuracy of the first minus that of the second, -1..1; 0 if there are no pictures."""
        return (self.first_only - self.second_only) / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `value`: `by_groups`, or Tango's; see `paired_interval`."""
        if self.by_groups is not None:
            return self.by_groups
        return paired_interval(self.first_only, self.second_only, self.total)

    def __str__(self) -> str:
        """The second minus the first, for people: "+1.4 points (-0.4 to +3.9)".

        With few pictures it is only the interval, or only the number of pictures, as for a `Share`.
        """
        low, high = self.interval
        between = f"{-100 * high:+.1f} to {-100 * low:+.1f}"
        match share_wording(self.interval):
            case ShareWording.FIGURE:
                return f"{0 - 100 * self.value:+.1f} points ({between})"
            case ShareWording.INTERVAL:
                return f"{between} points"
            case _:
                return f"too few pictures to say ({self.total})"

    @property
    def verdict(self) -> Grade:
        """The loss of the second model, as a grade."""
        return grade_loss(self.first_only, self.second_only, self.total, self.by_groups)


@dataclass(frozen=True, slots=True)
class MetricChange:
    """How far a score of each picture differs between two models: absolute differences, 0..1."""

    mean: float
    p95: float
    """The 95th percentile."""
    largest: float

    @classmethod
    def between(
        cls, one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
    ) -> MetricChange:
        """The change between two arrays of scores of the same pictures, float (pictures,)."""
        moved = np.abs(one.astype(np.float64) - other)
        return cls(float(moved.mean()), float(np.quantile(moved, 0.95)), float(moved.max()))

    def to_json(self) -> dict[str, float]:
        """The fields as a JSON object."""
        return {"mean": self.mean, "p95": self.p95, "largest": self.largest}


def mean_divergence(one: ScoreRows, other: ScoreRows) -> float:
    """The mean Kullback-Leibler divergence of the rows of `other` from those of `one`, in nats."""
    p, q = (np.maximum(rows.astype(np.float64), _LEAST_SCORE) for rows in (one, other))
    return max(0.0, float((p * np.log(p / q)).sum(axis=1).mean()))


def expected_calibration_error(scores: ScoreRows, truth: npt.NDArray[np.int64]) -> float:
    """The expected calibration error, 0..1, with _BINS bins; 0 if there are no pictures.

    It is the mean difference between the confidence and the accuracy of each bin. Source: Guo et
    al., On calibration of modern neural networks, ICML 2017.
    """
    if not len(truth):
        return 0.0
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    apart = 0.0
    for index in np.unique(bins):
        mine = bins == index
        apart += abs(float(confidence[mine].mean()) - float(right[mine].mean())) * int(mine.sum())
    return apart / len(truth)
