"""Download a public set of pictures, checked, and going on where it broke off."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_OK
from edge.core.terminal.hints import command

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        help="fashion-mnist, trashnet, or kaggle:owner/name (with pilah[kaggle])",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to make")


def run(arguments: argparse.Namespace) -> int:
    from trainer.data.public_sets import PUBLIC_SETS, get

    if arguments.name in PUBLIC_SETS:
        _log.info(f"{arguments.name}: {PUBLIC_SETS[arguments.name].summary}")
    fetched = get(arguments.name, arguments.out)
    for note in fetched.notes:
        _log.warning(note)
    _log.info(f"{fetched.folder}: all there")
    recipe = fetched.train.split()
    line = command("pilah-trainer", "train", *recipe, "--data", fetched.folder, "--out", "RUN")
    _log.info(f"next: {line}")
    return EXIT_OK
