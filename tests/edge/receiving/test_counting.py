"""A station counts what it sorts on the delivery that is open."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.config.receiving import ReceivingSettings
from edge.core.errors import DeliveryFileError
from edge.events import (
    CameraLost,
    CodeRead,
    CodeScanned,
    Event,
    ItemCorrected,
    ItemSorted,
    PictureContradicted,
    Stamps,
)
from edge.flow import NO_CODE, CodeFound, ItemKey
from edge.ledger.ledger import Ledger
from edge.receiving import counting as counting_module
from edge.receiving.answering import PieceAnswers
from edge.receiving.code import read_code
from edge.receiving.counting import Counting
from edge.receiving.desk import Desk
from edge.receiving.pieces.answers import Cause, HandScan, PieceRules, SeenItem
from edge.receiving.state import DeliveryState
from edge.receiving.store import Deliveries
from edge.runtime.clock import SYSTEM_CLOCK
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE, SOCK, UNKNOWN, goods
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

STAMPS = Stamps("door", SYSTEM_CLOCK.wall)


def item(number: int, label: str = "adidas", **values: object) -> ItemSorted:
    """An item that the station sorted now."""
    known: dict[str, object] = {
        "item": number, "source": "", "label": label, "confidence": 0.9, "scores": None,
        "accepted": True, "reject": None, "lane": "counted", "bundle": "b", "bundle_digest": "d",
        "latency_ms": 1.0, "frames": 3,
    }  # fmt: skip
    id_, time, station = STAMPS.now()
    stamp = {"id": id_, "time": time, "station": station}
    return ItemSorted(**{**stamp, **known, **values})  # type: ignore[arg-type]


def code_on(seen: ItemSorted, text: str) -> CodeRead:
    """A code that was read on an item."""
    return CodeRead(
        *STAMPS.now(), item=seen.item, item_id=seen.id, text=text, format="ean13",
        gtin=text.zfill(14), sscc=None, lot=None, expiry=None, serial=None, rung="plain",
        milliseconds=1.0,
    )  # fmt: skip


def counting_at(folder: Path, *, by: str = "label") -> Counting:
    """What counts at the station whose files are in `folder`."""
    settings = ReceivingSettings.model_validate({"count_by": by})
    return Counting(settings, folder / "ledger.sqlite", stamps=STAMPS, clock=SYSTEM_CLOCK)


@pytest.fixture(autouse=True)
def _there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no reason to leave items to the next start."""
    monkeypatch.setattr(counting_module, "_FINISH_SECONDS", 60.0)


@pytest.fixture
def door(tmp_path: Path) -> Path:
    """A folder in which the delivery D1 was opened at the station's own file."""
    with at(tmp_path) as desk_file:
        desk = Desk(desk_file, STAMPS, "clerk")
        desk.import_goods([goods()], "goods.csv")
        desk.open("D1")
    return tmp_path


def at(folder: Path) -> Deliveries:
    return Deliveries(folder / "ledger-deliveries.sqlite")


def state_at(folder: Path) -> DeliveryState:
    with at(folder) as deliveries:
        state = deliveries.state("D1")
    assert state is not None
    return state


def pass_by(folder: Path, items: Sequence[Event], *, by: str = "label") -> list[Event]:
    """The rows of `items`, once a station has sorted and counted them."""
    counting = counting_at(folder, by=by)
    counting.start()
    rows = [counting.stamped(event) for event in items]
    for row in rows:
        counting.count(row)
    counting.close()
    counting.close()
    return rows


def test_an_accepted_item_is_a_piece_and_any_other_is_put_aside(door: Path) -> None:
    rows = pass_by(
        door,
        [
            item(1),
            item(2, quantity=2),
            item(3, "sock"),
            item(4, "glove"),
            item(5, accepted=False, reject="unknown"),
            CameraLost(*STAMPS.now(), camera="cam"),
        ],
    )
    assert [getattr(row, "delivery_id", None) for row in rows] == ["D1"] * 5 + [None]
    state = state_at(door)
    assert (state.count(1).counted, state.count(1).seen) == (3, 3)
    assert [aside.reason for aside in state.asides] == [
        "2 lines have the label sock: scan its code",
        "no line has the label glove",
        "the station rejected it (unknown)",
    ]


