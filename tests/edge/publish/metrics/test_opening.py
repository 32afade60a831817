"""`pilah-publish` with the section `metrics`: from the station file to what is answered."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from edge.config.publish.metrics import MetricsSettings
from edge.config.publish.section import PublishSettings
from edge.config.reading import read_part
from edge.config.serving.address import Address
from edge.config.station import RecordsConfig
from edge.core.errors import EXIT_OK, ConfigError
from edge.ledger.ledger import Ledger
from edge.publish.metrics.exposition import ReceiverFigures
from edge.publish.metrics.opening import open_metrics, receiver_figures
from edge.publish.outbox_file import Position
from edge.publish.publisher_file import PublisherFile, SendCounts
from tests.edge.ledger.entries import entry
from tests.edge.publish.outboxes import write
from tests.edge.stations import STATION
from tests.ports import free_port

SECTIONS = STATION + "publish: {metrics: {listen: 127.0.0.1:PORT}}\n"


def ask(address: Address, path: str) -> tuple[int, str]:
    connection = HTTPConnection(*address, timeout=60)
    connection.request("GET", path)
    found = connection.getresponse()
    return found.status, found.read().decode()


def test_lanes_and_labels_are_those_of_the_station_file(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(SECTIONS.replace("PORT", "1"), "utf-8")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1, label="red", lane="warm"), entry(2, label="can", lane="metal")])
    stopping = threading.Event()
    settings = MetricsSettings.model_construct(listen=Address("127.0.0.1", 0))
    publish = PublishSettings(metrics=settings)
    with open_metrics(settings, publish, file, stopping=stopping) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        while "pilah_items_total{" not in (found := ask(server.address, "/metrics")[1]):
            pass  # the ledger is still being counted
        stopping.set()
        thread.join()
    assert 'pilah_items_total{label="red",lane="warm",station="bin-1"} 1.0' in found
    assert 'pilah_items_total{label="other",lane="other",station="bin-1"} 1.0' in found


def test_lanes_that_are_wrong_are_an_error_of_the_station_file(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("station: bin-1\nledger: {path: l}\nlanes: 7\n", "utf-8")
    settings = MetricsSettings()
    with pytest.raises(ConfigError, match=":3: lanes"):
        open_metrics(settings, PublishSettings(metrics=settings), file, stopping=threading.Event())


def test_a_publisher_may_have_nothing_but_metrics(tmp_path: Path) -> None:
    address = Address("127.0.0.1", free_port())
    file = tmp_path / "station.yaml"
    file.write_text(SECTIONS.replace("PORT", str(address.port)), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "edge.publish.cli", str(file)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if re.search(r"metrics +http://127.0.0.1:\d+/metrics", line):
                break
        status, text = ask(address, "/readyz")
        assert status == 503
        assert "the station does not run: it has no status" in json.loads(text)["reasons"]
        assert ask(address, "/healthz")[0] == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == EXIT_OK


def figures(folder: Path) -> list[ReceiverFigures]:
    """What is told of the receivers of the station in `folder`."""
    file = folder / "station.yaml"
    text = "station: bin-1\nledger: {path: ledger.sqlite}\npublish: {mqtt: {host: broker}}\n"
    file.write_text(text, "utf-8")
    _, config = read_part(file, RecordsConfig)
    assert config.publish is not None
    return receiver_figures(config, config.publish)


def test_the_figures_of_a_receiver_are_those_of_both_outboxes(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3)
    with PublisherFile(tmp_path / "ledger-publish.sqlite") as progress:
        position = Position(2, entry(2).id)
        progress.advance("mqtt", "ledger", position, gained=SendCounts(sent=1, refused=1))
        progress.advance("mqtt", "deliveries", Position(4, "x"), gained=SendCounts(sent=4))
        progress.set_trouble("mqtt", "no route")
    assert figures(tmp_path) == [
        ReceiverFigures("mqtt", sent=5, refused=1, dropped=0, waiting=1, trouble="no route")
    ]


def test_an_outbox_that_cannot_be_read_makes_what_waits_unknown(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no SQLite file" * 1000)
    (found,) = figures(tmp_path)
    assert (found.name, found.waiting, found.dropped) == ("mqtt", None, 0)


def test_of_a_publisher_whose_file_cannot_be_read_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger-publish.sqlite").write_bytes(b"no SQLite file" * 1000)
    assert figures(tmp_path) == []
