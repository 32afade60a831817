"""Calibrates a trained network: its temperature, its accept thresholds and its novelty score."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge.core.model.metrics import Share
from trainer.calibration.accept_thresholds import AcceptThreshold, choose_thresholds
from trainer.calibration.crossfit import (
    INNER,
    CrossFitted,
    Fold,
    FoldTraining,
    cross_fit,
    cross_fit_phases,
    is_far_below,
    seconds_for,
)
from trainer.calibration.temperature import fit_temperature
from trainer.calibration.unknown import FoldPredictions, UnknownScore, choose_unknown
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.phases import Budget
from trainer.fit.prepare import Prepared
from trainer.fit.trained import TrainedModel
from trainer.networks import LOGITS
from trainer.run import AcceptBasis
from trainer.statistics.likelihood import softmax

_log = logging.getLogger(__name__)

_MOST_PROTOTYPED = 3000
"""The most training pictures from which the prototypes of the novelty score are chosen."""
_FOR_THE_REPORT = 30.0
"""The seconds before the deadline that are reserved for the report."""
_FLATTERED = (
    "no promise: chosen on the validation split, which chose the best epoch too, for want of whole "
    "cross-fitted models"
)
_WITHOUT_FOLDS = (
    "no promise: chosen on a half of the validation split, for want of whole cross-fitted models"
)
_CHOSE_EARLIER = (
    "no promise: chosen on the validation split, which chose the best epoch too, of this run and "
    "of the one that it starts from"
)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The values that turn logits into verdicts, and the scores by which they were chosen."""

    temperature: float
    """The number by which the logits are divided."""
    thresholds: dict[str, AcceptThreshold]
    unknown: UnknownScore | None
    scored: CrossFitted
    """The scores by which the thresholds were chosen."""
    scored_temperature: float
    """The temperature that the models of these scores share."""
    basis: AcceptBasis
    """The origin of these scores."""
    trained: npt.NDArray[np.int64]
    """Indices of training pictures, of which there may be more."""
    trained_pooled: npt.NDArray[np.float32]
    """(pictures, depth), the final model's outputs of `pooled` for these."""


def calibrate(model: TrainedModel, *, budget: Budget, checkpoint: Checkpoint) -> Calibration:
    """Calibrates a model by scores of pictures that the scoring model was not trained on.

    Cross-fitted models are trained on fewer pictures and for a shorter time than the final one. The
    logits of both are turned into calibrated probabilities, each by its own temperature, and a
    threshold is such a probability. If no cross-fitted model could be trained completely, the final
    model's scores of the validation split are used, and nothing is promised. The same is done if
    the training starts from an earlier run, because the weights of each fold would have learned
    from the pictures that it is to score. The limit of the novelty score is set on the final
    model's own scores of validation pictures; see `choose_unknown`. The network is left unchanged.

    Args:
        model: the trained model.
        budget: the time that is left; a part of it is reserved for the report.
        checkpoint: the place where finished cross-fitted models are saved.
    """
    prepared, held = model.prepared, model.calibration
    network, truth, accept = prepared.network, prepared.truth, prepared.recipe.accept
    chose_epoch = bool(np.isin(held, model.data.validation).any())
    logits, pooled = model.predict(held)
    temperature = fit_temperature(logits, truth[held])
    some = _some(model.data.train)
    final_pooled = model.predict(some)[1]
    scored = CrossFitted((Fold(held, logits, pooled, some, final_pooled),), planned=1)
    basis = AcceptBasis(
        scores="validation",
        images=len(held),
        folds=0,
        folds_planned=0,
        note="" if prepared.earlier is None else _CHOSE_EARLIER,
    )
    if accept.folds > 1:
        _log.info(f"thresholds: {accept.folds} models, each scored on what it has not seen")
        known = prepared.of("train", "validation")
        phases = cross_fit_phases(prepared.recipe, model.best)
        share = len(known) * (1 - 1 / accept.folds) * (1 - 1 / INNER) / len(model.data.train)
        trained_state = network.state()
        # The test split and the report need time too.
        end = max(time.monotonic(), budget.deadline - _FOR_THE_REPORT)
        found = cross_fit(
            FoldTraining(prepared, model.data, phases, model.untrained, trained_sample=_some),
            known,
            folds=accept.folds,
            seed=prepared.seed,
            budget=replace(budget, deadline=end),
            seconds_a_fold=seconds_for(phases, model.best.history, share),
            checkpoint=checkpoint,
        )
        network.restore(trained_state)
        kept, basis = standing_in(found, truth, final=right(logits, truth[held]))
        scored = kept if kept.folds else scored
        if basis.note:
            _log.warning(f"thresholds: {basis.note}")
    mine = truth[scored.indices]
    shared = fit_temperature(scored.logits, mine)
    known = prepared.of("train", "validation")
    unknown = choose_unknown(
        prepared.recipe.unknown,
        [prepared.pictures[i] for i in known],
        frozen=None if model.frozen is None else model.frozen[known],
        final=replace(
            _outputs(prepared, Fold(held, logits, pooled, some, final_pooled), temperature),
            chose_epoch=chose_epoch,
        ),
        folds=[
            _outputs(prepared, fold, shared)
            for fold in (scored.folds if basis.scores == "cross-fitted" else ())
        ],
        seed=prepared.seed,
    )
    groups = [str(prepared.pictures[i].group) for i in scored.indices]
    scores = softmax(scored.logits / shared)
    thresholds = choose_thresholds(scores, mine, prepared.labels, accept, groups)
    if basis.note and basis.scores == "validation":
        note = basis.note
        if accept.folds > 1:
            note = _FLATTERED if chose_epoch else _WITHOUT_FOLDS
        thresholds = {label: replace(t, note=note) for label, t in thresholds.items()}
    return Calibration(temperature, thresholds, unknown, scored, shared, basis, some, final_pooled)


