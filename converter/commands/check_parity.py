"""Compare a bundle with the float model that it was made from, on your own pictures.

The limits are those that the bundle had to pass when it was made. Exits 1 if it does not pass.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="labelled pictures: a folder per class, a .csv manifest (path,label) or a .yaml map",
    )
    parser.add_argument(
        "--run",
        dest="source",
        type=Path,
        metavar="RUN",
        help="the run that it was made from (default: the float32 model in BUNDLE-exports)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from converter.check_parity import check_parity
    from edge.core.model.bundle import read_bundle

    bundle = read_bundle(arguments.bundle)
    found = check_parity(bundle, arguments.bundle, arguments.data, run=arguments.source)
    parity, verdict = found.parity, found.verdict
    for line in found.skipped:
        _log.warning(f"skipped: {line}")
    if arguments.json:
        result = {"passed": not verdict.failures, "failures": verdict.failures}
        print_json(result | parity.to_json())
        return EXIT_NO if verdict.failures else EXIT_OK
    print(f"accuracy   {parity.int8.accuracy}")
    print(f"float      {parity.float32.accuracy}")
    print(f"difference {parity.drop}")
    print(f"agreement  {parity.agreement}")
    for line in verdict.warnings:
        print(f"warning    {line}; chance could explain it")
    for line in verdict.failures:
        print(f"FAILS      {line}")
    return EXIT_NO if verdict.failures else EXIT_OK
