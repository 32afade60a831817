"""Tests with labelled pictures whether a list of labels has the same order as a model's outputs.

A list in another order is the most common fault of models that are passed on. It differs from a
weak model in one way: several classes are answered with each other's labels, each of them more
often with the other label than with its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

SIGNIFICANCE = 0.01
"""The probability with which a right list may be refused by chance."""
_CAUTION = 0.2
"""The probability with which a right list may cause a warning by chance. It is reached only by a
model that confuses two classes in half of their pictures; for usual weak models it is far less."""
_NEARLY = 0.75
"""The share of the moved labels that must be answered better in their new place."""
_REST = 0.05
"""The significance level for a swap without the class that shows it most."""

Indices = npt.NDArray[np.int64]
"""Class indices or output indices, int64 (pictures,) or (classes,)."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelOrder:
    """Another order of the labels, in which a model's answers fit the pictures."""

    labels: tuple[str, ...]
    """All labels, in the order of the model's outputs."""
    kind: str
    """The rule of the order, such as "sorted by the alphabet"; empty if it follows no rule."""
    guessed: tuple[str, ...]
    """Labels without pictures. The rule puts them in their place, or the places that are left."""
    hits: npt.NDArray[np.bool_]
    """(pictures,): True for each picture that is right in this order."""
    general: bool
    """True if at least half of the labels with pictures move, and nearly all of those are answered
    more often in the new place than in the old one."""

    @property
    def right(self) -> int:
        """The number of pictures that are right in this order."""
        return int(self.hits.sum())


@dataclass(frozen=True, slots=True)
class LabelSwap:
    """Labels that seem to be swapped with each other in the list."""

    labels: tuple[str, ...]
    """The labels. Each one is answered with the next, and the last one with the first."""
    swapped: int
    """The number of pictures of these classes that are answered in that way."""
    kept: int
    """The number of pictures of these classes that are answered with their own label."""
    certain: bool
    """True if neither chance nor a weak model explains it."""


def exceeds_chance(
    count: int,
    total: int,
    share: float,
    *,
    comparisons: int = 1,
    significance: float = SIGNIFICANCE,
) -> bool:
    """Whether `count` of `total` is more than `share`, by the exact one-sided binomial test.

    Args:
        comparisons: the number of such tests. The probability that any of them errs is at most
            `significance` (Bonferroni).
        significance: the probability of an error by chance.
    """
    if share >= 1 or count <= share * total:
        return False
    terms = [
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        + k * math.log(share) + (total - k) * math.log1p(-share)
        for k in range(count, total + 1)
    ]  # fmt: skip
    highest = max(terms)
    tail = highest + math.log(sum(math.exp(term - highest) for term in terms))
    return tail + math.log(comparisons) <= math.log(significance)


def find_label_order(
    truth: Indices, best: Indices, labels: Sequence[str], *, comparisons: int
) -> LabelOrder | None:
    """Another order of the labels in which a model is better than chance; None if there is none.

    An order that follows a rule (sorted, reversed, shifted) is preferred to one that is fitted to
    the pictures. A fitted order counts only if an order fitted to half of the pictures also fits
    the other half.

    Args:
        truth: (pictures,) class indices into `labels`.
        best: (pictures,) indices of the outputs with the highest score.
        comparisons: the number of normalisations for which this is asked.
    """
    count, total = len(labels), len(truth)
    largest = int(np.bincount(truth).max()) / total
    rules = _rules(truth, best, labels)
    right = [int((places[truth] == best).sum()) for _, places in rules]
    halves = np.arange(total) % 2 == 0
    fitted = _fitted(truth, best, count)
    held = sum(
        int((_fitted(truth[part], best[part], count)[truth[~part]] == best[~part]).sum())
        for part in (halves, ~halves)
    )
    comparisons *= len(rules) + count + 1
    kind, places = "", fitted
    if max(right) >= held and exceeds_chance(max(right), total, largest, comparisons=comparisons):
        kind, places = rules[right.index(max(right))]
    elif not exceeds_chance(held, total, largest, comparisons=comparisons):
        return None
    named = [""] * count
    seen = set(np.unique(truth).tolist())
    for index in range(count):
        named[places[index]] = labels[index]
    guessed = tuple(labels[index] for index in range(count) if index not in seen)
    hits = places[truth] == best
    gains = [int(hits[mine].sum()) - int((best[mine] == index).sum())
             for index in seen if places[index] != index
             for mine in [truth == index]]  # fmt: skip
    general = 2 * len(gains) >= len(seen) and sum(g > 0 for g in gains) >= _NEARLY * len(gains)
    return LabelOrder(tuple(named), kind, guessed, hits, general)