def _outputs(prepared: Prepared, fold: Fold, temperature: float) -> FoldPredictions:
    return FoldPredictions(
        trained=fold.trained_pooled,
        trained_truth=prepared.truth[fold.trained],
        held=fold.pooled,
        held_logits=fold.logits / temperature,
        held_groups=[str(prepared.pictures[i].group) for i in fold.held],
    )


def standing_in(
    found: CrossFitted, truth: npt.NDArray[np.int64], *, final: Share
) -> tuple[CrossFitted, AcceptBasis]:
    """(the folds whose scores can represent the final model's, the basis of the choices).

    Args:
        found: the folds that were trained.
        truth: (pictures,) class indices of the whole set.
        final: the share of the validation split that the final model classifies correctly.
    """
    kept = tuple(
        fold
        for fold in found.folds
        if not is_far_below(right(fold.logits, truth[fold.held]), final, guessing(truth[fold.held]))
    )
    far, missing = len(found.folds) - len(kept), found.planned - len(found.folds)
    why = [
        *(
            [f"{missing} could not be trained whole, as time was up or the training was stopped"]
            * (missing > 0)
        ),
        *([f"{far} learned far less than the final model did"] * (far > 0)),
    ]
    note = ""
    if why:
        note = (
            f"of {found.planned} cross-fitted models {len(kept)} can be used: {' and '.join(why)}"
        )
    if not kept:
        note += ". The validation split serves instead, and nothing is promised"
    return CrossFitted(kept, found.planned), AcceptBasis(
        scores="cross-fitted" if kept else "validation",
        images=sum(len(fold.held) for fold in kept) or final.total,
        folds=len(kept),
        folds_planned=found.planned,
        note=note,
    )


def right(logits: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> Share:
    """The share of the pictures whose highest logit is that of their class."""
    return Share(int((logits.argmax(axis=1) == truth).sum()), len(truth))


def guessing(truth: npt.NDArray[np.int64]) -> float:
    """The share, 0..1, that would be correct if the most frequent class were always named."""
    return float(np.bincount(truth).max() / len(truth))


def fold_in(prepared: Prepared, temperature: float) -> None:
    """Divides the network's logits by `temperature`, in its last Dense layer."""
    dense = prepared.network.model.get_layer(LOGITS)
    dense.set_weights([weights / temperature for weights in dense.get_weights()])


def _some(indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    every = max(1, -(-len(indices) // _MOST_PROTOTYPED))
    return indices[::every]