def test_an_item_is_counted_once_however_often_it_is_told(door: Path) -> None:
    seen = item(1)
    for _ in range(2):
        pass_by(door, [seen, seen])
    assert state_at(door).count(1).counted == 1


def test_counting_by_code_leaves_the_count_to_scans(door: Path) -> None:
    (row,) = pass_by(door, [item(1)], by="code")
    assert getattr(row, "delivery_id", None) == "D1"
    assert state_at(door).count(1).counted == 0


def test_items_without_an_open_delivery_are_only_sorted(tmp_path: Path) -> None:
    assert getattr(pass_by(tmp_path, [item(1)])[0], "delivery_id", "none") is None


def test_what_is_in_the_ledger_alone_is_counted_at_the_next_start(door: Path) -> None:
    """As after a kill between the two files."""
    rows = [item(1, delivery_id="D1"), item(2, delivery_id="D2"), item(3)]
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append(rows)
    pass_by(door, [])
    pass_by(door, [])
    assert state_at(door).count(1).counted == 1


def test_codes_and_scans_that_are_in_the_ledger_alone_count_too(door: Path) -> None:
    seen = item(1, "nike", delivery_id="D1", scores={"adidas": 0.1, "nike": 0.9})
    scan = CodeScanned(*STAMPS.now(), text="S1", delivery_id="D1")
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append([seen, code_on(seen, SHOE), scan])
    for _ in range(2):
        pass_by(door, [])
    state = state_at(door)
    assert [one.item_id for one in state.disagreements] == [seen.id]
    assert state.count(4).serials == {"S1"}


def test_an_item_counts_after_its_picture_was_looked_at_for_codes(door: Path) -> None:
    told: list[Event] = []
    alarms: list[int] = []
    counting = counting_at(door)
    counting.start(told.append, lambda: alarms.append(1))
    late = counting.stamped(item(1, "nike", scores={"adidas": 0.1, "nike": 0.9}))
    assert isinstance(late, ItemSorted)
    counting.expect(late.id)
    counting.count(late)
    counting.scanned(CodeScanned(*STAMPS.now(), text="S2", delivery_id="D1"))
    found = counting.codes_read(late.id, [code_on(late, SHOE)])
    assert found == CodeFound(SHOE, None, "adidas")
    counting.close()
    state = state_at(door)
    assert (len(state.disagreements), state.count(1).counted) == (1, 0)
    assert state.count(4).serials == {"S2"}
    assert [type(event) for event in told] == [ItemCorrected, PictureContradicted]
    assert alarms == [1]


def test_a_scan_before_it_says_what_an_item_is_before_it_goes_to_its_lane(door: Path) -> None:
    told: list[Event] = []
    counting = counting_at(door)
    counting.start(told.append)
    assert not counting.scan_waits
    counting.scanned(CodeScanned(*STAMPS.now(), text=SHOE, delivery_id="D1"))
    assert counting.scan_waits
    seen = item(1, "nike", accepted=False, reject="contradicted", delivery_id="D1")
    counting.saw(ItemKey(1, SYSTEM_CLOCK.wall(), seen.id), alone=True)
    assert counting.scanned_for(seen.id) == CodeFound(SHOE, None, "adidas")
    assert counting.scanned_for(seen.id) == NO_CODE
    counting.count(seen)
    counting.close()
    state = state_at(door)
    assert (len(state.disagreements), state.count(1).counted) == (1, 0)
    (incident,) = told
    assert isinstance(incident, PictureContradicted)
    assert incident.in_time


def test_where_no_code_was_read_an_item_counts_by_its_label(door: Path) -> None:
    counting = counting_at(door)
    counting.start()
    seen = counting.stamped(item(1))
    assert isinstance(seen, ItemSorted)
    counting.expect(seen.id)
    assert counting.codes_read(seen.id, []) == NO_CODE
    counting.count(seen)
    counting.close()
    assert state_at(door).count(1).counted == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SHOE, CodeFound(SHOE, None, "adidas")),
        (PACK_OF_SHOES, CodeFound(PACK_OF_SHOES, 6, "adidas")),
        (SOCK, CodeFound(SOCK)),  # of two lines
        (UNKNOWN, CodeFound(UNKNOWN)),
    ],
)
def test_a_code_says_what_an_item_is_before_it_goes_to_its_lane(
    door: Path, text: str, found: CodeFound
) -> None:
    counting = counting_at(door)
    counting.start()
    seen = item(1)
    counting.expect(seen.id)
    assert counting.codes_read(seen.id, [code_on(seen, text)]) == found
    counting.close()


