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
"""Thresholds tried, lowest first."""
UNPROMISED = 0.9
"""The threshold of a label of which too few pictures, or too many wrong ones, were accepted."""
_TELLING = 20
"""Accepted pictures below which their purity says too little to choose a lower threshold by."""


@dataclass(frozen=True, slots=True)
class AcceptThreshold:
    """From which score a label is accepted."""

    value: float
    accepted: int
    """Cross-fitted pictures of this label that reach it."""
    right: int
    """Those of them that are what they were taken for."""
    note: str
    """Empty where the promise is kept; else why not, and what would be needed."""


def choose_thresholds(
    scores: npt.NDArray[np.floating],
    truth: npt.NDArray[np.int64],
    labels: Sequence[str],
    plan: AcceptPlan,
    groups: Sequence[str] | None = None,
) -> dict[str, AcceptThreshold]:
    """The lowest threshold of each label that promises the wanted purity.

    A threshold promises it when the lower bound of its purity, at the plan's confidence, reaches
    the wanted one. Looking at many thresholds finds lucky ones, so they are tried from the highest
    (1 is trivially safe) downwards and the search stops at the first that does not promise: a fixed
    sequence of tests, each at full level (Angelopoulos et al., Learn then Test, 2021).

    Pictures of one group tend to be right or wrong together and tell less than as many single ones:
    counts are divided by their design effect.

    Args:
        scores: (pictures, classes), each from a model that did not train on that picture.
        truth: (pictures,) class indices.
        groups: of each picture; None: each is its own.
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
    """Whether `right` of `accepted` shows a purity of more than `purity`, at `confidence`.

    The exact one-sided binomial test; the same as Clopper and Pearson's lower bound of the purity
    (Biometrika 26, 1934) being at least `purity`.
    """
    from scipy.special import bdtrc

    # The chance of so many right ones or more, were the purity just `purity`.
    return bool(bdtrc(right - 1, accepted, purity) <= 1 - confidence)


def flawless_needed(purity: float, confidence: float) -> int:
    """How many accepted pictures, all of them right, promise `purity`: 59 for 95 % at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log(purity))


def _unpromised(
    value: npt.NDArray[np.floating],
    right: npt.NDArray[np.bool_],
    plan: AcceptPlan,
    enough: int,
) -> AcceptThreshold:
    """The lowest threshold that was pure enough on the pictures there are, with a note."""
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
