"""How good a model is, in a word: good, fair or bad, or that there are too few pictures to say.

A word is a promise, so it follows from the ends of a 95 % interval and never from the share that
happened to come out. Trainer, converter and device say the same word by the same rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge.core.model.metrics import design_effect, paired_interval, round_up, whole_percents, wilson

TOO_FEW: Literal["too few pictures to say"] = "too few pictures to say"
Word = Literal["good", "fair", "bad", "too few pictures to say"]

GOOD = 0.9
"""Share of pictures that a good model surely tells right: one item in ten is left to the reject
threshold, which is what a sorting station can send round a second time."""
FAIR = 0.75
"""Share that a fair one surely tells right: a rejecting station still sorts most of what passes,
and more pictures usually make it good. Below it, every fourth item is wrong or sent back."""
FEWEST = 35
"""Test pictures below which no model is called good or fair: so many, all of them right, are the
fewest whose interval begins at GOOD. Source: Wilson's interval, n / (n + 1.96^2) >= 0.9."""
FEWEST_BAD = 10
"""Test pictures below which no model is called bad either: Wilson's interval of fewer excludes
more than the exact test would."""
LOSS_GOOD = 0.02
"""Share of pictures that conversion to integers surely does not lose more of, to be good: within
it int8 networks usually stay (R. Krishnamoorthi, Quantizing deep convolutional networks for
efficient inference, 2018)."""
LOSS_FAIR = 0.05
"""As LOSS_GOOD, to be fair."""
LOSS_BAD = 0.01
"""Share of pictures that it surely loses, to be bad: the bar of the converter's gate."""
_FACTORS = tuple(1.02**step for step in range(1, 400))
"""Times as many pictures as there were, for which `_needed` asks in turn."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A verdict on a model, for people and for `metrics.json`."""

    word: Word
    why: str
    """What it is based on, as the rest of a sentence."""
    needed: int | None = None
    """About how many test pictures it takes to say more; None where the word is said."""

    def __str__(self) -> str:
        return self.why if self.word == TOO_FEW else f"{self.word}: {self.why}"

    def to_json(self) -> dict[str, object]:
        """The object for `metrics.json` and a bundle's figures."""
        return {"word": self.word, "why": self.why, "needed": self.needed}


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a word is derived from, which can be thought of as more pictures of the same kind."""

    interval: tuple[float, float]
    total: float
    lost: float
    """Independent pictures that always naming the most frequent class gets right, and it wrong."""
    won: float
    """The other way round."""
    independent: float


def grade(confusion: npt.NDArray[np.int64], interval: tuple[float, float] | None = None) -> Grade:
    """The word for a model's answers to its test pictures.

    Good or fair is what surely tells more than GOOD or FAIR of them right: the lower end of the
    interval counts. It is bad where the upper end is below FAIR, where it is surely not good and
    may be bad, and where it is not better than always naming the most frequent class. Where the
    interval reaches from bad to good, or there are fewer than FEWEST pictures, nothing is said.

    Args:
        confusion: (classes, classes), row the true label, column the best label.
        interval: 95 % interval of the accuracy, where groups make it wider; None: Wilson's.
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
    return Grade(word, f"{whole_percents(interval)} of pictures like these are told right")


def grade_loss(first_only: int, second_only: int, total: int) -> Grade:
    """The word for what a converted model loses in accuracy, from how the same pictures fared.

    Args:
        first_only: pictures that only the model it was made from gets right.
        second_only: pictures that only the converted one gets right.
        total: all pictures.
    """
    word = _loss_word(first_only, second_only, total)
    if word == TOO_FEW:
        more = (f for f in _FACTORS if total and _loss_word(first_only * f, second_only * f,
                                                            total * f) != TOO_FEW)  # fmt: skip
        factor = next(more, None)
        least = _fewest_without_loss()
        return _too_few(total, least if factor is None else max(least, round_up(total * factor)))
    low, high = paired_interval(first_only, second_only, total)
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
    """Whether it is shown to be better than always naming the most frequent class."""
    lost, won = math.ceil(counted.lost), math.floor(counted.won)
    return paired_interval(lost, won, max(round(counted.independent), lost + won))[1] < 0


def _needed(value: float, counted: _Counted, effect: float) -> int:
    """About how many pictures it takes until a word can be said, were they like these."""
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


def _loss_word(first_only: float, second_only: float, total: float) -> Word:
    low, high = paired_interval(round(first_only), round(second_only), round(total))
    if low > LOSS_BAD:
        return "bad"
    if high <= LOSS_GOOD:
        return "good"
    return "fair" if high <= LOSS_FAIR else TOO_FEW


def _fewest_without_loss() -> int:
    total = 1
    while _loss_word(0, 0, total) == TOO_FEW:
        total += 1
    return round_up(total)


def _too_few(total: int, needed: int) -> Grade:
    return Grade(TOO_FEW, f"{TOO_FEW} ({total:,}; about {needed:,} needed)", needed)
