"""CSV of a ledger's items, as RFC 4180 describes it, which spreadsheets open without harm.

It begins with a byte order mark, without which Excel reads UTF-8 as another encoding. A text that
a spreadsheet would compute as a formula gets a leading apostrophe (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from edge.ledger.export.reading import COLUMNS, ExportedItem

HEADER = (
    "id", *COLUMNS, "corrected_label", "corrected_lane", "corrected_quantity", "corrected_by",
    "corrected_at", "corrected_why",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a text begins that a spreadsheet may compute; the last four are the full-width forms."""


def write_csv(items: Iterable[ExportedItem], out: BinaryIO) -> None:
    """Writes a line for each item to `out`.

    The last correction of an item names who made it, when and why; JSON Lines have all of them.
    """
    text = io.TextIOWrapper(out, "utf-8-sig", errors="backslashreplace", newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(HEADER)
    for item in items:
        lines.writerow(_cell(value) for value in _values(item))
    text.flush()
    text.detach()


def harmless(text: str) -> str:
    """The text of a cell, which no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _values(item: ExportedItem) -> Iterable[object]:
    yield from item.row.values()
    for field in ("label", "lane", "quantity"):
        yield item.corrected.get(field)
    last = item.corrections[-1] if item.corrections else None
    yield from (None, None, None) if last is None else (last.who, last.time, last.why)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value) if isinstance(value, str) else value
