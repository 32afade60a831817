"""What the ledger alone has of a delivery is read from it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import CodeScanned
from edge.ledger.ledger import Ledger
from edge.receiving.pieces.answers import HandScan, SeenItem
from edge.receiving.pieces.unanswered import causes_of
from tests.edge.receiving.pieces.bench import ADIDAS
from tests.edge.receiving.test_counting import STAMPS, code_on, item


def test_items_have_their_codes_and_scans_their_order(tmp_path: Path) -> None:
    first = item(1, delivery_id="D1", scores={"adidas": 0.9, "nike": 0.1})
    scan = CodeScanned(*STAMPS.now(), text=ADIDAS, delivery_id="D1")
    elsewhere = CodeScanned(*STAMPS.now(), text=ADIDAS)
    second = item(2, delivery_id="D1")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([first, code_on(first, ADIDAS), scan, elsewhere, second, item(3)])
    found = list(causes_of(tmp_path / "ledger.sqlite", "D1", "2000"))
    assert [cause.id for cause in found] == [first.id, scan.id, second.id]
    seen, hand, other = found
    assert isinstance(seen, SeenItem)
    assert seen.item.scores == {"adidas": 0.9, "nike": 0.1}
    assert [code.gtin for code in seen.codes] == [ADIDAS.zfill(14)]
    assert isinstance(hand, HandScan)
    assert hand.code.gtin == ADIDAS.zfill(14)
    assert isinstance(other, SeenItem)
    assert other.codes == ()


def test_what_comes_after_the_clock_was_set_back_is_the_delivery_s(tmp_path: Path) -> None:
    """And what was written before its opening is of another delivery of that name."""
    older, first, back = (
        replace(item(number, delivery_id="D1"), time=f"2026-01-01T0{hour}:00:00.000000Z")
        for number, hour in ((1, 6), (2, 9), (3, 8))
    )
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([older, first, code_on(first, ADIDAS), back, code_on(back, ADIDAS)])
    found = list(causes_of(tmp_path / "ledger.sqlite", "D1", "2026-01-01T08:59:00.000000Z"))
    assert [cause.id for cause in found] == [first.id, back.id]
    assert all(isinstance(cause, SeenItem) and cause.codes for cause in found)


def test_a_ledger_that_is_not_there_or_has_no_tables_has_none(tmp_path: Path) -> None:
    assert list(causes_of(tmp_path / "ledger.sqlite", "D1", "2000")) == []
    (tmp_path / "ledger.sqlite").touch()
    assert list(causes_of(tmp_path / "ledger.sqlite", "D1", "2000")) == []


def test_a_damaged_ledger_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("no ledger " * 200, "utf-8")
    with pytest.raises(sqlite3.DatabaseError):
        list(causes_of(tmp_path / "ledger.sqlite", "D1", "2000"))


def test_a_ledger_of_another_pilah_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute("CREATE TABLE items (id, time)")
    with pytest.raises(sqlite3.OperationalError, match="no such column: delivery_id"):
        list(causes_of(tmp_path / "ledger.sqlite", "D1", "2000"))
