"""Photographs of sorted items are kept as the station file says, and sorting never waits."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.cli import main
from edge.config.photographs import PhotographSettings
from edge.core.errors import EXIT_CONFIG, EXIT_IO, EXIT_OK, StorageError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.uuid7 import uuid7_text
from edge.core.verdict import RejectReason, Verdict
from edge.flow import Frame, ItemInFrame, ItemKey, PictureFault, PictureFaultKind
from edge.runtime.child_process import ChildEndedError, ChildProcess
from edge.runtime.clock import SYSTEM_CLOCK
from edge.samples import photographs as module
from edge.samples.folder_lock import FolderLock
from edge.samples.photographs import Photographs, chance_of
from tests.edge.stations import STATION, make_station
from tests.logged import listen

pytestmark = pytest.mark.usefixtures("ledger_within")

REGION = InputSpec()
ACCEPTED = Verdict("can", 0.9, {"can": 0.9}, "tiny 1", "0" * 64)
REJECTED = Verdict("can", 0.4, {"can": 0.4}, "tiny 1", "0" * 64, RejectReason.LOW_CONFIDENCE)

CONTRADICTED = replace(REJECTED, confidence=0.9, reject=RejectReason.CONTRADICTED)


class Written:
    """In place of the process that writes: takes photographs, or fails, or hangs."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.error: Exception | None = None
        self.asked = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.let_go.set()

    def ask(self, addition: Any) -> None:
        self.let_go.wait(60)
        if not addition.content:
            return
        self.asked.release()
        if self.error is not None:
            raise self.error
        self.items.append(addition.item_id)

    def close(self) -> None:
        pass


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    written = Written()
    monkeypatch.setattr(module, "ChildProcess", lambda *words: written)
    return written


@pytest.fixture
def said() -> list[str]:
    said: list[str] = []
    listen(said.append)
    return said


def key(item: int) -> ItemKey:
    return ItemKey(item, 0.0, uuid7_text(1_795_953_600_000, 0, item))


def photographs(folder: Path, *, spec: InputSpec = REGION, **settings: Any) -> Photographs:
    return Photographs(
        PhotographSettings(**settings), folder, spec=lambda: spec, clock=SYSTEM_CLOCK
    )


def sharpest(box: Box | None = None, *, fault: PictureFault | None = None) -> ItemInFrame:
    image = np.full((120, 160, 3), 90, np.uint8)
    image[40:80, 60:120] = (200, 30, 60)
    return ItemInFrame(Frame(image, 0.0, 1, fault=fault), box)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, [1, 2]),
        ({"items": "all"}, [0, 1, 2]),
        ({"items": "mismatch"}, [2]),
        ({"items": "none", "share": 1.0}, [0, 1, 2]),
        ({"items": "rejected", "share": 1.0}, [0, 1, 2]),
        ({"items": "rejected", "share": 1e-9}, [1, 2]),
    ],
)
def test_those_items_are_photographed_that_the_station_file_asks_for(
    tmp_path: Path, written: Written, settings: dict[str, Any], wanted: list[int]
) -> None:
    kept = photographs(tmp_path, **settings)
    verdicts = (ACCEPTED, REJECTED, CONTRADICTED)
    names = [kept.keep(verdicts[number], sharpest(), key(number)) for number in range(3)]
    kept.close(seconds=60)
    assert [number for number, name in enumerate(names) if name is not None] == wanted
    assert written.items == [key(number).id for number in wanted]
    assert [name for name in names if name] == [
        f"2026-11-29/{key(number).id}.jpg" for number in wanted
    ]


def test_a_share_is_chosen_by_chance_and_always_the_same_items() -> None:
    chosen = [number for number in range(2000) if chance_of(key(number).id) < 0.1]
    assert chosen == [number for number in range(2000) if chance_of(key(number).id) < 0.1]
    assert 150 < len(chosen) < 250  # four standard deviations


def test_an_item_of_which_the_camera_gave_no_good_picture_has_no_photograph(
    tmp_path: Path, written: Written
) -> None:
    kept = photographs(tmp_path)
    fault = PictureFault(PictureFaultKind.FROZEN, lasting=True)
    assert kept.keep(REJECTED, sharpest(fault=fault), key(1)) is None
    kept.close(seconds=60)
    assert written.items == []


