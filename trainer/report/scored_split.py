"""Figures from scores of labelled pictures: per class, confusions, errors and calibration."""

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
"""The number of bins of equal width in which confidence is compared with accuracy."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSplit:
    """The pictures of one split, with the outputs of a model that was not trained on them."""

    logits: npt.NDArray[np.floating]
    """(pictures, classes), the logits before they are divided by the temperature."""
    temperature: float
    truth: Indices
    """(pictures,) class indices."""
    names: Sequence[str]
    """The path of each picture's file, relative to the data."""
    rows: Indices
    """(pictures,), the row of each picture in the tensors."""
    groups: Sequence[str] | None = None
    """The group of each picture; None if each is a group of its own."""

    @property
    def scores(self) -> Floats:
        """(pictures, classes), probabilities as the device computes them."""
        return softmax(self.logits / self.temperature) if len(self.logits) else self._empty()

    @property
    def raw_scores(self) -> Floats:
        """(pictures, classes), probabilities without the temperature."""
        return softmax(self.logits) if len(self.logits) else self._empty()

    @property
    def best(self) -> Indices:
        """(pictures,), the class index that each picture is given."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(pictures,), whether each picture is classified correctly."""
        return np.asarray(self.best == self.truth)

    def resampling(self) -> Resampling:
        """The resampling that computes intervals of figures over these pictures."""
        return Resampling(self.groups, len(self.truth))

    def _empty(self) -> Floats:
        return np.zeros(self.logits.shape)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The figures of one label."""

    label: str
    pictures: int
    """The number of pictures of this label."""
    taken: int
    """The number of pictures that are given this label."""
    right: int
    precision: Figure
    recall: Figure
    f1: Figure


@dataclass(frozen=True, slots=True)
class Confusion:
    """The pictures of one label that are taken for another one."""

    label: str
    taken_for: str
    pictures: Share
    """The share of the label's pictures."""
    worst: tuple[int, ...]
    """The positions of the pictures in the split, the most confident first."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The pictures of about the same confidence."""

    low: float
    high: float
    confidence: float
    """The mean score of the pictures."""
    right: Share


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well confidence agrees with accuracy."""

    bins: tuple[Bin, ...]
    """The bins that have pictures."""
    error: float
    """The expected calibration error over `BINS` bins: the mean difference of confidence and
    accuracy, weighted by the pictures in each bin. Source: Guo et al., On calibration of modern
    neural networks, 2017."""
    log_loss: float
    brier: float
    """Mean of the squared differences from 1 for the truth and 0 for the others, summed over the
    classes; 0..2. Source: G. W. Brier, Monthly Weather Review 78 (1950)."""

    def to_json(self) -> dict[str, object]:
        """The object for `metrics.json`."""
        return {"ece": self.error, "bins": BINS, "log_loss": self.log_loss, "brier": self.brier}


@dataclass(frozen=True, slots=True)
class Accepting:
    """The accepted pictures and their purity."""

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
    """int64 (classes, classes); rows are true labels, columns are the labels that are given."""
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
    """The positions of the wrongly classified pictures, the most confident first."""
    wrong = np.flatnonzero(~split.right)
    confidence = split.scores.max(axis=1, initial=0)[wrong]
    return tuple(int(i) for i in wrong[np.argsort(-confidence, kind="stable")])


def calibration(scores: Floats, truth: Indices) -> Reliability | None:
    """Measures the difference of confidence and accuracy; None if there are no pictures."""
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
    """Applies the accept thresholds of the labels to the pictures."""
    return _accepting(split, accepted(split, labels, accept))


def accepted(
    split: ScoredSplit, labels: Sequence[str], accept: Mapping[str, float]
) -> npt.NDArray[np.bool_]:
    """bool (pictures,), whether the best score reaches the threshold of its label."""
    thresholds = np.array([accept[label] for label in labels])
    return np.asarray(split.scores.max(axis=1, initial=0) >= thresholds[split.best])


def coverage_curve(split: ScoredSplit) -> tuple[tuple[float, float, float], ...]:
    """(accepted share, accuracy of these, lowest accepted score), for one threshold of all labels.

    There is one for each different score, from the highest down.
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
    """Accepts the most confident share `coverage` of the pictures."""
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
