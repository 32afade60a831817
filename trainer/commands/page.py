"""The page that a command writes: its place is checked before anything is computed."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from edge.core.errors import StorageError, UsageError
from edge.core.files import storage_errors


def add_page_arguments(parser: argparse.ArgumentParser, ending: str) -> None:
    """Adds `--out` and `--replace`.

    Args:
        ending: what follows the run's name in the page's name where none is given.
    """
    parser.add_argument(
        "--out", type=Path, metavar="PAGE.html", help=f"the page (RUN-{ending}.html, here)"
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the place of a page that is there already"
    )


def checked_page(arguments: argparse.Namespace, ending: str) -> Path:
    """The path of the page, which can be written.

    Raises:
        UsageError: it is not a page's name.
        StorageError: it is there already, or nothing can be written there.
    """
    page: Path = arguments.out or Path(f"{arguments.run.resolve().name}-{ending}.html")
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out must be a page, PAGE.html. Received: {page}")
    if page.exists() and not arguments.replace:
        raise StorageError(
            f"{page} is there already: give --replace to take its place, or another --out"
        )
    with storage_errors("write", page), tempfile.TemporaryFile(dir=page.absolute().parent):
        pass
    return page