def test_where_the_writer_hangs_pictures_that_find_no_room_are_left_out_and_counted(
    tmp_path: Path, written: Written, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sharpest().frame.image.nbytes
    monkeypatch.setattr(module, "_WAITING_BYTES", 3 * one)
    written.let_go.clear()
    kept = photographs(tmp_path)
    names = [kept.keep(REJECTED, sharpest(), key(number)) for number in range(5)]
    assert [name is not None for name in names] == [True, True, True, False, False]
    kept.close(seconds=0.01)
    kept.close()
    assert said[0].startswith("warning    no photograph of item 3 is kept: 3 wait already")
    assert said[1:] == [
        f"photographs of 0 items are in {tmp_path}; of 2 more THERE IS NONE: too little time; 3 "
        "COULD NOT BE WRITTEN"
    ]
    written.let_go.set()
    kept._thread.join(60)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageError("the disk is full"), "the disk is full"),
        (ChildEndedError("ended (SIGBUS)"), "their process ended (SIGBUS)"),
    ],
)
def test_what_keeps_them_from_being_written_is_said_once_and_each_next_one_is_tried(
    tmp_path: Path, written: Written, said: list[str], error: Exception, words: str
) -> None:
    kept = photographs(tmp_path)
    written.error = error
    for number in range(3):
        assert kept.keep(REJECTED, sharpest(), key(number)) is not None
        assert written.asked.acquire(timeout=60)
    written.error = None
    kept.keep(REJECTED, sharpest(), key(3))
    kept.close(seconds=60)
    assert written.items == [key(3).id]
    assert said == [
        f"incident   photographs cannot be kept: {words}. Sorting goes on, and each next one is "
        "tried",
        "photographs can be kept again",
        f"photographs of 1 items are in {tmp_path}; 3 COULD NOT BE WRITTEN",
    ]


def undecided(folder: Path, **settings: Any) -> Photographs:
    """Photographs of a station that may find out later what an item is."""
    return Photographs(
        PhotographSettings(**settings),
        folder,
        spec=lambda: REGION,
        clock=SYSTEM_CLOCK,
        is_undecided=lambda: True,
    )


def wait_until(kept: Photographs, count: int) -> None:
    """Waits until so many pictures are kept in mind."""
    while len(kept._undecided) != count:
        assert kept._thread.is_alive()


@pytest.mark.parametrize("items", ["mismatch", "rejected"])
def test_the_photograph_of_an_item_that_turns_out_to_be_another_thing_is_kept_after_all(
    tmp_path: Path, written: Written, items: str
) -> None:
    kept = undecided(tmp_path, items=items)
    for number in range(3):
        assert kept.keep(ACCEPTED, sharpest(), key(number)) is None
    wait_until(kept, 3)
    name = f"2026-11-29/{key(1).id}.jpg"
    for _ in range(2):  # what was answered could not be written at first
        assert kept.keep_after_all(key(1).id) == name
    assert kept.keep_after_all(key(9).id) is None
    kept.close(seconds=60)
    assert written.items == [key(1).id]
    assert kept.keep_after_all(key(2).id) is None  # nobody would write it
    assert (kept.kept, kept.failed) == (1, 0)


def test_one_that_is_not_encoded_yet_when_it_is_wanted_is_kept_too(
    tmp_path: Path, written: Written
) -> None:
    kept = undecided(tmp_path, items="mismatch")
    written.let_go.clear()
    kept.keep(CONTRADICTED, sharpest(), key(1))
    kept.keep(ACCEPTED, sharpest(), key(2))
    assert kept.keep_after_all(key(2).id) == f"2026-11-29/{key(2).id}.jpg"
    written.let_go.set()
    kept.close(seconds=60)
    assert written.items == [key(1).id, key(2).id]


