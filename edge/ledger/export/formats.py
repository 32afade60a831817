"""The formats of an export, by the names that the command line gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

from edge.ledger.export.csv_file import write_csv
from edge.ledger.export.epcis import write_epcis
from edge.ledger.export.json_lines import write_json_lines
from edge.ledger.export.parquet import write_parquet
from edge.ledger.export.reading import ExportedItem

FORMATS: Mapping[str, Callable[[Iterable[ExportedItem], BinaryIO], None]] = {
    "csv": write_csv,
    "jsonl": write_json_lines,
    "parquet": write_parquet,
    "epcis": write_epcis,
}
"""Each writes items to a file."""
