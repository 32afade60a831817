"""What happened reaches a receiver: all of it, in order, whatever comes between."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edge.core.errors import PublisherFileError
from edge.events import Stamps
from edge.publish.publisher_file import PublisherFile
from edge.publish.pump import Backoff
from edge.publish.receiver import ReceiverUnavailable
from edge.receiving.desk import Desk
from edge.receiving.store import Deliveries
from tests.edge.outbox.test_table import keep_at
from tests.edge.publish.outboxes import Taking, pump_of, pump_once, write
from tests.edge.receiving.goods_lists import goods


def progress_of(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "ledger-publish.sqlite")) as connection:
        return connection.execute(query).fetchall()


def write_delivery(folder: Path) -> None:
    """Adds a delivery to those in `folder`, with its one entry."""
    file = folder / "ledger-deliveries.sqlite"
    with Deliveries(file, keep=keep_at(folder)) as deliveries:
        desk = Desk(deliveries, Stamps("door", lambda: 1.0), "clerk")
        desk.import_goods([goods()], "goods.csv")


def test_all_entries_arrive_in_order_and_once(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 451))
    receiver = Taking()
    pump_once(tmp_path, receiver)
    assert [one.payload["item"] for one in receiver.taken] == list(range(1, 451))
    assert receiver.closed
    write(tmp_path, 451)
    pump_once(tmp_path, receiver)
    assert receiver.items[-1] == 451
    assert len(receiver.taken) == 451


def test_an_entry_has_all_of_its_event(tmp_path: Path) -> None:
    write(tmp_path, 7)
    receiver = Taking()
    pump_once(tmp_path, receiver)
    (one,) = receiver.taken
    assert one.payload | {"label": "can", "scores": {"can": 0.9, "bottle": 0.1}} == one.payload
    for name in ("id", "kind", "time", "station"):
        assert one.payload[name] == getattr(one, name)


def test_each_outbox_is_sent(tmp_path: Path) -> None:
    write(tmp_path, 1)
    write_delivery(tmp_path)
    receiver = Taking()
    pump_once(tmp_path, receiver)
    assert [one.kind for one in receiver.taken] == ["item", "delivery_imported"]


def test_after_a_receiver_was_away_the_order_is_kept(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 301))
    receiver = Taking()
    receiver.away = 3
    stopping = threading.Event()
    pump = pump_of(tmp_path, receiver, stopping=stopping)
    running = threading.Thread(target=pump.run)
    running.start()
    while len(receiver.items) < 300:
        assert running.is_alive()
    stopping.set()
    running.join()
    assert receiver.items == list(range(1, 301))
    assert pump.trouble is None


def test_once_ends_at_the_first_trouble_and_says_it(tmp_path: Path) -> None:
    write(tmp_path, 1)
    receiver = Taking()
    receiver.away = 1
    assert pump_once(tmp_path, receiver).trouble == "it is away"
    assert [row[0] for row in progress_of(tmp_path, "SELECT reason FROM troubles")] == [
        "it is away"
    ]
    assert pump_once(tmp_path, receiver).trouble is None
    assert progress_of(tmp_path, "SELECT reason FROM troubles") == []
    assert receiver.items == [1]


@pytest.mark.parametrize("error", [KeyError("x"), AttributeError("decode"), RecursionError()])
def test_an_error_that_nobody_foresaw_is_a_trouble_and_not_an_end(
    tmp_path: Path, error: Exception
) -> None:
    write(tmp_path, 1)
    receiver = Taking()
    receiver.fails = error
    assert pump_once(tmp_path, receiver).trouble == f"{type(error).__name__}: {error}"
    receiver.fails = None
    assert pump_once(tmp_path, receiver).trouble is None
    assert receiver.items == [1]


def test_a_refused_entry_is_set_aside_and_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, *range(1, 6))
    receiver = Taking()
    receiver.refuses = lambda one: one.payload["item"] in (2, 4)
    with caplog.at_level(logging.WARNING):
        assert pump_once(tmp_path, receiver).refused == 2
    assert receiver.items == [1, 3, 5]
    rows = progress_of(tmp_path, "SELECT reason, payload FROM refused ORDER BY number")
    assert [row[0] for row in rows] == ["not this one"] * 2
    assert '"item": 2' in str(rows[0][1])
    assert "will not take 2 of 5" in caplog.text
    assert progress_of(tmp_path, "SELECT sent, refused FROM counts WHERE outbox = 'ledger'") == [
        (3, 2)
    ]


def ask_again(folder: Path, *ids: str) -> int:
    with PublisherFile(folder / "ledger-publish.sqlite") as progress:
        return progress.ask_again("mqtt", ids or None)


def test_what_was_refused_is_sent_again_once_a_person_asks_for_it(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3)
    receiver = Taking()
    receiver.refuses = lambda entry: entry.payload["item"] in (2, 3)
    pump_once(tmp_path, receiver)
    before = list(receiver.taken)
    pump_once(tmp_path, receiver)
    assert receiver.taken == before  # nobody asked
    assert ask_again(tmp_path) == 2
    receiver.refuses = lambda entry: entry.payload["item"] == 3
    pump = pump_once(tmp_path, receiver)
    assert pump.refused == 1
    assert receiver.items == [1, 2]
    (again,) = receiver.taken[1:]
    assert {*before[0].payload} == {*again.payload}  # all of it
    assert (again.station, again.kind) == (before[0].station, "item")
    receiver.refuses = lambda entry: False
    pump_once(tmp_path, receiver)
    assert receiver.items == [1, 2]  # the other one was tried once
    assert ask_again(tmp_path) == 1
    pump_once(tmp_path, receiver)
    assert receiver.items == [1, 2, 3]
    assert progress_of(tmp_path, "SELECT count(*) FROM refused") == [(0,)]
    assert progress_of(tmp_path, "SELECT sent, refused FROM counts WHERE sent") == [(3, 2)]
    assert ask_again(tmp_path) == 0


def test_an_entry_that_is_to_be_sent_again_waits_for_a_receiver_that_is_away(
    tmp_path: Path,
) -> None:
    write(tmp_path, 1)
    receiver = Taking()
    receiver.refuses = lambda entry: True
    pump_once(tmp_path, receiver)
    ask_again(tmp_path)
    receiver.refuses = lambda entry: False
    receiver.away = 1
    pump = pump_once(tmp_path, receiver)
    assert pump.trouble == "it is away"
    pump_once(tmp_path, receiver)
    assert receiver.items == [1]


def test_what_was_dropped_before_it_was_sent_is_counted_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 1, 2)
    receiver = Taking()
    pump_once(tmp_path, receiver)
    write(tmp_path, *range(3, 11))
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM outbox WHERE sequence <= 7")  # as for want of room
    with caplog.at_level(logging.ERROR):
        pump_once(tmp_path, receiver)
    assert receiver.items == [1, 2, 8, 9, 10]
    assert "5 entries of the ledger were dropped" in caplog.text
    assert progress_of(tmp_path, "SELECT dropped FROM counts WHERE outbox = 'ledger'") == [(5,)]


def drop_up_to(folder: Path, last: int) -> None:
    """Deletes entries from the outbox of the ledger, as for want of room."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM outbox WHERE sequence <= ?", (last,))


