"""The grade of a model in a word: good, fair, bad, or "too few pictures to say".

A grade is a promise, so it follows from the ends of a 95 % interval and not from the measured share
alone. Trainer, converter and device use the same rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge.core.model.metrics import (
    design_effect,
    paired_interval,
    round_up,
    whole_percents,
    width,
)
from edge.core.model.wilson import wilson

TOO_FEW: Literal["too few pictures to say"] = "too few pictures to say"
Word = Literal["good", "fair", "bad", "too few pictures to say"]

GOOD = 0.9
"""The least accuracy of a good model (lower end of the interval): one item in ten is left to the
reject threshold, and a sorting station can send so many round a second time."""
FAIR = 0.75
"""The least accuracy of a fair model (lower end of the interval): a station that rejects still
sorts most items, and more pictures usually make the model good. Below it, every fourth item is
wrong or sent back."""
FEWEST = 35
"""The fewest test pictures for the grade good or fair: if all are right, this is the smallest
number whose interval begins at GOOD. Source: Wilson's interval, n / (n + 1.96^2) >= 0.9."""
FEWEST_BAD = 10
"""The fewest test pictures for the grade bad: for fewer, Wilson's interval excludes more than the
exact test would."""
LOSS_GOOD = 0.02
"""The most accuracy that a good conversion to integers loses (upper end of the interval); int8
networks usually lose less (R. Krishnamoorthi, Quantizing deep convolutional networks for efficient
inference, 2018)."""
LOSS_FAIR = 0.05
"""The same as LOSS_GOOD, for the grade fair."""
LOSS_BAD = 0.01
"""The loss from which on a conversion is bad (lower end of the interval): the limit of the
converter's gate."""
_FACTORS = tuple(1.02**step for step in range(1, 400))
"""The factors by which `_needed` multiplies the number of pictures, in this order."""


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of a model, for people and for `metrics.json`."""

    word: Word
    why: str
    """The reason for the grade, as the rest of a sentence."""
    needed: int | None = None
    """About how many test pictures are needed for a grade; None if there is one already."""

    def __str__(self) -> str:
        return self.why if self.word == TOO_FEW else f"{self.word}: {self.why}"

    def to_json(self) -> dict[str, object]:
        """The object for `metrics.json` and a bundle's figures."""
        return {"word": self.word, "why": self.why, "needed": self.needed}


@dataclass(frozen=True, slots=True)
class _Counted:
    """The counts that a grade is derived from, which can be scaled to more pictures."""

    interval: tuple[float, float]
    total: float
    lost: float
    """The independent pictures that the model gets wrong, but always naming the most frequent
    class gets right."""
    won: float
    """The independent pictures that the model gets right, but always naming the most frequent
    class gets wrong."""
    independent: float
    """The number of independent pictures that give as much information as all pictures."""


def grade(confusion: npt.NDArray[np.int64], interval: tuple[float, float] | None = None) -> Grade:
    """The grade of a model by its predictions for the test pictures.

    A model is good or fair if the lower end of the interval of its accuracy reaches GOOD or FAIR.
    It is bad if the lower end is below FAIR and the upper end below GOOD, or if it is not better
    than always naming the most frequent class. If the interval reaches from bad to good, or there
    are fewer than FEWEST pictures, there is no grade.

    Args:
        confusion: (classes, classes), row the true label, column the best label.
        interval: 95 % interval of the accuracy, if groups make it wider; None means Wilson's.
    """
    total, right = int(confusion.sum()), int(np.trace(confusion))
    if not total:
        return _too_few(0, FEWEST)
    value = right / total
    interval = wilson(value, total) if interval is None else interval
    frequent = int(confusion.sum(axis=1).argmax())
    known = int(confusion[frequent, frequent])
    effect = design_effect(value, interval, total)
    counted = _Counted(
        interval,
        total,
        lost=(int(confusion[frequent].sum()) - known) / effect,
        won=(right - known) / effect,
        independent=total / effect,
    )
    word = _word(counted)
    if word == TOO_FEW:
        return _too_few(total, _needed(value, counted, effect))
    if word == "bad" and total >= FEWEST and not _better_than_naming(counted):
        return Grade("bad", "not better than always naming the most frequent class")
    return Grade(
        word, f"{whole_percents(interval)} of pictures like these are classified correctly"
    )


def grade_loss(
    first_only: int, second_only: int, total: int, interval: tuple[float, float] | None = None
) -> Grade:
    """The grade of a conversion by the accuracy it loses, from a comparison on the same pictures.

    Args:
        first_only: the number of pictures that only the original model gets right.
        second_only: the number of pictures that only the converted model gets right.
        total: the number of all pictures.
        interval: 95 % interval of the loss, if groups make it wider; None means Tango's.
    """
    plain = paired_interval(first_only, second_only, total)
    low, high = plain if interval is None else interval
    word = _loss_word((low, high))
    if word == TOO_FEW:
        # As many pictures of a group tell as much as one of no group.
        effect = max(1.0, (width((low, high)) / width(plain)) ** 2)
        counts = [count / effect for count in (first_only, second_only, total)]
        more = (
            factor
            for factor in _FACTORS
            if total
            and _loss_word(paired_interval(*(round(factor * each) for each in counts))) != TOO_FEW
        )
        factor = next(more, None)
        least = round_up(effect * _fewest_without_loss())
        return _too_few(total, least if factor is None else max(least, round_up(total * factor)))
    if low > 0:
        return Grade(word, f"{100 * low:.1f} to {100 * high:.1f} points of accuracy are lost")
    at_most = f", and it is at most {100 * high:.1f} points of accuracy" if high > 0 else ""
    return Grade(word, f"no loss shows{at_most}")


def _word(counted: _Counted) -> Word:
    low, high = counted.interval
    if counted.total < FEWEST:
        return "bad" if counted.total >= FEWEST_BAD and high < FAIR else TOO_FEW
    if not _better_than_naming(counted):
        return "bad" if counted.won <= counted.lost else TOO_FEW
    if low >= GOOD:
        return "good"
    if low >= FAIR:
        return "fair"
    return "bad" if high < GOOD else TOO_FEW


def _better_than_naming(counted: _Counted) -> bool:
    """Whether the model is shown to be better than always naming the most frequent class."""
    lost, won = math.ceil(counted.lost), math.floor(counted.won)
    return paired_interval(lost, won, max(round(counted.independent), lost + won))[1] < 0


def _needed(value: float, counted: _Counted, effect: float) -> int:
    """About how many pictures like these are needed for a grade."""
    for factor in _FACTORS:
        independent = counted.independent * factor
        more = _Counted(
            wilson(value, independent),
            counted.total * factor,
            counted.lost * factor,
            counted.won * factor,
            independent,
        )
        if _word(more) != TOO_FEW:
            return max(round_up(FEWEST * effect), round_up(math.floor(more.total)))
    return round_up(counted.total * _FACTORS[-1])


def _loss_word(interval: tuple[float, float]) -> Word:
    low, high = interval
    if low > LOSS_BAD:
        return "bad"
    if high <= LOSS_GOOD:
        return "good"
    return "fair" if high <= LOSS_FAIR else TOO_FEW


def _fewest_without_loss() -> int:
    total = 1
    while _loss_word(paired_interval(0, 0, total)) == TOO_FEW:
        total += 1
    return round_up(total)


def _too_few(total: int, needed: int) -> Grade:
    return Grade(TOO_FEW, f"{TOO_FEW} ({total:,}; about {needed:,} needed)", needed)
