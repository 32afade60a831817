"""What scores on labelled pictures come to: figures per class, confusions, errors, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.model.metrics import Share
from trainer.statistics.intervals import Figure, Resampling
from trainer.statistics.likelihood import log_loss, softmax

BINS = 10
"""Of equal width, in which confidence is compared with accuracy."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSplit:
    """Pictures of one split with what a model answered that had not trained on them."""

    logits: npt.NDArray[np.floating]
    """(pictures, classes), before they are divided by the temperature."""
    temperature: float
    truth: Indices
    """(pictures,) class indices."""
    names: Sequence[str]
    """Of each picture's file, as people find it: relative to the data."""
    rows: Indices
    """(pictures,) of the tensors."""
    groups: Sequence[str] | None = None
    """Which pictures belong together; None: each is its own."""

    @property
    def scores(self) -> Floats:
        """(pictures, classes): probabilities, as the device will give them."""
        return softmax(self.logits / self.temperature) if len(self.logits) else self._empty()

    @property
    def raw_scores(self) -> Floats:
        """(pictures, classes): probabilities as they were before the temperature."""
        return softmax(self.logits) if len(self.logits) else self._empty()

    @property
    def best(self) -> Indices:
        """(pictures,) the class index each is taken for."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(pictures,) whether it is what it is taken for."""
        return np.asarray(self.best == self.truth)

    def resampling(self) -> Resampling:
        """What gives the intervals of figures over these pictures."""
        return Resampling(self.groups, len(self.truth))

    def _empty(self) -> Floats:
        return np.zeros(self.logits.shape)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One label's figures."""

    label: str
    pictures: int
    """That are of it."""
    taken: int
    """That are taken for it."""
    right: int
    precision: Figure
    recall: Figure
    f1: Figure


@dataclass(frozen=True, slots=True)
class Confusion:
    """What one label is taken for, where it is wrong."""

    label: str
    taken_for: str
    pictures: Share
    """So many of the label's pictures."""
    worst: tuple[int, ...]
    """Positions in the split, the most confident first."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of about the same confidence."""

    low: float
    high: float
    confidence: float
    """Their mean score."""
    right: Share


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether confidence means what it says."""

    bins: tuple[Bin, ...]
    """Those with pictures."""
    error: float
    """The expected calibration error over `BINS` bins: how far confidence and accuracy lie apart,
    by the pictures in each. Source: Guo et al., On calibration of modern neural networks, 2017."""
    log_loss: float
    brier: float
    """Mean of the squared differences from 1 for the truth and 0 for the others, summed over the
    classes; 0..2. Source: G. W. Brier, Monthly Weather Review 78 (1950)."""

    def to_json(self) -> dict[str, object]:
        """The object for `metrics.json`."""
        return {"ece": self.error, "bins": BINS, "log_loss": self.log_loss, "brier": self.brier}


@dataclass(frozen=True, slots=True)
class Accepting:
    """What is accepted, and how pure it is."""

    accepted: Figure
    purity: Figure
    count: int
    right: int
    total: int


def class_rows(split: ScoredSplit, labels: Sequence[str]) -> tuple[ClassRow, ...]:
    """Precision, recall and F1 of every label, with 95 % intervals."""
    sampling, best = split.resampling(), split.best
    rows = []
    for index, label in enumerate(labels):
        is_label, taken = split.truth == index, best == index
        rows.append(
            ClassRow(
                label=label,
                pictures=int(is_label.sum()),
                taken=int(taken.sum()),
                right=int((is_label & taken).sum()),
                precision=sampling.share(split.right, taken),
                recall=sampling.share(split.right, is_label),
                f1=sampling.f1(is_label, taken),
            )
        )
    return tuple(rows)


def confusion_matrix(split: ScoredSplit, classes: int) -> Indices:
    """(classes, classes): row what it is, column what it is taken for."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (split.truth, split.best), 1)
    return matrix