def test_of_pictures_in_mind_the_oldest_make_room(
    tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_UNDECIDED_BYTES", 1)
    kept = undecided(tmp_path, items="mismatch")
    kept.keep(ACCEPTED, sharpest(), key(1))
    kept.keep(CONTRADICTED, sharpest(), key(2))
    assert written.asked.acquire(timeout=60)
    assert kept.keep_after_all(key(1).id) is None
    kept.close(seconds=60)
    assert written.items == [key(2).id]


@pytest.mark.parametrize("items", ["none", "mismatch"])
def test_what_can_never_be_wanted_is_not_kept_in_mind(
    tmp_path: Path, written: Written, items: str
) -> None:
    kept = undecided(tmp_path, items=items, share=0.001)
    kept._is_undecided = lambda: items == "none"
    kept.keep(ACCEPTED, sharpest(), key(1))
    assert kept.keep_after_all(key(1).id) is None
    kept.close(seconds=60)
    assert written.items == []


def test_pictures_that_may_never_be_wanted_leave_room_for_those_that_are(
    tmp_path: Path, written: Written
) -> None:
    kept = undecided(tmp_path, items="mismatch")
    written.let_go.clear()
    for number in range(40):
        kept.keep(ACCEPTED, sharpest(), key(number))
    assert kept.keep(CONTRADICTED, sharpest(), key(40)) is not None
    assert kept.dropped == 0
    written.let_go.set()
    kept.close(seconds=60)


@pytest.mark.parametrize(
    ("padding", "size"), [(None, (120, 160)), (0.0, (40, 60)), (0.1, (52, 72))]
)
def test_a_photograph_shows_what_the_model_was_shown(
    tmp_path: Path, padding: float | None, size: tuple[int, int]
) -> None:
    spec = REGION if padding is None else InputSpec(crop="item", padding=padding)
    kept = photographs(tmp_path / "photos", spec=spec)
    box = Box(left=60, top=40, width=60, height=40)
    name = kept.keep(REJECTED, sharpest(box), key(1))
    assert isinstance(kept._writer, ChildProcess)
    kept.close(seconds=60)
    assert name is not None
    image = read_image(tmp_path / "photos" / name)
    assert image.shape[:2] == size
    middle = image[size[0] // 2, size[1] // 2 + (10 if padding is None else 0)]
    assert np.abs(middle.astype(int) - (200, 30, 60)).max() < 12


def test_a_photograph_shows_what_the_model_of_now_is_shown(tmp_path: Path) -> None:
    specs = iter([REGION, InputSpec(crop="item", padding=0.0)])
    kept = Photographs(
        PhotographSettings(items="all"), tmp_path, spec=lambda: next(specs), clock=SYSTEM_CLOCK
    )
    names = [kept.keep(REJECTED, sharpest(Box(60, 40, 60, 40)), key(item)) for item in (1, 2)]
    kept.close(seconds=60)
    sizes = [read_image(tmp_path / str(name)).shape[:2] for name in names]
    assert sizes == [(120, 160), (40, 60)]


def rows(station: Path) -> list[tuple[bool, str | None]]:
    with closing(sqlite3.connect(station.parent / "ledger.sqlite")) as ledger:
        return ledger.execute("SELECT accepted, photograph FROM items ORDER BY id").fetchall()


def test_the_row_of_an_item_names_its_photograph_and_an_export_says_when_it_is_gone(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(
        tmp_path, text=STATION + "photographs: {items: all}\n", bundle=tiny_bundle
    )
    assert main(["run", str(station)]) == EXIT_OK
    names = [name for _, name in rows(station)]
    folder = tmp_path / "ledger-photographs"
    assert sorted(filter(None, names)) == sorted(
        str(file.relative_to(folder)) for file in folder.rglob("*.jpg")
    )
    assert len(names) == 3
    (folder / str(names[1])).unlink()
    capsys.readouterr()
    for named in (station, tmp_path / "ledger.sqlite"):
        assert main(["ledger", "export", str(named), "--format", "csv"]) == EXIT_OK
        head, *lines = capsys.readouterr().out.splitlines()
        place = head.split(",").index("photograph_gone")
        assert [line.split(",")[place] for line in lines] == ["false", "true", "false"]


def test_the_report_of_a_delivery_shows_photographs_and_says_which_is_gone(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "clerk")
    text = STATION + "receiving: {}\nphotographs: {items: all, path: pictures}\n"
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    goods, report = tmp_path / "goods.csv", tmp_path / "report.html"
    goods.write_text("delivery,sku,label,expected\nD1,R,red,5\n")
    for step, word in (("import", str(goods)), ("open", "D1")):
        assert main(["delivery", step, str(station), word]) == EXIT_OK
    assert main(["run", str(station)]) == EXIT_OK
    delivery = ["delivery", "report", str(station), "--delivery", "D1", "--out", str(report)]
    assert main(delivery) == EXIT_OK
    assert report.read_text("utf-8").count("data:image/jpeg;base64,") == 2  # blue and green
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        ((name,),) = ledger.execute("SELECT photograph FROM items WHERE label = 'blue'")
    (tmp_path / "pictures" / name).unlink()
    assert main(delivery) == EXIT_OK
    page = report.read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 1
    assert f"The photograph no longer exists: {name}" in page


def test_without_the_section_no_photograph_is_kept(tmp_path: Path, tiny_bundle: Path) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    assert main(["run", str(station)]) == EXIT_OK
    assert [name for _, name in rows(station)] == [None] * 3
    assert not (tmp_path / "ledger-photographs").exists()


def test_a_second_station_with_the_same_folder_is_refused(
    tmp_path: Path, tiny_bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = STATION + "photographs: {path: kept}\n"
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    (tmp_path / "kept").mkdir()
    with FolderLock(tmp_path / "kept") as other:
        other.hold()
        assert main(["run", str(station)]) == EXIT_IO
    assert "give this station a folder of its own, `photographs: {path: ...}`" in caplog.text
    assert main(["run", str(station)]) == EXIT_OK


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("{items: none}", "no photograph would be kept: give `share`"),
        ("{items: some}", "photographs.items"),
        ("{share: 2}", "photographs.share"),
        ("{megabytes: 0}", "photographs.megabytes"),
        ("{days: 0}", "photographs.days"),
        ("{path: station.yaml}", "is no folder: give the name of one"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(
    tmp_path: Path, tiny_bundle: Path, section: str, words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    station = make_station(tmp_path, text=STATION + f"photographs: {section}\n", bundle=tiny_bundle)
    assert main(["check", str(station)]) == EXIT_CONFIG
    assert words in capsys.readouterr().err
