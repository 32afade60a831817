"""The trainings of a comparison: each is a run, and what is finished is not repeated."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import StorageError
from edge.core.files import storage_errors, write_file
from trainer.compare.ways import Way
from trainer.recipes.reading import read_recipe
from trainer.run import FACTS, RECIPE, Run, read_run, unfinished_folder
from trainer.session.training import train

_log = logging.getLogger(__name__)

_PLAN = "comparison-plan.json"


@dataclass(frozen=True, slots=True)
class ComparedPictures:
    """What all trainings of a comparison have in common."""

    data: Path
    add: Sequence[Path]
    groups: str | None
    max_minutes: float | None


@dataclass(frozen=True, slots=True)
class DrawnSplit:
    """A split into train, validation and test, on which every way is trained once."""

    key: str
    """A seed, `0`; or a repeat and a fold of it, `1.5`."""
    name: str
    """A name for its folder and for messages."""
    seed: int
    """Of starting weights, augmentation and order; where `file` is None, of the split too."""
    file: Path | None = None
    """A `split.csv`; None: the first way draws the split."""


@dataclass(frozen=True, slots=True)
class Training:
    """A finished training of a comparison."""

    way: Way
    split: DrawnSplit
    run: Run


def seed_splits(seeds: Sequence[int]) -> list[DrawnSplit]:
    """A split for each seed."""
    return [DrawnSplit(str(seed), f"seed-{seed}", seed) for seed in seeds]


def train_ways(
    recipe: str,
    ways: Sequence[Way],
    splits: Sequence[DrawnSplit],
    pictures: ComparedPictures,
    out: Path,
) -> list[Training]:
    """Trains every way on every split, and gives all trainings; finished ones are only read.

    A training that was cut off goes on where it was.

    Args:
        recipe: a shipped recipe, or the path of one's own.
        ways: the ways to train.
        splits: what they are trained and tested on.
        pictures: what to train on.
        out: the folder of the comparison, which holds the runs; see `begin_comparison`.

    Raises:
        StorageError: a run in `out` was trained by another recipe, or a disk is full.
        StopTraining: Ctrl-C.
        As `trainer.train`.
    """
    found = []
    for split in splits:
        kept, said = split.file, split.name.replace("-", " ")
        for way in ways:
            folder = out / split.name / way.name
            if (folder / FACTS).is_file():
                run = read_run(folder)
                _check_recipe(folder, way, recipe)
                _log.info(f"{way.name}, {said}: trained already")
            else:
                _log.info(f"{way.name}, {said}:")
                run = train(
                    recipe,
                    pictures.data,
                    folder,
                    variant=way.variant,
                    settings=way.settings,
                    add=pictures.add,
                    groups=pictures.groups,
                    keep_parts=kept,
                    seed=split.seed,
                    max_minutes=pictures.max_minutes,
                    resume=unfinished_folder(folder).is_dir(),
                    compared=True,
                )
            found.append(Training(way, split, run))
            kept = kept or folder
    return found


def _place(data: Path) -> str:
    """Where pictures are, from any folder; the name of a public set is no place, and stays."""
    return str(data.resolve() if data.exists() else data)


def begin_comparison(
    recipe: str, pictures: ComparedPictures, out: Path, *, folds: str | None = None
) -> None:
    """Passes a new folder, or one of the same comparison, to which ways and splits may be added.

    Args:
        recipe, pictures, out: see `train_ways`.
        folds: how the pictures are divided into folds; None: into one split for each seed.

    Raises:
        StorageError: `out` holds another comparison, or cannot be written.
    """
    plan = {
        "recipe": recipe,
        "data": _place(pictures.data),
        "add": [_place(path) for path in pictures.add],
        "groups": pictures.groups,
        "max_minutes": pictures.max_minutes,
        "folds": folds,
    }
    file = out / _PLAN
    with storage_errors("create", out):
        out.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        write_file(file, json.dumps(plan, indent=2) + "\n")
        return
    with storage_errors("read", file):
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StorageError(f"{file} is damaged ({error}): choose another --out") from error
    for key, value in plan.items():
        if before.get(key) != value:
            raise StorageError(
                f"{out} holds a comparison with {key} {before.get(key)}, and this one has {value}: "
                "choose another --out"
            )


def _check_recipe(folder: Path, way: Way, recipe: str) -> None:
    other = {"input", "variants", "measured"}
    then = read_recipe(str(folder / RECIPE)).model_dump(exclude=other)
    now = way.recipe(recipe).model_dump(exclude=other)
    if different := [key for key in now if then[key] != now[key]]:
        raise StorageError(
            f"{folder} was trained by another recipe: its {different[0]} is another one. Choose "
            "another --out, or remove that folder to train it again"
        )
