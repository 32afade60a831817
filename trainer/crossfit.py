"""Scores that no model gave to pictures it had trained on: the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from edge.pictures import LabelledPicture
from trainer.checkpoint import Checkpoint
from trainer.data.split import fold_pictures
from trainer.networks import Network
from trainer.phases import StopTraining, Watch, run_phases
from trainer.predict import TrainingSet, predict
from trainer.recipe import PhasePlan, Recipe

_INNER = 8
"""One in so many groups of the pictures trained on chooses the best epoch of a fold."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """What one model said of pictures that it had not trained on, and of some that it had."""

    held: npt.NDArray[np.int64]
    """(n,) indices of those that it had not trained on, in the whole set."""
    logits: npt.NDArray[np.float32]
    """(n, classes) of those."""
    pooled: npt.NDArray[np.float32]
    """(n, depth) of those: outputs of the layer `pooled`."""
    trained: npt.NDArray[np.int64]
    """(m,) indices of some that it had trained on."""
    trained_pooled: npt.NDArray[np.float32]
    """(m, depth) of these."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFitted:
    """The folds that were scored."""

    folds: tuple[Fold, ...]

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """(pictures,) of all that were held, in the whole set."""
        none = np.zeros(0, np.int64)
        return np.concatenate([none, *(fold.held for fold in self.folds)])

    @property
    def logits(self) -> npt.NDArray[np.float32]:
        """(pictures, classes) of all that were held."""
        return np.concatenate([fold.logits for fold in self.folds])


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
    trained_sample: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]] = lambda i: i[:0],
) -> CrossFitted:
    """Trains one model a fold, each scored on the pictures of its fold.

    Args:
        phases: of each fold's training.
        pictures: of the whole set; those of one group share a fold.
        usable: indices of the pictures that may be trained on and scored.
        untrained: `network.state()` from which every fold starts.
        watch: its deadline is for all folds together.
        checkpoint: folds that are done are kept there, and taken from there.
        trained_sample: of indices trained on, those whose `pooled` outputs are wanted too.
    """
    fold_of = np.array(fold_pictures([pictures[i] for i in usable], folds, seed=seed))
    done: list[Fold] = []
    for number in range(folds):
        held = usable[fold_of == number]
        if not len(held):
            continue  # fewer groups than folds
        stage = f"fold-{seed}-{number}"
        saved = checkpoint.load(stage) if checkpoint else None
        if saved:
            done.append(Fold(*saved[0]["fold"]))
            continue
        now = watch.clock()
        left = max(1.0, watch.deadline - now) / (folds - number)
        try:
            fold = _one_fold(
                network,
                recipe,
                phases,
                whole,
                pictures,
                usable[fold_of != number],
                held,
                untrained=untrained,
                seed=seed + 100 * (number + 1),
                watch=Watch(now + left, watch.check_stop, clock=watch.clock, quiet=True),
                trained_sample=trained_sample,
            )
        except StopTraining:
            break
        if checkpoint:
            arrays = [getattr(fold, field.name) for field in fields(fold)]
            checkpoint.save(stage, {"fold": arrays}, {})
        done.append(fold)
    return CrossFitted(tuple(done))


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
    trained_sample: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]],
) -> Fold:
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
    logits, pooled = predict(network, lowest, whole, held)
    some = trained_sample(inner_train)
    none = np.zeros((0, pooled.shape[1]), np.float32)
    trained_pooled = predict(network, lowest, whole, some)[1] if len(some) else none
    return Fold(held, logits, pooled, some, trained_pooled)
