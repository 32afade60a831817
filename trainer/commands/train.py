"""Fine-tune a network on labelled photographs and leave a run: the model and its proof."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from edge.cli import say
from edge.errors import EXIT_INTERRUPTED, EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a shipped recipe, or your own .yaml")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="a folder per class, a .csv manifest (path,label[,group,split]) or a .yaml class map",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder to make")
    parser.add_argument(
        "--groups",
        metavar="PLAN",
        help="pictures that belong together: blocks:N (runs of N by the number in the file name), "
        "column:NAME (of the manifest) or pattern:REGEX (in the path)",
    )
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the recipe, as network.alpha=0.35 or phases.upper.epochs=4; repeatable",
    )
    parser.add_argument("--variant", default="default", metavar="V", help="of the recipe")
    parser.add_argument("--max-minutes", type=_minutes, metavar="M", help="for everything together")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of all chance (0)")
    parser.add_argument("--replace", action="store_true", help="take the place of an existing RUN")


def run(arguments: argparse.Namespace) -> int:
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer.phases import StopTraining
    from trainer.recipe import read_recipe
    from trainer.training import train

    recipe = read_recipe(arguments.recipe, variant=arguments.variant, settings=arguments.settings)
    try:
        train(
            recipe,
            arguments.data,
            arguments.out,
            variant=arguments.variant,
            groups=arguments.groups,
            seed=arguments.seed,
            max_minutes=arguments.max_minutes,
            replace=arguments.replace,
        )
    except StopTraining:
        say("stopped before there was a model to keep; nothing was written")
        return EXIT_INTERRUPTED
    return EXIT_OK


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"must be more than 0. Received: {text}")
    return minutes


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**31:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2147483647. Received: {text}")
    return seed
