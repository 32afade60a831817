"""Cross-fitted scores: each picture is scored by a model that was not trained on it.

A fold can represent the final model only if its training was complete. A fold that the deadline
ended early, or that learned almost nothing, only shows how bad such a model is: `cross_fit` counts
the first kind separately, and `is_far_below` recognises the second.
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
"""One in so many groups of the training pictures chooses the best epoch of a fold."""
_LEAST_GAIN = 0.5
"""The share of the final model's gain over guessing that a fold must reach to represent it. A fold
is trained on fewer pictures and for fewer epochs, but a loss of more than half means that its
training failed."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """The outputs of one model for its held-out pictures, and for some of its training pictures."""

    held: npt.NDArray[np.int64]
    """(n,) indices in the whole set of the pictures that the model was not trained on."""
    logits: npt.NDArray[np.float32]
    """(n, classes), the logits of these pictures."""
    pooled: npt.NDArray[np.float32]
    """(n, depth), the outputs of the layer `pooled` for these pictures."""
    trained: npt.NDArray[np.int64]
    """(m,) indices of some pictures that the model was trained on."""
    trained_pooled: npt.NDArray[np.float32]
    """(m, depth), the outputs of `pooled` for the pictures `trained`."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFitted:
    """The folds that were scored."""

    folds: tuple[Fold, ...]
    planned: int
    """The number of planned folds, which is smaller than requested if there are fewer groups."""
    cut_short: int = 0
    """The number of trainings that ended before their last step."""

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """(pictures,) indices in the whole set of all held-out pictures."""
        none = np.zeros(0, np.int64)
        return np.concatenate([none, *(fold.held for fold in self.folds)])

    @property
    def logits(self) -> npt.NDArray[np.float32]:
        """(pictures, classes), the logits of all held-out pictures."""
        return np.concatenate([fold.logits for fold in self.folds])


