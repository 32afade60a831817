from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import LedgerError, LedgerMissingError, UsageError
from edge.core.uuid7 import uuid7_seconds
from edge.events import ItemSorted, utc_text
from edge.ledger.export import reading
from edge.ledger.export.reading import (
    Place,
    Selection,
    find_item,
    newest_items,
    read_items,
    utc_bound,
)
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import actuation, correction, entry
from tests.edge.ledger.test_migrations import SCHEMA_3, write_as_before

BEGUN = 1_795_302_276


def at(minute: int, **changes: Any) -> ItemSorted:
    return entry(**{"item": minute, "time": utc_text(BEGUN + 60 * minute), **changes})


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as opened:
        opened.append([at(3, delivery_id="d-1", quantity=6), at(1), at(2, delivery_id="d-2")])
    return file


@pytest.mark.parametrize(
    ("selection", "items"),
    [
        (Selection(), [1, 2, 3]),
        (Selection(begin=utc_text(BEGUN + 120)), [2, 3]),
        (Selection(end=utc_text(BEGUN + 120)), [1]),
        (Selection(begin=utc_text(BEGUN + 120), end=utc_text(BEGUN + 121)), [2]),
        (Selection(delivery="d-1"), [3]),
        (Selection(delivery="d-9"), []),
        (Selection(label="can"), [1, 2, 3]),
        (Selection(label="bottle"), []),
        (Selection(lane="metal", accepted=True, delivery="d-2"), [2]),
        (Selection(accepted=False), []),
        (Selection(reject="late"), []),
        (Selection(photographed=True), []),
    ],
)
def test_items_come_in_order_of_time_from_those_that_are_selected(
    ledger: Path, selection: Selection, items: list[int]
) -> None:
    assert [found.row["item"] for found in read_items(ledger, selection)] == items


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_leave_none_out_and_give_none_twice(
    ledger: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_PAGE", page)
    with Ledger(ledger) as opened:
        opened.append([at(2, item=item) for item in range(4, 9)])  # at the same time as item 2
    assert [f.row["item"] for f in read_items(ledger)] == [1, 2, 4, 5, 6, 7, 8, 3]


def test_what_is_written_during_an_export_is_not_in_it_and_the_log_can_be_brought_in(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_PAGE", 1)
    with Ledger(ledger) as station:
        export = read_items(ledger)
        first = next(export)
        station.append([at(9)])
        assert station.checkpoint()  # a reader that held it open would put that off
        assert [first.row["item"], *(f.row["item"] for f in export)] == [1, 2, 3]


def test_a_row_has_its_outcome_and_its_corrections(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    moved = actuation(1)
    with Ledger(file) as opened:
        opened.append(
            [
                entry(1, actuation="planned"), moved, entry(2),
                correction(1, "label", "can", "bottle", 1),
                correction(1, "quantity", None, "3", 2),
                correction(1, "label", "bottle", "jar", 3),
            ]
        )  # fmt: skip
    first, second = read_items(file)
    assert (first.row["label"], first.row["quantity"]) == ("can", 1)
    assert first.corrected == {"label": "jar", "quantity": 3}
    assert [found.new for found in first.corrections] == ["bottle", "3", "jar"]
    assert (first.row["actuation"], first.row["moved"]) == ("moved", moved.ended)
    assert first.scores == {"can": 0.9, "bottle": 0.1}
    assert second.corrected == {}


def test_the_ledger_of_an_older_pilah_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript(SCHEMA_3)
    connection.close()
    write_as_before(file, range(1, 4))
    before = file.read_bytes()
    found = list(read_items(file))
    assert [f.row["item"] for f in found] == [1, 2, 3]
    assert [f.row["barcode"] for f in found] == [None] * 3
    assert find_item(file, found[1].row["id"]) == found[1]
    assert list(read_items(file, Selection(delivery="d-1"))) == []
    assert file.read_bytes() == before


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissingError, match="there is no ledger at"):
        list(read_items(tmp_path / "ledger.sqlite"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "list.sqlite").write_text("my shopping list\n" * 100)
    with pytest.raises(LedgerError, match="a file of another kind"):
        list(read_items(tmp_path / "list.sqlite"))


@pytest.mark.parametrize(
    ("text", "end", "bound"),
    [
        ("2026-11-21", False, "2026-11-21T00:00:00.000000Z"),
        ("2026-11-21", True, "2026-11-22T00:00:00.000000Z"),
        ("2026-12-31", True, "2027-01-01T00:00:00.000000Z"),
        ("2026-11-21T23:04", True, "2026-11-21T23:04:00.000000Z"),
        ("2026-11-21T23:04:36.5Z", False, "2026-11-21T23:04:36.500000Z"),
        ("2026-11-21T23:04+01:00", False, "2026-11-21T22:04:00.000000Z"),
    ],
)
def test_days_and_times_that_a_person_types(text: str, end: bool, bound: str) -> None:
    assert utc_bound(text, end=end) == bound


@pytest.mark.parametrize("text", ["", "yesterday", "21.11.2026", "2026-13-01", "9999-12-31"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        utc_bound(text, end=True)


def test_an_item_is_found_by_its_id(ledger: Path) -> None:
    found = find_item(ledger, entry(2).id)
    assert found is not None
    assert found.row["item"] == 2
    assert find_item(ledger, entry(99).id) is None
    assert find_item(ledger, "ffffffff-ffff-ffff-ffff-ffffffffffff") is None
    assert find_item(ledger, "00000000-0000-0000-0000-000000000000") is None
    with pytest.raises(UsageError, match="'2' is no id"):
        find_item(ledger, "2")


def test_the_items_of_a_delivery_are_found_without_reading_the_others(ledger: Path) -> None:
    with sqlite3.connect(ledger) as connection:
        query = reading._query(connection, Selection(delivery="d-1"))
        given = {"time": "", "id": -1, "end": "~", "last_id": 9, "delivery": "d-1", "limit": 9}
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {query}", given).fetchall())
    connection.close()
    assert "ix_items_delivery" in plan
    assert "TEMP B-TREE" not in plan


def newest(
    ledger: Path, selection: Selection, before: Place | None = None, limit: int = 2
) -> tuple[list[int], Place | None]:
    found, rest = newest_items(
        ledger, selection, before=before, limit=limit, photographs=ledger.parent
    )
    return [item.row["item"] for item in found], rest


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_from_the_newest_on_leave_none_out_and_give_none_twice(
    ledger: Path, limit: int
) -> None:
    with Ledger(ledger) as opened:
        opened.append([at(2, item=item) for item in range(4, 9)])  # at the same time as item 2
    found, before = newest(ledger, Selection(), limit=limit)
    while before is not None:
        more, before = newest(ledger, Selection(), before, limit)
        found += more
    assert found == [3, 8, 7, 6, 5, 4, 2, 1]


def test_the_newest_are_those_that_are_selected(ledger: Path) -> None:
    assert newest(ledger, Selection(delivery="d-2")) == ([2], None)
    assert newest(ledger, Selection(begin=utc_text(BEGUN + 120)), limit=9) == ([3, 2], None)
    assert newest(ledger, Selection(end=utc_text(BEGUN + 120)), limit=9) == ([1], None)
    assert newest(ledger, Selection(reject="late")) == ([], None)


def test_the_newest_have_their_corrections(ledger: Path) -> None:
    with Ledger(ledger) as opened:
        found = correction(2, "label", "can", "bottle")
        opened.append([at(5, item=2), found])
    items, _ = newest_items(ledger, Selection(), before=None, limit=1, photographs=ledger.parent)
    assert items[0].corrected == {"label": "bottle"}


def test_an_item_is_looked_for_about_the_time_of_its_id_first(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day may have a hundred thousand others, and a sweep of the review asks for a hundred."""
    monkeypatch.setattr(reading, "_moment_of", lambda *_: pytest.fail("a whole day was read"))
    made = entry(9, time=utc_text(uuid7_seconds(entry(9).id)))
    with Ledger(ledger) as opened:
        opened.append([made])
    found = find_item(ledger, made.id)
    assert found is not None
    assert found.row["item"] == 9


def test_items_are_read_by_their_rows_in_the_order_that_is_wanted(ledger: Path) -> None:
    (first,) = reading.items_of_rows(ledger, [1])
    (third,) = reading.items_of_rows(ledger, [3])
    assert first != third
    assert reading.items_of_rows(ledger, [3, 99, 1]) == [third, first]
    assert reading.items_of_rows(ledger, []) == []
