"""How good a recipe is on a set of pictures: repeated cross-validation over all of them."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.errors import UsageError
from trainer.calibration.crossfit import Fold, FoldTraining
from trainer.data.stratified_split import fold_pictures
from trainer.evaluation.predictions import TestPrediction
from trainer.evaluation.scored_folds import FoldsFolder, ScoredFold
from trainer.fit.distillation import is_run, teach, teacher_recipe
from trainer.fit.phases import Budget
from trainer.fit.prepare import Prepared, prepare, training_set
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe, recipe_yaml
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
    from_run: str | Path | None = None,
    out: str | Path | None = None,
) -> CrossValidation:
    """How accurate a recipe is on the pictures in `data`, each scored by a model new to it.

    Every fold is a training of its own with all of the recipe's phases. Nothing is set aside: who
    chooses a recipe by these figures must not quote them as a test of it.

    Args:
        recipe, data, variant, settings, add, groups: see `train`.
        folds: models a repeat; groups are never divided among them.
        repeats: other folds and other starting weights each.
        max_minutes: for each fold, its teacher not counted; None: no bound, also for phases that
            are `if_time`.
        from_run: an earlier run whose weights each fold starts from. What it has learned from, and
            copies and groups of that, is trained on in every fold and scored in none.
        out: a folder for what each model says of each picture. The same call goes on with the folds
            that it does not have yet, and adds repeats.

    Raises:
        StorageError: `out` holds another cross-validation.
        As `train`.

    Example:
        >>> found = cross_validate("mobilenet_v2", "photos", folds=5, repeats=2)
    """
    if folds < 2:
        raise UsageError(f"--folds must be 2 or more. Received: {folds}")
    start, earlier_minutes = time.monotonic(), 0.0
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(str(recipe), variant=variant, settings=settings)
    if recipe.distill is not None:
        if is_run(recipe.distill.teacher):
            raise UsageError(
                f"cross-validate: distill.teacher is the run {recipe.distill.teacher}, which has "
                "learned from pictures of all folds. Name a recipe, of which each fold has a "
                "teacher of its own"
            )
        teacher_recipe(recipe.distill)  # is refused before anything is computed
    prepared = prepare(
        recipe,
        Path(data),
        add=add,
        groups=groups,
        seed=seed,
        from_run=None if from_run is None else Path(from_run),
    )
    note_given_splits(prepared)
    learned = _learned(prepared)
    usable = np.setdiff1d(np.arange(len(prepared.pictures)), learned)
    saved = (
        None if out is None else FoldsFolder.begin(Path(out), _plan(prepared, folds, max_minutes))
    )
    training: FoldTraining | None = None  # of which nothing is needed where all folds are saved
    scored: list[_Scored] = []
    for repeat in range(repeats):
        first = seed + 1000 * repeat
        fold_of = np.array(fold_pictures([prepared.pictures[i] for i in usable], folds, seed=first))
        planned = len(set(fold_of.tolist()))  # with fewer groups than folds there are fewer
        for number in np.unique(fold_of).tolist():
            held, rest = usable[fold_of == number], usable[fold_of != number]
            name = f"repeat-{repeat + 1}-fold-{number + 1}-of-{folds}"
            digests = [prepared.decoded.digests[i] for i in held]
            found = saved.read(name, digests) if saved else None
            if found is None:
                training = training or _training(prepared)
                chance = first + 100 * (number + 1)
                taught = _taught(prepared, *training.parts(rest, seed=chance, beside=learned))
                now = time.monotonic()
                deadline = math.inf if max_minutes is None else now + 60 * max_minutes
                fold, best = training.train(
                    rest,
                    held,
                    seed=chance,
                    budget=Budget(deadline, quiet=True),
                    beside=learned,
                    taught=taught,
                )
                took = round((time.monotonic() - now) / 60, 3)
                found = ScoredFold(_predictions(prepared, fold), took, best.cut_short)
                if saved:
                    saved.write(name, found)
            else:
                _log.info(f"{name.replace('-', ' ')}: trained already")
                earlier_minutes += found.minutes
            scored.append(_Scored(found, repeat))
        mine = [each for each in scored if each.repeat == repeat]
        _log.info(f"repeat {repeat + 1} of {repeats}: {_share(mine, planned).shown}")
    result = CrossValidation(
        labels=prepared.labels,
        images=len(usable),
        accuracy=_share(scored, planned),
        repeats=tuple(
            _share([each for each in scored if each.repeat == repeat], planned)
            for repeat in range(repeats)
        ),
        folds=tuple(float(each.right.mean()) for each in scored),
        confusion=_confusion(scored, prepared.labels),
        minutes=round((time.monotonic() - start) / 60 + earlier_minutes, 2),
        cut_short=sum(each.fold.cut_short for each in scored),
    )
    if saved:
        _log.info(f"read {saved.write_result(result.to_json())}")
    return result


def _plan(prepared: Prepared, folds: int, max_minutes: float | None) -> dict[str, Any]:
    """What decides what a fold comes to."""
    plan = {
        "recipe": recipe_yaml(prepared.recipe),
        "pictures": _pictures_digest(prepared),
        "seed": prepared.seed,
        "folds": folds,
        "max_minutes": max_minutes,
    }
    if prepared.earlier is not None:
        plan["earlier run"] = prepared.earlier.model_digest
    return plan


def _pictures_digest(prepared: Prepared) -> str:
    """SHA-256 over every picture's content digest, label and group, in hexadecimal."""
    lines = [
        f"{digest} {picture.label} {picture.group}"
        for digest, picture in zip(prepared.decoded.digests, prepared.pictures, strict=True)
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "replace")).hexdigest()


