"""A whole station reads the codes on its pictures, and its hand scanner."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from edge.cli import main
from edge.config.codes import CodesSettings
from edge.core.errors import EXIT_NO, EXIT_OK, EXIT_UNAVAILABLE
from edge.core.images.image_file import Image
from edge.events import Stamps
from edge.flow import Frame, ItemKey
from edge.lanes.lanes import Lanes
from edge.receiving.codes.code_reader import CodeReader
from edge.receiving.scanner.decoder import ScannedText
from edge.receiving.station import Receiving
from edge.receiving.store import Deliveries
from edge.runtime.clock import SYSTEM_CLOCK
from tests.bundles import BGR, write_picture
from tests.edge.receiving.codes.test_ladder import drawn
from tests.edge.receiving.scanner.test_scanner_reader import typed
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

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


def test_a_picture_that_comes_after_the_end_is_answered_at_once() -> None:
    told: list[tuple[str, int]] = []
    reader = CodeReader(
        CodesSettings(),
        publish=lambda event: None,
        done=lambda look, codes: told.append((look.key.id, len(codes))),
        stamps=Stamps("door", SYSTEM_CLOCK.wall),
        clock=SYSTEM_CLOCK,
    )
    picture = cv2.cvtColor(drawn("ean13"), cv2.COLOR_GRAY2BGR)
    reader.offer(ItemKey(1, 0.0, "first"), picture, None)
    reader.stop()
    reader.offer(ItemKey(2, 0.0, "second"), picture, None)
    assert told == [("first", 0), ("second", 0)]
    assert reader.dropped == 2


def test_a_picture_for_which_there_is_no_room_is_said_once_and_holds_nobody_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    reader = CodeReader(
        CodesSettings(),
        publish=lambda event: None,
        done=lambda look, codes: told.append(look.key.id),
        stamps=Stamps("door", SYSTEM_CLOCK.wall),
        clock=SYSTEM_CLOCK,
    )
    picture = np.zeros((8, 8, 3), np.uint8)
    for number in range(18):  # nobody looks at them
        reader.offer(ItemKey(number, 0.0, f"item {number}"), picture, None)
    assert told == ["item 16", "item 17"]
    assert reader.dropped == 2
    assert caplog.text.count("is not looked at: 16 wait already") == 1


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


RECEIVING = STATION.replace("default_lane", "  stopped: {}\ndefault_lane") + (
    "codes: {formats: [ean13]}\nreceiving: {mismatch_lane: stopped, wait_seconds: 60}\n"
)
"""A station that waits for codes; there is none on the first picture, which is red."""


def test_a_station_stops_the_wrong_thing_in_the_right_box(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first box is red, has no code and is right; the second is green, and its code says red;
    the third is blue, and its code says so."""
    photos = station.parent / "photos"
    for name, colour, code in (
        ("1.png", "green", GTIN),
        ("2.png", "blue", "5901234123457"),
    ):
        cv2.imwrite(str(photos / name), boxed(colour, code))
    station.write_text(RECEIVING + "photographs: {items: mismatch}\n")
    goods = station.parent / "goods.csv"
    goods.write_text(f"sku,gtin,label,expected\nR,{GTIN},red,2\nB,5901234123457,blue,1\n")
    assert main(["delivery", "import", str(station), str(goods), "--delivery", "D1"]) == EXIT_OK
    assert main(["delivery", "open", str(station), "D1"]) == EXIT_OK
    assert main(["run", str(station)]) == EXIT_OK
    with closing(sqlite3.connect(station.parent / "ledger.sqlite")) as ledger:
        rows = ledger.execute(
            "SELECT label, lane, reject, barcode, delivery_id FROM items ORDER BY item"
        ).fetchall()
    assert rows == [
        ("red", "warm", None, None, "D1"),
        ("green", "stopped", "contradicted", GTIN, "D1"),
        ("blue", "cold", None, "5901234123457", "D1"),
    ]
    (incident,) = events_of(station, "picture_contradicted")
    assert (incident["seen"], incident["expected"], incident["in_time"]) == ("green", "red", True)
    photographs = station.parent / "ledger-photographs"
    kept = [str(file.relative_to(photographs)) for file in photographs.rglob("*.jpg")]
    assert kept == [incident["photograph"]]
    capsys.readouterr()
    words = [str(station), "--delivery", "D1", "--json"]
    assert main(["delivery", "status", *words]) == EXIT_OK
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert [line["counted"] for line in lines] == [1, 1]
    assert main(["delivery", "scan", str(station), GTIN]) == EXIT_NO  # it is stopped still
    assert main(["delivery", "scan", str(station), GTIN, "--force"]) == EXIT_OK


