"""Scores that no model gave to pictures it had trained on: the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.pictures import LabelledPicture
from trainer.checkpoint import Checkpoint
from trainer.data.split import fold_pictures
from trainer.networks import Network
from trainer.phases import StopTraining, TrainingSet, Watch, predict, run_phases
from trainer.recipe import PhasePlan, Recipe

_INNER = 8
"""One in so many groups of the pictures trained on chooses the best epoch of a fold."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFitted:
    """What models said of pictures that they had not trained on."""

    indices: npt.NDArray[np.int64]
    """(n,) of the pictures that were scored, in the whole set."""
    logits: npt.NDArray[np.float32]
    """(n, classes)."""
    pooled: npt.NDArray[np.float32]
    """(n, depth): outputs of the layer `pooled`, each of the model that gave the logits."""
    folds: npt.NDArray[np.int64]
    """(n,) which model that was."""


def cross_fit(
    network: Network,
    recipe: Recipe,
    phases: Sequence[PhasePlan],
    whole: TrainingSet,
    pictures: Sequence[LabelledPicture],
    usable: npt.NDArray[np.int64],
    *,
    folds: int,
    untrained: Sequence[npt.NDArray[np.float32]],
    seed: int,
    watch: Watch,
    checkpoint: Checkpoint | None = None,
) -> CrossFitted:
    """Trains one model a fold, each scored on the pictures of its fold.

    Args:
        phases: of each fold's training.
        pictures: of the whole set; those of one group share a fold.
        usable: indices of the pictures that may be trained on and scored.
        untrained: `network.state()` from which every fold starts.
        watch: its deadline is for all folds together.
        checkpoint: folds that are done are kept there, and taken from there.
    """
    fold_of = np.array(fold_pictures([pictures[i] for i in usable], folds, seed=seed))
    parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.float32]]] = []
    numbers: list[int] = []
    for fold in range(folds):
        held = usable[fold_of == fold]
        if not len(held):
            continue  # fewer groups than folds
        stage = f"fold-{seed}-{fold}"
        saved = checkpoint.load(stage) if checkpoint else None
        if saved:
            logits, pooled = saved[0]["outputs"]
        else:
            now = watch.clock()
            left = max(1.0, watch.deadline - now) / (folds - fold)
            try:
                logits, pooled = _one_fold(
                    network,
                    recipe,
                    phases,
                    whole,
                    pictures,
                    usable[fold_of != fold],
                    held,
                    untrained=untrained,
                    seed=seed + 100 * (fold + 1),
                    watch=Watch(now + left, watch.check_stop, clock=watch.clock, quiet=True),
                )
            except StopTraining:
                break
            if checkpoint:
                checkpoint.save(stage, {"outputs": [logits, pooled]}, {})
        parts.append((held, logits, pooled))
        numbers.append(fold)
    if not parts:
        none = np.zeros((0, 0), np.float32)
        return CrossFitted(usable[:0], none, none, usable[:0])
    return CrossFitted(
        np.concatenate([held for held, *_ in parts]),
        np.concatenate([logits for _, logits, _ in parts]),
        np.concatenate([pooled for *_, pooled in parts]),
        np.repeat(numbers, [len(held) for held, *_ in parts]),
    )


def cross_fit_phases(recipe: Recipe) -> list[PhasePlan]:
    """The recipe's phases, shorter: without those that are `if_time`, and with fewer epochs."""
    needed = [phase for phase in recipe.phases if not phase.if_time]
    last = needed[-1]
    return [
        *needed[:-1],
        last.model_copy(update={"epochs": min(last.epochs, recipe.accept.epochs)}),
    ]


def _one_fold(
    network: Network,
    recipe: Recipe,
    phases: Sequence[PhasePlan],
    whole: TrainingSet,
    pictures: Sequence[LabelledPicture],
    rest: npt.NDArray[np.int64],
    held: npt.NDArray[np.int64],
    *,
    untrained: Sequence[npt.NDArray[np.float32]],
    seed: int,
    watch: Watch,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    # With its chance too, so that a fold comes out the same whatever was trained before it.
    network.restore(untrained)
    # The held fold must choose nothing, so the best epoch is judged on a slice of the rest: the
    # whole of it where a class has only one group there.
    inner = np.array(fold_pictures([pictures[i] for i in rest], _INNER, seed=seed + 1))
    inner_train, inner_validation = rest[inner != 0], rest[inner == 0]
    if set(whole.truth[inner_train]) != set(whole.truth[rest]) or not len(inner_validation):
        inner_train = inner_validation = rest
    data = TrainingSet(whole.tensors, whole.truth, whole.features, inner_train, inner_validation)
    run_phases(network, recipe, phases, data, seed=seed, watch=watch)
    lowest = min((phase.train_from for phase in phases), key=network.depth)
    return predict(network, lowest, whole, held)
