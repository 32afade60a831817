"""Train a recipe in several ways on the same splits, and say which is best, if any surely is.

Every training is a run in --out; what is finished there is not repeated, so ways and seeds can be
added, and a comparison that was cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_INTERRUPTED, EXIT_OK, UsageError
from trainer.commands.arguments import (
    add_recipe_arguments,
    checked_recipe_options,
    positive,
)

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
        "--optimizers", default="own", metavar="O,O", help="of all phases (own: the variant's)"
    )
    parser.add_argument(
        "--augment", default="own", metavar="A,A", help="own, none or hard (own: the variant's)"
    )
    parser.add_argument("--seeds", type=positive, default=3, metavar="N", help="from --seed on (3)")
    parser.add_argument(
        "--no-speed", action="store_true", help="convert nothing, and measure no int8 times"
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout, no table")


def run(arguments: argparse.Namespace) -> int:
    from trainer.compare.ways import ways_to_train

    options = checked_recipe_options(arguments)  # before TensorFlow is loaded
    if arguments.variants is not None and arguments.variant != "default":
        raise UsageError("compare: give --variants, or --variant for all of them, not both")
    ways = ways_to_train(
        arguments.recipe,
        variants=(arguments.variants or arguments.variant).split(","),
        networks=arguments.networks.split(","),
        optimizers=arguments.optimizers.split(","),
        augmentations=arguments.augment.split(","),
        settings=arguments.settings,
    )
    import trainer
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from edge.core.files import write_file
    from trainer.compare.comparison import compare_outcomes, read_outcome
    from trainer.compare.comparison_page import FLATTERS, table, to_json, write_page
    from trainer.compare.speed import int8_milliseconds
    from trainer.compare.trainings import ComparedPictures, train_ways

    out: Path = arguments.out
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    pictures = ComparedPictures(
        options["data"], options["add"], options["groups"], options["max_minutes"]
    )
    try:
        trainings = train_ways(arguments.recipe, ways, seeds, pictures, out)
    except trainer.StopTraining:
        _log.warning("stopped; the same command goes on with what is left")
        return EXIT_INTERRUPTED
    milliseconds = {
        each.way.name: int8_milliseconds(each.run.path, out / "bundles" / each.way.name)
        for each in trainings
        if each.seed == seeds[0] and not arguments.no_speed
    }
    found = compare_outcomes(
        {way.name: [read_outcome(each) for each in trainings if each.way == way] for way in ways},
        milliseconds,
    )
    told = to_json(found)
    text = json.dumps(told, indent=2, ensure_ascii=False)
    write_file(out / "comparison.json", text + "\n")
    write_page(out / "comparison.html", found, title=arguments.recipe)
    if arguments.json:
        print_json(told)
    else:
        print(table(found))
    _log.info(FLATTERS)
    _log.info(f"read {out / 'comparison.html'}")
    return EXIT_OK
