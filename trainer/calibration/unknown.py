"""Chooses the kind and the threshold of the novelty score, and measures how much it finds.

The kind is chosen and measured by leave-one-class-out (`leave_one_class_out.py`). The threshold is
chosen by the outputs of cross-fitted models for known pictures. Neither uses the test split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from trainer.calibration.accept_thresholds import flawless_needed
from trainer.calibration.leave_one_class_out import LeaveOneClassOut, leave_classes_out
from trainer.calibration.novelty import (
    Floats,
    Kind,
    NoveltyScore,
    RawScores,
    choose_prototypes,
    distance,
    energy,
)
from trainer.recipes.plan import UnknownPlan
from trainer.statistics.intervals import NOTHING, Figure, Resampling

_WIDTHS = 3.0
"""The distance of the median known picture below the threshold, before the logistic function: its
novelty score is 0.05."""
_FEWEST_SERIES = 20
"""The fewest groups of pictures from which the differences between groups can be estimated."""
_FOLDS = 10
"""The number of folds: the limit is set on all folds but one and measured on that one."""
_TINY = 1e-9

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FoldPredictions:
    """The outputs of one model for pictures that it was trained on, and for others."""

    trained: Floats
    """(pictures, depth), the outputs of `pooled` for training pictures."""
    trained_truth: Indices
    """(pictures,), the class indices of the training pictures."""
    held: Floats
    """(pictures, depth), the outputs of `pooled` for held-out pictures."""
    held_logits: Floats
    """(pictures, classes), the logits of held-out pictures, divided by the temperature that the
    cross-fitted models share."""
    held_groups: Sequence[str]
    """The group of each held-out picture."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownScore:
    """The novelty score of a training, its threshold, and how good it is."""

    novelty: NoveltyScore
    threshold: float | None
    """Pictures whose novelty score, 0..1, is above it are rejected as `unknown`; None if there are
    too few pictures to choose it."""
    keep: float
    """The share of known things that the threshold should keep."""
    kept: Figure
    """The share of known pictures that such a threshold keeps, measured on pictures that were used
    neither to train the model nor to set the threshold."""
    leave_one_class_out: Mapping[Kind, Mapping[str, LeaveOneClassOut]]
    """The figures by kind and label; empty if they could not be measured."""
    note: str
    """Why something is not promised or not measured, and what would be needed; else empty."""

    @property
    def found(self) -> Mapping[str, LeaveOneClassOut]:
        """The figures of the chosen kind for each class left out."""
        return self.leave_one_class_out.get(self.novelty.kind, {})

    def to_json(self) -> dict[str, object]:
        """The object that is stored in a run; see `RunFacts.unknown`."""
        return {
            "score": self.novelty.kind,
            "threshold": self.threshold,
            "keep": self.keep,
            "kept": self.kept.to_json(),
            "left_out": {
                kind: {
                    label: figure.found.to_json()
                    | {"auroc": round(figure.auroc, 4), "images": figure.pictures}
                    for label, figure in figures.items()
                }
                for kind, figures in self.leave_one_class_out.items()
            },
            "note": self.note,
        }


def choose_unknown(
    plan: UnknownPlan,
    pictures: Sequence[LabelledPicture],
    *,
    frozen: Floats | None,
    folds: Sequence[FoldPredictions],
    trained: Floats,
    trained_truth: Indices,
    seed: int,
) -> UnknownScore | None:
    """Chooses the novelty score; None if the plan wants none, or if no fold was scored.

    Args:
        plan: the wanted kind of score, and the share of known things to keep.
        pictures: the pictures of all splits but the test split, with their groups.
        frozen: (pictures, depth), the outputs of `pooled` for these pictures by the network before
            its training; None if it had no pretrained weights.
        folds: the outputs of the cross-fitted models.
        trained: (pictures, depth), the outputs of `pooled` of the final network for its training
            pictures.
        trained_truth: (pictures,), the class indices of these pictures.
        seed: the seed of folds and prototypes.
    """
    if plan.score == "none" or not folds:
        return None
    leave_one_class_out: Mapping[Kind, Mapping[str, LeaveOneClassOut]] = {}
    notes = []
    labels = sorted({picture.label for picture in pictures})
    if frozen is None:
        notes.append(
            "not measured on classes left out: that takes layers that were trained on other "
            "pictures, and have never seen them"
        )
    elif len(labels) < 3:
        notes.append("not measured on classes left out: that takes three classes or more")
    else:
        leave_one_class_out = leave_classes_out(frozen, pictures, keep=plan.keep, seed=seed)
    kind = (
        plan.score
        if plan.score != "auto"
        else _best(leave_one_class_out, pretrained=frozen is not None)
    )
    known = RawScores(
        np.concatenate([energy(fold.held_logits) for fold in folds]),
        np.concatenate(
            [
                distance(fold.held, choose_prototypes(fold.trained, fold.trained_truth, seed=seed))
                for fold in folds
            ]
        ),
    )
    groups = [str(group) for fold in folds for group in fold.held_groups]
    weights, middle, promised, note = _set_limit(known, groups, kind, plan)
    raw = known.weighted(weights)
    notes += [note] * bool(note)
    found = _mean_found(leave_one_class_out.get(kind, {}))
    if found is not None and found < 2 * (1 - plan.keep):
        notes.append(
            f"the novelty score hardly finds classes that were left out: {found:.0%} of their "
            f"pictures, while it rejects {1 - plan.keep:.0%} of the known ones"
        )
    width = max((middle - float(np.median(raw))) / _WIDTHS, _TINY)
    return UnknownScore(
        novelty=NoveltyScore(
            energy=weights[0] / width,
            distance=weights[1] / width,
            offset=middle / width,
            prototypes=choose_prototypes(trained, trained_truth, seed=seed),
        ),
        threshold=0.5 if promised else None,
        keep=plan.keep,
        kept=_kept(known, groups, kind, plan, seed),
        leave_one_class_out=leave_one_class_out,
        note="; ".join(notes),
    )


