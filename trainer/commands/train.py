"""Fine-tune a network on labelled photographs and leave a run: the model and its evaluation."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_INTERRUPTED, EXIT_OK
from trainer.commands.arguments import add_recipe_arguments, checked_recipe_options

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder to make")
    parser.add_argument(
        "--keep-parts",
        type=Path,
        metavar="RUN",
        help="an earlier run, or the split.csv of a sweep: its pictures keep the split (train, "
        "validation or test) that they had there, though the folder has grown since",
    )
    parser.add_argument(
        "--from",
        dest="from_run",
        type=Path,
        metavar="RUN",
        help="an earlier run to start from: its weights, its split and groups, the order of its "
        "classes; pictures and classes may have been added since. Without a new class the head is "
        "left as it is, and phases below it have half of their epochs at half their rate",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with a training to RUN that was cut off"
    )
    parser.add_argument("--replace", action="store_true", help="take the place of an existing RUN")


def run(arguments: argparse.Namespace) -> int:
    import trainer
    from trainer.fit.earlier_run import read_earlier_run
    from trainer.fit.preconditions import check_out
    from trainer.recipes.reading import read_recipe

    options = checked_recipe_options(arguments)
    if arguments.from_run is not None:
        recipe = read_recipe(
            arguments.recipe, variant=arguments.variant, settings=arguments.settings
        )
        # A run that does not fit is told at once, not after TensorFlow has been loaded.
        read_earlier_run(arguments.from_run, recipe.network, keep_parts=arguments.keep_parts)
    check_out(arguments.out, arguments.data, replace=arguments.replace)
    try:
        trainer.train(
            **options,
            out=arguments.out,
            keep_parts=arguments.keep_parts,
            from_run=arguments.from_run,
            resume=arguments.resume,
            replace=arguments.replace,
        )
    except trainer.StopTraining:
        _log.warning("stopped before there was a model to keep; nothing was written")
        return EXIT_INTERRUPTED
    return EXIT_OK
