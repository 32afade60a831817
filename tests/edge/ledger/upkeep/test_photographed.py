from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.events import ItemSorted
from edge.ledger.ledger import Ledger
from edge.ledger.upkeep import photographed, reviewing
from edge.ledger.upkeep.photographed import new_accepted_items, unsure_items
from tests.edge.ledger.entries import entry


def sorted_item(number: int, confidence: float | None, *, accepted: bool = True) -> ItemSorted:
    return entry(
        number, time=f"2026-11-21T23:00:0{number}.000000Z", confidence=confidence,
        accepted=accepted, photograph=f"{number}.jpg", reject=None if accepted else "unknown",
    )  # fmt: skip


SORTED = [
    sorted_item(1, 0.9),
    sorted_item(2, 0.3, accepted=False),
    sorted_item(3, 0.2),
    sorted_item(4, 0.8, accepted=False),
    sorted_item(5, None, accepted=False),
    entry(6, confidence=0.1),  # without a photograph
]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as opened:
        opened.append(SORTED)
    return file


def ids(*numbers: int) -> list[str]:
    return [entry(number).id for number in numbers]


@pytest.mark.parametrize(
    ("besides", "unwanted", "limit", "wanted"),
    [
        ((), (), 9, (5, 2, 4, 3, 1)),
        ((), (), 2, (5, 2)),
        ((5, 4), (), 9, (2, 3, 1)),
        ((), (5, 2), 2, (4, 3)),  # those behind the first ones are asked for, too
        ((), (5, 2, 4, 3), 1, (1,)),
        ((5, 2, 4, 3, 1), (), 9, ()),
    ],
)
def test_rejected_items_come_first_and_then_the_least_sure(
    ledger: Path, besides: tuple[int, ...], unwanted: tuple[int, ...], limit: int,
    wanted: tuple[int, ...],
) -> None:  # fmt: skip
    found = unsure_items(ledger, "", ids(*besides), lambda one: one.id not in ids(*unwanted), limit)
    assert [one.id for one in found] == ids(*wanted)


def test_items_before_a_time_are_left_out(ledger: Path) -> None:
    found = unsure_items(ledger, SORTED[2].time, (), lambda one: True, 9)
    assert [one.id for one in found] == ids(5, 4, 3)
    assert unsure_items(ledger, "~", (), lambda one: True, 9) == []


def test_only_new_rows_are_read_for_those_that_are_drawn(ledger: Path) -> None:
    found, newest = new_accepted_items(ledger, "", 0)
    assert sorted(found) == sorted(ids(1, 3))
    assert new_accepted_items(ledger, "", newest) == ([], newest)
    with Ledger(ledger) as opened:
        opened.append([sorted_item(7, 0.5), sorted_item(8, 0.5, accepted=False)])
    assert new_accepted_items(ledger, "", newest) == (ids(7), newest + 2)


def test_no_item_s_own_row_is_read_to_find_the_next_one(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        for query, values, index in (
            (photographed._WANTED, (0, "", "[]", 9, 0), "COVERING INDEX ix_items_photographed"),
            (photographed._ALL, (0, ""), "COVERING INDEX ix_items_photographed"),
            (photographed._NEW, (1, ""), "INTEGER PRIMARY KEY"),
            (reviewing._AUDITED, ("",), "INDEX ix_events_audited"),
        ):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
            assert index in " ".join(row[3] for row in plan), query


def test_a_ledger_of_an_older_pilah_has_none(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("DROP INDEX ix_items_photographed")
        connection.execute("ALTER TABLE items DROP COLUMN photograph")
    assert unsure_items(ledger, "", (), lambda one: True, 9) == []
    assert new_accepted_items(ledger, "", 0)[0] == []
