"""Chooses the kind and the threshold of the novelty score, and measures how much it finds.

The kind is chosen and measured by leave-one-class-out (`leave_one_class_out.py`). The threshold is
chosen by the outputs of the final network for validation pictures that chose no epoch of it
(`validation_parts.py`), because another network's scores have another scale. Where these pictures
are too few, or chose the epoch, the scores of cross-fitted models are brought onto the final
network's scale and serve. The test split is not used: it shows what the threshold comes to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from trainer.calibration.accept_thresholds import flawless_needed, is_promised
from trainer.calibration.leave_one_class_out import LeaveOneClassOut, leave_classes_out
from trainer.calibration.novelty import (
    Floats,
    Kind,
    NoveltyScore,
    RawScores,
    choose_prototypes,
    distance,
    energy,
    joined,
)
from trainer.recipes.plan import UnknownPlan
from trainer.statistics.design_effect import cluster_design_effect
from trainer.statistics.intervals import NOTHING, Figure, Resampling

_WIDTHS = 3.0
"""The distance of the median known picture below the threshold, before the logistic function: its
novelty score is 0.05."""
_FEWEST_SERIES = 20
"""The fewest groups of pictures from which the differences between groups can be estimated."""
_FOLDS = 10
"""The number of folds: the limit is set on all folds but one and measured on that one."""
_FEWEST_TO_SCALE = 20
"""The fewest validation pictures that give the scale of the final network's scores."""
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
    """(pictures, classes), the logits of held-out pictures, divided by the temperature."""
    held_groups: Sequence[str]
    """The group of each held-out picture."""
    chose_epoch: bool = False
    """Whether the held-out pictures chose the model's best epoch, which flatters their scores."""

    def raw(self, *, seed: int) -> RawScores:
        """The raw scores of the held-out pictures.

        Args:
            seed: the seed of the prototypes.
        """
        prototypes = choose_prototypes(self.trained, self.trained_truth, seed=seed)
        return RawScores(energy(self.held_logits), distance(self.held, prototypes))


@dataclass(frozen=True, slots=True)
class Limit:
    """The weighted score above which a picture is called unknown."""

    weights: tuple[float, float]
    """The weights of energy and distance."""
    value: float
    used: bool
    """Whether pictures are rejected by it; otherwise it only gives the score a scale."""
    enough: bool
    """Whether enough validation pictures that chose no epoch set it."""


@dataclass(frozen=True, slots=True)
class Known:
    """Known pictures and their raw scores, by a model that was not trained on them."""

    scores: RawScores
    groups: Sequence[str]
    chose_epoch: bool = False
    """Whether they chose the best epoch of that model."""

    def only(self, indices: Indices) -> Known:
        """Some of the pictures."""
        groups = [self.groups[i] for i in indices.tolist()]
        return Known(self.scores.only(indices), groups, self.chose_epoch)


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
    """The share of the validation pictures that such a threshold keeps, each measured by a
    threshold that was set without it."""
    leave_one_class_out: Mapping[Kind, Mapping[str, LeaveOneClassOut]]
    """The figures by kind and label; empty if they could not be measured."""
    chose_epoch: bool
    """Whether the validation pictures chose the model's best epoch, too."""
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
    final: FoldPredictions,
    folds: Sequence[FoldPredictions],
    seed: int,
) -> UnknownScore | None:
    """Chooses the novelty score; None if the plan wants none.

    Args:
        plan: the wanted kind of score, and the share of known things to keep.
        pictures: the pictures of all splits but the test split, with their groups.
        frozen: (pictures, depth), the outputs of `pooled` for these pictures by the network before
            its training; None if it had no pretrained weights.
        final: the outputs of the final network; its held-out pictures are those of the validation
            split.
        folds: the outputs of the cross-fitted models.
        seed: the seed of folds and prototypes.
    """
    if plan.score == "none":
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
    known = Known(final.raw(seed=seed), final.held_groups, final.chose_epoch)
    others = [Known(fold.raw(seed=seed), fold.held_groups) for fold in folds]
    limit = set_limit(known, others, kind, plan)
    if not limit.enough:
        told = "the limit is a rough one" if limit.used else "nothing is rejected as unknown"
        notes.append(f"{told}: {_lacking(known, len(pictures), plan)}")
    share_found = _mean_found(leave_one_class_out.get(kind, {}))
    if share_found is not None and share_found < 2 * (1 - plan.keep):
        notes.append(
            f"the novelty score hardly finds classes that were left out: {share_found:.0%} of "
            f"their pictures, where it is to reject at most {100 * (1 - plan.keep):.3g}% of known "
            "ones"
        )
    raw = known.scores.weighted(limit.weights)
    width = max((limit.value - float(np.median(raw))) / _WIDTHS, _TINY)
    return UnknownScore(
        novelty=NoveltyScore(
            energy=limit.weights[0] / width,
            distance=limit.weights[1] / width,
            offset=limit.value / width,
            prototypes=choose_prototypes(final.trained, final.trained_truth, seed=seed),
        ),
        threshold=0.5 if limit.used else None,
        keep=plan.keep,
        kept=_kept(known, others, kind, plan, seed),
        leave_one_class_out=leave_one_class_out,
        chose_epoch=known.chose_epoch,
        note="; ".join(notes),
    )


