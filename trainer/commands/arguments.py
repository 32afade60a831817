"""What several verbs of `pilah-trainer` take."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any


def add_recipe_arguments(
    parser: argparse.ArgumentParser, *, minutes: str | None = "for each training (the recipe's)"
) -> None:
    """Adds which recipe, with which changes, on which pictures, by which chance.

    Args:
        minutes: what the help says of `--max-minutes`; None: there is no such option.
    """
    parser.add_argument("recipe", metavar="RECIPE", help="a shipped recipe, or your own .yaml")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="a folder per class (or train/, val/ and test/ with such folders), a .csv manifest "
        "(path,label[,group,split]), a .yaml class map, an .npz file or a folder of idx files, or "
        "fashion-mnist",
    )
    parser.add_argument(
        "--add",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="later pictures, in any of these forms; they move none of --data to another split",
    )
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
    if minutes is not None:
        parser.add_argument("--max-minutes", type=_minutes, metavar="M", help=minutes)
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of all chance (0)")


def recipe_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What those arguments come to, as `trainer.train` and its like take them by keyword."""
    names = ("recipe", "data", "variant", "settings", "add", "groups", "seed", "max_minutes")
    return {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}


def checked_recipe_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The same, once all that shows without TensorFlow has been found right."""
    from trainer.fit.preconditions import check_request

    options = recipe_options(arguments)
    asked = ("recipe", "data", "variant", "settings", "add", "groups")
    check_request(**{name: options[name] for name in asked})
    return options


def positive(text: str) -> int:
    """A whole number above 0.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0. Received: {text}")
    return int(text)


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
