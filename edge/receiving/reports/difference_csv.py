"""The difference report as CSV, for spreadsheets; no cell of it is run as a formula."""

from __future__ import annotations

import csv
import io

from edge.receiving.reports.difference import Row, rows
from edge.receiving.state import DeliveryState

COLUMNS = (
    "delivery", "kind", "line", "sku", "gtin", "description", "label", "lot", "container",
    "expected", "counted", "over", "short", "damaged", "pieces", "serials_missing", "code",
    "reason", "time", "by", "photograph",
)  # fmt: skip
"""`kind` is `line`, `put_aside`, `picture_otherwise` or `damaged`; each fills some of the cells."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def difference_csv(state: DeliveryState) -> str:
    """The whole report: a row for each line, then one for each piece that was put aside, was
    stopped or was marked as damaged. It begins with a BOM, by which a spreadsheet recognises UTF-8.
    """
    text = io.StringIO()
    out = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    out.writeheader()
    found = [_line(row) for row in rows(state)]
    for aside in state.asides:
        found.append(
            {
                "kind": "put_aside",
                "label": aside.label,
                "pieces": aside.pieces,
                "code": aside.code,
                "reason": aside.reason,
                "time": aside.time,
                "by": aside.by,
                "photograph": aside.photograph,
            }
        )
    for one in state.disagreements:
        found.append(
            {
                "kind": "picture_otherwise",
                "line": one.line,
                "label": one.seen,
                "code": one.code,
                "reason": "the picture shows something else",
                "time": one.time,
                "by": one.by,
                "photograph": one.photograph,
            }
        )
    for damage in state.damages:
        found.append(
            {
                "kind": "damaged",
                "line": damage.line,
                "pieces": damage.pieces,
                "reason": damage.why,
                "time": damage.time,
                "by": damage.by,
                "photograph": damage.photograph,
            }
        )
    for values in found:
        values["delivery"] = state.delivery
        out.writerow({name: _cell(value) for name, value in values.items()})
    return "\ufeff" + text.getvalue()


def _line(row: Row) -> dict[str, object]:
    line = row.line
    return {
        "kind": "line",
        "line": line.number,
        "sku": line.sku,
        "gtin": line.gtin,
        "description": line.description,
        "label": line.label,
        "lot": line.lot,
        "container": line.container,
        "expected": row.expected,
        "counted": row.count.counted,
        "over": None if row.expected is None else row.over,
        "short": None if row.expected is None else row.short,
        "damaged": row.count.damaged,
        "serials_missing": " ".join(row.serials_missing or ()),
        "reason": "; ".join(row.other_lots()),
    }


def _cell(value: object) -> object:
    """`value` as a cell that no spreadsheet computes: text like a formula gets an apostrophe."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
