"""Scores that no model gave to pictures it had trained on: the folds of a cross-validation.

A fold stands in for the final model only where its training was whole. One that a deadline ended
early says how bad a half-trained model is, and one that learned next to nothing says as little:
`cross_fit` counts the first apart from the others, and `is_far_below` tells the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from edge.core.model.metrics import Share
from trainer.data.stratified_split import fold_pictures
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.phases import Best, Budget, Epoch, StopTraining, run_phases
from trainer.fit.predict import TrainingSet, predict
from trainer.fit.prepare import Prepared
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


@dataclass(frozen=True, slots=True, eq=False)
class FoldTraining:
    """How the model of each fold is trained: all from the same weights, by the same phases."""

    prepared: Prepared
    data: TrainingSet
    """What the phases start from, of the whole set."""
    phases: Sequence[PhasePlan]
    untrained: Sequence[npt.NDArray[np.float32]]
    """The network's state from which every fold starts; see `Network.state`."""
    trained_sample: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]] = lambda i: i[:0]
    """Of indices trained on, those whose `pooled` outputs are wanted too."""

    def train(
        self,
        rest: npt.NDArray[np.int64],
        held: npt.NDArray[np.int64],
        *,
        seed: int,
        budget: Budget,
    ) -> tuple[Fold, Best]:
        """One model, trained on the pictures `rest` and scored on the pictures `held`.

        Raises:
            StopTraining: the user stopped it before its first epoch had ended.
        """
        network, data = self.prepared.network, self.data
        # With its chance too, so that a fold comes out the same whatever was trained before it.
        network.restore(self.untrained)
        # The held fold must choose nothing, so the best epoch is judged on a slice of the rest: the
        # whole of it where a class has only one group there.
        pictures = [self.prepared.pictures[i] for i in rest]
        inner = np.array(fold_pictures(pictures, INNER, seed=seed + 1))
        train, validation = rest[inner != 0], rest[inner == 0]
        if set(data.truth[train]) != set(data.truth[rest]) or not len(validation):
            train = validation = rest
        mine = replace(data, train=train, validation=validation)
        best = run_phases(
            network, self.prepared.recipe, self.phases, mine, seed=seed, budget=budget
        )
        lowest = min((phase.train_from for phase in self.phases), key=network.depth)
        logits, pooled = predict(network, lowest, data, held)
        some = self.trained_sample(train)
        none = np.zeros((0, pooled.shape[1]), np.float32)
        trained_pooled = predict(network, lowest, data, some)[1] if len(some) else none
        return Fold(held, logits, pooled, some, trained_pooled), best


def cross_fit(
    training: FoldTraining,
    usable: npt.NDArray[np.int64],
    *,
    folds: int,
    seed: int,
    budget: Budget,
    seconds_a_fold: float | None = None,
    checkpoint: Checkpoint | None = None,
) -> CrossFitted:
    """Trains one model a fold, each scored on the pictures of its fold.

    Where there is too little time for all of them there are two ways. With `seconds_a_fold` given
    there are fewer folds, each trained whole: none is begun that would not fit, and one that did
    not fit after all is left out. Without it there are all folds, each shortened to its share of
    the time.

    Args:
        usable: indices of the pictures that may be trained on and scored; those of one group share
            a fold.
        budget: its deadline is for all folds together.
        seconds_a_fold: what the first fold is thought to take; later ones take what the one before
            them took.
        checkpoint: folds that are done are kept there, and taken from there.
    """
    pictures = [training.prepared.pictures[i] for i in usable]
    fold_of = np.array(fold_pictures(pictures, folds, seed=seed))
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
        now = budget.clock()
        left = budget.deadline - now
        if needed is not None and needed > left:
            break
        share = left if needed is not None else max(0.0, left) / (len(numbers) - place)
        try:
            fold, best = training.train(
                usable[fold_of != number],
                held,
                seed=seed + 100 * (number + 1),
                budget=Budget(now + share, budget.check_stop, clock=budget.clock, quiet=True),
            )
        except StopTraining:
            break
        cut_short += best.cut_short
        if needed is not None:
            if best.cut_short:
                break
            needed = budget.clock() - now
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
        final: pictures that were right of the validation split, by the final model.
        guessing: the share of the most frequent class among those held.
    """
    if fold.interval is None or final.interval is None:
        return False
    gain = max(0.0, final.interval[0] - guessing)
    return fold.interval[1] < guessing + _LEAST_GAIN * gain
