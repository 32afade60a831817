"""Make a key to sign bundles with: KEYFILE, for you alone, and KEYFILE.pub, which stations pin."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", type=Path, metavar="KEYFILE", help="file to write the key to")


def run(arguments: argparse.Namespace) -> int:
    from converter.bundle.sign import make_key, public_file

    made = make_key(arguments.key)
    print(f"key {made.id}")
    print(f"private    {arguments.key}")
    print(f"public     {public_file(arguments.key)}")
    _log.info(
        f"{arguments.key} signs for every station that pins its public part: keep a copy where "
        "nobody else looks"
    )
    return EXIT_OK
