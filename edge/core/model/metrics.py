"""Metrics of scores: accuracy, purity of accepted pictures, and their confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from edge.core.model.wilson import Z95, wilson

NARROW = 0.2
"""The widest 95 % interval with which a share is given as a figure: 10 points to either side."""
WIDE = 0.5
"""The widest 95 % interval that is given at all; a wider one excludes less than half of all
shares."""
_ROUNDING = 1e-9
_MOST = 1_000_000
"""The largest number of pictures that `pictures_needed` considers."""


class ShareWording(StrEnum):
    """How precisely a share may be stated; see `share_in_words`."""

    FIGURE = "figure"
    """The share with its interval."""
    INTERVAL = "interval"
    """The interval only, because the true share could be much higher or lower than the measured."""
    TOO_FEW = "too few"
    """Only the number of pictures, and about how many are needed."""


def share_wording(interval: tuple[float, float] | None) -> ShareWording:
    """How precisely a share with this 95 % interval may be stated; None means no pictures."""
    if interval is None or width(interval) > WIDE + _ROUNDING:
        return ShareWording.TOO_FEW
    return ShareWording.FIGURE if width(interval) <= NARROW + _ROUNDING else ShareWording.INTERVAL


def share_in_words(
    value: float | None, interval: tuple[float, float] | None, count: int, total: int
) -> str:
    """The share of `count` in `total` in words, as precisely as `share_wording` allows.

    Args:
        value: count / total; None if `total` is 0.
        interval: the 95 % interval, which may take groups into account; None if `total` is 0.
    """
    if value is None or interval is None:
        return "none"
    low, high = interval
    match share_wording(interval):
        case ShareWording.FIGURE:
            return f"{value:.1%} ({low:.1%} to {high:.1%}, {count} of {total})"
        case ShareWording.INTERVAL:
            return f"{whole_percents(interval)} ({count} of {total})"
        case _:
            needed = pictures_needed(value, interval, total)
            return f"too few to say ({total}; about {needed:,} needed)"


def whole_percents(interval: tuple[float, float]) -> str:
    """An interval as "57% to 96%", rounded outwards so that it does not claim too much."""
    low, high = math.floor(100 * interval[0] + 1e-9), math.ceil(100 * interval[1] - 1e-9)
    return f"{low}% to {high}%"


def pictures_needed(value: float, interval: tuple[float, float], total: int) -> int:
    """About how many pictures are needed to state a share like `value`, as a round number.

    Pictures of one series give less information than independent ones: if `interval` is wider than
    that of `total` independent pictures, more are needed in proportion.
    """
    effect = design_effect(value, interval, total)
    needed = 1
    while needed < _MOST and width(wilson(value, needed)) > NARROW:
        needed += 1
    return round_up(needed * effect)


def design_effect(value: float, interval: tuple[float, float], total: int) -> float:
    """The design effect: how many pictures give as much information as one independent picture.

    It is 1 or more. Wilson's interval for `total` divided by it is as wide as `interval`.
    """
    low, high = 0.0, math.log(total)
    for _ in range(40):
        middle = (low + high) / 2
        if width(wilson(value, total / math.exp(middle))) < width(interval):
            low = middle
        else:
            high = middle
    return math.exp(low)


def width(interval: tuple[float, float]) -> float:
    """The width of an interval: the upper end minus the lower end."""
    return interval[1] - interval[0]


def round_up(number: float) -> int:
    """`number` rounded up to a multiple of 5, or above 100 to two significant digits."""
    step: int = max(5, 10 ** (len(str(math.ceil(number))) - 2))
    return math.ceil(number / step - 1e-9) * step


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total, with its 95 % interval."""

    count: int
    total: int
    by_groups: tuple[float, float] | None = None
    """The interval where it is known which pictures belong together."""

    @property
    def value(self) -> float | None:
        """count / total; None if the total is 0."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """`by_groups`, or Wilson's 95 % interval; None if the total is 0.

        Wilson's assumes independent pictures: series of one object make the true interval wider.
        """
        if not self.total:
            return None
        if self.by_groups is not None:
            return self.by_groups
        return wilson(self.count / self.total, self.total)

    @property
    def short(self) -> str:
        """Short text for the cell of a table: "97.6%", "57% to 96%" or "too few"."""
        if self.value is None or self.interval is None:
            return "-"
        match share_wording(self.interval):
            case ShareWording.FIGURE:
                return f"{self.value:.1%}"
            case ShareWording.INTERVAL:
                return whole_percents(self.interval)
            case _:
                return "too few"

    def __str__(self) -> str:
        return share_in_words(self.value, self.interval, self.count, self.total)


def paired_interval(lost: int, won: int, total: int) -> tuple[float, float]:
    """Tango's 95 % score interval of (lost - won) / total; (-1, 1) if the total is 0.

    It compares the predictions of two models for the same pictures, or of one model for two forms
    of each picture. Unlike Wald's interval it holds for small samples and if no pair differs. At a
    difference of zero its test is McNemar's. Source: T. Tango, Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design, Statistics in Medicine
    17 (1998), 891-908. It assumes independent pictures: series of one object make the true interval
    wider.

    Args:
        lost: the number of pictures that only the first model gets right.
        won: the number of pictures that only the second model gets right.
        total: the number of all pictures.
    """
    if not total:
        return -1.0, 1.0
    # The statistic decreases monotonically with the assumed difference.
    return _solve(lost, won, total, Z95), _solve(lost, won, total, -Z95)


def _solve(lost: int, won: int, total: int, wanted: float) -> float:
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _tango(lost, won, total, middle) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _tango(lost: int, won: int, n: int, drop: float) -> float:
    """The number of standard errors by which the counts exceed a true `drop` (Tango, eq. 7)."""
    # The maximum-likelihood share of pictures that only the second gets right, given that drop.
    a = 2 * n
    b = -lost - won + (2 * n - lost + won) * drop
    c = -won * drop * (1 - drop)
    share = max(0.0, (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a))
    variance = n * (2 * share + drop * (1 - drop))
    difference = lost - won - n * drop
    if variance <= 0:  # a drop of -1, 0 or 1 with no pair that differs
        return math.copysign(math.inf, difference) if difference else 0.0
    return difference / math.sqrt(variance)


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The figures of one label over all pictures, accepted or not."""

    precision: Share
    recall: Share


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The metrics of a model's scores on labelled pictures."""

    accuracy: Share
    """The share of pictures whose best label is right, accepted or not."""
    accepted: Share
    """The share of pictures that are accepted."""
    purity: Share
    """The share of the accepted pictures whose label is right."""
    unknown: Share
    """The share of pictures rejected as unknown; a total of 0 if there is no such threshold."""
    classes: Mapping[str, ClassFigures]
    """The figures of each label."""
    confusion: npt.NDArray[np.int64]
    """int64 (classes, classes): the row is the true label, the column the best label."""

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
            "unknown": self.unknown.value,
            "unknown_interval": self.unknown.interval,
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


