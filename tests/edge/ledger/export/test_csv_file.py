from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from edge.ledger.export.csv_file import HEADER, harmless, write_csv
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import correction, entry


def written(file: Path) -> bytes:
    out = io.BytesIO()
    write_csv(read_items(file), out)
    return out.getvalue()


def test_a_line_for_each_item_with_umlauts_quotes_and_line_ends_whole(tmp_path: Path) -> None:
    sources = ["größe/猫.jpg", 'the "best", so far', "two\nlines", ""]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(item, source=source) for item, source in enumerate(sources)])
    raw = written(tmp_path / "ledger.sqlite")
    assert raw.startswith(b"\xef\xbb\xbfid,time,station,")
    assert raw.count(b"\r\n") == len(sources) + 1
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert [row["source"] for row in rows] == sources
    assert {key: rows[0][key] for key in ("item", "accepted", "quantity", "reject")} == {
        "item": "0", "accepted": "true", "quantity": "1", "reject": ""
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=cmd|' /C calc'!A0"],
)
def test_no_text_is_a_formula(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1, source=text, label=text, barcode=text)])
    rows = csv.DictReader(io.StringIO(written(file).decode("utf-8-sig"), newline=""))
    (row,) = rows
    assert [row[name] for name in ("source", "label", "barcode")] == [f"'{text}"] * 3


def test_other_texts_are_as_they_are() -> None:
    assert [harmless(text) for text in ("", "can", "a=b", "4006381333931")] == [
        "", "can", "a=b", "4006381333931"
    ]  # fmt: skip


def test_a_corrected_item_has_both_values(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1), correction(1, "label", "can", "bottle"), entry(2)])
    lines = csv.DictReader(io.StringIO(written(file).decode("utf-8-sig")))
    first, second = lines
    assert tuple(first) == HEADER
    assert (first["label"], first["corrected_label"], first["corrected_by"]) == (
        "can", "bottle", "Ana"
    )  # fmt: skip
    assert second["corrected_label"] == second["corrected_by"] == ""
