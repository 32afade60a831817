"""How good scores are: accuracy, purity of what is accepted, and how sure one can be of both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Z95 = 1.959963984540054
"""97.5 % point of the standard normal distribution."""


def wilson(share: float, total: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a `share` of `total`, which may be an effective number.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927).
    """
    z2 = Z95 * Z95
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    # None and all of them give 0 and 1, but for rounding.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


NARROW = 0.2
"""Width of a 95 % interval up to which a share is told: 10 points to either side."""
WIDE = 0.5
"""Width up to which at least the interval is told; a wider one tells half of all shares apart from
the other half, or less."""
_ROUNDING = 1e-9
_MOST = 1_000_000
"""Pictures up to which `pictures_needed` looks."""


class ShareWording(StrEnum):
    """What may be said of a share; `share_in_words` says it."""

    FIGURE = "figure"
    """The share, with its interval."""
    INTERVAL = "interval"
    """Its interval only: the share itself could be a good deal higher or lower."""
    TOO_FEW = "too few"
    """Nothing but how many there were and about how many it takes."""


def share_wording(interval: tuple[float, float] | None) -> ShareWording:
    """What may be said of a share with this 95 % interval; None: of nothing."""
    if interval is None or width(interval) > WIDE + _ROUNDING:
        return ShareWording.TOO_FEW
    return ShareWording.FIGURE if width(interval) <= NARROW + _ROUNDING else ShareWording.INTERVAL


def share_in_words(
    value: float | None, interval: tuple[float, float] | None, count: int, total: int
) -> str:
    """A share of `count` of `total` in words, as far as `share_wording` lets it be told.

    Args:
        value: count / total; None of nothing.
        interval: its 95 % interval, which may know of groups; None of nothing.
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
    """An interval as "57% to 96%", rounded outwards so that it claims no more than it may."""
    low, high = math.floor(100 * interval[0] + 1e-9), math.ceil(100 * interval[1] - 1e-9)
    return f"{low}% to {high}%"


def pictures_needed(value: float, interval: tuple[float, float], total: int) -> int:
    """About how many pictures it takes until a share like `value` may be told, as a round number.

    Pictures of one series tell less than single ones do: where `interval` is wider than that of
    `total` independent pictures, as much more are needed.
    """
    effect = design_effect(value, interval, total)
    needed = 1
    while needed < _MOST and width(wilson(value, needed)) > NARROW:
        needed += 1
    return round_up(needed * effect)


def design_effect(value: float, interval: tuple[float, float], total: int) -> float:
    """How many pictures tell as much as one independent one, 1 or more, by a share's interval.

    Wilson's interval of so many fewer pictures is as wide as `interval`.
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
    """Its upper end less its lower one."""
    return interval[1] - interval[0]


def round_up(number: float) -> int:
    """The next number that reads as an estimate: a multiple of 5, above 100 with two digits."""
    step: int = max(5, 10 ** (len(str(math.ceil(number))) - 2))
    return math.ceil(number / step - 1e-9) * step


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

        It assumes independent pictures: series of one object make the true interval wider.
        """
        if not self.total:
            return None
        return wilson(self.count / self.total, self.total)

    @property
    def short(self) -> str:
        """For a cell of a table: "97.6%", "57% to 96%" or "too few", as `share_wording` lets it."""
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
    """Tango's 95 % score interval of (lost - won) / total; all of -1..1 of nothing.

    For two models' answers to the same pictures, or one model's to two forms of each. Holds for
    small samples and where no pair differs, unlike Wald's. At a difference of zero its test is
    McNemar's. Source: T. Tango, Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design, Statistics in Medicine 17 (1998), 891-908. It assumes
    independent pictures: series of one object make it wider.

    Args:
        lost: pictures that only the first gets right.
        won: pictures that only the second gets right.
    """
    if not total:
        return -1.0, 1.0
    # The statistic falls steadily as the supposed difference rises.
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
    """How many standard errors the counts lie above those of a true `drop` (Tango, eq. 7)."""
    # The likeliest share of pictures that only the second gets right, given that drop.
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
    unknown: Share
    """Rejected as unknown; of nothing where there is no threshold for that."""
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


def evaluate_scores(
    scores: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    labels: Sequence[str],
    accept: Mapping[str, float],
    *,
    novelty: npt.NDArray[np.floating] | None = None,
    unknown: float | None = None,
) -> Evaluation:
    """The figures of `scores`.

    Args:
        scores: float32 (pictures, classes).
        truth: int (pictures,), the class index of each.
        labels: the label of each class index.
        accept: the accept threshold of every label.
        novelty: novelty score (pictures,), 0..1; None: the model has none.
        unknown: a novelty score above it is rejected as unknown; None: none is.
    """
    best = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
    thresholds = np.array([accept[label] for label in labels], np.float64)
    # Compared in float64, as `decide` does with the scores as Python floats.
    taken = scores.max(axis=1, initial=0).astype(np.float64) >= thresholds[best]
    if novelty is None or unknown is None:
        novel, judged = np.zeros(len(truth), bool), 0
    else:
        novel, judged = ~(novelty.astype(np.float64) <= unknown), len(truth)
    taken &= ~novel
    right = best == truth
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, best), 1)
    return Evaluation(
        accuracy=Share(int(right.sum()), len(truth)),
        accepted=Share(int(taken.sum()), len(truth)),
        purity=Share(int((right & taken).sum()), int(taken.sum())),
        unknown=Share(int(novel.sum()), judged),
        classes={
            label: ClassFigures(
                precision=Share(int(confusion[i, i]), int(confusion[:, i].sum())),
                recall=Share(int(confusion[i, i]), int(confusion[i].sum())),
            )
            for i, label in enumerate(labels)
        },
        confusion=confusion,
    )