def _training(prepared: Prepared) -> FoldTraining:
    """The training of all folds, with the outputs of frozen layers."""
    phases, everything = prepared.recipe.phases, np.arange(len(prepared.pictures))
    whole = training_set(
        prepared,
        phases,
        with_copies=np.ones(len(everything), bool),
        train=everything,
        validation=everything,
    )
    return FoldTraining(prepared, whole, phases, untrained=prepared.network.state())


def _taught(
    prepared: Prepared, train: npt.NDArray[np.int64], validation: npt.NDArray[np.int64]
) -> npt.NDArray[np.float16] | None:
    """What a teacher of this fold says, which has seen none of its other pictures; None without
    one."""
    plan = prepared.recipe.distill
    if plan is None:
        return None
    split = np.full(len(prepared.pictures), "test", object)
    split[validation], split[train] = "validation", "train"
    pictures = tuple(
        replace(picture, split=each)
        for picture, each in zip(prepared.pictures, split.tolist(), strict=True)
    )
    own = replace(prepared, pictures=pictures, split=split.astype(str))
    return teach(own, plan, choosing=validation).probabilities


def _learned(prepared: Prepared) -> npt.NDArray[np.int64]:
    """The pictures that the starting weights have learned from, or were chosen by; and what is a
    copy of such a picture, or of its group.

    No fold may be scored on them: the weights would tell of them. They are never all of the
    pictures, because each class has some in the test split.
    """
    if prepared.earlier is None:
        return np.zeros(0, np.int64)
    path = prepared.earlier.run.path
    rows = [row for row in prepared.earlier.rows if row.split != "test"]
    digests = {row.sha256 for row in rows}
    # What is a copy of a picture of the run has come into the group of that.
    groups = {row.group for row in rows} - {""}
    found = [
        i
        for i, picture in enumerate(prepared.pictures)
        if prepared.decoded.digests[i] in digests or picture.group in groups
    ]
    total = len(prepared.pictures)
    if found:
        _log.info(
            f"{len(found)} of {total} pictures, from which {path} has learned, or which are copies "
            "of such or of their groups, are trained on in every fold and scored in none"
        )
    return np.array(found, np.int64)


def _predictions(prepared: Prepared, fold: Fold) -> tuple[TestPrediction, ...]:
    scores = softmax(fold.logits)
    best = scores.argmax(axis=1)
    return tuple(
        TestPrediction(
            prepared.decoded.digests[i],
            str(prepared.pictures[i].group),
            prepared.pictures[i].label,
            prepared.labels[best[row]],
            float(scores[row, best[row]]),
        )
        for row, i in enumerate(fold.held.tolist())
    )


def _confusion(scored: Sequence[_Scored], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    confusion = np.zeros((len(labels),) * 2, np.int64)
    for each in scored:
        for found in each.fold.predictions:
            confusion[labels.index(found.label), labels.index(found.taken_for)] += 1
    return confusion


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
    """A fold of one of the repeats."""

    fold: ScoredFold
    repeat: int

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each picture of it was right."""
        return np.array([each.right for each in self.fold.predictions], bool)


def _share(scored: Sequence[_Scored], folds: int) -> Figure:
    """The share right of all of them, with its interval.

    Args:
        folds: of each repeat.
    """
    return share_of_trainings(
        np.concatenate([each.right for each in scored]),
        [found.group for each in scored for found in each.fold.predictions],
        [place for place, each in enumerate(scored) for _ in each.fold.predictions],
        overlap=1 / (folds - 1),
    )
