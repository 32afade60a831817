"""The training plans that come with pilah: list, show, copy one to change it, check one's own."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import EXIT_OK, StorageError, UsageError

if TYPE_CHECKING:
    from trainer.recipes.plan import Recipe

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    doing = parser.add_subparsers(dest="doing", required=True, metavar="list|show|copy|check")
    doing.add_parser("list", help="their names, and what they are for")
    show = doing.add_parser("show", help="print one, comments and all")
    copy = doing.add_parser("copy", help="write one to a file of your own")
    check = doing.add_parser("check", help="find the mistakes in one")
    for words in (show, copy, check):
        words.add_argument("recipe", metavar="RECIPE", help="a shipped recipe, or your own .yaml")
    copy.add_argument("file", type=Path, metavar="FILE.yaml", help="to write")


def run(arguments: argparse.Namespace) -> int:
    from edge.core.files import write_file
    from edge.core.terminal.hints import command
    from trainer.recipes.measured import whether_better
    from trainer.recipes.reading import read_recipe, recipe_path, shipped_recipes

    if arguments.doing == "list":
        for name in shipped_recipes():
            recipe = read_recipe(name)
            print(f"{name:<14} {recipe.description}")
            if recipe.variants:
                print(f"{'':<14} variants: {', '.join(recipe.variants)}")
            for variant in ("default", *recipe.variants):
                for note in read_recipe(name, variant=variant).notes:
                    print(f"{'':<14} {variant}: {note}")
            for each in recipe.measured:
                print(f"{'':<14} beside its own network, {each.sentence}")
            if recipe.measured:
                print(f"{'':<14} of these networks: {whether_better(recipe.measured)}")
    elif arguments.doing == "show":
        print(recipe_path(arguments.recipe).read_text(encoding="utf-8"), end="")
    elif arguments.doing == "copy":
        if arguments.file.exists():
            raise StorageError(f"{arguments.file} is there already: choose another name")
        write_file(arguments.file, recipe_path(arguments.recipe).read_text(encoding="utf-8"))
        _log.info(f"next: {command('pilah-trainer', 'recipes', 'check', arguments.file)}")
    else:
        for variant in ("default", *read_recipe(arguments.recipe).variants):
            try:
                _check(read_recipe(arguments.recipe, variant=variant), variant)
            except UsageError as error:
                raise UsageError(f"{arguments.recipe}, variant {variant}: {error}") from error
    return EXIT_OK


def _check(recipe: Recipe, variant: str) -> None:
    """Says what a variant comes to.

    Its network is built as a training builds it, but for weights that would be fetched: what
    a training refuses before it looks at pictures is refused here.
    """
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer.fit.preconditions import check_phases
    from trainer.networks import build_network
    from trainer.networks.parts.weights import without_fetching

    with without_fetching():
        network = build_network(recipe.network, recipe.input, 2, seed=0)
    check_phases(recipe, network)
    phases = ", ".join(f"{p.name} ({p.epochs} epochs from {p.train_from})" for p in recipe.phases)
    _log.info(f"{recipe.name}, {variant}: {network.model.count_params():,} parameters; {phases}")
