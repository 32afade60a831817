"""Download a public set of pictures, checked, and going on where it broke off."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from edge.cli import say
from edge.errors import EXIT_OK


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
    folder = shlex.quote(str(fetched.folder))
    say(f"{fetched.folder}: all there")
    say(f"next: pilah-trainer train {fetched.train} --data {folder} --out RUN")
    return EXIT_OK