def test_a_late_code_lights_the_lamp_and_takes_the_count_back(
    station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `wait_seconds: 0` each code is known after its item went to its lane."""
    photos = station.parent / "photos"
    cv2.imwrite(str(photos / "1.png"), boxed("green", GTIN))
    lamp = "stopped: {actuator: {kind: solenoid, pin: 24, hold_seconds: 0.1}}"
    station.write_text(
        RECEIVING.replace("stopped: {}", lamp).replace("wait_seconds: 60", "wait_seconds: 0")
        + "photographs: {items: mismatch}\n"
    )
    moved: list[str] = []
    actuate = Lanes.actuate

    def seen(lanes: Lanes, lane: str, *rest: Any, **more: Any) -> None:
        moved.append(lane)
        actuate(lanes, lane, *rest, **more)

    monkeypatch.setattr(Lanes, "actuate", seen)
    goods = station.parent / "goods.csv"
    goods.write_text(f"sku,gtin,label,expected\nR,{GTIN},red,2\n")
    assert main(["delivery", "import", str(station), str(goods), "--delivery", "D1"]) == EXIT_OK
    assert main(["delivery", "open", str(station), "D1"]) == EXIT_OK
    assert main(["run", str(station)]) == EXIT_OK
    (incident,) = events_of(station, "picture_contradicted")
    assert (incident["lane"], incident["in_time"]) == ("rest", False)
    assert "stopped" in moved
    with closing(sqlite3.connect(station.parent / "ledger.sqlite")) as ledger:
        (corrected,) = ledger.execute("SELECT field, old, new, who FROM corrections").fetchall()
        names = ledger.execute("SELECT photograph FROM items").fetchall()
    assert corrected == ("quantity", "1", "0", "station")
    assert names == [(None,)] * 3
    photographs = station.parent / "ledger-photographs"
    kept = [str(file.relative_to(photographs)) for file in photographs.rglob("*.jpg")]
    assert kept == [incident["photograph"]]


@pytest.mark.parametrize("codes", ["", "codes: {formats: [ean13]}\n"], ids=["table", "camera"])
def test_a_scan_before_it_has_the_wrong_thing_stopped_in_time(
    station: Path, codes: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The code of what is red is scanned before the green thing is put in."""
    (station.parent / "keys").write_bytes(b"")
    for picture in (station.parent / "photos").iterdir():
        picture.unlink()
    write_picture(station.parent / "photos" / "0.png", BGR["green"])
    text = RECEIVING.replace("codes: {formats: [ean13]}\n", codes)
    station.write_text(text + "scanner: {kind: pipe, path: keys}\n")
    goods = station.parent / "goods.csv"
    goods.write_text(f"sku,gtin,label,expected\nR,{GTIN},red,2\nB,5901234123457,blue,1\n")
    assert main(["delivery", "import", str(station), str(goods), "--delivery", "D1"]) == EXIT_OK
    assert main(["delivery", "open", str(station), "D1"]) == EXIT_OK
    expect = Receiving.expect

    def scan_first(self: Receiving, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        self._scanned(ScannedText(GTIN, 0.0))
        expect(self, key, frame, alone=alone)

    monkeypatch.setattr(Receiving, "expect", scan_first)
    caplog.set_level(logging.INFO)
    assert main(["run", str(station)]) == EXIT_OK
    assert "scan a code, then put its piece in" in caplog.text
    with closing(sqlite3.connect(station.parent / "ledger.sqlite")) as ledger:
        (row,) = ledger.execute("SELECT label, lane, reject, barcode FROM items").fetchall()
    assert row == ("green", "stopped", "contradicted", GTIN)
    (incident,) = events_of(station, "picture_contradicted")
    assert (incident["seen"], incident["expected"], incident["in_time"]) == ("green", "red", True)


def boxed(colour: str, code: str) -> Image:
    """A large box with a printed code in its corner."""
    box = np.empty((480, 640, 3), np.uint8)
    box[:] = BGR[colour]
    bars = np.array(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.EAN13).to_image(scale=2))
    bars = np.pad(bars, 20, constant_values=255)[:90]
    box[380 : 380 + bars.shape[0], 20 : 20 + bars.shape[1]] = bars[:, :, None]
    return box


def test_what_a_hand_scanner_sends_is_an_event(station: Path) -> None:
    (station.parent / "keys").write_bytes(typed(f"{GTIN}\r\n{GTIN}\r\nSKU-7\r"))
    station.write_text(STATION + "scanner: {kind: pipe, path: keys}\n")
    assert main(["run", str(station)]) == EXIT_OK
    assert [event["text"] for event in events_of(station, "code_scanned")] == [GTIN, "SKU-7"]


def test_what_a_hand_scanner_sends_is_counted_on_the_open_delivery(station: Path) -> None:
    (station.parent / "keys").write_bytes(typed(f"{GTIN}\rSKU-7\r"))
    station.write_text(STATION + "scanner: {kind: pipe, path: keys}\nreceiving: {count_by: code}\n")
    goods = ["--delivery", "D1", "--line", "SKU-7=3"]
    assert main(["delivery", "import", str(station), *goods]) == EXIT_OK
    assert main(["delivery", "open", str(station), "D1"]) == EXIT_OK
    assert main(["run", str(station)]) == EXIT_OK
    assert [event["delivery_id"] for event in events_of(station, "code_scanned")] == ["D1", "D1"]
    with Deliveries(station.parent / "ledger-deliveries.sqlite") as deliveries:
        state = deliveries.state("D1")
    assert state is not None
    assert (state.count(1).counted, [aside.code for aside in state.asides]) == (1, [GTIN])
