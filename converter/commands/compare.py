"""Compare two bundles on the same labelled pictures, pair by pair: is one really better?"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A", help="bundle folder or zip file")
    parser.add_argument(
        "second", type=Path, metavar="B", help="another bundle, with the same labels"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="labelled pictures that neither was trained on: a folder per class, a .csv manifest "
        "(path,label) or a .yaml class map",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from converter.parity.compare import compare_bundles
    from converter.parity.export_parity import percent
    from edge.core.model.bundle import read_bundle

    first, second = read_bundle(arguments.first), read_bundle(arguments.second)
    found = compare_bundles(first, second, arguments.data)
    for line in found.skipped:
        _log.warning(f"skipped: {line}")
    if arguments.json:
        print_json(found.to_json())
        return EXIT_OK
    print(f"{'':<12} A: {first.title}   B: {second.title}")
    for name in ("accuracy", "accepted", "purity"):
        print(f"{name:<12} {getattr(found.first, name)}   {getattr(found.second, name)}")
    print(f"B less A     {found.drop}: {found.verdict}")
    print(
        f"             only A right {found.drop.first_only}, "
        f"only B right {found.drop.second_only}, same label {found.agreement}"
    )
    print(f"{'recall':<20} {'A':>7} {'B':>7} {'images':>7}")
    for label, figures in found.first.classes.items():
        other = found.second.classes[label]
        print(
            f"{label:<20} {percent(figures.recall.value):>7} {percent(other.recall.value):>7} "
            f"{figures.recall.total:>7}"
        )
    return EXIT_OK
