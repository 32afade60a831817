"""JSON Lines of a ledger's items: one object a line, with scores and corrections."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import BinaryIO

from edge.ledger.export.reading import ExportedItem


def write_json_lines(items: Iterable[ExportedItem], out: BinaryIO) -> None:
    """Writes an object for each item to `out`, in UTF-8.

    `corrections` has every correction, oldest first; `corrected` has the value that counts now of
    each field that was corrected. The item's own values are those that were written first.
    """
    for item in items:
        corrections = [
            {
                key: value
                for key, value in asdict(found).items()
                if key not in ("station", "item_id")
            }
            for found in item.corrections
        ]
        whole = {
            **item.row,
            "scores": item.scores,
            "corrected": item.corrected,
            "corrections": corrections,
        }
        text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        out.write(text.encode("utf-8", "backslashreplace") + b"\n")
