"""Get a public set of pictures, check a set before a training, or clean it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from edge.core.command_line import Verb, run_program

VERBS: Mapping[str, Verb] = {
    "get": Verb("download a public set of pictures", "trainer.commands.data_get"),
    "check": Verb(
        "find what would spoil a training: copies, wrong labels, bad files",
        "trainer.commands.data_check",
        needs=("keras",),
    ),
    "clean": Verb(
        "leave out what a reviewed list names; the originals stay", "trainer.commands.data_clean"
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    # Whole, --help too, for the verbs within: each module is imported when it is called.
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="get|check|clean ...")


def run(arguments: argparse.Namespace) -> int:
    return run_program(
        "pilah-trainer data", str(__doc__), VERBS, extra="trainer", words=arguments.words
    )
