"""Why a run's model answers as it does to pictures: where it looks, and what it has seen alike."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_OK
from trainer.commands.page import add_page_arguments, checked_page

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="pictures")
    add_page_arguments(parser, "explained")


def run(arguments: argparse.Namespace) -> int:
    from trainer.run import read_run

    page = checked_page(arguments, "explained")
    read_run(arguments.run)  # a mistake is told before TensorFlow is loaded
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer.evaluation.explanation import explain
    from trainer.report.explanation_page import write_page

    found, notes = explain(arguments.run, arguments.images)
    write_page(page, found, run=arguments.run.resolve().name, notes=notes)
    for note in notes:
        _log.warning(f"note: {note}")
    for each in found:
        best = next(iter(each.scores.items()))
        labels = [one.label for one in each.alike]
        seen = f"; alike: {', '.join(labels)}" if labels else ""
        print(f"{each.path}: {best[0]} {best[1]:.2f}, {each.outcome}{seen}")
        if each.note:
            _log.info(f"{each.path}: {each.note}")
    _log.info(f"read {page}")
    return EXIT_OK
