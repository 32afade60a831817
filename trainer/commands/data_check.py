"""Find what would spoil a training on these pictures, before anybody trains on them.

Writes a page for people, the same as JSON for programs, and a review list. Exit code 1 where
something would spoil the training: a single class, or a class of fewer than 6 readable pictures;
copies with different labels; more than 5 percent of the labels wrong, beyond what the errors of the
model that judges them explain; a class told by its source or its background alone; more than 10
percent of the files unreadable. Exit code 65 where there is no set of pictures to check.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.terminal.wording import number_of

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        type=Path,
        metavar="PATH",
        help="a folder per class (divided into train, val, test or not), a .csv manifest, a .yaml "
        "class map, or arrays (.npz, idx)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="REPORT.html",
        help="the page (NAME-check.html, here); beside it go REPORT.json and REPORT.review.csv",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, on stdout too")
    parser.add_argument(
        "--groups",
        metavar="PLAN",
        help="pictures that belong together: blocks:N (runs of N by the number in the file name), "
        "column:NAME (of the manifest) or pattern:REGEX (in the path)",
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.core.errors import UsageError
    from edge.core.files import storage_errors, write_file
    from trainer.audit.check import check_pictures
    from trainer.audit.check_page import to_json, write_page
    from trainer.audit.problems import problems
    from trainer.audit.review import check_unreviewed, suspects, write_review

    page: Path = arguments.out or Path(f"{arguments.data.resolve().stem}-check.html")
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out must be a page, REPORT.html. Received: {page}")
    review, facts = page.with_suffix(".review.csv"), page.with_suffix(".json")
    check_unreviewed(review)
    with storage_errors("create", page.parent):
        page.parent.mkdir(parents=True, exist_ok=True)
    checked = check_pictures(arguments.data, groups=arguments.groups)
    found, listed = problems(checked), suspects(checked)
    facts_found = to_json(checked, found)
    text = json.dumps(facts_found, indent=2, ensure_ascii=False)
    write_review(review, listed)
    write_file(facts, (text + "\n").encode("utf-8", "backslashreplace"))
    write_page(page, checked, found, review.name)
    spoils = any(problem.spoils for problem in found)
    for note in checked.notes:
        _log.info(note)
    _log.info(
        f"{number_of(len(checked.pictures), 'pictures')}, "
        f"{number_of(len(checked.classes), 'classes')}"
    )
    for problem in found:
        _log.warning(
            f"{'SPOILS IT' if problem.spoils else 'look at it'}: {problem.title}. {problem.advice}"
        )
    _log.info("do not train on this yet" if spoils else "nothing here would spoil a training")
    _log.info(f"{page}; to review, line by line: {len(listed)} in {review}")
    if arguments.json:
        print_json(facts_found)
    return EXIT_NO if spoils else EXIT_OK
