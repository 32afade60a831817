"""Make a key pair to sign bundles with.

KEYFILE is the private key, which you keep secret. KEYFILE.pub is the public key, which stations
pin.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "key", type=Path, metavar="KEYFILE", help="file to write the private key to"
    )


def run(arguments: argparse.Namespace) -> int:
    from converter.bundle.sign import make_key, public_file

    made = make_key(arguments.key)
    print(f"key {made.id}")
    print(f"private    {arguments.key}")
    print(f"public     {public_file(arguments.key)}")
    _log.info(
        f"whoever has {arguments.key} can sign bundles for every station that pins its public "
        "part: keep it secret, and keep a copy in a safe place"
    )
    return EXIT_OK