@dataclass(frozen=True, slots=True, eq=False)
class FoldTraining:
    """The training of the models of all folds, from the same weights and with the same phases."""

    prepared: Prepared
    data: TrainingSet
    """The inputs of the phases, for the whole set."""
    phases: Sequence[PhasePlan]
    untrained: Sequence[npt.NDArray[np.float32]]
    """The network's state from which every fold starts; see `Network.state`."""
    trained_sample: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]] = lambda i: i[:0]
    """A function that chooses, among indices of training pictures, those whose `pooled` outputs are
    kept in the fold."""

    def train(
        self,
        rest: npt.NDArray[np.int64],
        held: npt.NDArray[np.int64],
        *,
        seed: int,
        budget: Budget,
        beside: npt.NDArray[np.int64] | None = None,
        taught: npt.NDArray[np.float16] | None = None,
    ) -> tuple[Fold, Best]:
        """Trains one model on the pictures `rest` and scores it on the pictures `held`.

        Args:
            rest, held: indices of pictures.
            beside: indices of pictures that are trained on, too, and choose no epoch, because the
                weights that it starts from know them.
            taught: what a teacher says that has not seen the pictures `held`; see `TrainingSet`.
                None: it learns from none, as that of `data` has learned from all pictures.

        Raises:
            StopTraining: the user stopped it before its first epoch had ended.
        """
        network, data = self.prepared.network, self.data
        # The state includes random numbers, so that a fold does not depend on earlier trainings.
        network.restore(self.untrained)
        train, validation = self.parts(rest, seed=seed, beside=beside)
        mine = replace(data, train=train, validation=validation, taught=taught)
        recipe = self.prepared.recipe
        if taught is None:
            recipe = recipe.model_copy(update={"distill": None})
        best = run_phases(network, recipe, self.phases, mine, seed=seed, budget=budget)
        lowest = min((phase.train_from for phase in self.phases), key=network.depth)
        logits, pooled = predict(network, lowest, data, held)
        some = self.trained_sample(train)
        none = np.zeros((0, pooled.shape[1]), np.float32)
        trained_pooled = predict(network, lowest, data, some)[1] if len(some) else none
        return Fold(held, logits, pooled, some, trained_pooled), best

    def parts(
        self,
        rest: npt.NDArray[np.int64],
        *,
        seed: int,
        beside: npt.NDArray[np.int64] | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Indices of the pictures that a model is trained on, and of those that choose its epoch.

        The held-out fold must not choose anything, so the best epoch is chosen on a part of the
        rest, or on all of it if a class has only one group there.

        Args:
            rest, seed, beside: see `train`.
        """
        truth = self.data.truth
        pictures = [self.prepared.pictures[i] for i in rest]
        inner = np.array(fold_pictures(pictures, INNER, seed=seed + 1))
        train, validation = rest[inner != 0], rest[inner == 0]
        if set(truth[train]) != set(truth[rest]) or not len(validation):
            train = validation = rest
        return (train if beside is None else np.concatenate([train, beside])), validation


def cross_fit(
    training: FoldTraining,
    usable: npt.NDArray[np.int64],
    *,
    folds: int,
    seed: int,
    budget: Budget,
    seconds_a_fold: float,
    checkpoint: Checkpoint | None = None,
) -> CrossFitted:
    """Trains one model for each fold and scores it on the pictures of the fold.

    If there is too little time for all folds, fewer are trained, each completely: a fold is not
    begun if it would take too long, and left out if it then takes too long.

    Args:
        training: the training of the folds' models.
        usable: indices of the pictures that may be trained on and scored; pictures of one group are
            in the same fold.
        folds: the number of folds.
        seed: the seed of the folds and of their trainings.
        budget: the time for all folds together.
        seconds_a_fold: the expected time of the first fold; later folds are expected to take as
            long as the one before.
        checkpoint: the place where finished folds are saved, and loaded from.
    """
    pictures = [training.prepared.pictures[i] for i in usable]
    fold_of = np.array(fold_pictures(pictures, folds, seed=seed))
    numbers = np.unique(fold_of).tolist()  # with fewer groups than folds some have no pictures
    done: list[Fold] = []
    needed, cut_short = seconds_a_fold, 0
    for number in numbers:
        held = usable[fold_of == number]
        stage = f"fold-{seed}-{number}"
        saved = checkpoint.load(stage) if checkpoint else None
        if saved:
            done.append(Fold(*saved[0]["fold"]))
            continue
        now = budget.clock()
        left = budget.deadline - now
        if needed > left:
            break
        try:
            fold, best = training.train(
                usable[fold_of != number],
                held,
                seed=seed + 100 * (number + 1),
                budget=Budget(budget.deadline, budget.check_stop, clock=budget.clock, quiet=True),
            )
        except StopTraining:
            break
        cut_short += best.cut_short
        if best.cut_short:
            break
        needed = budget.clock() - now
        if checkpoint:
            arrays = [getattr(fold, field.name) for field in fields(fold)]
            checkpoint.save(stage, {"fold": arrays}, {})
        done.append(fold)
    return CrossFitted(tuple(done), len(numbers), cut_short)


def cross_fit_phases(recipe: Recipe, best: Best) -> list[PhasePlan]:
    """The phases for cross-fitted models: those of the recipe without `if_time`, with fewer epochs.

    If the final model's training was cut short, the folds have no more epochs of a phase than it
    had, and none of the phases that it did not reach, because they must represent that model.

    Args:
        recipe: the recipe of the final model.
        best: the result of the final model's training.
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
    """The expected time of a training in seconds, from the history of a similar one.

    Args:
        phases: the phases of the training.
        history: the epochs of a training with the same phases, maybe of other lengths.
        share: the number of training pictures, as a share of that training's.
    """
    total = 0.0
    for phase in phases:
        took = [line.seconds for line in history if line.phase == phase.name]
        # Phases differ in speed, and the last epoch of a phase may have been cut short.
        total += phase.epochs * max(took, default=0.0) * share
    return total


def is_far_below(fold: Share, final: Share, guessing: float) -> bool:
    """Whether a fold is so much worse than the final model that it cannot represent it.

    That is so if its gain over guessing is significantly less than half of the final model's: the
    upper end of its 95 % interval is below the middle between guessing and the lower end of the
    final model's interval.

    Args:
        fold: the share of the held-out pictures that the fold's model classifies correctly.
        final: the share of the validation split that the final model classifies correctly.
        guessing: the share of the most frequent class among the held-out pictures.
    """
    if fold.interval is None or final.interval is None:
        return False
    gain = max(0.0, final.interval[0] - guessing)
    return fold.interval[1] < guessing + _LEAST_GAIN * gain
