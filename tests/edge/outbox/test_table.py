"""What happened is in the outbox in the transaction of its row, once."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.core.errors import LedgerError
from edge.events import KINDS, Event, Stamps, kind_of
from edge.ledger.ledger import Ledger
from edge.outbox.retention import Keep
from edge.outbox.table import TABLE, NewEntry, add, has_entries, new_entry
from edge.receiving.desk import Desk
from edge.receiving.store import Deliveries
from tests.edge.ledger.entries import actuation, entry
from tests.edge.receiving.goods_lists import goods
from tests.edge.stations import STATION, make_station


def keep_at(folder: Path, **values: Any) -> Keep:
    """An outbox that keeps all, for one receiver, but for `values`."""
    known = {"receivers": ("mqtt",), "megabytes": float("inf"), "days": float("inf")}
    return Keep(folder / "ledger-publish.sqlite", **{**known, **values})


def outbox(file: Path) -> list[dict[str, Any]]:
    """The entries of the outbox of `file`, each as its columns and what its payload has."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT sequence, id, kind, time, station, payload FROM outbox ORDER BY sequence"
        ).fetchall()
    names = ("sequence", "id", "kind", "time", "station")
    return [{**dict(zip(names, row, strict=False)), **json.loads(row[-1])} for row in rows]


def test_each_event_has_an_entry_with_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    events: Sequence[Event] = [entry(1, source="größe/猫.jpg"), actuation(1), entry(2)]
    with Ledger(file, keep=keep_at(tmp_path)) as ledger:
        ledger.append(events[:2])
        ledger.append(events[2:])
    found = outbox(file)
    assert [row["sequence"] for row in found] == [1, 2, 3]
    assert [row["kind"] for row in found] == ["item", "actuation", "item"]
    for row, event in zip(found, events, strict=True):
        assert {name: row[name] for name in (field.name for field in fields(event))} == {
            field.name: getattr(event, field.name) for field in fields(event)
        }


def test_a_station_that_does_not_publish_has_no_entries(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1)])
    assert outbox(file) == []


def test_an_event_that_is_written_again_has_one_entry(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file, keep=keep_at(tmp_path)) as ledger:
        ledger.append([entry(1), entry(2)])
        ledger.append([entry(2), entry(3)])
    assert [(row["sequence"], row["item"]) for row in outbox(file)] == [(1, 1), (2, 2), (3, 3)]


def test_there_is_never_an_entry_without_its_row(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file, keep=keep_at(tmp_path)) as ledger:
        ledger.append([entry(1)])
        with closing(sqlite3.connect(file)) as other, other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END"
            )
        with pytest.raises(LedgerError):
            ledger.append([entry(2)])
        assert [found.item for found in ledger.entries()] == [1]
        with closing(sqlite3.connect(file)) as other, other:
            other.execute("DROP TRIGGER full")
        ledger.append([entry(2)])
    assert [(row["sequence"], row["item"]) for row in outbox(file)] == [(1, 1), (2, 2)]


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    scores = {"can": float("nan"), "bottle": 0.5}
    with Ledger(file, keep=keep_at(tmp_path)) as ledger:
        ledger.append([entry(1, confidence=float("inf"), scores=scores)])
    (row,) = outbox(file)
    assert (row["confidence"], row["scores"]) == (None, {"can": None, "bottle": 0.5})


def test_in_a_list_too_what_is_no_number_is_null(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as connection, connection:
        connection.execute(TABLE)
        add(connection, [NewEntry("id", "item", "2026", "bin-1", {"levels": [0.5, float("nan")]})])
    (row,) = outbox(tmp_path / "outbox.sqlite")
    assert row["levels"] == [0.5, None]


def test_a_file_without_an_outbox_or_with_an_empty_one_has_no_entries() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        assert not has_entries(connection)
        connection.execute(TABLE)
        assert not has_entries(connection)
        add(connection, [NewEntry("id", "item", "2026", "bin-1", {})])
        assert has_entries(connection)


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_has_a_value_of_the_name_of_a_column(kind: str) -> None:
    assert "kind" not in {field.name for field in fields(KINDS[kind])}


def test_what_happens_to_a_delivery_has_entries_in_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "deliveries.sqlite"
    with Deliveries(file, keep=keep_at(tmp_path)) as deliveries:
        desk = Desk(deliveries, Stamps("door", lambda: 1795302276.5), "clerk")
        desk.import_goods([goods()], "goods.csv")
        desk.open("D1")
    found = outbox(file)
    assert [(row["kind"], row["delivery"], row["by"]) for row in found] == [
        ("delivery_imported", "D1", "clerk"),
        ("delivery_opened", "D1", "clerk"),
    ]
    assert found[0]["lines"][0]["number"] == 1


def test_a_file_of_deliveries_from_before_gets_an_outbox(tmp_path: Path) -> None:
    file = tmp_path / "deliveries.sqlite"
    with Deliveries(file) as deliveries:
        Desk(deliveries, Stamps("door", lambda: 1.0), "clerk").import_goods([goods()], "goods.csv")
    with Deliveries(file, keep=keep_at(tmp_path)) as deliveries:
        Desk(deliveries, Stamps("door", lambda: 2.0), "clerk").open("D1")
    with Deliveries(file) as deliveries:  # and a pilah without one reads it as before
        assert deliveries.current() is not None
    assert [row["kind"] for row in outbox(file)] == ["delivery_opened"]


def test_a_correction_is_told_of_where_items_are(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    silent = tmp_path / "silent.sqlite"
    item = entry(1)
    for path, keep in ((file, keep_at(tmp_path)), (silent, None)):
        with Ledger(path, keep=keep) as ledger:
            ledger.append([item])
        words = ["ledger", "correct", str(path), item.id, "--label", "bottle"]
        assert main([*words, "--by", "Ana", "--why", "it is one"]) == 0
    assert [row["kind"] for row in outbox(file)] == ["item", "correction"]
    assert outbox(file)[1]["item_id"] == item.id
    assert outbox(silent) == []


def test_an_entry_is_of_the_event(tmp_path: Path) -> None:
    item = entry(7)
    found = new_entry(item, kind_of(item))
    assert found[:4] == (item.id, "item", item.time, item.station)
    assert not {"id", "time", "station"} & found.details.keys()


def test_a_station_that_publishes_writes_an_entry_for_each_row_and_each_count(
    tmp_path: Path,
) -> None:
    section = "receiving: {}\npublish: {mqtt: {host: broker.example}}\n"
    file = str(make_station(tmp_path, text=STATION + section))
    goods_file = tmp_path / "goods.csv"
    goods_file.write_text("delivery,sku,label,expected\nD1,A1,red,1\n", "utf-8")
    assert main(["delivery", "import", file, str(goods_file), "--by", "Ana"]) == 0
    assert main(["delivery", "open", file, "D1", "--by", "Ana"]) == 0
    assert main(["run", file]) == 0
    found = Counter(row["kind"] for row in outbox(tmp_path / "ledger.sqlite"))
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        rows = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("items", "actuations", "events")
        ]
    assert found["item"] == rows[0] == 3
    assert found.total() == sum(rows)
    counts = [row["kind"] for row in outbox(tmp_path / "ledger-deliveries.sqlite")]
    assert counts[:2] == ["delivery_imported", "delivery_opened"]
    assert "piece_counted" in counts
