"""Parquet of a ledger's items, written by PyArrow, which the extra `parquet` brings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO

from edge.core.errors import PackageMissingError
from edge.core.terminal.hints import install_command
from edge.ledger.export.reading import COLUMNS, ExportedItem

_ROW_GROUP = 5_000
"""Rows that are held in memory at once."""
_TIMES = ("time", "due", "moved")
_KINDS = {
    "item": "int64", "quantity": "int64", "frames": "int32", "confidence": "float64",
    "latency_ms": "float64", "monotonic": "float64", "accepted": "bool",
    "clock_synchronised": "bool", "photograph_gone": "bool", "corrected_quantity": "int64",
    "exposure_microseconds": "float64", "gain": "float64",
}  # fmt: skip
_CORRECTED = ("corrected_label", "corrected_lane", "corrected_quantity")


def write_parquet(items: Iterable[ExportedItem], out: BinaryIO) -> None:
    """Writes the items to `out`.

    Times are timestamps in UTC, with microseconds; `scores` is a map from labels to numbers. The
    last columns have the newest value of each field that was corrected.

    Raises:
        PackageMissingError: PyArrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise PackageMissingError(
            "Parquet is written by the package 'pyarrow', which is not installed: "
            f"{install_command('parquet')}, or choose --format csv or jsonl"
        ) from error
    scores = pyarrow.map_(pyarrow.string(), pyarrow.float64())
    fields: list[tuple[str, Any]] = [("id", pyarrow.string())]
    fields += [(name, _type(pyarrow, name)) for name in COLUMNS]
    fields += [("scores", scores), *((name, _type(pyarrow, name)) for name in _CORRECTED)]
    schema = pyarrow.schema(fields)
    with pyarrow.parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _groups(items):
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def _type(pyarrow: Any, name: str) -> Any:
    if name in _TIMES:
        return pyarrow.timestamp("us", tz="UTC")
    kind = _KINDS.get(name, "string")
    return pyarrow.bool_() if kind == "bool" else getattr(pyarrow, kind)()


def _groups(items: Iterable[ExportedItem]) -> Iterator[list[dict[str, Any]]]:
    left = iter(items)
    while rows := [_row(item) for item in islice(left, _ROW_GROUP)]:
        yield rows


def _row(item: ExportedItem) -> dict[str, Any]:
    found: dict[str, Any] = dict(item.row)
    for name in _TIMES:
        found[name] = _moment(found[name])
    scores = item.scores
    found["scores"] = None if scores is None else list(scores.items())
    for name in _CORRECTED:
        found[name] = item.corrected.get(name.removeprefix("corrected_"))
    return found


def _moment(text: str | None) -> datetime | None:
    """The time of a text; None also for one that somebody wrote into the ledger and is no time."""
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