ShareOf = Callable[[npt.NDArray[np.bool_], npt.NDArray[np.bool_]], Share]
"""(hits, among), both bool (pictures,) -> the share of `hits` in `among`."""


def plain_share(hits: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> Share:
    """The share of `hits` in `among`, of independent pictures."""
    return Share(int((hits & among).sum()), int(among.sum()))


def evaluate_scores(
    scores: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    labels: Sequence[str],
    accept: Mapping[str, float],
    *,
    novelty: npt.NDArray[np.floating] | None = None,
    unknown: float | None = None,
    share: ShareOf = plain_share,
) -> Evaluation:
    """The metrics of `scores` on labelled pictures.

    Args:
        scores: float32 (pictures, classes).
        truth: int64 (pictures,), the true class index of each picture.
        labels: the label of each class index.
        accept: the accept threshold of every label.
        novelty: float (pictures,), the novelty scores, 0..1; None if the model has none.
        unknown: the novelty score above which a picture is rejected as unknown; None if none is.
        share: gives a share its interval, by which pictures belong together.
    """
    best = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
    thresholds = np.array([accept[label] for label in labels], np.float64)
    # Compared in float64, as `decide` does with the scores as Python floats.
    taken = scores.max(axis=1, initial=0).astype(np.float64) >= thresholds[best]
    if novelty is None or unknown is None:
        novel, judged = np.zeros(len(truth), bool), np.zeros(len(truth), bool)
    else:
        novel = ~(novelty.astype(np.float64) <= unknown)
        judged = np.ones(len(truth), bool)
    taken &= ~novel
    right = best == truth
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, best), 1)
    everything = np.ones(len(truth), bool)
    return Evaluation(
        accuracy=share(right, everything),
        accepted=share(taken, everything),
        purity=share(right, taken),
        unknown=share(novel, judged),
        classes={
            label: ClassFigures(precision=share(right, best == i), recall=share(right, truth == i))
            for i, label in enumerate(labels)
        },
        confusion=confusion,
    )
