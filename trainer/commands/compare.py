"""Train a recipe in several ways on the same splits, and say which is best, if any surely is.

The splits are drawn by several seeds; with --folds, they are the folds of a cross-validation.

Every training is a run in --out; what is finished there is not repeated, so ways, seeds and repeats
can be added, and a comparison that was cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import print_json
from edge.core.errors import EXIT_INTERRUPTED, EXIT_OK, UsageError
from trainer.commands.arguments import (
    add_recipe_arguments,
    checked_recipe_options,
    positive,
)

if TYPE_CHECKING:
    from trainer.compare.ways import Way

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="of the runs and the comparison"
    )
    parser.add_argument(
        "--variants", metavar="V,V", help="of the recipe (default), in place of --variant"
    )
    parser.add_argument(
        "--networks",
        default="own",
        metavar="N,N",
        help="networks by name, each maybe as NAME=WEIGHTS; own: the variant's (own)",
    )
    parser.add_argument(
        "--optimizers",
        default="own",
        metavar="O,O",
        help="of all phases (own: the variant's), at the rates that the variant has for its own",
    )
    parser.add_argument(
        "--augment", default="own", metavar="A,A", help="own, none or hard (own: the variant's)"
    )
    parser.add_argument("--seeds", type=positive, metavar="N", help="from --seed on (3)")
    parser.add_argument(
        "--folds",
        type=positive,
        metavar="K",
        help="cross-validation in place of --seeds: each picture is tested on once a repeat, also "
        "where the pictures come with a split",
    )
    parser.add_argument("--repeats", type=positive, metavar="R", help="of all folds (1)")
    parser.add_argument(
        "--no-speed", action="store_true", help="convert nothing, and measure no int8 times"
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout, no table")


def run(arguments: argparse.Namespace) -> int:
    from trainer.compare.ways import networks_given, ways_to_train

    options = checked_recipe_options(arguments)  # before TensorFlow is loaded
    if arguments.variants is not None and arguments.variant != "default":
        raise UsageError("compare: give --variants, or --variant for all of them, not both")
    if arguments.folds == 1:
        raise UsageError("--folds must be 2 or more. Received: 1")
    if arguments.folds is not None and arguments.seeds is not None:
        raise UsageError("compare: give --seeds, or --folds with --repeats, not both")
    if arguments.folds is None and arguments.repeats is not None:
        raise UsageError("compare: --repeats goes with --folds")
    ways = ways_to_train(
        arguments.recipe,
        variants=(arguments.variants or arguments.variant).split(","),
        networks=networks_given(arguments.networks),
        optimizers=arguments.optimizers.split(","),
        augmentations=arguments.augment.split(","),
        settings=arguments.settings,
    )
    import trainer
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    _check_networks(arguments.recipe, ways)
    from edge.core.files import write_file
    from trainer.compare.comparison import compare_outcomes, read_outcome
    from trainer.compare.comparison_page import FLATTERS, table, to_json, write_page
    from trainer.compare.folds import fold_splits
    from trainer.compare.speed import int8_timings
    from trainer.compare.trainings import (
        ComparedPictures,
        begin_comparison,
        seed_splits,
        train_ways,
    )

    out: Path = arguments.out
    recipe, seed, folds = arguments.recipe, arguments.seed, arguments.folds
    pictures = ComparedPictures(
        options["data"], options["add"], options["groups"], options["max_minutes"]
    )
    if folds is None:
        begin_comparison(recipe, pictures, out)
        splits = seed_splits(range(seed, seed + (arguments.seeds or 3)))
    else:
        begin_comparison(recipe, pictures, out, folds=f"{folds} by seed {seed}")
        first = ways[0].recipe(recipe)
        splits = fold_splits(
            first, pictures, out, folds=folds, repeats=arguments.repeats or 1, seed=seed
        )
    try:
        trainings = train_ways(recipe, ways, splits, pictures, out)
    except trainer.StopTraining:
        _log.warning("stopped; the same command goes on with what is left")
        return EXIT_INTERRUPTED
    first_runs = {each.way.name: each.run for each in trainings if each.split == splits[0]}
    timings = {} if arguments.no_speed else int8_timings(first_runs, out / "bundles")
    found = compare_outcomes(
        {way.name: [read_outcome(each) for each in trainings if each.way == way] for way in ways},
        timings,
        folds=folds,
    )
    told = to_json(found)
    text = json.dumps(told, indent=2, ensure_ascii=False)
    write_file(out / "comparison.json", text + "\n")
    write_page(out / "comparison.html", found, title=recipe)
    if arguments.json:
        print_json(told)
    else:
        print(table(found))
    _log.info(FLATTERS)
    _log.info(f"read {out / 'comparison.html'}")
    return EXIT_OK


def _check_networks(recipe: str, ways: Sequence[Way]) -> None:
    """Builds each network once, with its weights.

    What is missing or wrong of a later way is told now, and not after hours of training the first.
    """
    from trainer.fit.distillation import is_run, teacher_recipe
    from trainer.fit.preconditions import check_phases
    from trainer.networks import build_network

    built: list[tuple[object, ...]] = []
    for way in ways:
        planned = way.recipe(recipe)
        plans = [planned]
        if planned.distill is not None and not is_run(planned.distill.teacher):
            plans.append(teacher_recipe(planned.distill))
        for each in plans:
            cuts = [phase.train_from for phase in each.phases]
            if (facts := (each.network, each.input, cuts)) in built:
                continue
            built.append(facts)
            try:
                check_phases(each, build_network(each.network, each.input, 2, seed=0))
            except UsageError as error:
                raise UsageError(f"{way.name}: {error}") from error
