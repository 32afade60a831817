"""`pilah-publish` from the command line, with a real broker."""

from __future__ import annotations

import json
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.config.publish.section import PublishSettings
from edge.core.errors import (
    EXIT_CONFIG,
    EXIT_IO,
    EXIT_NO,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    ReceiverSetupError,
)
from edge.core.processes.file_lock import locked
from edge.publish import program, receivers
from edge.publish.cli import main
from edge.runtime.clock import SYSTEM_CLOCK
from edge.runtime.heartbeat import Heartbeat
from edge.runtime.service import Notifier
from edge.runtime.worker import Endings
from tests.edge.ledger.entries import entry
from tests.edge.publish.broker import PATIENCE, Broker, Listener
from tests.edge.publish.outboxes import Taking, write
from tests.ports import free_port


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy broker may take its time."""
    monkeypatch.setattr("edge.publish.mqtt.session._ANSWER_SECONDS", PATIENCE)
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", PATIENCE)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker", ["allow_anonymous true", "message_size_limit 3000"]) as found:
        yield found


def station(folder: Path, port: int) -> str:
    """The station file in `folder`, which publishes to a broker at `port`."""
    file = folder / "station.yaml"
    file.write_text(
        "station: bin-1\nledger: {path: ledger.sqlite}\n"
        f"publish: {{mqtt: {{host: 127.0.0.1, port: {port}, tls: false}}}}\n",
        "utf-8",
    )
    return str(file)


def status(file: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert main([file, "--status", "--json"]) == EXIT_OK
    receiver = json.loads(capsys.readouterr().out)["receivers"]["mqtt"]
    ledger = receiver["outboxes"]["ledger"]
    return {**{name: ledger[name] for name in ("sent", "waiting", "refused")},
            "trouble": receiver["trouble"]}  # fmt: skip


def test_once_sends_what_is_there_and_the_status_says_so(
    tmp_path: Path, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    file = station(tmp_path, broker.port)
    write(tmp_path, 1, 2, 3)
    assert status(file, capsys) == {"sent": 0, "waiting": 3, "refused": 0, "trouble": None}
    with Listener(broker) as listener:
        assert main([file, "--once"]) == EXIT_OK
        listener.wait(lambda: len(listener.of("bin-1/item")) == 3)
    assert status(file, capsys) == {"sent": 3, "waiting": 0, "refused": 0, "trouble": None}
    assert main([file, "--status"]) == EXIT_OK
    assert "sent 3, waiting 0, refused 0, dropped 0" in capsys.readouterr().out


def test_what_was_refused_is_told_and_is_an_exit_code(
    tmp_path: Path, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge.ledger.ledger import Ledger
    from tests.edge.outbox.test_table import keep_at

    with Ledger(tmp_path / "ledger.sqlite", keep=keep_at(tmp_path)) as ledger:
        ledger.append([entry(1), entry(2, source="x" * 5000)])
    file = station(tmp_path, broker.port)
    assert main([file, "--once"]) == EXIT_NO
    assert main([file, "--status"]) == EXIT_OK
    shown = capsys.readouterr().out
    assert "sent 1, waiting 0, refused 1" in shown
    assert f"item {entry(2).id}: the broker" in shown


def test_a_broker_that_is_away_is_an_exit_code_with_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.5)
    file = station(tmp_path, free_port())
    write(tmp_path, 1, 2)
    assert main([file, "--once"]) == EXIT_UNAVAILABLE
    found = status(file, capsys)
    assert (found["sent"], found["waiting"]) == (0, 2)
    assert re.search("is not reached|has not answered yet", str(found["trouble"]))
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM outbox WHERE sequence = 1")  # as for want of room
    assert main([file, "--status"]) == EXIT_OK
    assert "sent 0, waiting 1, refused 0, dropped 1" in capsys.readouterr().out


def test_mistakes_of_the_station_file_have_its_exit_code(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("station: bin-1\nledger: {path: ledger.sqlite}\n", "utf-8")
    assert main([str(file)]) == EXIT_CONFIG
    assert "publish: is missing" in caplog.text
    file.write_text(
        "station: bin-1\nledger: {path: ledger.sqlite}\n"
        "publish: {mqtt: {host: broker, ca_file: none.pem}}\n",
        "utf-8",
    )
    assert main([str(file)]) == EXIT_CONFIG
    assert "publish.mqtt.ca_file" in caplog.text


def test_a_receiver_that_was_opened_is_closed_where_a_later_one_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(
        "station: bin-1\nledger: {path: ledger.sqlite}\n"
        "publish: {mqtt: {host: broker}, inventree: {url: 'https://a', token_file: none}}\n",
        "utf-8",
    )
    opened: list[Taking] = []

    def open_one(name: str, *_: object) -> Taking:
        if opened:
            raise ReceiverSetupError("its token cannot be read")
        opened.append(Taking(name))
        return opened[0]

    monkeypatch.setattr(receivers, "open_receiver", open_one)
    assert main([str(file)]) == EXIT_CONFIG
    assert opened[0].closed


def test_a_second_publisher_of_a_station_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = station(tmp_path, free_port())
    with locked(tmp_path / ".ledger-publish.sqlite.lock"):
        assert main([file]) == EXIT_IO
    assert "is held by another process" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_a_signal_and_tells_what_comes_meanwhile(
    tmp_path: Path, broker: Broker, number: signal.Signals
) -> None:
    words = [sys.executable, "-m", "edge.publish.cli", station(tmp_path, broker.port)]
    with (
        Listener(broker) as listener,
        subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process,
    ):
        listener.wait(lambda: bool(listener.of("availability")))
        write(tmp_path, 1)
        listener.wait(lambda: len(listener.of("bin-1/item")) == 1)
        write(tmp_path, 2)
        listener.wait(lambda: len(listener.of("bin-1/item")) == 2)
        process.send_signal(number)
        _, said = process.communicate()
        listener.wait(lambda: listener.of("availability")[-1].payload == b"offline")
    assert process.returncode == EXIT_OK
    assert f"stopping: {number.name}" in said


class Part:
    """A part of the publisher that does as it is told."""

    trouble = None

    def __init__(self, name: str, run: Callable[[], object]) -> None:
        self.name, self._run = name, run
        self.heartbeat = Heartbeat(SYSTEM_CLOCK.now)

    def run(self) -> None:
        self._run()


def run_parts(stopping: threading.Event, *parts: Part) -> None:
    program._run(parts, queue.SimpleQueue(), stopping, Notifier({}))


def test_where_one_part_fails_all_end_and_the_failure_is_told() -> None:
    stopping = threading.Event()

    def fail() -> None:
        raise KeyError("unheard of")

    with pytest.raises(KeyError, match="unheard of"):
        run_parts(stopping, Part("mqtt", stopping.wait), Part("postgres", fail))
    assert stopping.is_set()


def test_a_part_that_does_not_end_is_left_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(program, "END_SECONDS", 0.0)
    monkeypatch.setattr(program, "_LOOK_SECONDS", 0.01)
    endings: Endings = queue.SimpleQueue()
    endings.put(signal.SIGTERM)
    release = threading.Event()
    try:
        program._run([Part("mqtt", release.wait)], endings, threading.Event(), Notifier({}))
    finally:
        release.set()
    assert "publish-mqtt did not end within 0 seconds, and is left" in caplog.text


def test_each_section_has_its_receiver(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    settings = PublishSettings.model_validate(
        {
            "mqtt": {"host": "127.0.0.1", "port": free_port(), "tls": False},
            "postgres": {"host": "127.0.0.1", "user": "pilah", "tls": False},
            "epcis": {"url": "http://127.0.0.1"},
            "inventree": {"url": "http://127.0.0.1", "token_file": tmp_path / "token"},
        }
    )
    around = receivers.Surroundings("bin-1", tmp_path / "l.sqlite", tmp_path / "d.sqlite")
    assert set(settings.receivers) == receivers.MODULES.keys()
    for name in settings.receivers:
        receiver = receivers.open_receiver(name, settings, around)
        assert receiver.name == name
        receiver.close()
