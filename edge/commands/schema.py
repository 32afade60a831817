"""Print the JSON Schema of station files, by which editors complete and check them.

It says which keys there are, and the kinds and limits of their values, for the cameras, triggers
and actuators that are installed here. What must be true between keys, only `check` says.
"""

from __future__ import annotations

import argparse

from edge.core.errors import EXIT_OK
from edge.core.terminal.speech import write_out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # it takes nothing


def run(arguments: argparse.Namespace) -> int:
    from edge.config.schema import schema_text

    del arguments
    write_out(schema_text())
    return EXIT_OK
