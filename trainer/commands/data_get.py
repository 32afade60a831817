"""Download a public set of pictures, checked, and going on where it broke off."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.core.command_line import say
from edge.core.errors import EXIT_OK
from edge.core.terminal.hints import command


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
        say(f"{arguments.name}: {PUBLIC_SETS[arguments.name].summary}")
    fetched = get(arguments.name, arguments.out)
    for note in fetched.notes:
        say(note)
    say(f"{fetched.folder}: all there")
    recipe = fetched.train.split()
    line = command("pilah-trainer", "train", *recipe, "--data", fetched.folder, "--out", "RUN")
    say(f"next: {line}")
    return EXIT_OK
