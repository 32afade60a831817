"""Make a manifest of the pictures without what a reviewed list drops; the originals stay."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_OK
from edge.core.terminal.hints import command

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="PATH", help="what was checked")
    parser.add_argument(
        "--list",
        dest="review",
        type=Path,
        required=True,
        metavar="REVIEW.csv",
        help="the list that `data check` wrote, with drop, relabel:LABEL or keep in its column do",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="MANIFEST.csv",
        help="the manifest, or a folder for manifest.csv (beside the list)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the place of an existing manifest"
    )


def run(arguments: argparse.Namespace) -> int:
    from trainer.audit.clean import clean_pictures

    done = clean_pictures(
        arguments.data, arguments.review, arguments.out, replace_out=arguments.replace
    )
    _log.info(
        f"{done.kept} pictures kept, {done.dropped} dropped, {done.relabelled} relabelled"
        + (f"; {done.undecided} lines of the list say nothing: kept" if done.undecided else "")
    )
    for label, count in done.counts.items():
        _log.info(f"  {label:<20} {count:>7}")
    words = ("pilah-trainer", "train", "RECIPE", "--data", done.manifest, "--out", "RUN")
    _log.info(f"next: {command(*words)}")
    print(done.manifest)
    return EXIT_OK
