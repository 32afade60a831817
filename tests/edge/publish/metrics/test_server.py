from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from edge.config.serving.address import Address
from edge.ledger.ledger import Ledger
from edge.publish.metrics import server
from edge.publish.metrics.exposition import StationMetrics
from edge.publish.metrics.server import MetricsServer
from edge.telemetry.status import StatusReading
from tests.edge.ledger.entries import entry
from tests.edge.publish.broker import PATIENCE
from tests.edge.telemetry.statuses import status
from tests.logged import listen


class Served:
    """A server of the metrics of a station, on a port that was free."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        path = folder / "ledger.sqlite"
        with Ledger(path) as ledger:
            ledger.append([entry(1)])
        self.reading: StatusReading | None = StatusReading(status(path), 0.5)
        self.metrics = StationMetrics(
            "bin-1", path, lanes={"metal": ["can"]}, status=lambda station, ledger: self.reading
        )
        self.stopping = threading.Event()
        self.server = MetricsServer(Address(host, 0), self.metrics, stopping=self.stopping)
        self.thread = threading.Thread(target=self.server.run)

    def ask(self, path: str, *, method: str = "GET", accept: str = "*/*") -> HTTPResponse:
        connection = HTTPConnection(*self.server.address, timeout=60)
        connection.request(method, path, headers={"Accept": accept})
        return connection.getresponse()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    served.metrics.count()
    served.thread.start()
    yield served
    served.stopping.set()
    served.thread.join()


def test_the_metrics_are_told_in_the_form_that_is_asked_for(served: Served) -> None:
    found = served.ask("/metrics")
    assert found.status == 200
    assert found.headers["Content-Type"].startswith("text/plain; version=")
    assert b'pilah_items_total{label="can",lane="metal",station="bin-1"} 1.0' in found.read()
    asked = served.ask("/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert asked.headers["Content-Type"].startswith("application/openmetrics-text")
    assert asked.read().endswith(b"# EOF\n")


def test_it_is_healthy_while_it_answers_and_ready_while_the_station_is_well(
    served: Served,
) -> None:
    assert json.loads(served.ask("/healthz").read()) == {"healthy": True}
    well = served.ask("/readyz")
    assert (well.status, json.loads(well.read())) == (200, {"ready": True, "reasons": []})
    served.reading = None
    not_well = served.ask("/readyz")
    assert not_well.status == 503
    assert json.loads(not_well.read()) == {
        "ready": False,
        "reasons": ["the station does not run: it has no status"],
    }
    assert served.ask("/healthz").status == 200


def remove(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    path.write_text("no database, whatever it is called")


def make_old(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE items DROP COLUMN quantity")


@pytest.mark.parametrize("spoil", [remove, damage, make_old])
def test_a_ledger_that_cannot_be_counted_at_first_is_counted_when_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(server, "_RETRY_SECONDS", 0.001)
    served, tried = Served(tmp_path), threading.Event()
    path, whole = tmp_path / "ledger.sqlite", tmp_path / "whole.sqlite"
    shutil.copy(path, whole)
    spoil(path)
    count = served.metrics.count

    def told() -> bool:
        found = count()
        tried.set()
        return found

    monkeypatch.setattr(served.metrics, "count", told)
    served.thread.start()
    try:
        assert tried.wait(PATIENCE)
        assert served.ask("/readyz").status == 503
        whole.replace(path)
        for thread in threading.enumerate():
            if thread.name == "metrics-count":
                thread.join(PATIENCE)
        assert served.ask("/readyz").status == 200
        assert b'pilah_items_total{label="can",lane="metal"' in served.ask("/metrics").read()
    finally:
        served.stopping.set()
        served.thread.join()


@pytest.mark.parametrize(
    ("method", "path", "status", "length"),
    [("GET", "/", 404, None), ("HEAD", "/metrics", 200, 0), ("POST", "/metrics", 501, None)],
)
def test_other_questions_are_answered_too(
    served: Served, method: str, path: str, status: int, length: int | None
) -> None:
    found = served.ask(path, method=method)
    assert found.status == status
    if length is not None:
        assert len(found.read()) == length


def test_one_who_says_nothing_keeps_nobody_else_waiting(served: Served) -> None:
    silent = [socket.create_connection(served.server.address) for _ in range(3)]
    assert served.ask("/healthz").status == 200
    for each in silent:
        each.close()


def test_an_address_that_is_taken_is_said_once_and_tried_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    listen(said.append)
    monkeypatch.setattr(server, "_RETRY_SECONDS", 0.001)
    first = Served(tmp_path)
    address = first.server.address
    second = MetricsServer(address, first.metrics, stopping=first.stopping)
    assert second.trouble is not None
    assert f"cannot listen at {address}, as `metrics`" in second.trouble
    thread = threading.Thread(target=second.run)
    thread.start()
    first.server.close()
    while second.trouble is not None:
        pass  # it is tried a thousand times a second
    assert first.ask("/healthz").status == 200
    first.stopping.set()
    thread.join()
    assert sum("cannot listen" in line for line in said) == 1


@pytest.mark.parametrize(("host", "warns"), [("127.0.0.1", 0), ("localhost", 0), ("0.0.0.0", 1)])
def test_that_everybody_may_read_it_is_said(tmp_path: Path, host: str, warns: int) -> None:
    said: list[str] = []
    listen(said.append)
    Served(tmp_path, host).server.close()
    assert sum("there is no password" in line for line in said) == warns


def test_more_than_can_be_answered_at_once_are_closed_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MOST_AT_ONCE", 2)
    served = Served(tmp_path)
    served.thread.start()
    silent = [socket.create_connection(served.server.address) for _ in range(2)]
    with pytest.raises(ConnectionError):
        served.ask("/healthz")
    for each in silent:
        each.close()
    while not is_answered(served):
        pass  # the two have not been let go of yet
    served.stopping.set()
    served.thread.join()


def is_answered(served: Served) -> bool:
    try:
        return served.ask("/healthz").status == 200
    except ConnectionError:
        return False


def test_a_request_that_fails_ends_no_other_and_is_written_nowhere(
    served: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(metrics: StationMetrics) -> list[str]:
        raise KeyError("unheard of")

    with monkeypatch.context() as patch:
        patch.setattr(StationMetrics, "problems", property(broken))
        with pytest.raises(ConnectionError):
            served.ask("/readyz")
    assert served.ask("/readyz").status == 200
    assert capfd.readouterr().err == ""


def test_an_address_may_be_of_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 ({error})")
    served = Served(tmp_path, "::1")
    served.thread.start()
    assert served.ask("/healthz").status == 200
    served.stopping.set()
    served.thread.join()
