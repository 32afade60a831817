"""How good scores are: accuracy, purity of what is accepted, and how sure one can be of both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Z95 = 1.959963984540054
"""97.5 % point of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with a 95 % interval."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """count / total; None of nothing."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval; None of nothing.

        Source: E. B. Wilson, Probable inference, JASA 22 (1927). It assumes independent pictures:
        series of one object make the true interval wider.
        """
        if not self.total:
            return None
        share, z2 = self.count / self.total, Z95 * Z95
        middle = (share + z2 / (2 * self.total)) / (1 + z2 / self.total)
        half = (
            Z95
            / (1 + z2 / self.total)
            * math.sqrt(share * (1 - share) / self.total + z2 / (4 * self.total**2))
        )
        # None and all of them give 0 and 1, but for rounding.
        return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))

    def __str__(self) -> str:
        if self.interval is None or self.value is None:
            return "none"
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} to {high:.1%}, {self.count} of {self.total})"


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One label's figures over all pictures, accepted or not."""

    precision: Share
    recall: Share


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a model's scores on labelled pictures come to."""

    accuracy: Share
    accepted: Share
    purity: Share
    """Right ones among the accepted."""
    classes: Mapping[str, ClassFigures]
    confusion: npt.NDArray[np.int64]
    """(classes, classes): row the true label, column the best label."""

    def to_json(self) -> dict[str, object]:
        """The object that `pilah-edge evaluate --json` prints and a bundle keeps."""
        return {
            "images": self.accuracy.total,
            "accuracy": self.accuracy.value,
            "accuracy_interval": self.accuracy.interval,
            "accepted": self.accepted.value,
            "accepted_interval": self.accepted.interval,
            "purity": self.purity.value,
            "purity_interval": self.purity.interval,
            "classes": {
                label: {
                    "precision": figures.precision.value,
                    "precision_interval": figures.precision.interval,
                    "recall": figures.recall.value,
                    "recall_interval": figures.recall.interval,
                    "images": figures.recall.total,
                }
                for label, figures in self.classes.items()
            },
        }


def evaluate_scores(
    scores: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    labels: Sequence[str],
    accept: Mapping[str, float],
) -> Evaluation:
    """The figures of `scores`.

    Args:
        scores: float32 (pictures, classes).
        truth: int (pictures,), the class index of each.
        labels: the label of each class index.
        accept: the accept threshold of every label.
    """
    best = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
    thresholds = np.array([accept[label] for label in labels], np.float64)
    # Compared in float64, as `decide` does with the scores as Python floats.
    taken = scores.max(axis=1, initial=0).astype(np.float64) >= thresholds[best]
    right = best == truth
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, best), 1)
    return Evaluation(
        accuracy=Share(int(right.sum()), len(truth)),
        accepted=Share(int(taken.sum()), len(truth)),
        purity=Share(int((right & taken).sum()), int(taken.sum())),
        classes={
            label: ClassFigures(
                precision=Share(int(confusion[i, i]), int(confusion[:, i].sum())),
                recall=Share(int(confusion[i, i]), int(confusion[i].sum())),
            )
            for i, label in enumerate(labels)
        },
        confusion=confusion,
    )
