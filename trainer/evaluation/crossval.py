"""How good a recipe is on a set of pictures: repeated cross-validation over all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.errors import UsageError
from edge.core.model.metrics import Share, evaluate_scores
from trainer.calibration.crossfit import FoldTraining, cross_fit
from trainer.fit.phases import Budget
from trainer.fit.prepare import prepare, training_set
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe
from trainer.statistics.likelihood import softmax

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What models said of pictures they had not trained on, each picture once a repeat."""

    labels: tuple[str, ...]
    repeats: tuple[Share, ...]
    """Pictures that were right, by repeat."""
    folds: tuple[Share, ...]
    """And by fold, of all repeats."""
    confusion: npt.NDArray[np.int64]
    """(classes, classes) of all repeats: row the true label, column the best label."""
    minutes: float
    cut_short: int = 0
    """Folds that time ended before the last of their steps, or left an optional phase out of."""

    @property
    def mean(self) -> float:
        """The mean accuracy over the repeats."""
        return float(np.mean([repeat.value for repeat in self.repeats]))

    def to_json(self) -> dict[str, Any]:
        """The object that `pilah-trainer cross-validate --json` prints."""
        folds = [fold.value for fold in self.folds]
        return {
            "accuracy": self.mean,
            "repeats": [repeat.value for repeat in self.repeats],
            "repeat_intervals": [repeat.interval for repeat in self.repeats],
            "folds": folds,
            "fold_deviation": float(np.std([f for f in folds if f is not None], ddof=1)),
            "images": self.repeats[0].total,
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
            "minutes": self.minutes,
            "folds_cut_short": self.cut_short,
        }


def cross_validate(
    recipe: Recipe | str | Path,
    data: str | Path,
    *,
    variant: str = "default",
    settings: Sequence[str] = (),
    add: Sequence[str | Path] = (),
    groups: str | None = None,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    max_minutes: float | None = None,
) -> CrossValidation:
    """How accurate a recipe is on the pictures in `data`, each scored by a model new to it.

    Every fold is a training of its own with all of the recipe's phases. Nothing is set aside: who
    chooses a recipe by these figures must not quote them as a test of it.

    Args:
        recipe, data, variant, settings, add, groups: see `train`.
        folds: models a repeat; groups are never divided among them.
        repeats: other folds and other starting weights each.
        max_minutes: for each fold; None: no bound, also for phases that are `if_time`.

    Raises:
        As `train`.

    Example:
        >>> found = cross_validate("mobilenet_v2", "photos", folds=5, repeats=2)
    """
    if folds < 2:
        raise UsageError(f"--folds must be 2 or more. Received: {folds}")
    start = time.monotonic()
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(str(recipe), variant=variant, settings=settings)
    if recipe.distill is not None:
        raise UsageError(
            "cross-validate: with distill, each fold would need teachers of its own. Compare "
            "trainings with and without it by `pilah-trainer train`, with several seeds"
        )
    prepared = prepare(recipe, Path(data), add=add, groups=groups, seed=seed)
    everything = np.arange(len(prepared.pictures))
    whole = training_set(
        prepared,
        recipe.phases,
        with_copies=np.ones(len(everything), bool),
        train=everything,
        validation=everything,
    )
    training = FoldTraining(
        prepared, whole, prepared.recipe.phases, untrained=prepared.network.state()
    )
    by_repeat, by_fold, cut_short = [], [], 0
    confusion = np.zeros((len(prepared.labels),) * 2, np.int64)
    for repeat in range(repeats):
        now = time.monotonic()
        minutes = 1e6 if max_minutes is None else max_minutes * folds
        found = cross_fit(
            training,
            everything,
            folds=folds,
            seed=seed + 1000 * repeat,
            budget=Budget(now + 60 * minutes),
        )
        cut_short += found.cut_short
        truth = prepared.truth[found.indices]
        right = found.logits.argmax(axis=1) == truth
        by_repeat.append(Share(int(right.sum()), len(right)))
        for fold in found.folds:
            mine = fold.logits.argmax(axis=1) == prepared.truth[fold.held]
            by_fold.append(Share(int(mine.sum()), len(mine)))
        scores = softmax(found.logits).astype(np.float32)
        accept = dict.fromkeys(prepared.labels, 0.0)
        confusion += evaluate_scores(scores, truth, prepared.labels, accept).confusion
        _log.info(f"repeat {repeat + 1} of {repeats}: {by_repeat[-1]}")
    minutes = round((time.monotonic() - start) / 60, 2)
    return CrossValidation(
        prepared.labels, tuple(by_repeat), tuple(by_fold), confusion, minutes, cut_short
    )
