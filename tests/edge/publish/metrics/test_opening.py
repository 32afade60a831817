"""`pilah-publish` with the section `metrics`: from the station file to what is answered."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from edge.config.publish.metrics import Address, MetricsSettings
from edge.config.publish.section import PublishSettings
from edge.core.errors import EXIT_OK, ConfigError
from edge.ledger.ledger import Ledger
from edge.publish.metrics.opening import open_metrics
from tests.edge.ledger.entries import entry
from tests.edge.stations import STATION

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
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = Address("127.0.0.1", free.getsockname()[1])
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
