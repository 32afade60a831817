"""Scores that no model gave to pictures it had trained on: the folds of a cross-validation.

A fold stands in for the final model only where its training was whole. One that a deadline ended
early says how bad a half-trained model is, and one that learned next to nothing says as little:
`cross_fit` counts the first apart from the others, and `is_far_below` tells the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.model.metrics import Share
from trainer.data.split import fold_pictures
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.phases import Best, Epoch, StopTraining, Watch, run_phases
from trainer.fit.predict import TrainingSet, predict
from trainer.networks import Network
from trainer.recipes.plan import PhasePlan, Recipe

INNER = 8
"""One in so many groups of the pictures trained on chooses the best epoch of a fold."""
_LEAST_GAIN = 0.5
"""Of what the final model gains over guessing, what a fold that stands in for it gains at least. A
fold trains on fewer pictures and for fewer epochs, but what explains a loss of more than half is a
training that went wrong."""


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
    planned: int
    """How many there were to be: fewer than asked for where there are fewer groups."""
    cut_short: int = 0
    """Trainings that ended before the last of their steps."""

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
    seconds_a_fold: float | None = None,
    checkpoint: Checkpoint | None = None,
    trained_sample: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]] = lambda i: i[:0],
) -> CrossFitted:
    """Trains one model a fold, each scored on the pictures of its fold.

    Where there is too little time for all of them there are two ways. With `seconds_a_fold` given
    there are fewer folds, each trained whole: none is begun that would not fit, and one that did
    not fit after all is left out. Without it there are all folds, each shortened to its share of
    the time.

    Args:
        phases: of each fold's training.
        pictures: of the whole set; those of one group share a fold.
        usable: indices of the pictures that may be trained on and scored.
        untrained: `network.state()` from which every fold starts.
        watch: its deadline is for all folds together.
        seconds_a_fold: what the first fold is thought to take; later ones take what the one before
            them took.
        checkpoint: folds that are done are kept there, and taken from there.
        trained_sample: of indices trained on, those whose `pooled` outputs are wanted too.
    """
    fold_of = np.array(fold_pictures([pictures[i] for i in usable], folds, seed=seed))
    numbers = np.unique(fold_of).tolist()  # with fewer groups than folds some have no pictures
    done: list[Fold] = []
    needed, cut_short = seconds_a_fold, 0
    for place, number in enumerate(numbers):
        held = usable[fold_of == number]
        stage = f"fold-{seed}-{number}"
        saved = checkpoint.load(stage) if checkpoint else None
        if saved:
            done.append(Fold(*saved[0]["fold"]))
            continue
        now = watch.clock()
        left = watch.deadline - now
        if needed is not None and needed > left:
            break
        share = left if needed is not None else max(0.0, left) / (len(numbers) - place)
        try:
            fold, best = _one_fold(
                network,
                recipe,
                phases,
                whole,
                pictures,
                usable[fold_of != number],
                held,
                untrained=untrained,
                seed=seed + 100 * (number + 1),
                watch=Watch(now + share, watch.check_stop, clock=watch.clock, quiet=True),
                trained_sample=trained_sample,
            )
        except StopTraining:
            break
        cut_short += best.cut_short
        if needed is not None:
            if best.cut_short:
                break
            needed = watch.clock() - now
        if checkpoint:
            arrays = [getattr(fold, field.name) for field in fields(fold)]
            checkpoint.save(stage, {"fold": arrays}, {})
        done.append(fold)
    return CrossFitted(tuple(done), len(numbers), cut_short)


def cross_fit_phases(recipe: Recipe, best: Best) -> list[PhasePlan]:
    """The recipe's phases, shorter: without those that are `if_time`, and with fewer epochs.

    Where time cut the final model's training short, the folds have no more epochs of a phase than
    it had, and not the phases that it did not come to: they stand in for it as it is.

    Args:
        best: what the training of the final model came to.
    """
    needed = [phase for phase in recipe.phases if not phase.if_time]
    last = needed[-1]
    phases = [
        *needed[:-1],
        last.model_copy(update={"epochs": min(last.epochs, recipe.accept.epochs)}),
    ]
    if not best.cut_short:
        return phases
    ran = Counter(line.phase for line in best.history)
    return [
        phase.model_copy(update={"epochs": min(phase.epochs, ran[phase.name])})
        for phase in phases
        if ran[phase.name]
    ]


def seconds_for(phases: Sequence[PhasePlan], history: Sequence[Epoch], share: float) -> float:
    """How long a training of `phases` takes where one that left `history` has shown the pace.

    Args:
        history: of a training with the same phases, perhaps with other numbers of epochs.
        share: pictures trained on, in pictures of that training.
    """
    total = 0.0
    for phase in phases:
        took = [line.seconds for line in history if line.phase == phase.name]
        # Phases are unlike in pace. The last epoch of one that was cut short is no whole one.
        total += phase.epochs * max(took, default=0.0) * share
    return total


def is_far_below(fold: Share, final: Share, guessing: float) -> bool:
    """Whether a fold is so much worse than the final model that it cannot stand in for it.

    It is where it gains significantly less than half of what the final model gains over guessing:
    the upper end of its 95 % interval lies below the middle between guessing and the lower end of
    the final model's.

    Args:
        fold: pictures that were right of those held.
        final: pictures that were right of the validation part, by the final model.
        guessing: the share of the most frequent class among those held.
    """
    if fold.interval is None or final.interval is None:
        return False
    gain = max(0.0, final.interval[0] - guessing)
    return fold.interval[1] < guessing + _LEAST_GAIN * gain


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
) -> tuple[Fold, Best]:
    # With its chance too, so that a fold comes out the same whatever was trained before it.
    network.restore(untrained)
    # The held fold must choose nothing, so the best epoch is judged on a slice of the rest: the
    # whole of it where a class has only one group there.
    inner = np.array(fold_pictures([pictures[i] for i in rest], INNER, seed=seed + 1))
    inner_train, inner_validation = rest[inner != 0], rest[inner == 0]
    if set(whole.truth[inner_train]) != set(whole.truth[rest]) or not len(inner_validation):
        inner_train = inner_validation = rest
    data = TrainingSet(whole.tensors, whole.truth, whole.features, inner_train, inner_validation)
    best = run_phases(network, recipe, phases, data, seed=seed, watch=watch)
    lowest = min((phase.train_from for phase in phases), key=network.depth)
    logits, pooled = predict(network, lowest, whole, held)
    some = trained_sample(inner_train)
    none = np.zeros((0, pooled.shape[1]), np.float32)
    trained_pooled = predict(network, lowest, whole, some)[1] if len(some) else none
    return Fold(held, logits, pooled, some, trained_pooled), best
