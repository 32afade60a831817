"""Collects the texts of the pages into the files of their languages.

    python -m tests.edge.web.language.words            brings every file up to date (make language)
    python -m tests.edge.web.language.words jv         begins a new one, `jv.po`

A text that is new is empty in each file until somebody translates it; one that no page has any more
is taken out.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from edge.receiving import asides
from edge.receiving.scan import RULE
from edge.state.incidents.kinds import INCIDENTS
from edge.telemetry.host import THROTTLES
from edge.web.language.languages import FOLDER

WEB = FOLDER.parent
REPORTS = WEB.parent / "receiving" / "reports"
ROOMS_OF_SENTENCES = ("control", "lanes", "receiving", "state", "telemetry", "web")
"""The rooms of `edge` whose sentences the pages say; see `edge/core/terminal/sentence.py`."""
_HEADER = (
    "# The texts of the operator's pages in one language. `make language` brings it up to date."
)


def texts() -> Catalog:
    """Every text that a page has, in English."""
    catalogue = Catalog(project="pilah", charset="utf-8")
    methods = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
    for name, _, message, comments, context in extract_from_dir(
        WEB, method_map=methods, options_map={"**.html": {"newstyle_gettext": "true"}}
    ):
        catalogue.add(message, locations=[(name, 1)], auto_comments=comments, context=context)
    for name, _, message, comments, context in extract_from_dir(
        REPORTS, method_map=[("**.py", "python")]
    ):
        catalogue.add(message, locations=[(name, 1)], auto_comments=comments, context=context)
    for room in ROOMS_OF_SENTENCES:
        for _, _, message, _, _ in extract_from_dir(
            WEB.parent / room, method_map=[("**.py", "python")], keywords={"Sentence": None}
        ):
            catalogue.add(message)
    for kind in INCIDENTS.values():
        catalogue.add(kind.cause)
        catalogue.add(kind.what_to_do)
    for form in (RULE, *asides.FORMS, *THROTTLES):
        catalogue.add(form)
    return catalogue


def catalogue_of(code: str) -> Catalog:
    """What the file of a language has; nothing where there is none."""
    file = FOLDER / f"{code}.po"
    if not file.exists():
        return Catalog(locale=code, header_comment=_HEADER)
    return read_po(io.BytesIO(file.read_bytes()), locale=code)


def bring_up_to_date(file: Path) -> None:
    """Writes the file of a language anew: with all texts, and with the translations that it has."""
    catalogue = catalogue_of(file.stem)
    catalogue.update(texts(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    catalogue.header_comment = _HEADER
    catalogue.revision_date = catalogue.creation_date
    written = io.BytesIO()
    write_po(written, catalogue, omit_header=False, no_location=True, sort_output=True, width=0)
    kept = (
        line
        for line in written.getvalue().splitlines(keepends=True)
        if not line.startswith((b'"POT-Creation', b'"PO-Revision', b'"Last-Trans', b'"Generated'))
    )
    file.write_bytes(b"".join(kept))


if __name__ == "__main__":
    wanted = [FOLDER / f"{code}.po" for code in sys.argv[1:]] or sorted(FOLDER.glob("*.po"))
    for path in wanted:
        bring_up_to_date(path)
