"""The publisher's own file: how far it is, and that its loss loses nothing."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.core.errors import PublisherFileError
from edge.outbox.retention import read_positions
from edge.publish import publisher_file as module
from edge.publish.outbox_file import Position
from edge.publish.publisher_file import PublisherFile, SendCounts
from edge.publish.receiver import Entry, Refused

PAYLOAD = {"item": 1, "station": "cell-1"}


def refused(number: int) -> Refused:
    entry = Entry(number, f"id-{number}", "item", "2026-11-21T00:00:00.0Z", "cell-1", PAYLOAD)
    return Refused(entry, "too large")


def test_positions_and_counts_are_those_that_were_noted(tmp_path: Path) -> None:
    file = tmp_path / "p.sqlite"
    with PublisherFile(file) as progress:
        assert progress.position("mqtt", "ledger") is None
        progress.advance("mqtt", "ledger", Position(3, "c"), gained=SendCounts(sent=3, last="t3"))
        progress.advance(
            "mqtt", "ledger", Position(9, "i"), gained=SendCounts(sent=4, refused=1, dropped=1),
            refused=[refused(5)],
        )  # fmt: skip
    with PublisherFile(file) as progress:
        assert progress.position("mqtt", "ledger") == Position(9, "i")
        assert progress.position("mqtt", "deliveries") is None
        assert progress.counts("mqtt", "ledger") == SendCounts(7, 1, 1, "t3")
        assert [one.id for one in progress.refused("mqtt", 10)] == ["id-5"]
    assert read_positions(file, "ledger") == {"mqtt": (9, "i")}  # as the station reads them


def test_an_entry_that_is_refused_again_is_there_once(tmp_path: Path) -> None:
    with PublisherFile(tmp_path / "p.sqlite") as progress:
        for _ in range(2):
            progress.advance(
                "mqtt", "ledger", Position(5, "e"), gained=SendCounts(), refused=[refused(5)]
            )
        assert len(progress.refused("mqtt", 10)) == 1


def test_the_newest_refused_entries_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REFUSED", 3)
    with PublisherFile(tmp_path / "p.sqlite") as progress:
        for number in range(1, 6):
            progress.advance(
                "mqtt",
                "ledger",
                Position(number, ""),
                gained=SendCounts(),
                refused=[refused(number)],
            )
        assert [one.id for one in progress.refused("mqtt", 10)] == ["id-3", "id-4", "id-5"]


def test_receivers_that_are_named_no_more_are_forgotten(tmp_path: Path) -> None:
    with PublisherFile(tmp_path / "p.sqlite") as progress:
        for name in ("mqtt", "old"):
            progress.advance(name, "ledger", Position(1, "a"), gained=SendCounts(sent=1))
        progress.forget_others(["mqtt"])
        assert progress.position("old", "ledger") is None
        assert progress.position("mqtt", "ledger") == Position(1, "a")


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "p.sqlite"
    file.write_bytes(b"what is this? " * 500)
    with caplog.at_level(logging.WARNING), PublisherFile(file) as progress:
        assert progress.position("mqtt", "ledger") is None
    (aside,) = tmp_path.glob("p.set-aside-*.sqlite")
    assert aside.read_bytes().startswith(b"what is this?")
    assert "is sent again" in caplog.text


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "p.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE stamps (id)")
    with pytest.raises(PublisherFileError, match="of another program"):
        PublisherFile(file)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PublisherFileError, match="how far it is"):
        PublisherFile(tmp_path / "none" / "p.sqlite")


def test_opening_one_that_is_there_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk, where it can still be read."""
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.0)
    file = tmp_path / "p.sqlite"
    PublisherFile(file).close()
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write
        for read_only in (False, True):
            with PublisherFile(file, read_only=read_only) as progress:
                assert progress.position("mqtt", "ledger") is None


def test_one_that_is_only_read_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "p.sqlite"
    with PublisherFile(file) as progress:
        progress.set_trouble("mqtt", "away")
    with PublisherFile(file, read_only=True) as progress:
        trouble = progress.trouble("mqtt")
        assert trouble is not None
        assert trouble.reason == "away"
        with pytest.raises(PublisherFileError, match=r"cannot read .*readonly"):
            progress.set_trouble("mqtt", None)


def test_one_that_is_only_read_is_left_as_it_is_where_it_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "p.sqlite"
    file.write_bytes(b"what is this? " * 500)
    with pytest.raises(PublisherFileError, match="cannot read"):
        PublisherFile(file, read_only=True)
    assert list(tmp_path.iterdir()) == [file]


def test_a_position_outlives_a_power_cut_as_what_is_deleted_by_it_does(tmp_path: Path) -> None:
    with PublisherFile(tmp_path / "p.sqlite") as progress:
        full = 2  # https://www.sqlite.org/pragma.html#pragma_synchronous
        assert progress._connection.execute("PRAGMA synchronous").fetchone() == (full,)


def test_a_file_that_is_not_finished_is_no_file_of_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "p.sqlite"
    with monkeypatch.context() as patched:
        patched.setattr(module, "_TABLES", (*module._TABLES, "CREATE TABLE wrong"))
        with pytest.raises(PublisherFileError):
            PublisherFile(file)
    with PublisherFile(file) as progress:
        assert progress.position("mqtt", "ledger") is None


def test_a_file_of_before_entries_could_be_sent_again_is_written_on(tmp_path: Path) -> None:
    file = tmp_path / "p.sqlite"
    with PublisherFile(file) as progress:
        progress.advance(
            "mqtt", "ledger", Position(5, "e"), gained=SendCounts(sent=1), refused=[refused(5)]
        )
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE again")
    with PublisherFile(file) as progress:
        assert progress.ask_again("mqtt") == 1
        assert progress.ask_again("mqtt") == 0
        (entry,) = progress.asked_again("mqtt", 10)
        assert (entry.id, entry.kind, entry.station) == ("id-5", "item", "cell-1")
        progress.sent_again("mqtt", [entry], [])
        assert progress.asked_again("mqtt", 10) == progress.refused("mqtt") == []
        assert progress.counts("mqtt", "ledger").sent == 2
