"""Find a learning rate for each phase of a recipe: a short training in which it rises."""

from __future__ import annotations

import argparse
import logging

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK
from trainer.commands.arguments import add_recipe_arguments, checked_recipe_options

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser, minutes=None)
    parser.add_argument("--json", action="store_true", help="one object on stdout, with the curves")


def run(arguments: argparse.Namespace) -> int:
    import trainer

    options = checked_recipe_options(arguments)  # before TensorFlow is loaded
    curves = trainer.find_rates(**options)
    for curve in curves:
        _log.info(
            f"phase {curve.phase}: the loss was lowest, {min(curve.losses):.2f}, at a rate of "
            f"{curve.rates[curve.losses.index(min(curve.losses))]:.0e}: "
            f"try --set phases.{curve.phase}.learning_rate={curve.suggestion:g}"
        )
    if arguments.json:
        phases = {
            curve.phase: {
                "suggestion": curve.suggestion,
                "rates": curve.rates,
                "losses": curve.losses,
            }
            for curve in curves
        }
        print_json({"phases": phases})
    return EXIT_OK
