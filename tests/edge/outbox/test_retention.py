"""Entries stay until every receiver has them, and no more than there is room for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from edge.ledger.ledger import Ledger
from edge.outbox.retention import POSITIONS, Keep, Retention, read_positions
from edge.outbox.table import TABLE, NewEntry, add
from tests.edge.outbox.test_table import keep_at

DAY = 86400.0
NOW = 1795302276.0


def new(number: int, *, day: int = 21, size: int = 0) -> NewEntry:
    time = f"2026-11-{day:02}T00:00:00.{number:06}Z"
    return NewEntry(f"id-{number}", "item", time, "cell-1", {"item": number, "text": "x" * size})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute(TABLE)
        yield connection


def kept(file: sqlite3.Connection) -> list[int]:
    return [row[0] for row in file.execute("SELECT sequence FROM outbox ORDER BY sequence")]


def take(folder: Path, positions: Mapping[str, tuple[int, str]], outbox: str = "ledger") -> None:
    """Writes how far receivers are, as the publisher does."""
    with closing(sqlite3.connect(folder / "ledger-publish.sqlite")) as connection, connection:
        connection.execute(POSITIONS)
        for receiver, (sequence, entry) in positions.items():
            connection.execute(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?)",
                (receiver, outbox, sequence, entry),
            )


def apply(keep: Keep, file: sqlite3.Connection) -> int:
    return Retention(keep, "ledger", wall=lambda: NOW).apply(file)


POSITIONS_OF = {
    "nobody has any": ({}, [1, 2, 3, 4, 5]),
    "one of two has none": ({"mqtt": (4, "id-4")}, [1, 2, 3, 4, 5]),
    "the slower one counts": ({"mqtt": (4, "id-4"), "epcis": (2, "id-2")}, [2, 3, 4, 5]),
    "both have all": ({"mqtt": (5, "id-5"), "epcis": (5, "id-5")}, [5]),
    "a position of another outbox": ({"mqtt": (4, "no"), "epcis": (4, "no")}, [1, 2, 3, 4, 5]),
    "one is still at another outbox, further on": (
        {"mqtt": (4, "id-4"), "epcis": (5000, "no")}, [1, 2, 3, 4, 5]
    ),
    "one is still at another outbox, at the same number":
        ({"mqtt": (3, "id-3"), "epcis": (4, "no")}, [1, 2, 3, 4, 5]),
    "one who has none begins after what is there": (
        {"mqtt": (4, "id-4"), "epcis": (0, "")}, [1, 2, 3, 4, 5]
    ),
    "one who is asked no more": ({"mqtt": (3, "id-3"), "epcis": (3, "id-3"), "old": (1, "id-1")},
                                 [3, 4, 5]),
}  # fmt: skip


@pytest.mark.parametrize("case", POSITIONS_OF)
def test_what_every_receiver_has_is_deleted(
    tmp_path: Path, file: sqlite3.Connection, case: str
) -> None:
    positions, expected = POSITIONS_OF[case]
    add(file, [new(number) for number in range(1, 6)])
    if positions:
        take(tmp_path, positions)
    apply(keep_at(tmp_path, receivers=("mqtt", "epcis")), file)
    assert kept(file) == expected


def test_positions_in_one_outbox_do_not_count_in_another(
    tmp_path: Path, file: sqlite3.Connection
) -> None:
    add(file, [new(1), new(2)])
    take(tmp_path, {"mqtt": (2, "id-2")}, outbox="deliveries")
    apply(keep_at(tmp_path), file)
    assert kept(file) == [1, 2]


def test_the_oldest_go_when_they_are_too_old(tmp_path: Path, file: sqlite3.Connection) -> None:
    add(file, [new(number, day=10 + number) for number in range(1, 11)])  # the 11th to the 20th
    assert apply(keep_at(tmp_path, days=5.0), file) == 6  # now is late on the 21st
    assert kept(file) == [7, 8, 9, 10]


def test_the_oldest_go_when_there_are_too_many_bytes(
    tmp_path: Path, file: sqlite3.Connection
) -> None:
    add(file, [new(number, size=9880 - 23) for number in range(1, 201)])
    apply(keep_at(tmp_path, megabytes=1.0), file)
    assert 98 <= len(kept(file)) <= 102
    assert kept(file)[-1] == 200


def test_the_last_one_stays_whatever_the_bounds(tmp_path: Path, file: sqlite3.Connection) -> None:
    add(file, [new(1, day=1), new(2, day=1)])
    apply(keep_at(tmp_path, days=1.0), file)
    assert kept(file) == [2]
    add(file, [new(3)])
    assert kept(file) == [2, 3]  # numbers are not used again


def test_it_looks_now_and_then_and_goes_on_where_much_is_left(
    tmp_path: Path, file: sqlite3.Connection
) -> None:
    keep = keep_at(tmp_path, days=1.0)
    add(file, [new(number, day=1) for number in range(1, 5003)])
    retention = Retention(keep, "ledger", pause_seconds=1e9, wall=lambda: NOW)
    assert [retention.apply(file) for _ in range(3)] == [5000, 1, 0]
    add(file, [new(6000, day=1)])
    assert retention.apply(file) == 0  # it is not time to look again


def test_a_publisher_file_that_cannot_be_read_deletes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "ledger-publish.sqlite"
    assert read_positions(file, "ledger") == {}
    file.write_bytes(b"no SQLite file at all" * 100)
    assert read_positions(file, "ledger") == {}


def test_a_keep_is_the_same_in_another_process(tmp_path: Path) -> None:
    keep = keep_at(tmp_path, receivers=("mqtt", "größe"), megabytes=1.5, days=2.0)
    assert Keep.from_json(keep.as_json()) == keep


def test_the_ledger_deletes_as_it_is_written(tmp_path: Path) -> None:
    from tests.edge.ledger.entries import entry

    path, keep = tmp_path / "ledger.sqlite", keep_at(tmp_path)
    events = [entry(number) for number in range(1, 4)]
    with Ledger(path, keep=keep) as ledger:
        ledger.append(events)
    take(tmp_path, {"mqtt": (3, events[2].id)})
    with Ledger(path, keep=keep) as ledger:
        ledger.append([entry(4)])
    with closing(sqlite3.connect(path)) as connection:
        assert kept(connection) == [3, 4]


def test_in_an_empty_outbox_there_is_nothing_to_delete(
    tmp_path: Path, file: sqlite3.Connection
) -> None:
    assert apply(keep_at(tmp_path, megabytes=1.0, days=1.0), file) == 0
