from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.core.errors import EXIT_UNAVAILABLE, PackageMissingError
from edge.ledger.export import parquet
from edge.ledger.export.parquet import write_parquet
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import correction, entry


def test_rows_come_back_with_their_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pyarrow.parquet

    monkeypatch.setattr(parquet, "_ROW_GROUP", 2)
    file, out = tmp_path / "ledger.sqlite", tmp_path / "items.parquet"
    with Ledger(file) as ledger:
        ledger.append(
            [
                entry(1, monotonic=9.5, clock_synchronised=True),
                entry(2, time="yesterday", scores=None),
                entry(3, source="größe.jpg"),
                correction(3, "quantity", None, "4"),
            ]
        )
    with out.open("wb") as opened:
        write_parquet(read_items(file), opened)
    assert pyarrow.parquet.ParquetFile(out).num_row_groups == 2
    first, last, odd = pyarrow.parquet.read_table(out).to_pylist()
    assert first["time"] == datetime(2026, 11, 21, 23, 4, 36, 123456, tzinfo=UTC)
    assert dict(first["scores"]) == {"can": 0.9, "bottle": 0.1}
    assert (first["monotonic"], first["clock_synchronised"]) == (9.5, True)
    assert (last["source"], last["quantity"], last["corrected_quantity"]) == ("größe.jpg", 1, 4)
    assert (odd["time"], odd["scores"]) == (None, None)


def test_without_pyarrow_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PackageMissingError, match=r"'pyarrow'.*locks/parquet\.txt") as raised:
        write_parquet([], io.BytesIO())
    assert raised.value.exit_code == EXIT_UNAVAILABLE
