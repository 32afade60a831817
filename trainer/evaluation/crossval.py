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
from edge.core.model.metrics import evaluate_scores
from trainer.calibration.crossfit import FoldTraining, cross_fit
from trainer.fit.phases import Budget
from trainer.fit.prepare import Prepared, prepare, training_set
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe
from trainer.statistics.intervals import Figure
from trainer.statistics.likelihood import softmax
from trainer.statistics.several_trainings import share_of_trainings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What models said of pictures they had not trained on, each picture once a repeat."""

    labels: tuple[str, ...]
    images: int
    """The pictures, each of which is scored once a repeat."""
    accuracy: Figure
    """Pictures that were right, over all repeats."""
    repeats: tuple[Figure, ...]
    """And by repeat."""
    folds: tuple[float, ...]
    """And by fold, of all repeats."""
    confusion: npt.NDArray[np.int64]
    """(classes, classes) of all repeats: row the true label, column the best label."""
    minutes: float
    cut_short: int = 0
    """Folds that time ended before the last of their steps, or left an optional phase out of."""

    def to_json(self) -> dict[str, Any]:
        """The object that `pilah-trainer cross-validate --json` prints."""
        return {
            "accuracy": self.accuracy.value,
            "interval": self.accuracy.interval,
            "repeats": [repeat.value for repeat in self.repeats],
            "repeat_intervals": [repeat.interval for repeat in self.repeats],
            "folds": list(self.folds),
            "fold_deviation": float(np.std(self.folds, ddof=1)),
            "images": self.images,
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
            "trainings with and without it by `pilah-trainer compare`, with several seeds"
        )
    if folds < 2:
        raise UsageError(f"--folds must be 2 or more. Received: {folds}")
    prepared = prepare(recipe, Path(data), add=add, groups=groups, seed=seed)
    note_given_splits(prepared)
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
    scored: list[_Scored] = []
    cut_short, planned = 0, folds
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
        planned = found.planned
        for number, fold in enumerate(found.folds):
            truth = prepared.truth[fold.held]
            right = fold.logits.argmax(axis=1) == truth
            of = [str(prepared.pictures[i].group) for i in fold.held]
            scored.append(_Scored(right, of, repeat, folds * repeat + number))
            probabilities = softmax(fold.logits).astype(np.float32)
            accept = dict.fromkeys(prepared.labels, 0.0)
            confusion += evaluate_scores(probabilities, truth, prepared.labels, accept).confusion
        mine = [each for each in scored if each.repeat == repeat]
        _log.info(f"repeat {repeat + 1} of {repeats}: {_share(mine, planned).shown}")
    return CrossValidation(
        labels=prepared.labels,
        images=len(everything),
        accuracy=_share(scored, planned),
        repeats=tuple(
            _share([each for each in scored if each.repeat == repeat], planned)
            for repeat in range(repeats)
        ),
        folds=tuple(float(each.right.mean()) for each in scored),
        confusion=confusion,
        minutes=round((time.monotonic() - start) / 60, 2),
        cut_short=cut_short,
    )


def note_given_splits(prepared: Prepared) -> None:
    """Says that pictures are divided into folds though they came with a split, if they did."""
    if prepared.given_splits:
        _log.warning(
            f"note: the pictures come with a split ({', '.join(prepared.given_splits)}), which "
            "folds do not keep: pictures of all of it are trained on, so the figures are those of "
            "all of it together. To test on pictures of another place, use `pilah-trainer train`"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """What the model of one fold came to on the pictures that it had not seen."""

    right: npt.NDArray[np.bool_]
    groups: Sequence[str]
    """Of the pictures."""
    repeat: int
    number: int
    """Of the training, over all repeats."""


def _share(scored: Sequence[_Scored], folds: int) -> Figure:
    """The share right of all of them, with its interval.

    Args:
        folds: of each repeat.
    """
    return share_of_trainings(
        np.concatenate([each.right for each in scored]),
        [group for each in scored for group in each.groups],
        np.repeat([each.number for each in scored], [len(each.right) for each in scored]),
        overlap=1 / (folds - 1) if folds > 1 else 0.0,
    )
