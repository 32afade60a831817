"""Whether the labels of a model stand in the order of its outputs, by what it makes of pictures.

A list in another order is the most common fault of models that change hands. It is told from a weak
model by what weak models do not do: answer several classes with one another's labels, each more
often with the other's than with its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

CHANCE = 0.01
"""How often a right list may be refused by chance."""
_CAUTION = 0.2
"""The same of a caution, which only says that it may be so. It is that much only for a model that
takes two classes for one another as often as not; for weak models as they are it is far less."""
_NEARLY = 0.75
"""Share of moved labels that are nearly all of them."""
_REST = 0.05
"""The same of what is left of an exchange without the class that shows it most."""

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The order that the labels seem to stand in."""

    labels: tuple[str, ...]
    """All, in the order of the outputs."""
    kind: str
    """"sorted by the alphabet", say; empty: no rule shows."""
    guessed: tuple[str, ...]
    """Labels of no picture: by the rule where there is one, else where a place was left."""
    hits: npt.NDArray[np.bool_]
    """(pictures,): right then."""
    general: bool
    """It moves half of the labels that there are pictures of, or more, and nearly all of these are
    answered more often by their new place than by the old one."""

    @property
    def right(self) -> int:
        """Pictures that are right then."""
        return int(self.hits.sum())


@dataclass(frozen=True, slots=True)
class LabelSwap:
    """Labels of classes that seem to have been exchanged with one another."""

    labels: tuple[str, ...]
    """Each is answered with the next one, the last with the first."""
    swapped: int
    """Pictures of these classes that are answered so."""
    kept: int
    """Those that are answered with their own."""
    certain: bool
    """Chance or a weak model do not explain it."""


def beats(count: int, total: int, share: float, *, looks: int = 1, chance: float = CHANCE) -> bool:
    """Whether `count` of `total` is more than `share`, by the exact one-sided binomial test.

    Args:
        looks: how many such questions are asked; together they err with `chance` at most
            (Bonferroni).
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
    return tail + math.log(looks) <= math.log(chance)


def find_order(truth: Indices, best: Indices, labels: Sequence[str], *, looks: int) -> Order | None:
    """The order of the labels in which a model answers better than by chance; None: there is none.

    A rule (sorted, reversed, shifted) is
    believed before an order that has to be fitted to the pictures, and that only as far as one
    fitted to half of them holds on the other half.

    Args:
        truth: (pictures,) class indices by `labels`.
        best: (pictures,) outputs with the highest score.
        looks: how many normalisations are tried besides.
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
    looks *= len(rules) + count + 1
    kind, places = "", fitted
    if max(right) >= held and beats(max(right), total, largest, looks=looks):
        kind, places = rules[right.index(max(right))]
    elif not beats(held, total, largest, looks=looks):
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
    return Order(tuple(named), kind, guessed, hits, general)


def _rules(truth: Indices, best: Indices, labels: Sequence[str]) -> list[tuple[str, Indices]]:
    """Orders that lists are often in: how each is called, and the output of each label in it."""
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
    found.append(("turned round, the last first", every[::-1].copy()))
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
    """The output of each label by which most pictures are right; without pictures its own."""
    from scipy.optimize import linear_sum_assignment

    answers = np.zeros((count, count))
    np.add.at(answers, (truth, best), 1)
    # Where nothing is gained by it, a label keeps its own place.
    answers[np.arange(count), np.arange(count)] += 0.5 / count
    return np.asarray(linear_sum_assignment(answers, maximize=True)[1], np.int64)


def find_swaps(truth: Indices, best: Indices, labels: Sequence[str]) -> tuple[LabelSwap, ...]:
    """Labels that seem to be exchanged in a list that on the whole is right.

    Certain is an exchange when each of its classes is answered more often with the other's label
    than with its own; when all together are so beyond chance (McNemar's exact test, over all
    exchanges of as many labels that there could be); and when that does not rest on a single class,
    which a weak model may well take for another. Where that fails, it may be so.

    Args:
        truth: (pictures,) class indices by `labels`.
        best: (pictures,) outputs with the highest score.
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
        looks = math.perm(seen, size) // size
        certain = (
            bool((swapped > kept).all())
            and beats(theirs, pairs, 0.5, looks=looks)
            and beats(
                int(swapped[rest].sum()), int((swapped + kept)[rest].sum()), 0.5, chance=_REST
            )
        )
        if certain or beats(theirs, pairs, 0.5, looks=looks, chance=_CAUTION):
            names = tuple(labels[i] for i in cycle)
            found.append(LabelSwap(names, theirs, pairs - theirs, certain))
    return tuple(found)


def _cycles(places: Indices) -> list[list[int]]:
    """The classes that go round: the output of each is the place of the next."""
    left = set(np.flatnonzero(places != np.arange(len(places))).tolist())
    cycles = []
    while left:
        cycle = [min(left)]
        while (following := int(places[cycle[-1]])) != cycle[0]:
            cycle.append(following)
        left -= set(cycle)
        cycles.append(cycle)
    return cycles


def exchanged(labels: Sequence[str], exchanges: Sequence[LabelSwap]) -> tuple[str, ...]:
    """The labels in the order of the outputs, once `exchanges` are undone."""
    named = list(labels)
    for exchange in exchanges:
        for label, output in pairwise((*exchange.labels, exchange.labels[0])):
            named[labels.index(output)] = label
    return tuple(named)
