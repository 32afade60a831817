"""Thresholds from scores that no model gave to pictures it had trained on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from edge.cli import say
from edge.pictures import LabelledPicture
from trainer.calibrate import Threshold, choose_thresholds, fit_temperature, softmax
from trainer.data.split import fold_pictures
from trainer.networks import Network
from trainer.phases import StopTraining, TrainingSet, predict_logits, run_phases
from trainer.recipe import PhasePlan, Recipe


def cross_fitted_thresholds(
    network: Network,
    recipe: Recipe,
    whole: TrainingSet,
    pictures: Sequence[LabelledPicture],
    labels: Sequence[str],
    *,
    untrained: list[npt.NDArray[np.float32]],
    seed: int,
    deadline: float,
    check_stop: Callable[[], None],
) -> dict[str, Threshold]:
    """Thresholds from scores of every picture but the test part's.

    Each picture is scored by a model that trained on the other folds only, on fewer pictures and
    more shortly than the final one. Both are brought to calibrated probabilities, each by a
    temperature of its own, and a threshold is one of those.
    """
    usable = np.sort(np.concatenate([whole.train, whole.validation]))
    folds = np.array(fold_pictures([pictures[i] for i in usable], recipe.accept.folds, seed=seed))
    phases = _cross_fit_phases(recipe)
    logits = np.zeros((len(pictures), len(labels)), np.float32)
    scored = np.zeros(len(pictures), bool)
    say(f"thresholds: {recipe.accept.folds} models, each scored on what it has not seen")
    for fold in range(recipe.accept.folds):
        held, rest = usable[folds == fold], usable[folds != fold]
        network.model.set_weights(untrained)
        if not len(held):
            continue  # fewer groups than folds
        # The held fold must choose nothing, so the best epoch is judged on a slice of the rest:
        # the whole of it where a class has only one group there.
        inner = np.array(fold_pictures([pictures[i] for i in rest], 8, seed=seed + 1))
        inner_train, inner_validation = rest[inner != 0], rest[inner == 0]
        if set(whole.truth[inner_train]) != set(whole.truth[rest]):
            inner_train = inner_validation = rest
        left = recipe.accept.folds - fold
        now = time.monotonic()
        try:
            run_phases(
                network,
                recipe,
                phases,
                TrainingSet(
                    whole.tensors, whole.truth, whole.features, inner_train, inner_validation
                ),
                seed=seed + 100 * (fold + 1),
                deadline=now + max(1.0, deadline - now) / left,
                check_stop=check_stop,
                quiet=True,
            )
        except StopTraining:
            break
        logits[held] = predict_logits(network, phases[-1].train_from, whole, held)
        scored[held] = True
    if not scored.any():
        scores, truth = np.zeros((0, len(labels))), whole.truth[:0]
    else:
        truth = whole.truth[scored]
        scores = softmax(logits[scored] / fit_temperature(logits[scored], truth))
    return choose_thresholds(scores, truth, labels, recipe.accept)


def _cross_fit_phases(recipe: Recipe) -> list[PhasePlan]:
    needed = [phase for phase in recipe.phases if not phase.if_time]
    last = needed[-1]
    return [
        *needed[:-1],
        last.model_copy(update={"epochs": min(last.epochs, recipe.accept.epochs)}),
    ]
