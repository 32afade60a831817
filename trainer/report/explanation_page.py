"""The page that shows why a model answers as it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from edge.core.files import write_file
from trainer.report.report_page import breakable, source, with_words
from trainer.report.shown_explanation import shown_explanation
from trainer.report.thumbnails import Thumbnails

if TYPE_CHECKING:  # it loads TensorFlow
    from trainer.evaluation.explanation import Explanation

_SIDE = 224


def write_page(file: Path, found: Sequence[Explanation], *, run: str, notes: Sequence[str]) -> None:
    """Writes the page to `file`; it needs no other file and has no scripts.

    Raises:
        StorageError: the place cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("trainer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable}
    thumbnails = Thumbnails(None, budget=8_000_000)
    page = environment.get_template("explanation.html").render(
        run=run,
        notes=notes,
        pictures=[shown_explanation(each, thumbnails, side=_SIDE) for each in found],
        style=source("style.css"),
        symbols=source("symbols.html"),
    )
    write_file(file, with_words(page).encode("utf-8", "backslashreplace"))
