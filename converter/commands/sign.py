"""Sign a bundle. Stations that pin the public key accept only bundles with such a signature."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.core.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument(
        "--key", type=Path, required=True, metavar="KEYFILE", help="private key, made by keygen"
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace a signature that is already there"
    )


def run(arguments: argparse.Namespace) -> int:
    from converter.bundle.sign import sign_bundle

    bundle = sign_bundle(arguments.bundle, arguments.key, replace=arguments.replace)
    print(f"{bundle.title}  (digest {bundle.digest[:12]})  {bundle.origin}")
    return EXIT_OK
