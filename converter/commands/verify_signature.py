"""Check that a bundle was signed with a key and has not been changed since. Exits 1 if not."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_NO, EXIT_OK, BundleError, BundleMissingError

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument(
        "--public-key", type=Path, required=True, metavar="FILE", help="KEYFILE.pub, made by keygen"
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.core.files import read_regular, storage_errors
    from edge.core.model.bundle import read_bundle
    from edge.core.model.signature import LARGEST_KEY, read_public_key

    file: Path = arguments.public_key
    with storage_errors("read", file):
        pem = read_regular(file, largest=LARGEST_KEY)
    key = read_public_key(pem, name=str(file))
    try:
        bundle = read_bundle(arguments.bundle, keys=[key])
    except BundleMissingError:
        raise
    except BundleError as error:
        _log.warning(f"no: {error}")
        return EXIT_NO
    print(f"{bundle.title}  (digest {bundle.digest[:12]})  {bundle.origin}, and unchanged")
    return EXIT_OK
