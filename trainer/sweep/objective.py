"""One trial of a sweep: a training whose best epoch is scored on the validation pictures.

The test pictures are scored by no trial, so that the recipe that wins can still be tested on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from optuna import Trial, TrialPruned

from edge.core.errors import ConfigError, UsageError
from trainer.calibration.temperature import fit_temperature
from trainer.fit.distillation import teach
from trainer.fit.phases import Budget, Epoch, StopTraining, run_phases
from trainer.fit.prepare import Prepared, prepare, training_set
from trainer.fit.trained import TrainedModel
from trainer.recipes.plan import Recipe
from trainer.statistics.likelihood import log_losses
from trainer.sweep.trials import ImpossibleTrialError, StopSweep

RIGHT, LOSSES, GROUPS = "rights", "losses", "groups"
"""Attributes of a trial that has ended, by validation picture, in one order for all trials of a
sweep: "1" where it is right and "0" where it is not; the log loss; the number of its group."""
EPOCHS, MINUTES, CUT_SHORT = "epochs", "minutes", "cut_short"
"""Others."""
PHASE_STEPS = 1000
"""The steps by which trials are compared, for each phase: as many as it may have epochs."""


@dataclass(frozen=True, slots=True)
class SweptPictures:
    """The pictures that all trials of a sweep are trained and scored on."""

    data: Path
    add: Sequence[Path]
    groups: str | None
    seed: int
    """Of the split, and of each trial's starting weights, augmentation and order."""

    def prepare(self, recipe: Recipe, *, split: Path | None = None) -> Prepared:
        """The pictures and the network for a recipe; see `prepare` for errors.

        Args:
            split: a `split.csv` with the split of all pictures; None: it is drawn.
        """
        return prepare(
            recipe, self.data, add=self.add, groups=self.groups, seed=self.seed, keep_parts=split
        )


def score(
    trial: Trial,
    read: Callable[[], Recipe],
    pictures: SweptPictures,
    *,
    split: Path,
    max_minutes: float | None,
    check_stop: Callable[[], None],
) -> float:
    """The log loss on the validation pictures, of the best epoch, at the temperature that suits it.

    It is less a matter of chance than the share that is right, which is noted beside it, and at one
    temperature for all, label smoothing and mixup would cost what calibration gives back. A trial
    is ended early by the share that is right after as many epochs of the same phase.

    Args:
        trial: its values are drawn already; what it came to is noted in its attributes.
        read: reads the recipe with these values.
        pictures: what to train on.
        split: which pictures train and which validate, the same for all trials.
        max_minutes: instead of the recipe's own.
        check_stop: raises StopTraining where the user wants to stop.

    Raises:
        ImpossibleTrialError: the values do not go together.
        TrialPruned: fewer are right than half of the other trials had by then.
        StopSweep: the user wants to stop.
        As `trainer.train`.
    """
    start = time.monotonic()
    try:
        check_stop()
        prepared = pictures.prepare(read(), split=split)
        recipe = prepared.recipe
        teacher = recipe.distill
        taught = None if teacher is None else teach(prepared, teacher, check_stop=check_stop)
        minutes = recipe.max_minutes if max_minutes is None else max_minutes
        deadline = time.monotonic() + 60 * minutes
        data = training_set(
            prepared,
            recipe.phases,
            with_copies=prepared.split == "train",
            train=prepared.of("train"),
            validation=prepared.of("validation"),
            check_stop=check_stop,
        )
        if taught is not None:
            data = replace(data, taught=taught.probabilities)
        best = run_phases(
            prepared.network,
            recipe,
            recipe.phases,
            data,
            seed=pictures.seed,
            budget=Budget(deadline, check_stop, on_epoch=_pruning(trial, recipe)),
        )
        check_stop()  # a stop within the phases ends these, and says nothing
    except (ConfigError, UsageError) as error:
        raise ImpossibleTrialError(str(error)) from error
    except StopTraining as error:
        raise StopSweep from error
    none = np.zeros(0, np.int64)
    model = TrainedModel(prepared, data, best, none, untrained=(), frozen=None)
    logits, _ = model.predict(data.validation)
    if not np.isfinite(logits).all():
        raise ImpossibleTrialError("its training diverged: the scores are no numbers any more")
    truth = data.truth[data.validation]
    losses = log_losses(logits / fit_temperature(logits, truth), truth)
    # By content, because other machines may have the pictures in other places.
    digests = [prepared.decoded.digests[i] for i in data.validation]
    order = np.argsort(digests, kind="stable")
    groups = [str(prepared.pictures[i].group) for i in data.validation[order]]
    noted = {
        RIGHT: "".join(str(int(each)) for each in (logits.argmax(axis=1) == truth)[order]),
        LOSSES: [round(float(loss), 5) for loss in losses[order]],
        GROUPS: np.unique(groups, return_inverse=True)[1].tolist(),
        EPOCHS: len(best.history),
        MINUTES: round((time.monotonic() - start) / 60, 2),
        CUT_SHORT: best.cut_short,
    }
    for key, value in noted.items():
        trial.set_user_attr(key, value)
    return float(losses.mean())


def _pruning(trial: Trial, recipe: Recipe) -> Callable[[Epoch], None]:
    names = [phase.name for phase in recipe.phases]

    def after(epoch: Epoch) -> None:
        step = PHASE_STEPS * names.index(epoch.phase) + epoch.epoch
        trial.report(1 - epoch.validation_accuracy, step)
        if trial.should_prune():
            raise TrialPruned

    return after