def set_limit(known: Known, others: Sequence[Known], kind: Kind, plan: UnknownPlan) -> Limit:
    """The limit of the final network's score that keeps the wanted share of known things.

    Args:
        known: validation pictures, scored by the final network.
        others: pictures that were scored by each cross-fitted model. They serve, on the final
            network's scale, where `known` are too few or chose the epoch: that both scores have the
            same shape is likely, but not shown, so the limit is a rough one.
        kind: the quantities that the score is computed from.
        plan: the wanted share.
    """
    limit = _limit_by(known, kind, plan)
    if limit.enough and not known.chose_epoch:
        return limit
    if not others or len(known.groups) < _FEWEST_TO_SCALE:
        return replace(limit, enough=False)
    moved = joined([each.scores.on_scale_of(known.scores) for each in others])
    groups = [group for each in others for group in each.groups]
    rough = _limit_by(Known(moved, groups), kind, plan)
    # The middle of the scores gives their scale; a final network whose scores are spread more at
    # the end would reject known things by it, and its own pictures show that.
    own = float(np.quantile(known.scores.weighted(rough.weights), plan.keep, method="higher"))
    return replace(rough, value=max(rough.value, own), enough=False)


def _limit_by(known: Known, kind: Kind, plan: UnknownPlan) -> Limit:
    weights = known.scores.weights(kind, plan.keep)
    raw = known.scores.weighted(weights)
    limit, enough = _limit(raw, known.groups, plan)
    # Without a threshold, the same numbers still give the score a scale.
    value = float(np.quantile(raw, plan.keep)) if limit is None else limit
    return Limit(weights, value, used=limit is not None, enough=enough)


def may_set_limit(groups: Sequence[str], plan: UnknownPlan) -> bool:
    """Whether pictures of these groups are enough to set a limit by that is no rough one."""
    resampling = Resampling(groups, len(groups))
    enough = len(groups) >= flawless_needed(plan.keep, plan.confidence)
    return enough and (resampling.independent or resampling.groups >= _FEWEST_SERIES)


def _lacking(known: Known, pictures: int, plan: UnknownPlan) -> str:
    """What it would take to set the limit by the validation pictures.

    Args:
        known: the validation pictures.
        pictures: how many there are in all, but for the test split.
        plan: the wanted share.
    """
    wanted = f"to set one that surely keeps {100 * plan.keep:.4g}% of known things"
    total = len(known.groups)
    halves = 2 if known.chose_epoch else 1
    more = halves * flawless_needed(plan.keep, plan.confidence) - total
    if more > 0:
        in_all = math.ceil(more * pictures / max(1, total))
        half = " of which half choose no epoch," if known.chose_epoch else ""
        return (
            f"it takes {more} more validation pictures,{half} about {in_all} more in all, {wanted}"
        )
    if known.chose_epoch and may_set_limit(known.groups, plan):
        return f"the {total} validation pictures chose the epoch too, so none are left {wanted}"
    return (
        f"the {total} validation pictures come in {len(set(known.groups))} groups of alike ones, "
        f"too few {wanted}; take pictures of more things"
    )


def _kept(
    known: Known, others: Sequence[Known], kind: Kind, plan: UnknownPlan, seed: int
) -> Figure:
    """The share of the validation pictures that a limit keeps, by groups that did not set it.

    On the pictures that set it, a limit keeps what it was set to keep, which says nothing. Where
    there are just enough pictures, and nine tenths of them are not, the limit without a tenth is of
    another kind, and says nothing of the one with all of them.
    """
    whole = set_limit(known, others, kind, plan)
    number = np.unique(list(known.groups), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(int(number.max()) + 1)
    fold = order[number] % _FOLDS
    kept = np.zeros(len(number), bool)
    for held in (fold == each for each in range(_FOLDS)):
        if held.all():
            return NOTHING  # there is one group only, and no others to set a limit
        limit = set_limit(known.only(np.flatnonzero(~held)), others, kind, plan)
        if (limit.used, limit.enough) != (whole.used, whole.enough):
            return NOTHING
        kept[held] = known.scores.weighted(limit.weights)[held] <= limit.value
    return Resampling(known.groups, len(kept), seed=seed).share(kept)


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
) -> tuple[float | None, bool]:
    """(the score that keeps the wanted share of known things, whether that is shown)."""
    if len(raw) < flawless_needed(plan.keep, plan.confidence):
        return None, False
    ordered = np.sort(raw)
    rank = _rank(len(raw), plan.keep, plan.confidence)
    resampling = Resampling(groups, len(raw))
    if resampling.independent:
        return float(ordered[rank]), True
    # Pictures of one group are alike and say less, so the limit must be higher; but it must not be
    # the highest score, because nothing is known beyond it.
    low, high = rank, len(raw) - 1
    while low < high:
        middle = (low + high) // 2
        if _keeps(raw <= ordered[middle], groups, plan):
            high = middle
        else:
            low = middle + 1
    if low < len(raw) - 1 and resampling.groups >= _FEWEST_SERIES:
        return float(ordered[low]), True
    return float(ordered[rank]), False


def _keeps(kept: npt.NDArray[np.bool_], groups: Sequence[str], plan: UnknownPlan) -> bool:
    """Whether `kept` (pictures,) show the wanted share, at the wanted confidence."""
    effect = cluster_design_effect(~kept, groups)
    total, lost = int(len(kept) / effect), math.ceil((~kept).sum() / effect)
    return is_promised(total - lost, total, plan.keep, plan.confidence)


def _rank(total: int, keep: float, confidence: float) -> int:
    """The lowest rank (from 0) whose value is above `keep` of all things, at `confidence`.

    The rank-th value of a sample lies above a share of Beta(rank + 1, total - rank) of all: see
    David and Nagaraja, Order statistics, 2003, on tolerance intervals.
    """
    from scipy.special import bdtr

    # For each rank, the probability that at most so many of the sample are in the lower share.
    below = bdtr(np.arange(total - 1), total, keep)
    return int(np.searchsorted(below, confidence))
