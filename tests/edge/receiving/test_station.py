"""A whole station reads the codes on its pictures, and its hand scanner."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import cv2
import pytest

from edge.cli import main
from edge.core.errors import EXIT_OK, EXIT_UNAVAILABLE
from tests.edge.receiving.codes.test_ladder import drawn
from tests.edge.receiving.scanner.test_reader import typed
from tests.edge.stations import STATION, make_station

GTIN = "4006381333931"


def events_of(station: Path, kind: str) -> list[dict[str, object]]:
    """The details of the events of one kind in the ledger of a station."""
    with closing(sqlite3.connect(station.parent / "ledger.sqlite")) as ledger:
        rows = ledger.execute("SELECT details FROM events WHERE kind = ? ORDER BY id", (kind,))
        return [json.loads(details) for (details,) in rows]


@pytest.fixture
def station(tmp_path: Path, tiny_bundle: Path) -> Path:
    """One that has three pictures; on the second is a code."""
    file = make_station(tmp_path, bundle=tiny_bundle)
    picture = cv2.cvtColor(drawn("ean13"), cv2.COLOR_GRAY2BGR)
    cv2.imwrite(str(tmp_path / "photos" / "1.png"), picture)
    return file


def test_a_code_on_an_item_is_an_event_that_names_the_item(station: Path) -> None:
    station.write_text(STATION + "codes: {formats: [ean13, qr]}\n")
    assert main(["run", str(station)]) == EXIT_OK
    (read,) = events_of(station, "code_read")
    assert (read["text"], read["gtin"], read["format"]) == (GTIN, f"0{GTIN}", "ean13")
    with closing(sqlite3.connect(station.parent / "ledger.sqlite")) as ledger:
        ((item, source),) = ledger.execute(
            "SELECT item, source FROM items WHERE uuid = ?", (read["item_id"],)
        ).fetchall()
    assert (item, Path(source).name) == (read["item"], "1.png")


def test_without_the_section_no_code_is_looked_for(station: Path) -> None:
    assert main(["run", str(station)]) == EXIT_OK
    assert events_of(station, "code_read") == []


def test_without_the_packages_a_station_says_what_to_install(
    station: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    station.write_text(STATION + "codes: {}\n")
    assert main(["run", str(station)]) == EXIT_UNAVAILABLE
    assert main(["doctor", str(station)]) != EXIT_OK
    said = capsys.readouterr()
    for text in (said.err, said.out):
        assert "needs the package 'zxingcpp', which is not installed" in text
        assert "deploy/locks/codes.txt" in text


def test_what_a_hand_scanner_sends_is_an_event(station: Path) -> None:
    (station.parent / "keys").write_bytes(typed(f"{GTIN}\r\n{GTIN}\r\nSKU-7\r"))
    station.write_text(STATION + "scanner: {kind: pipe, path: keys}\n")
    assert main(["run", str(station)]) == EXIT_OK
    assert events_of(station, "code_scanned") == [{"text": GTIN}, {"text": "SKU-7"}]