def _rules(truth: Indices, best: Indices, labels: Sequence[str]) -> list[tuple[str, Indices]]:
    """The usual orders of lists: a description of each, and the output index of each label."""
    count = len(labels)
    every = np.arange(count)
    found = []
    for kind, key in (
        ("sorted by the alphabet, as Keras sorts the folders of a training", lambda label: label),
        ("sorted by the alphabet, upper and lower case alike", str.casefold),
        ("sorted by the alphabet, numbers by their value", _natural),
    ):
        places = np.empty(count, np.int64)
        places[np.array(sorted(every, key=lambda i, k=key: k(labels[i])), np.int64)] = every  # type: ignore[misc]
        found.append((kind, places))
    found.append(("reversed", every[::-1].copy()))
    shift = int(np.bincount((best - truth) % count).argmax())
    lines = shift if shift <= count // 2 else shift - count
    way = "down" if lines > 0 else "up"
    moved = f"shifted {way} by {abs(lines)} line{'s' if abs(lines) != 1 else ''}"
    found.append((moved, (every + shift) % count))
    return [(kind, places) for kind, places in found if (places != every).any()]


def _natural(label: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"([0-9]+)", label.casefold())
    return [(0, int(p[:18]), "") if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts]


def _fitted(truth: Indices, best: Indices, count: int) -> Indices:
    """The output index of each label with which most pictures are right.

    A label without pictures keeps its own output if that is free.
    """
    from scipy.optimize import linear_sum_assignment

    answers = np.zeros((count, count))
    np.add.at(answers, (truth, best), 1)
    # Where nothing is gained by it, a label keeps its own place.
    answers[np.arange(count), np.arange(count)] += 0.5 / count
    return np.asarray(linear_sum_assignment(answers, maximize=True)[1], np.int64)


def find_label_swaps(truth: Indices, best: Indices, labels: Sequence[str]) -> tuple[LabelSwap, ...]:
    """The labels that seem to be swapped in a list whose order is otherwise right.

    A swap is certain if three things hold: each of its classes is answered more often with the
    other label than with its own; that holds for all of them together beyond chance (McNemar's
    exact test, corrected for the number of possible swaps of so many labels); and it does not
    depend on a single class, which a weak model may confuse with another. If only the second holds
    at a weaker level, the swap is possible but not certain.

    Args:
        truth: (pictures,) class indices into `labels`.
        best: (pictures,) indices of the outputs with the highest score.
    """
    places = _fitted(truth, best, len(labels))
    seen = len(np.unique(truth))
    found = []
    for cycle in _cycles(places):
        swapped = np.array([((truth == i) & (best == places[i])).sum() for i in cycle])
        kept = np.array([((truth == i) & (best == i)).sum() for i in cycle])
        pairs, theirs = int((swapped + kept).sum()), int(swapped.sum())
        rest = np.arange(len(cycle)) != (swapped - kept).argmax()
        size = min(len(cycle), seen)
        comparisons = math.perm(seen, size) // size
        certain = (
            bool((swapped > kept).all())
            and exceeds_chance(theirs, pairs, 0.5, comparisons=comparisons)
            and exceeds_chance(
                int(swapped[rest].sum()), int((swapped + kept)[rest].sum()), 0.5, significance=_REST
            )
        )
        if certain or exceeds_chance(
            theirs, pairs, 0.5, comparisons=comparisons, significance=_CAUTION
        ):
            names = tuple(labels[i] for i in cycle)
            found.append(LabelSwap(names, theirs, pairs - theirs, certain))
    return tuple(found)


def _cycles(places: Indices) -> list[list[int]]:
    """The cycles of a permutation: the output of each class is the index of the next class."""
    left = set(np.flatnonzero(places != np.arange(len(places))).tolist())
    cycles = []
    while left:
        cycle = [min(left)]
        while (following := int(places[cycle[-1]])) != cycle[0]:
            cycle.append(following)
        left -= set(cycle)
        cycles.append(cycle)
    return cycles


def undo_swaps(labels: Sequence[str], swaps: Sequence[LabelSwap]) -> tuple[str, ...]:
    """The labels in the order of the outputs, after `swaps` are undone."""
    named = list(labels)
    for swap in swaps:
        for label, output in pairwise((*swap.labels, swap.labels[0])):
            named[labels.index(output)] = label
    return tuple(named)
