"""A list of labels in another order is distinguished from a model that is merely weak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converter.errors import ForeignModelError
from converter.foreign.label_order import (
    Indices,
    exceeds_chance,
    find_label_order,
    find_label_swaps,
)
from converter.foreign.label_order_check import (
    background_hint,
    check_better_than_chance,
    check_label_swaps,
)
from converter.foreign.normalisations import TriedNormalisation
from tests.converter.foreign.models import LABELS, way

COUNT = len(LABELS)
EACH = 20


def answers(truth: Indices, *, recall: float, seed: int = 0) -> Indices:
    """The outputs of a model with this recall, whose wrong answers are random."""
    rng = np.random.default_rng(seed)
    wrong = (truth + rng.integers(1, COUNT, len(truth))) % COUNT
    return np.where(rng.random(len(truth)) < recall, truth, wrong)


def fifty_orders() -> list[tuple[str, tuple[str, ...]]]:
    """Wrong orders of a list, each with a description of the change."""
    rng = np.random.default_rng(1)
    found = [(f"shifted by {k}", LABELS[k:] + LABELS[:k]) for k in range(1, COUNT)]
    found.append(("reversed", LABELS[::-1]))
    for first in range(COUNT):
        other = (first + 1 + int(rng.integers(COUNT - 1))) % COUNT
        swapped = list(LABELS)
        swapped[first], swapped[other] = swapped[other], swapped[first]
        found.append((f"swapped {first} and {other}", tuple(swapped)))
    for size in (3, 4, 5, 6, 7, 8):
        moved = rng.choice(COUNT, size, replace=False)
        turned = list(LABELS)
        for place, source in zip(moved, np.roll(moved, 1), strict=True):
            turned[place] = LABELS[source]
        found.append((f"{size} turned", tuple(turned)))
    while len(found) < 50:
        order = tuple(LABELS[i] for i in rng.permutation(COUNT))
        found.append((f"shuffled {len(found)}", order))
    return found


ORDERS = fifty_orders()
SHUFFLED = tuple(LABELS[i] for i in np.random.default_rng(5).permutation(COUNT))


def refusal(labels: tuple[str, ...], right: tuple[str, ...], *, recall: float) -> str:
    """The error message for a model whose outputs are `right` and whose list is `labels`."""
    outputs = np.repeat(np.arange(COUNT), EACH)
    best = answers(outputs, recall=recall)
    truth = np.array([labels.index(right[output]) for output in outputs])
    row = TriedNormalisation(way("-1..1"), best, best == truth, np.zeros(len(truth)))
    try:
        check_better_than_chance(
            [row], None, truth, labels, model=Path("m.tflite"), source="labels.txt"
        )
        check_label_swaps(truth, best, labels, source="labels.txt")
    except ForeignModelError as error:
        return str(error)
    return "nothing"


@pytest.mark.parametrize(("kind", "labels"), ORDERS, ids=[kind for kind, _ in ORDERS])
@pytest.mark.parametrize("recall", [0.97, 0.7])
def test_each_of_fifty_wrong_orders_is_refused_and_the_right_one_named(
    kind: str, labels: tuple[str, ...], recall: float
) -> None:
    said = refusal(labels, LABELS, recall=recall)
    assert "labels.txt are in another order" in said
    assert "\n\n" + "\n".join(LABELS) + "\n\n" in said


def test_an_order_that_no_rule_gives_is_named_as_well() -> None:
    said = refusal(LABELS, SHUFFLED, recall=0.9)
    assert "put in the order that the answers show" in said
    assert "\n\n" + "\n".join(SHUFFLED) + "\n\n" in said


def test_labels_without_pictures_follow_the_rule_and_that_is_said() -> None:
    outputs = np.repeat(np.arange(3), EACH)  # no picture of the other seven
    shifted = LABELS[-1:] + LABELS[:-1]
    order = find_label_order(outputs + 1, answers(outputs, recall=0.9), shifted, comparisons=10)
    assert order is not None
    assert order.labels == LABELS
    assert set(order.guessed) == set(LABELS[3:])


def test_a_right_list_of_a_weak_model_is_not_refused() -> None:
    # Classes of unequal size; half of the labels are known badly, some taken for one another.
    rng = np.random.default_rng(3)
    for _ in range(60):
        truth = np.repeat(np.arange(COUNT), rng.integers(6, 40, COUNT))
        best = truth.copy()
        for label in range(COUNT):
            mine = np.flatnonzero(truth == label)
            known = rng.uniform(0.45, 0.9)
            friend = (label + 1 + rng.integers(COUNT - 1)) % COUNT
            lost = mine[rng.random(len(mine)) > known]
            best[lost] = np.where(rng.random(len(lost)) < 0.6, friend,
                                  rng.integers(0, COUNT, len(lost)))  # fmt: skip
        assert not any(found.certain for found in find_label_swaps(truth, best, LABELS))


def test_a_class_that_is_always_taken_for_another_is_no_exchange() -> None:
    # All of class 0 are called 1, and so are all of class 1: a weak model, not a wrong list.
    truth = np.repeat(np.arange(COUNT), EACH)
    best = np.where(truth == 0, 1, truth)
    assert find_label_swaps(truth, best, LABELS) == ()
    # Many of 0 outvote few of 1 in number, and are still one class.
    few = np.concatenate([np.zeros(80, int), np.ones(6, int), np.repeat(np.arange(2, COUNT), 9)])
    best = few.copy()
    best[:70], best[80:82] = 1, 0
    assert not any(found.certain for found in find_label_swaps(few, best, LABELS))


def test_an_exchange_that_few_pictures_show_is_said_and_not_refused() -> None:
    truth = np.repeat(np.arange(COUNT), 5)
    best = truth.copy()
    best[truth == 2], best[truth == 7] = 7, 2
    (said,) = check_label_swaps(truth, best, LABELS, source="labels.txt")
    assert "coal and ink (10 of their pictures are answered with the other" in said
    assert "more pictures of these classes show which" in said


def test_a_model_that_knows_nothing_is_told_from_one_with_a_wrong_list() -> None:
    truth = np.repeat(np.arange(COUNT), EACH)
    best = np.random.default_rng(2).integers(0, COUNT, len(truth))
    row = TriedNormalisation(way("raw"), best, best == truth, np.zeros(len(truth)))
    with pytest.raises(ForeignModelError, match="no better than chance") as refused:
        check_better_than_chance(
            [row], None, truth, LABELS, model=Path("m.tflite"), source="labels.txt"
        )
    assert "No other order of the labels fits either" in str(refused.value)


@pytest.mark.parametrize("shift", [1, -1])
def test_a_background_class_is_seen_in_the_pictures(shift: int) -> None:
    truth = np.repeat(np.arange(1, COUNT), EACH)
    said = background_hint([truth + shift], truth, LABELS)
    assert ("a line `background` before" if shift == 1 else "without the first line") in said
    assert background_hint([np.zeros_like(truth)], truth, LABELS) == ""


def test_the_test_against_chance_is_the_exact_one() -> None:
    # 10 of 10 at a half: 1 in 1,024, and 10 such questions.
    assert exceeds_chance(10, 10, 0.5, significance=1 / 1000)
    assert not exceeds_chance(10, 10, 0.5, significance=1 / 1050)
    assert not exceeds_chance(10, 10, 0.5, significance=1 / 1000, comparisons=10)
    assert not exceeds_chance(0, 0, 0.5)
