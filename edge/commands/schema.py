"""Print the JSON Schema of station files, with which editors complete and check them.

It describes the keys and the types and limits of their values, for the cameras, triggers and
actuators that are installed here. Rules that concern several keys are checked by `check` alone.
"""

from __future__ import annotations

import argparse

from edge.core.errors import EXIT_OK
from edge.core.terminal.speech import write_out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # the verb has no arguments


def run(arguments: argparse.Namespace) -> int:
    from edge.config.schema import schema_text

    del arguments
    write_out(schema_text())
    return EXIT_OK
