"""A word for a model is a promise: it follows from the ends of an interval, and few say nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edge.core.model.grade import FAIR, FEWEST, GOOD, TOO_FEW, grade, grade_loss
from edge.core.model.wilson import wilson


def answers(right: int, total: int, classes: int = 3) -> npt.NDArray[np.int64]:
    """A confusion matrix of as many pictures of every class, of which the first are right."""
    confusion = np.zeros((classes, classes), np.int64)
    for number in range(total):
        is_ = number % classes
        confusion[is_, is_ if number < right else (is_ + 1) % classes] += 1
    return confusion


@pytest.mark.parametrize(
    ("right", "total", "word", "why"),
    [
        (0, 0, TOO_FEW, "too few pictures to say (0; about 35 needed)"),
        (3, 3, TOO_FEW, "too few pictures to say (3; about 35 needed)"),
        (0, 3, TOO_FEW, "too few pictures to say (3; about 35 needed)"),
        (13, 13, TOO_FEW, "too few pictures to say (13; about 35 needed)"),
        (11, 13, TOO_FEW, "too few pictures to say (13; about 80 needed)"),
        (6, 13, "bad", "23% to 71% of pictures like these are classified correctly"),
        (FEWEST - 1, FEWEST - 1, TOO_FEW, "too few pictures to say (34; about 35 needed)"),
        (FEWEST, FEWEST, "good", "90% to 100% of pictures like these are classified correctly"),
        (34, 35, "fair", "85% to 100% of pictures like these are classified correctly"),
        (36, 40, "fair", "76% to 97% of pictures like these are classified correctly"),
        (34, 40, TOO_FEW, "too few pictures to say (40; about 75 needed)"),  # 71% to 93%
        (30, 40, "bad", "59% to 86% of pictures like these are classified correctly"),
        (207, 220, "good", "90% to 97% of pictures like these are classified correctly"),
        (206, 220, "fair", "89% to 97% of pictures like these are classified correctly"),
        (1500, 2000, "bad", "73% to 77% of pictures like these are classified correctly"),
        (1950, 2000, "good", "96% to 99% of pictures like these are classified correctly"),
    ],
)
def test_a_word_follows_from_the_interval(right: int, total: int, word: str, why: str) -> None:
    found = grade(answers(right, total))
    assert (found.word, found.why) == (word, why)
    assert (found.needed is not None) == (word == TOO_FEW)
    assert str(found) == (why if word == TOO_FEW else f"{word}: {why}")


@pytest.mark.parametrize("total", range(FEWEST))
def test_a_tiny_set_is_never_called_good_or_fair(total: int) -> None:
    assert {grade(answers(right, total)).word for right in range(total + 1)} <= {TOO_FEW, "bad"}


def test_the_fewest_pictures_are_those_that_could_show_a_good_model() -> None:
    assert wilson(1.0, FEWEST)[0] >= GOOD > wilson(1.0, FEWEST - 1)[0]


def test_the_word_is_what_the_lower_end_promises() -> None:
    for right in range(201):
        low = wilson(right / 200, 200)[0]
        word = grade(answers(right, 200)).word
        assert (word == "good") == (low >= GOOD)
        assert (word == "fair") == (FAIR <= low < GOOD)


def test_pictures_in_groups_promise_less() -> None:
    assert grade(answers(207, 220)).word == "good"
    assert grade(answers(207, 220), (0.885, 0.977)).word == "fair"
    few = grade(answers(200, 200), wilson(1.0, 3))  # three series of pictures, all right
    assert few.word == TOO_FEW
    assert few.needed == 2400, "35 such series"


@pytest.mark.parametrize(
    ("confusion", "word"),
    [
        ([[1900, 0], [100, 0]], "bad"),  # it always says the first, and is right 19 times in 20
        ([[1890, 10], [100, 0]], "bad"),
        ([[36, 0], [3, 1]], TOO_FEW),  # better, but by a single picture
        ([[36, 0], [0, 4]], "good"),
    ],
)
def test_naming_always_the_most_frequent_class_is_not_good(
    confusion: list[list[int]], word: str
) -> None:
    found = grade(np.array(confusion, np.int64))
    assert found.word == word
    if word == "bad":
        assert found.why == "not better than always naming the most frequent class"


@pytest.mark.parametrize(
    ("first_only", "second_only", "total", "word", "why"),
    [
        (0, 0, 0, TOO_FEW, "too few pictures to say (0; about 75 needed)"),
        (0, 0, 13, TOO_FEW, "too few pictures to say (13; about 75 needed)"),
        (0, 0, 72, TOO_FEW, "too few pictures to say (72; about 75 needed)"),
        (0, 0, 73, "fair", "no loss shows, and it is at most 5.0 points of accuracy"),
        (0, 0, 189, "good", "no loss shows, and it is at most 2.0 points of accuracy"),
        (2, 1, 220, "fair", "no loss shows, and it is at most 2.9 points of accuracy"),
        (6, 0, 100, "bad", "2.1 to 12.5 points of accuracy are lost"),
        (12, 0, 2000, "good", "0.3 to 1.0 points of accuracy are lost"),
        (0, 10, 40, "good", "no loss shows"),
    ],
)
def test_the_loss_of_a_conversion_has_a_word(
    first_only: int, second_only: int, total: int, word: str, why: str
) -> None:
    found = grade_loss(first_only, second_only, total)
    assert (found.word, found.why) == (word, why)


def test_a_grade_is_told_to_machines() -> None:
    assert grade(answers(3, 3)).to_json() == {
        "word": TOO_FEW,
        "why": "too few pictures to say (3; about 35 needed)",
        "needed": 35,
    }
