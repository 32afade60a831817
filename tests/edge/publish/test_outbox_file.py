"""An outbox is only read, however its file changes meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.core.errors import OutboxError
from edge.publish.outbox_file import OutboxFile, Position
from tests.edge.ledger.entries import entry
from tests.edge.publish.outboxes import write


def box(folder: Path) -> OutboxFile:
    return OutboxFile("ledger", folder / "ledger.sqlite")


def test_it_has_changed_when_another_has_written(tmp_path: Path) -> None:
    with box(tmp_path) as found:
        assert not found.has_changed()  # it is not there
        write(tmp_path, 1)
        assert found.has_changed()
        assert not found.has_changed()
        write(tmp_path, 2)
        assert found.has_changed()


def test_it_has_changed_when_it_is_another_file(tmp_path: Path) -> None:
    write(tmp_path, 1)
    with box(tmp_path) as found:
        assert found.has_changed()
        for file in tmp_path.glob("ledger.sqlite*"):
            file.unlink()
        assert not found.has_changed()
        write(tmp_path, 7)
        assert found.has_changed()
        assert [one.payload["item"] for one in found.read(None, 10).entries] == [7]


def test_what_waits_is_what_comes_after_a_position(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 11))
    with box(tmp_path) as found:
        assert found.waiting(None) == 10
        assert found.waiting(Position(4, entry(4).id)) == 6
        assert found.waiting(Position(10, entry(10).id)) == 0
        assert found.waiting(Position(4, "of another outbox")) == 10


def test_what_was_dropped_is_what_is_missing_after_a_position(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 11))
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM outbox WHERE sequence <= 6")
    with box(tmp_path) as found:
        assert found.dropped(None) == 0
        assert found.dropped(Position(0, "")) == 6
        assert found.dropped(Position(4, entry(4).id)) == 2
        assert found.dropped(Position(8, entry(8).id)) == 0
        assert found.dropped(Position(8, "of another outbox")) == 0


def test_no_more_are_read_than_asked_for(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 11))
    with box(tmp_path) as found:
        part = found.read(Position(2, entry(2).id), 3)
    assert [one.sequence for one in part.entries] == [3, 4, 5]
    assert (part.dropped, part.begun_anew) == (0, False)


def test_a_file_without_an_outbox_has_nothing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE items (id)")
    with box(tmp_path) as found:
        assert found.read(None, 10).entries == []
        assert found.waiting(None) == 0


def test_a_file_that_is_being_made_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    with box(tmp_path) as found:
        assert not found.has_changed()
        assert found.read(None, 10).entries == []


@pytest.mark.parametrize("after", [None, Position(0, ""), Position(7, "of another outbox")])
def test_an_outbox_without_entries_has_none_after_any_position(
    tmp_path: Path, after: Position | None
) -> None:
    write(tmp_path, 1)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM outbox")
    with box(tmp_path) as found:
        assert (found.read(after, 10).entries, found.waiting(after), found.dropped(after)) == (
            [], 0, 0,
        )  # fmt: skip


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"shopping list\n" * 500)
    with box(tmp_path) as found, pytest.raises(OutboxError, match="cannot be read"):
        found.has_changed()


def test_reading_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, 1)
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with box(tmp_path) as found:
        found.read(None, 10)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            found._connection.execute("DELETE FROM outbox")  # type: ignore[union-attr]
    assert (tmp_path / "ledger.sqlite").read_bytes() == before
