"""What a training brings that starts from another set's, where neither has seen the test pictures.

    python -m tests.benchmarks.from_folds WORK --first garbage=PHOTOS --second bottles=PHOTOS
        [--groups blocks:20] [--network efficientnet_lite0] [--folds 5]

The first set is divided into folds, whole groups together, and a model is trained for each without
its fold. From each of these a model of the second set is trained, and beside it one from ImageNet,
with the same split: whatever the second set has of the fold's pictures is tested on. So a picture
that is in both sets is judged by a model of which no ancestor has met it, which is not so where one
training of the first set serves all folds of the second. The verdict is that of `compare`. Runs
that are in WORK already are used as they are, and a second call goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import trainer
from trainer.compare.comparison import WayComparison, compare_outcomes, read_outcome
from trainer.compare.comparison_page import table
from trainer.compare.folds import fold_splits
from trainer.compare.trainings import ComparedPictures, DrawnSplit, Training
from trainer.compare.ways import Way, ways_to_train
from trainer.run import Run, read_run


def compared(
    work: Path,
    first: tuple[str, Path],
    second: tuple[str, Path],
    *,
    groups: str | None = None,
    network: str = "own",
    folds: int = 5,
    seed: int = 0,
) -> WayComparison:
    """The comparison of models from ImageNet with those from the first set's.

    Args:
        work: the folder of the runs.
        first: recipe and pictures that are trained first; of the recipe, a name or a file.
        second: those of the comparison.
        groups: which pictures belong together, in both sets.
        network: in the place of both recipes' own.
        folds: of the first set.
        seed: of the first fold.

    Raises:
        As `trainer.train`.
    """
    (before, before_data), (recipe, data) = first, second
    way = _way(before, network)
    pictures = ComparedPictures(before_data, (), groups, None)
    splits = fold_splits(way.recipe(before), pictures, work, folds=folds, repeats=1, seed=seed)
    found: dict[str, list[Training]] = {"from ImageNet": [], "from the first": []}
    for split in splits:
        place = work / split.name
        earlier = _trained(before, before_data, place / "first", way, groups, split)
        then = _way(recipe, network)
        for name, start in (("from ImageNet", None), ("from the first", earlier.path)):
            run = _trained(
                recipe, data, place / name.replace(" ", "-"), then, groups, split, start=start
            )
            found[name].append(Training(then, split, run))
    outcomes = {name: [read_outcome(each) for each in all_] for name, all_ in found.items()}
    return compare_outcomes(outcomes, {}, folds=folds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("work", type=Path)
    parser.add_argument("--first", required=True, metavar="RECIPE=PATH")
    parser.add_argument("--second", required=True, metavar="RECIPE=PATH")
    parser.add_argument("--groups", metavar="PLAN")
    parser.add_argument("--network", default="own", metavar="NAME[=FILE]")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    first, second = (
        (recipe, Path(path))
        for recipe, _, path in (each.partition("=") for each in (arguments.first, arguments.second))
    )
    found = compared(
        arguments.work, first, second,
        groups=arguments.groups, network=arguments.network, folds=arguments.folds,
        seed=arguments.seed,
    )  # fmt: skip
    print(table(found))


def _way(recipe: str, network: str) -> Way:
    (way,) = ways_to_train(recipe, variants=["default"], networks=[network], settings=[])
    return way


def _trained(
    recipe: str,
    data: Path,
    out: Path,
    way: Way,
    groups: str | None,
    split: DrawnSplit,
    *,
    start: Path | None = None,
) -> Run:
    if not (out / "run.json").is_file():
        # A run that it starts from hands its split on; others are given it.
        trainer.train(
            recipe, data, out, variant=way.variant, settings=list(way.settings), groups=groups,
            keep_parts=None if start else split.file, from_run=start, seed=split.seed, replace=True,
        )  # fmt: skip
    return read_run(out)


if __name__ == "__main__":
    main()
