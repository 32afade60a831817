"""Train a recipe with many sets of values, to find better ones by the validation pictures.

Several machines, or several processes of one, share a sweep where they are given the same
--storage; what one of them leaves, because it was killed or switched off, another one takes over.
The same command goes on with a sweep that was begun, and with a larger --trials makes it longer.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_INTERRUPTED, EXIT_OK, PackageMissingError
from trainer.commands.arguments import add_recipe_arguments, checked_recipe_options, positive

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument(
        "--storage",
        required=True,
        metavar="PLACE",
        help="of the trials, for all machines: a journal file, which may lie on a network drive, "
        "or postgresql://USER@HOST/DATABASE, with the password in PGPASSWORD",
    )
    parser.add_argument(
        "--search",
        type=Path,
        metavar="FILE.yaml",
        help="what to try: a line for each key, KEY: [VALUE, VALUE] or KEY: {low: L, high: H}, "
        "with log: true or step: S (rates, mixup, dropout, label smoothing and class weights)",
    )
    parser.add_argument(
        "--trials", type=positive, default=30, metavar="N", help="of all machines together (30)"
    )
    parser.add_argument(
        "--name", metavar="NAME", help="of the sweep, where the storage has several (the recipe's)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="for the result, on each machine"
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout, no table")


def run(arguments: argparse.Namespace) -> int:
    from edge.core.terminal.hints import command, install_command
    from trainer.sweep.search import read_search, usual_keys

    options = checked_recipe_options(arguments)  # before TensorFlow is loaded
    recipe = {
        "recipe": arguments.recipe,
        "variant": arguments.variant,
        "settings": tuple(arguments.settings),
    }
    if arguments.search is None:
        keys = usual_keys(**recipe)
    else:
        keys = read_search(arguments.search, **recipe)
    if importlib.util.find_spec("optuna") is None:
        raise PackageMissingError(f"Optuna is not installed: {install_command('sweep')}")
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer.sweep.objective import SweptPictures
    from trainer.sweep.result import FLATTERS, table, to_json
    from trainer.sweep.sweeping import BEST, SweepPlan, sweep
    from trainer.sweep.trials import StopSweep

    if not all(each.has_own for each in keys):
        outside = ", ".join(each.key for each in keys if not each.has_own)
        _log.info(f"the recipe as it is will not be tried: its own {outside} is not searched")
    pictures = SweptPictures(options["data"], options["add"], options["groups"], options["seed"])
    out: Path = arguments.out
    try:
        found = sweep(
            SweepPlan(**recipe, keys=keys, pictures=pictures, max_minutes=options["max_minutes"]),
            out,
            storage=arguments.storage,
            name=arguments.name,
            total=arguments.trials,
        )
    except StopSweep:
        _log.warning("stopped; the same command goes on with what is left")
        return EXIT_INTERRUPTED
    if arguments.json:
        print_json(to_json(found))
    else:
        print(table(found))
    _log.info(FLATTERS)
    if found.best is not None:
        words = [
            "--data",
            options["data"],
            *(w for more in options["add"] for w in ("--add", more)),
        ]
        words += ["--groups", options["groups"]] * (options["groups"] is not None)
        words += ["--keep-parts", out / "split.csv", "--seed", str(options["seed"]), "--out", "RUN"]
        _log.info(f"next: {command('pilah-trainer', 'train', out / BEST, *words)}")
    return EXIT_OK
