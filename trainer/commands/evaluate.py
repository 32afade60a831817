"""How a finished run does on pictures of other places and other light, source by source.

Pictures that the run was trained on, or whose scores chose its epoch, are found by their content
and left out. Writes a page, and prints a table; nothing about the run is changed.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK, UsageError
from trainer.commands.page import add_page_arguments, checked_page

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run")
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        required=True,
        metavar="PATH",
        help="labelled pictures of one source, in any form that `train` takes; repeatable",
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME",
        help="what to call the source: one name for each --data, in their order (its file or "
        "folder)",
    )
    parser.add_argument(
        "--groups",
        metavar="PLAN",
        help="pictures that belong together: blocks:N (runs of N by the number in the file name), "
        "column:NAME (of the manifest) or pattern:REGEX (in the path)",
    )
    parser.add_argument(
        "--adapt",
        action="store_true",
        help="also measure what 1 to 50 new pictures of each class would bring there, to a head "
        "that is fitted again",
    )
    add_page_arguments(parser, "evaluation")
    parser.add_argument("--json", action="store_true", help="one object on stdout, no table")


def run(arguments: argparse.Namespace) -> int:
    from trainer.run import read_run

    page = checked_page(arguments, "evaluation")
    sources = named(arguments.data, arguments.source)
    read_run(arguments.run)  # a mistake is told before TensorFlow is loaded
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer.evaluation.new_pictures import evaluate_run
    from trainer.report.evaluation_page import table, to_json, write_page

    found = evaluate_run(arguments.run, sources, groups=arguments.groups, adapt=arguments.adapt)
    write_page(page, found)
    for note in found.notes:
        _log.warning(f"note: {note}")
    if arguments.json:
        print_json(to_json(found))
    else:
        print(table(found))
    _log.info(f"read {page}")
    return EXIT_OK


def named(data: list[Path], names: list[str]) -> list[tuple[str, Path]]:
    """The sources with their names.

    Raises:
        UsageError: there are names, but not one for each source.
    """
    if names and len(names) != len(data):
        raise UsageError(
            f"--source names the sources in the order of --data, so there must be as many. "
            f"Received: {len(data)} of --data, {len(names)} of --source"
        )
    # A folder's name may have a full stop in it, which begins no ending.
    own = [path.resolve().name if path.is_dir() else path.resolve().stem for path in data]
    return list(zip(names or own, data, strict=True))