def _set_limit(
    known: RawScores, groups: Sequence[str], kind: Kind, plan: UnknownPlan
) -> tuple[tuple[float, float], float, bool, str]:
    """(weights, limit, whether the limit may be used, why it is not promised)."""
    weights = known.weights(kind, plan.keep)
    raw = known.weighted(weights)
    limit, note = _limit(raw, groups, plan)
    # Without a threshold, the same numbers still give the score a scale.
    middle = float(np.quantile(raw, plan.keep)) if limit is None else limit
    return weights, middle, limit is not None, note


def _kept(
    known: RawScores, groups: Sequence[str], kind: Kind, plan: UnknownPlan, seed: int
) -> Figure:
    """The share of known pictures that a limit keeps, measured on groups that did not set it.

    On the pictures that set it, a limit keeps what it was set to keep, which says nothing.
    """
    number = np.unique(list(groups), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(int(number.max()) + 1)
    fold = order[number] % _FOLDS
    kept = np.zeros(len(number), bool)
    for held in (fold == each for each in range(_FOLDS)):
        if held.all():
            return NOTHING  # there is one group only, and no others to set a limit
        rest = np.flatnonzero(~held)
        weights, limit, _, _ = _set_limit(
            known.only(rest), [groups[i] for i in rest.tolist()], kind, plan
        )
        kept[held] = known.weighted(weights)[held] <= limit
    return Resampling(groups, len(kept), seed=seed).share(kept)


def _best(
    leave_one_class_out: Mapping[Kind, Mapping[str, LeaveOneClassOut]], *, pretrained: bool
) -> Kind:
    """The kind that finds most of the classes left out, on average."""
    if not any(leave_one_class_out.values()):
        # Features that were learned from these classes alone may not distinguish anything else.
        return "both" if pretrained else "energy"
    return max(leave_one_class_out, key=lambda kind: _mean_found(leave_one_class_out[kind]) or 0.0)


def _mean_found(figures: Mapping[str, LeaveOneClassOut]) -> float | None:
    shares = [f.found.value for f in figures.values() if f.found.value is not None]
    return sum(shares) / len(shares) if shares else None


def _limit(
    raw: npt.NDArray[np.float64], groups: Sequence[str], plan: UnknownPlan
) -> tuple[float | None, str]:
    """(the score that keeps the wanted share of known things, why that is not promised)."""
    needed = flawless_needed(plan.keep, plan.confidence)
    wanted = f"to show that {plan.keep:.0%} of known things are kept"
    if len(raw) < needed:
        more = needed - len(raw)
        return None, f"nothing is rejected as unknown: it takes {more} more pictures {wanted}"
    ordered = np.sort(raw)
    rank = _rank(len(raw), plan.keep, plan.confidence)
    resampling = Resampling(groups, len(raw))
    if resampling.independent:
        return float(ordered[rank]), ""
    # Pictures of one group are alike and say less, so the limit must be higher; but it must not be
    # the highest score, because nothing is known beyond it.
    low, high = rank, len(raw) - 1
    while low < high:
        middle = (low + high) // 2
        interval = resampling.share(raw <= ordered[middle]).interval
        if interval is not None and interval[0] >= plan.keep:
            high = middle
        else:
            low = middle + 1
    if low < len(raw) - 1 and resampling.groups >= _FEWEST_SERIES:
        return float(ordered[low]), ""
    return float(ordered[rank]), (
        f"no promise: the pictures come in {resampling.groups} groups of alike ones, too few "
        f"{wanted}; take pictures of more things"
    )


def _rank(total: int, keep: float, confidence: float) -> int:
    """The lowest rank (from 0) whose value is above `keep` of all things, at `confidence`.

    The rank-th value of a sample lies above a share of Beta(rank + 1, total - rank) of all: see
    David and Nagaraja, Order statistics, 2003, on tolerance intervals.
    """
    from scipy.special import bdtr

    # For each rank, the probability that at most so many of the sample are in the lower share.
    below = bdtr(np.arange(total - 1), total, keep)
    return int(np.searchsorted(below, confidence))
