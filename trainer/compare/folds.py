"""Folds for a comparison: each picture is tested on once a repeat, in the same fold by all ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.core.dataset import SPLITS, LabelledPicture
from edge.core.errors import StorageError
from edge.core.files import storage_errors
from trainer.compare.trainings import ComparedPictures, DrawnSplit
from trainer.data.stratified_split import fold_pictures
from trainer.errors import TooFewPicturesError
from trainer.evaluation.crossval import note_given_splits
from trainer.fit.prepare import Prepared, prepare
from trainer.recipes.plan import Recipe
from trainer.run import SPLIT, split_rows

_REPEAT = 1000
"""What is added to a seed for another repeat, so that its folds are other ones."""


def fold_splits(
    recipe: Recipe,
    pictures: ComparedPictures,
    out: Path,
    *,
    folds: int,
    repeats: int,
    seed: int,
) -> list[DrawnSplit]:
    """A split for each fold of each repeat, written to a `split.csv` of its own.

    A split that the pictures come with is not kept, which is said.

    One fold is tested on. Of the others, whole groups validate, about as many pictures as the
    recipe's `split.validation` says, and the rest is trained on.

    Args:
        recipe: of the first way.
        pictures: what is divided.
        out: the folder of the comparison.
        folds: of each repeat, 2 or more.
        repeats: how often the pictures are divided.
        seed: of the first repeat.

    Raises:
        StorageError: the pictures are other ones than when the comparison was begun.
        TooFewPicturesError: a class has too few groups for so many folds.
        As `trainer.fit.prepare.prepare`.
    """
    prepared = prepare(recipe, pictures.data, add=pictures.add, groups=pictures.groups, seed=seed)
    note_given_splits(prepared)
    inner = max(2, round((1 - 1 / folds) / recipe.split.validation))
    found = []
    for repeat in range(repeats):
        first = seed + _REPEAT * repeat
        fold_of = np.array(fold_pictures(prepared.pictures, folds, seed=first))
        for fold in range(folds):
            divided = _divided(prepared.pictures, fold_of == fold, inner, seed=first + 1)
            _check_classes(divided, folds)
            name = f"repeat-{repeat + 1}-fold-{fold + 1}-of-{folds}"
            file = _written(out / name, replace(prepared, pictures=divided))
            found.append(DrawnSplit(f"{repeat + 1}.{fold + 1}", name, first + fold, file))
    return found


def _divided(
    pictures: tuple[LabelledPicture, ...], tested: np.ndarray, inner: int, *, seed: int
) -> tuple[LabelledPicture, ...]:
    rest = np.flatnonzero(~tested)
    part = np.array(fold_pictures([pictures[i] for i in rest], inner, seed=seed))
    validating = set(rest[part == 0].tolist())
    return tuple(
        replace(
            each,
            split="test" if tested[i] else "validation" if i in validating else "train",
        )
        for i, each in enumerate(pictures)
    )


def _check_classes(pictures: tuple[LabelledPicture, ...], folds: int) -> None:
    """Passes pictures of which every split has every class.

    Raises:
        TooFewPicturesError: one has not.
    """
    there = {(each.label, each.split) for each in pictures}
    groups = Counter(
        label for label, _ in {(each.label, each.group or each.path) for each in pictures}
    )
    for label in sorted(groups):
        for split in SPLITS:
            if (label, split) not in there:
                raise TooFewPicturesError(
                    f"class {label!r} has {groups[label]} separate groups of pictures, and with "
                    f"--folds {folds} none is left for the {split} split of a fold: use fewer "
                    "folds or smaller groups, or add pictures of it"
                )


def _written(folder: Path, prepared: Prepared) -> Path:
    """The `split.csv` in `folder`, written, or found there with the same content."""
    file = folder / SPLIT
    if file.is_file():
        before = {row.sha256: row.split for row in split_rows(file)}
        splits = [each.split for each in prepared.pictures]
        if before != dict(zip(prepared.decoded.digests, splits, strict=True)):
            raise StorageError(
                f"{folder} was made of other pictures, or divided otherwise: choose another --out"
            )
        return file
    with storage_errors("create", folder):
        folder.mkdir(parents=True, exist_ok=True)
    return prepared.write_split(folder)
