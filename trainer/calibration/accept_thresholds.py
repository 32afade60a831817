"""The accept threshold of every label, with the purity that it promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.recipes.plan import AcceptPlan
from trainer.statistics.design_effect import cluster_design_effect

GRID = np.round(np.arange(0.30, 1.0, 0.01), 2)
"""The thresholds that are tried, lowest first."""
UNPROMISED = 0.9
"""The threshold of a label if too few of its accepted pictures, or too few correct ones, exist."""
_TELLING = 20
"""The fewest accepted pictures whose purity is enough to choose a lower threshold."""


@dataclass(frozen=True, slots=True)
class AcceptThreshold:
    """The least score with which a label is accepted."""

    value: float
    accepted: int
    """The number of cross-fitted pictures given this label whose score reaches the threshold."""
    right: int
    """The number of these pictures whose label is correct."""
    note: str
    """Empty if the threshold promises its purity; otherwise the reason, and what would be
    needed."""


def choose_thresholds(
    scores: npt.NDArray[np.floating],
    truth: npt.NDArray[np.int64],
    labels: Sequence[str],
    plan: AcceptPlan,
    groups: Sequence[str] | None = None,
) -> dict[str, AcceptThreshold]:
    """The lowest threshold of each label that promises the wanted purity.

    A threshold promises it when the lower bound of its purity, at the plan's confidence, reaches
    the wanted one. Among many thresholds some look good by chance, so they are tried from the
    highest (1 is trivially safe) downwards and the search stops at the first that does not promise:
    a fixed sequence of tests, each at full level (Angelopoulos et al., Learn then Test, 2021).

    Pictures of one group tend to be right or wrong together, so they say less than as many single
    pictures, and counts are divided by their design effect.

    Args:
        scores: (pictures, classes), each from a model that was not trained on that picture.
        truth: (pictures,) class indices.
        labels: the label of each class.
        plan: the wanted purity and its confidence.
        groups: the group of each picture; None if each is a group of its own.
    """
    best, confidence = scores.argmax(axis=1), scores.max(axis=1)
    effect = 1.0 if groups is None else cluster_design_effect(best != truth, groups)
    enough = math.ceil(effect * flawless_needed(plan.purity, plan.confidence))
    thresholds = {}
    for index, label in enumerate(labels):
        mine = best == index
        right = truth[mine] == index
        value = confidence[mine]
        chosen: AcceptThreshold | None = None
        for threshold in GRID[::-1]:
            taken = value >= threshold
            count, good = int(taken.sum()), int(right[taken].sum())
            if count < enough:
                continue  # too few to promise anything yet
            independent = int(count / effect)
            wrong = math.ceil((count - good) / effect)
            if not is_promised(independent - wrong, independent, plan.purity, plan.confidence):
                break
            chosen = AcceptThreshold(float(threshold), count, good, "")
        thresholds[label] = chosen or _unpromised(value, right, plan, enough)
    return thresholds


def is_promised(right: int, accepted: int, purity: float, confidence: float) -> bool:
    """Whether `right` of `accepted` pictures show a purity above `purity`, at `confidence`.

    It is the exact one-sided binomial test, which is the same as Clopper and Pearson's lower bound
    of the purity (Biometrika 26, 1934) being at least `purity`.
    """
    from scipy.special import bdtrc

    # This is the probability of so many correct ones or more if the purity were exactly `purity`.
    return bool(bdtrc(right - 1, accepted, purity) <= 1 - confidence)


def flawless_needed(purity: float, confidence: float) -> int:
    """The number of accepted pictures, all correct, that promise `purity`: 59 for 95 % at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log(purity))


def _unpromised(
    value: npt.NDArray[np.floating],
    right: npt.NDArray[np.bool_],
    plan: AcceptPlan,
    enough: int,
) -> AcceptThreshold:
    """The lowest threshold that was pure enough on the available pictures, with a note."""
    threshold = UNPROMISED
    for candidate in GRID:
        taken = value >= candidate
        if taken.sum() >= _TELLING and right[taken].mean() >= plan.purity:
            threshold = float(candidate)
            break
    taken = value >= threshold
    count, good = int(taken.sum()), int(right[taken].sum())
    wanted = f"that {plan.purity:.0%} of what is accepted is right"
    if count < enough:
        more = enough - count
        note = f"no promise: it takes about {more} more pictures, all right, to show {wanted}"
    else:
        wrong = f"{count - good} of {count} accepted were wrong"
        note = f"no promise: {wrong}, too many to show {wanted}"
    return AcceptThreshold(threshold, count, good, note)
