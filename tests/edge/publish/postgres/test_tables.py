"""What the tables of the database have, and which row an entry becomes; no server is needed."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from edge.events import KINDS, Event, kind_of
from edge.ledger.migrations import tables as ledger
from edge.publish.postgres.tables import METADATA, row_of
from edge.publish.receiver import Entry
from edge.receiving.events import KINDS as DELIVERY_KINDS
from tests.edge.ledger.entries import actuation, correction, entry


def of(event: Event) -> Entry:
    return Entry(1, event.id, kind_of(event), event.time, event.station, asdict(event))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("items", ledger.ITEMS), ("actuations", ledger.ACTUATIONS),
        ("corrections", ledger.CORRECTIONS), ("events", ledger.EVENTS),
    ],
)  # fmt: skip
def test_a_table_has_the_columns_of_the_ledger(name: str, model: ledger.sa.Table) -> None:
    """But for the ids, which are those of the events here."""
    here = {column.name: column for column in METADATA.tables[name].columns}
    theirs = {column.name: column for column in model.columns}
    assert set(theirs) - set(here) <= {"uuid", "item_uuid"}
    assert set(here) - set(theirs) <= {"id", "received", "item_id"}
    assert here["id"].primary_key
    for common in set(here) & set(theirs) - {"id"}:
        assert str(here[common].type) == str(theirs[common].type)


@pytest.mark.parametrize(
    ("event", "table"),
    [
        (entry(1), "items"),
        (actuation(1), "actuations"),
        (correction(1, "label", "can", "bottle"), "corrections"),
    ],
    ids=["item", "actuation", "correction"],
)
def test_a_row_has_all_that_its_event_has(event: Event, table: str) -> None:
    found, row = row_of(of(event))
    assert found.name == table
    assert row == asdict(event)


@pytest.mark.parametrize("kind", sorted({*KINDS, *DELIVERY_KINDS, "of a newer pilah"}))
def test_every_kind_has_a_table_that_takes_its_row(kind: str) -> None:
    payload = {"delivery": "D-1", "by": "Ana", "something": 7, "nothing": None}
    table, row = row_of(Entry(1, "id", kind, "2026", "bin-1", payload))
    assert set(row) == {column.name for column in table.columns} - {"received"}
    assert (row["id"], row["time"], row["station"]) == ("id", "2026", "bin-1")
    if "details" in row:
        assert row["kind"] == kind
        assert row["details"]["something"] == 7
        assert "nothing" not in row["details"]