def confusions(split: ScoredSplit, labels: Sequence[str]) -> tuple[Confusion, ...]:
    """Every label that was taken for another, the most frequent first."""
    matrix = confusion_matrix(split, len(labels))
    confidence, best = split.scores.max(axis=1, initial=0), split.best
    found = []
    for is_, taken in zip(*np.nonzero(matrix), strict=True):
        if is_ != taken:
            mine = np.flatnonzero((split.truth == is_) & (best == taken))
            order = mine[np.argsort(-confidence[mine], kind="stable")]
            share = Share(int(matrix[is_, taken]), int(matrix[is_].sum()))
            found.append(Confusion(labels[is_], labels[taken], share, tuple(int(i) for i in order)))
    return tuple(
        sorted(found, key=lambda c: (-c.pictures.count, -(c.pictures.value or 0), c.label))
    )


def worst_errors(split: ScoredSplit) -> tuple[int, ...]:
    """Positions of the pictures that are taken for something else, the most confident first."""
    wrong = np.flatnonzero(~split.right)
    confidence = split.scores.max(axis=1, initial=0)[wrong]
    return tuple(int(i) for i in wrong[np.argsort(-confidence, kind="stable")])


def calibration(scores: Floats, truth: Indices) -> Reliability | None:
    """How far confidence and accuracy lie apart; None of no pictures."""
    if not len(truth):
        return None
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = tuple(
        Bin(
            low=index / BINS,
            high=(index + 1) / BINS,
            confidence=float(confidence[number == index].mean()),
            right=Share(int(right[number == index].sum()), int((number == index).sum())),
        )
        for index in range(BINS)
        if (number == index).any()
    )
    apart = sum(abs((b.right.value or 0) - b.confidence) * b.right.total for b in bins)
    wanted = np.eye(scores.shape[1])[truth]
    return Reliability(
        bins=bins,
        error=apart / len(truth),
        log_loss=log_loss(np.log(np.maximum(scores, 1e-12)), truth),
        brier=float(((scores - wanted) ** 2).sum(axis=1).mean()),
    )


def accepting(split: ScoredSplit, labels: Sequence[str], accept: Mapping[str, float]) -> Accepting:
    """What the accept thresholds of the labels make of the pictures."""
    return _accepting(split, accepted(split, labels, accept))


def accepted(
    split: ScoredSplit, labels: Sequence[str], accept: Mapping[str, float]
) -> npt.NDArray[np.bool_]:
    """(pictures,) whether the best score reaches the threshold of its label."""
    thresholds = np.array([accept[label] for label in labels])
    return np.asarray(split.scores.max(axis=1, initial=0) >= thresholds[split.best])


def coverage_curve(split: ScoredSplit) -> tuple[tuple[float, float, float], ...]:
    """(share accepted, accuracy of these, lowest score accepted), were all labels' thresholds one.

    One for each different score, from the highest down.
    """
    confidence = split.scores.max(axis=1, initial=0)
    order = np.argsort(-confidence, kind="stable")
    right, sorted_scores = np.cumsum(split.right[order]), confidence[order]
    total = len(order)
    return tuple(
        ((i + 1) / total, float(right[i] / (i + 1)), float(sorted_scores[i]))
        for i in range(total)
        if i + 1 == total or sorted_scores[i + 1] < sorted_scores[i]
    )


def at_coverage(split: ScoredSplit, coverage: float) -> Accepting:
    """What it comes to when the most confident share `coverage` of the pictures is accepted."""
    count = math.ceil(coverage * len(split.truth) - 1e-9)
    order = np.argsort(-split.scores.max(axis=1, initial=0), kind="stable")[:count]
    taken = np.zeros(len(split.truth), bool)
    taken[order] = True
    return _accepting(split, taken)


def _accepting(split: ScoredSplit, taken: npt.NDArray[np.bool_]) -> Accepting:
    sampling = split.resampling()
    return Accepting(
        accepted=sampling.share(taken),
        purity=sampling.share(split.right, taken),
        count=int(taken.sum()),
        right=int((split.right & taken).sum()),
        total=len(taken),
    )