def test_an_item_that_comes_after_the_close_is_said_and_not_counted(
    door: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = item(7, delivery_id="D1")
    with at(door) as deliveries:
        Desk(deliveries, STAMPS, "clerk").close(None, as_counted=True, back_order=False)
    before = state_at(door)
    pass_by(door, [late])
    counting = counting_at(door)
    counting.start()
    counting.count(late)
    counting.close()
    assert state_at(door) == before


def test_a_station_sorts_on_while_the_file_cannot_be_written(
    door: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = counting_at(door)
    counting.start()
    with monkeypatch.context() as broken:

        def full(*_: object) -> None:
            raise DeliveryFileError("cannot write: the disk is full")

        broken.setattr(Deliveries, "append", full)
        counting.count(counting.stamped(item(1)))
        counting.close()
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append([item(2, delivery_id="D1")])
    pass_by(door, [])
    assert state_at(door).count(1).counted == 1  # the one whose row is in the ledger


def test_rows_that_come_to_the_ledger_late_are_counted_then(door: Path) -> None:
    behind = [True]
    counting = counting_at(door)
    counting.start(behind=lambda: behind[0])
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append([item(1, delivery_id="D1")])
    behind[0] = False
    counting.close()
    assert state_at(door).count(1).counted == 1


def test_a_ledger_that_cannot_be_read_is_read_later(
    door: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = door / "ledger.sqlite"
    file.write_text("no ledger " * 200, "utf-8")
    counting = counting_at(door)
    counting.start()
    assert "items of D1 in the ledger cannot be read" in caplog.text
    with Ledger(door / "whole.sqlite") as ledger:
        ledger.append([item(1, delivery_id="D1")])
    (door / "whole.sqlite").replace(file)
    counting.close()
    assert state_at(door).count(1).counted == 1


def test_a_delivery_that_is_opened_again_is_caught_up_with(door: Path) -> None:
    with at(door) as deliveries:
        desk = Desk(deliveries, STAMPS, "clerk")
        desk.import_goods([replace(goods(), delivery="D2")], "goods.csv")
        desk.open("D2")
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append([item(1, delivery_id="D1")])
    counting = counting_at(door)
    counting.start()
    assert state_at(door).count(1).counted == 0
    with at(door) as deliveries:
        Desk(deliveries, STAMPS, "clerk").open("D1")
    counting.close()
    assert state_at(door).count(1).counted == 1


@pytest.mark.parametrize(("by", "left"), [("label", "2"), ("code", "1")])
def test_what_a_closed_delivery_has_in_the_ledger_alone_is_said(
    door: Path, caplog: pytest.LogCaptureFixture, by: str, left: str
) -> None:
    scan = CodeScanned(*STAMPS.now(), text="S1", delivery_id="D1")
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append([item(1, delivery_id="D1"), scan])
    with at(door) as deliveries:
        Desk(deliveries, STAMPS, "clerk").close(None, as_counted=True, back_order=False)
    pass_by(door, [], by=by)
    assert f"{left} items of the delivery D1, which is closed" in caplog.text


def test_items_for_which_there_is_no_room_are_counted_from_the_ledger(
    door: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counting_module, "_CAPACITY", 2)
    counting = counting_at(door)
    counting.start()
    rows = [item(number, delivery_id="D1") for number in range(4)]
    for row in rows:
        counting.expect(row.id)
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append(rows)
    for row in rows:
        counting.count(row)
    counting.close()
    assert state_at(door).count(1).counted == 4
    assert caplog.text.count("more than 2 items wait") == 1


def test_what_the_ledger_has_is_counted_in_several_transactions(
    door: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the verbs of people would wait for all of it."""
    monkeypatch.setattr(counting_module, "_BATCH", 2)
    sizes: list[int] = []
    write = PieceAnswers.write

    def noted(self: PieceAnswers, file: Deliveries, causes: Sequence[Cause]) -> int:
        sizes.append(len(causes))
        return write(self, file, causes)

    monkeypatch.setattr(PieceAnswers, "write", noted)
    with Ledger(door / "ledger.sqlite") as ledger:
        ledger.append([item(number, delivery_id="D1") for number in range(5)])
    pass_by(door, [])
    assert state_at(door).count(1).counted == 5
    assert max(sizes) == 2


def test_while_the_ledger_is_looked_through_what_came_of_late_is_not_forgotten(door: Path) -> None:
    """A scan that counts already, and whose item comes after an old one was found in the ledger."""
    old = item(1, delivery_id="D1", time="2026-01-01T00:00:00.000000Z")
    answers = PieceAnswers(PieceRules(by_label=True, pair_seconds=2.0), STAMPS)
    id_, time, _ = STAMPS.now()
    with at(door) as deliveries:
        assert answers.write(deliveries, [HandScan(id_, time, "D1", read_code(SHOE))]) == 1
        with answers.looking_back():
            answers.write(deliveries, [SeenItem(old)])
        answers.write(deliveries, [SeenItem(item(3, delivery_id="D1", time=time))])
    assert state_at(door).count(1).counted == 2


def test_a_file_that_was_moved_away_is_made_anew(
    door: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting_module, "_RETRY_SECONDS", 0.0)
    file, failed = door / "ledger-deliveries.sqlite", threading.Event()
    counting = counting_at(door)
    counting.start()
    whole = Deliveries.append

    def damaged(*_: object) -> None:
        file.rename(door / "damaged.sqlite")
        monkeypatch.setattr(Deliveries, "append", whole)
        failed.set()
        raise DeliveryFileError("the file is damaged: move it away")

    monkeypatch.setattr(Deliveries, "append", damaged)
    counting.scanned(CodeScanned(*STAMPS.now(), text="S1", delivery_id="D1"))
    assert failed.wait(60)
    counting.close()
    assert file.exists()


def test_a_thread_that_fails_ends_the_station(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Counting) -> None:
        raise ZeroDivisionError("a fault of counting")

    monkeypatch.setattr(Counting, "_run", fails)
    file = make_station(tmp_path, text=STATION + "receiving: {}\n")
    with pytest.raises(ZeroDivisionError, match="a fault of counting"):
        main(["run", str(file)])


def test_a_file_of_another_program_stops_no_station(tmp_path: Path) -> None:
    (tmp_path / "ledger-deliveries.sqlite").write_text("not a database " * 100, "utf-8")
    counting = counting_at(tmp_path)
    counting.start()
    seen = item(1)
    assert counting.stamped(seen) == seen
    counting.close()


def test_a_running_station_counts_what_passes(tmp_path: Path) -> None:
    file = make_station(tmp_path, text=STATION + "receiving: {}\n")
    words = [str(file), "--delivery", "D1", "--line", "R:red=1", "--line", "G:green=2"]
    assert main(["delivery", "import", *words]) == 0
    assert main(["delivery", "open", str(file), "D1"]) == 0
    assert main(["run", str(file)]) == 0
    state = state_at(tmp_path)
    assert [state.count(number).counted for number in (1, 2)] == [1, 1]
    assert [aside.reason for aside in state.asides] == ["no line has the label blue"]
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        rows = ledger.execute("SELECT uuid, delivery_id FROM items").fetchall()
    assert {delivery for _, delivery in rows} == {"D1"}
    with at(tmp_path) as deliveries:
        counted = {getattr(event, "item_id", None) for event in deliveries.events("D1")}
    assert {uuid for uuid, _ in rows} <= counted


def test_rows_that_are_missing_in_a_ledger_are_looked_for_again_if_it_could_not_be_read(
    door: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, calls, again = counting_at(door), [], threading.Event()

    def rows(file: Deliveries, told: object) -> list[Event]:
        calls.append(told)
        if len(calls) == 1:
            raise sqlite3.OperationalError("database is locked")
        again.set()
        return []

    monkeypatch.setattr(counting._missing, "find", rows)
    counting.start()
    assert again.wait(60)
    counting.close()
