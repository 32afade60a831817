"""How good a recipe is on labelled photographs: each is scored by a model that had not seen it.

With --out, what was cut off goes on with the folds that are missing, and --repeats may grow.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_INTERRUPTED, EXIT_OK, UsageError
from trainer.commands.arguments import add_recipe_arguments, checked_recipe_options, positive

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(
        parser, minutes="for each model (no bound, not the recipe's: optional phases are trained)"
    )
    parser.add_argument("--folds", type=positive, default=5, metavar="N", help="models (5)")
    parser.add_argument("--repeats", type=positive, default=1, metavar="N", help="of all folds (1)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="for what each model says of each picture"
    )
    parser.add_argument(
        "--from",
        dest="from_run",
        type=Path,
        metavar="RUN",
        help="an earlier run whose weights each model starts from: what it has learned from is "
        "trained on by all of them and scored by none",
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(arguments: argparse.Namespace) -> int:
    import trainer

    if arguments.folds == 1:
        raise UsageError("--folds must be 2 or more. Received: 1")
    options = checked_recipe_options(arguments)  # before TensorFlow is loaded
    try:
        found = trainer.cross_validate(
            **options,
            folds=arguments.folds,
            repeats=arguments.repeats,
            from_run=arguments.from_run,
            out=arguments.out,
        )
    except KeyboardInterrupt:
        if arguments.out is None:
            raise
        _log.warning("stopped; the same command goes on with what is left")
        return EXIT_INTERRUPTED
    if arguments.json:
        print_json(found.to_json())
    _log.info(
        f"accuracy {found.accuracy.shown} on pictures not trained on, by groups and folds; "
        f"by repeat: {', '.join(repeat.shown for repeat in found.repeats)}"
    )
    if found.cut_short:
        _log.warning(
            f"note: {found.cut_short} of {len(found.folds)} trainings were cut short by "
            "--max-minutes: with all its steps the recipe may be better than this"
        )
    _log.info(
        "choose a recipe by such figures, or quote them for it, not both: nothing was set aside"
    )
    return EXIT_OK
