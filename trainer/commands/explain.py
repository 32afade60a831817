"""Why a run's model answers as it does to pictures: where it looks, and what it has seen alike."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_OK, UsageError

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="pictures")
    parser.add_argument(
        "--out", type=Path, metavar="PAGE.html", help="the page (RUN-explained.html, here)"
    )


def run(arguments: argparse.Namespace) -> int:
    from trainer.run import read_run

    page: Path = arguments.out or Path(f"{arguments.run.resolve().name}-explained.html")
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out must be a page, PAGE.html. Received: {page}")
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
        print(f"{each.path}: {best[0]} {best[1]:.2f}{seen}")
    _log.info(f"read {page}")
    return EXIT_OK
