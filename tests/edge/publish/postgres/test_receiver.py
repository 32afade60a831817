"""The receiver `postgres` against a real server: once, whole, refused or later."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge.config.publish.postgres import PostgresSettings
from edge.core.errors import ReceiverSetupError
from edge.core.uuid7 import uuid7_text
from edge.publish.postgres import receiver as module
from edge.publish.postgres.receiver import PostgresReceiver
from edge.publish.receiver import Entry, ReceiverUnavailable
from tests.edge.ledger.entries import actuation, correction, entry
from tests.edge.publish.outboxes import NUMBERS, entry_of, hurry
from tests.edge.publish.postgres.server import Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def database(server: Postgres) -> Postgres:
    """The server, with a database in which nothing is."""
    server.query("DROP DATABASE IF EXISTS pilah WITH (FORCE)", database="postgres")
    server.query("CREATE DATABASE pilah", database="postgres")
    return server


def settings(server: Postgres, **changes: Any) -> PostgresSettings:
    return PostgresSettings(
        host="127.0.0.1", port=server.port, user="pilah", password_file=server.password_file,
        tls=False,
    ).model_copy(update=changes)  # fmt: skip


@pytest.fixture
def receiver(database: Postgres) -> Iterator[PostgresReceiver]:
    receiver = PostgresReceiver(settings(database))
    yield receiver
    receiver.close()


def delivery(number: int) -> Entry:
    found = {"delivery": "D-1", "by": "Ana", "line": 1, "pieces": 6, "lot": "ä", "serial": None}
    when = "2026-11-21T23:04:36.123456Z"
    event_id = uuid7_text(1_795_302_276_123, 7, number)
    return Entry(next(NUMBERS), event_id, "piece_counted", when, "bin-1", found)


def test_each_entry_is_a_row_in_the_table_of_its_kind(
    receiver: PostgresReceiver, database: Postgres
) -> None:
    item = entry(1, scores={"can": 0.75, "bottle": 0.25}, barcode="4006381333931", quantity=6)
    scanned = Entry(
        next(NUMBERS), uuid7_text(5, 5, 5), "code_scanned", "2026-11-21T23:04:36.123456Z", "bin-1",
        {"text": "4006381333931"},
    )  # fmt: skip
    refused = receiver.send([
        entry_of(item), entry_of(actuation(1)), entry_of(correction(1, "label", "can", "bottle")),
        delivery(1), scanned,
    ])  # fmt: skip
    assert list(refused) == []
    assert database.query(
        "SELECT id, station, item, label, confidence, accepted, scores, quantity FROM items"
    ) == [[item.id, "bin-1", 1, "can", 0.9, True, {"can": 0.75, "bottle": 0.25}, 6]]
    assert database.query("SELECT item_id, lane, missed FROM actuations") == [
        [item.id, "metal", None]
    ]
    assert database.query('SELECT item_id, who, field, "old", "new" FROM corrections') == [
        [item.id, "Ana", "label", "can", "bottle"]
    ]
    assert database.query("SELECT delivery, by, kind, details FROM deliveries") == [
        ["D-1", "Ana", "piece_counted", {"line": 1, "pieces": 6, "lot": "ä"}]
    ]
    assert database.query("SELECT kind, details FROM events") == [
        ["code_scanned", {"text": "4006381333931"}]
    ]


def test_what_comes_twice_is_there_once(receiver: PostgresReceiver, database: Postgres) -> None:
    entries = [entry_of(entry(number)) for number in range(5)]
    assert list(receiver.send(entries)) == []
    assert list(receiver.send([*entries, entry_of(entry(5))])) == []  # nor is it refused
    assert database.query("SELECT count(*), count(DISTINCT id) FROM items") == [[6, 6]]


def test_a_row_that_the_database_will_not_have_is_refused_and_holds_up_no_other(
    receiver: PostgresReceiver, database: Postgres
) -> None:
    wrong = [
        entry_of(entry(2, label="nul\0")),
        entry_of(entry(4, lane=None)),
        entry_of(entry(6, quantity=2**40)),
    ]
    refused = receiver.send(
        [entry_of(entry(1)), wrong[0], entry_of(entry(3)), *wrong[1:], entry_of(entry(5))]
    )
    assert [one.entry for one in refused] == wrong
    assert all("(22" in one.reason or "(23" in one.reason for one in refused), refused
    assert database.query("SELECT item FROM items ORDER BY item") == [[1], [3], [5]]


def test_a_slow_server_gets_the_rest_of_a_batch_at_the_next_attempt(
    receiver: PostgresReceiver, database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, 4)
    entries = [entry_of(entry(n, label="nul\0" if n in (2, 5) else "can")) for n in range(8)]
    there: list[int] = []
    refused: list[Entry] | None = None
    while refused is None:
        assert len(there) < 8
        with suppress(ReceiverUnavailable):
            refused = [one.entry for one in receiver.send(entries)]
        there.append(database.query("SELECT count(*) FROM items")[0][0])
    assert refused == [entries[2], entries[5]]
    assert len(there) > 1
    assert 0 < there[0] < there[-1] == 6


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_is_away_is_waited_for(
    receiver: PostgresReceiver, database: Postgres, how: str
) -> None:
    receiver.send([entry_of(entry(1))])
    database.stop(how)
    try:
        for _ in range(2):
            with pytest.raises(ReceiverUnavailable, match=f"127.0.0.1:{database.port}/pilah: "):
                receiver.send([entry_of(entry(2))])
    finally:
        database.start()
    receiver.send([entry_of(entry(1)), entry_of(entry(2))])
    assert database.query("SELECT count(*) FROM items") == [[2]]


# pg8000 leaves the socket of a connection that never came about to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_answers_no_more_is_given_up_and_tried_again(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.5)
    impatient = PostgresReceiver(settings(database))
    monkeypatch.undo()
    while True:  # a busy machine may not answer within this patience
        with suppress(ReceiverUnavailable):
            impatient.send([entry_of(entry(1))])
            break
    database.pause()
    try:
        for _ in range(2):  # the connection that stands, and a new one
            with pytest.raises(ReceiverUnavailable):
                impatient.send([entry_of(entry(2))])
    finally:
        database.go_on()
    impatient.close()
    patient = PostgresReceiver(settings(database))
    assert list(patient.send([entry_of(entry(1)), entry_of(entry(2))])) == []
    patient.close()
    assert database.query("SELECT count(*) FROM items") == [[2]]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"user": "nobody"}, "password authentication failed"),
        ({"database": "none"}, 'database "none" does not exist'),
        ({"tls": True}, "SSL"),
        ({"port": 1}, "127.0.0.1:1/pilah: Can't create a connection"),
        ({"host": "no.such.host.invalid"}, "no.such.host.invalid:"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"
)
def test_what_is_wrong_with_a_server_is_said_without_the_password(
    database: Postgres, changes: dict[str, Any], says: str
) -> None:
    receiver = PostgresReceiver(settings(database, **changes))
    with pytest.raises(ReceiverUnavailable, match=says) as raised:
        receiver.send([entry_of(entry(1))])
    assert "of tests" not in str(raised.value)
    del raised, receiver
    gc.collect()  # pg8000 leaves the socket of a connection that never came about to it


def test_tables_of_a_newer_pilah_are_left_alone(
    receiver: PostgresReceiver, database: Postgres
) -> None:
    receiver.send([entry_of(entry(1))])
    receiver.close()
    database.query("INSERT INTO pilah_schema (version) VALUES (99)")
    with pytest.raises(ReceiverUnavailable, match=r"tables of another pilah \(version 99"):
        receiver.send([entry_of(entry(2))])
    assert database.query("SELECT count(*) FROM items") == [[1]]


def test_many_stations_that_begin_at_once_make_the_tables_once(database: Postgres) -> None:
    failures: list[BaseException] = []
    together = threading.Barrier(6)

    def begin(number: int) -> None:
        receiver = PostgresReceiver(settings(database))
        try:
            together.wait(60)
            receiver.send([entry_of(entry(number, station=f"bin-{number}"))])
        except BaseException as error:
            failures.append(error)
        finally:
            receiver.close()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert database.query("SELECT count(DISTINCT station) FROM items") == [[6]]


def test_a_user_who_may_only_write_rows_finds_the_tables_of_another(
    receiver: PostgresReceiver, database: Postgres
) -> None:
    receiver.send([entry_of(entry(1))])
    database.query("DROP ROLE IF EXISTS station")
    database.query("CREATE ROLE station LOGIN PASSWORD 'of tests'")
    database.query("GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA public TO station")
    other = PostgresReceiver(settings(database, user="station"))
    other.send([entry_of(entry(2))])
    other.close()
    assert database.query("SELECT count(*) FROM items") == [[2]]
    database.query("DROP OWNED BY station")
    database.query("DROP ROLE station")


def test_a_batch_of_the_largest_size_is_one_transaction(
    receiver: PostgresReceiver, database: Postgres
) -> None:
    receiver.send([entry_of(entry(number)) for number in range(1000)])
    assert database.query("SELECT count(DISTINCT xmin::text) FROM items") == [[1]]


@pytest.mark.parametrize("text", [None, "", "\nsecret"])
def test_a_password_that_cannot_be_read_is_said_at_the_start(
    tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "password"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ReceiverSetupError, match=r"publish\.postgres\.password_file"):
        PostgresReceiver(PostgresSettings(host="h", user="u", password_file=file))


def test_certificates_that_cannot_be_read_are_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ReceiverSetupError, match=r"publish\.postgres\.ca_file"):
        PostgresReceiver(PostgresSettings(host="h", user="u", ca_file=tmp_path / "none"))


def test_a_table_has_what_the_ledger_has() -> None:
    assert {"received"} <= {column.name for column in module.METADATA.tables["items"].columns}


def test_a_password_that_is_not_there_is_an_error_of_the_server(database: Postgres) -> None:
    receiver = PostgresReceiver(settings(database, password_file=None))
    with pytest.raises(ReceiverUnavailable, match="password authentication failed"):
        receiver.send([entry_of(entry(1))])


def test_a_port_of_something_else_is_told_as_such() -> None:
    says = b"+OK POP3 server ready\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(says[:1])  # to whether it speaks TLS
                connection.recv(1000)
                connection.sendall(says[1:])
                connection.recv(1000)

        threading.Thread(target=answer, daemon=True).start()
        found = PostgresSettings(
            host="127.0.0.1", port=listening.getsockname()[1], user="pilah", tls=False
        )
        with pytest.raises(ReceiverUnavailable, match=f":{found.port}/pilah.*look at `host`"):
            PostgresReceiver(found).send([entry_of(entry(1))])


def test_an_odd_answer_on_a_standing_connection_is_told_as_such_and_nothing_is_lost(
    receiver: PostgresReceiver, database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.send([entry_of(entry(1))])
    with monkeypatch.context() as broken:
        broken.setattr("pg8000.core._read", lambda sock, size: b"+OK POP3"[:size])
        with pytest.raises(ReceiverUnavailable, match="as a PostgreSQL server does, so look at"):
            receiver.send([entry_of(entry(2))])
    receiver.send([entry_of(entry(2))])
    assert database.query("SELECT count(*) FROM items") == [[2]]


def test_nothing_to_send_is_sent(receiver: PostgresReceiver, database: Postgres) -> None:
    assert receiver.send([]) == []
    assert database.query("SELECT count(*) FROM items") == [[0]]


def test_an_interrupt_leaves_no_connection_in_the_middle_of_a_transaction(
    receiver: PostgresReceiver, database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.send([entry_of(entry(1))])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(receiver, "_write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            receiver.send([entry_of(entry(2))])
    receiver.send([entry_of(entry(2))])
    assert database.query("SELECT count(*) FROM items") == [[2]]


def test_a_connection_that_breaks_as_it_is_closed_is_closed(
    receiver: PostgresReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.send([entry_of(entry(1))])
    connection = receiver._connection
    assert connection is not None

    def broken() -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "close", broken)
        receiver.close()
    connection.close()
    assert receiver._connection is None