def test_what_was_dropped_before_a_receiver_had_anything_is_counted(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 11))
    drop_up_to(tmp_path, 2)  # before anybody was to be told
    receiver = Taking()
    receiver.away = 1
    pump_once(tmp_path, receiver)
    drop_up_to(tmp_path, 7)
    receiver.taken.clear()
    pump_once(tmp_path, receiver)
    assert receiver.items == [8, 9, 10]
    assert progress_of(tmp_path, "SELECT dropped FROM counts WHERE outbox = 'ledger'") == [(5,)]


def test_what_was_dropped_of_an_outbox_that_was_begun_anew_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 1, 2, 3)
    receiver = Taking()
    pump_once(tmp_path, receiver)
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    write(tmp_path, *range(101, 111))
    receiver.away = 1
    pump_once(tmp_path, receiver)
    drop_up_to(tmp_path, 4)
    receiver.taken.clear()
    pump_once(tmp_path, receiver)
    assert receiver.items == list(range(105, 111))
    assert progress_of(tmp_path, "SELECT dropped FROM counts WHERE outbox = 'ledger'") == [(4,)]
    assert caplog.text.count("is not the one of before") == 1


def test_a_receiver_that_is_new_is_not_told_of_drops_before_it(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM outbox WHERE sequence = 1")
    receiver = Taking()
    pump_once(tmp_path, receiver)
    assert receiver.items == [2, 3]
    assert progress_of(tmp_path, "SELECT dropped FROM counts WHERE outbox = 'ledger'") == [(0,)]


@pytest.mark.parametrize("more", [0, 5], ids=["shorter", "longer"])
def test_all_of_an_outbox_that_was_begun_anew_is_sent(
    tmp_path: Path, more: int, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, *range(1, 4))
    receiver = Taking()
    pump_once(tmp_path, receiver)
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    expected = list(range(101, 103 + more))
    write(tmp_path, *expected)
    with caplog.at_level(logging.WARNING):
        pump_once(tmp_path, receiver)
    assert receiver.items == [1, 2, 3, *expected]
    assert "is not the one of before" in caplog.text


def test_one_receiver_does_not_hold_up_another(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    slow, quick = Taking("slow"), Taking("quick")
    slow.away = 1
    pump_once(tmp_path, slow)
    pump_once(tmp_path, quick)
    assert quick.items == [1, 2]
    pump_once(tmp_path, slow)
    assert slow.items == [1, 2]


def test_a_ledger_that_is_not_there_yet_is_no_trouble(tmp_path: Path) -> None:
    receiver = Taking()
    assert pump_once(tmp_path, receiver).trouble is None
    write(tmp_path, 1)
    pump_once(tmp_path, receiver)
    assert receiver.items == [1]


def test_a_file_that_cannot_be_read_is_a_trouble_and_not_an_end(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no SQLite file" * 1000)
    assert "cannot be read" in str(pump_once(tmp_path, Taking()).trouble)


def test_an_outbox_that_cannot_be_read_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, *range(1, 451))
    (tmp_path / "ledger-deliveries.sqlite").write_bytes(b"no SQLite file" * 1000)
    receiver = Taking()
    pump = pump_once(tmp_path, receiver)
    assert receiver.items == list(range(1, 451))
    assert "ledger-deliveries.sqlite cannot be read" in str(pump.trouble)
    assert caplog.text.count("incident") == 1
    ((reason,),) = progress_of(tmp_path, "SELECT reason FROM troubles")
    assert reason == pump.trouble


def test_the_first_outbox_holds_up_no_other_either(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no SQLite file" * 1000)
    write_delivery(tmp_path)
    receiver = Taking()
    assert "ledger.sqlite cannot be read" in str(pump_once(tmp_path, receiver).trouble)
    assert [one.kind for one in receiver.taken] == ["delivery_imported"]


def test_an_outbox_that_can_be_read_again_is_sent_and_no_trouble_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.pump._UNREAD_SECONDS", 0.0)
    write(tmp_path, 1)
    file = tmp_path / "ledger-deliveries.sqlite"
    file.write_bytes(b"no SQLite file" * 1000)
    receiver, stopping = Taking(), threading.Event()
    pump = pump_of(tmp_path, receiver, stopping=stopping)
    running = threading.Thread(target=pump.run)
    running.start()
    while pump.trouble is None:
        assert running.is_alive()
    file.unlink()
    write_delivery(tmp_path)
    while len(receiver.taken) < 2 or pump.trouble is not None:
        assert running.is_alive()
    stopping.set()
    running.join()
    assert [one.kind for one in receiver.taken] == ["item", "delivery_imported"]


def test_another_reason_of_the_same_trouble_is_kept_and_is_no_new_incident(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 1)
    receiver = Taking()
    pump = pump_of(tmp_path, receiver)
    with PublisherFile(tmp_path / "ledger-publish.sqlite") as progress:
        for reason in ("no route", "no answer"):
            receiver.fails = ReceiverUnavailable(reason)
            pump._step(progress)
            found = progress.trouble("mqtt")
            assert found is not None
            assert pump.trouble == found.reason == reason
    assert caplog.text.count("incident") == 1


def test_an_outbox_that_cannot_be_read_is_the_trouble_again_when_the_receiver_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.pump._UNREAD_SECONDS", float("inf"))
    (tmp_path / "ledger-deliveries.sqlite").write_bytes(b"no SQLite file" * 1000)
    receiver = Taking()
    pump = pump_of(tmp_path, receiver)
    troubles = []
    with PublisherFile(tmp_path / "ledger-publish.sqlite") as progress:
        for away in (0, 1, 0):
            receiver.away = away
            write(tmp_path, len(troubles) + 1)
            pump._step(progress)
            troubles.append(str(pump.trouble))
    assert "cannot be read" in troubles[0]
    assert troubles == [troubles[0], "it is away", troubles[0]]
    assert receiver.items == [1, 2, 3]


def test_a_trouble_that_cannot_be_written_down_ends_no_sending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1)
    receiver = Taking()
    receiver.away = 1
    pump = pump_of(tmp_path, receiver)

    def full(*_: object) -> None:
        raise PublisherFileError("the disk is full")

    with PublisherFile(tmp_path / "ledger-publish.sqlite") as progress:
        with monkeypatch.context() as patch:
            patch.setattr(PublisherFile, "set_trouble", full)
            pump._step(progress)
        assert pump.trouble == "it is away"
        pump._step(progress)
    assert (receiver.items, pump.trouble) == ([1], None)


def test_pauses_grow_and_differ_and_begin_again() -> None:
    longest = Backoff(chance=lambda: 1.0)
    assert [longest.failed() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    longest.succeeded()
    assert longest.failed() == 1
    shortest = Backoff(chance=lambda: 0.0)
    assert [shortest.failed() for _ in range(3)] == [0.5, 1, 2]
