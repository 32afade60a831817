"""Pictures that a person labels are kept as `capture` keeps them, and nobody waits for a disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.core.dataset.photo_folder import Geometry, PhotoFolder, read_geometry
from edge.core.errors import StorageError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import Box
from edge.flow import PictureFault, PictureFaultKind
from edge.simulation.virtual_clock import VirtualClock
from edge.teaching.labelled_pictures import IDLE_SECONDS, LabelledPictures
from edge.vision.region import Region
from tests.edge.teaching.views import REGION, View, passes, virtual

ITEM = Geometry(crop="item", padding=0.0)
REGIONS = Geometry(crop="region")


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    with virtual() as found:
        yield found


class Lesson:
    """A person who teaches a station."""

    def __init__(
        self, folder: Path, clock: VirtualClock, *, geometry: Geometry = REGIONS,
        region: Region | None = REGION,
    ) -> None:  # fmt: skip
        self.folder, self.clock, self.view = folder, clock, View(clock)
        self.geometry = geometry
        self.pictures = LabelledPictures(
            self.view, region=region, geometry=lambda: self.geometry, folder=folder,
            station="bin-1", clock=clock,
        )  # fmt: skip

    def take(self, label: str, *boxes: Box | None, **frame: Any) -> dict[str, Any]:
        """What came of it, after a frame that follows the order."""
        order = self.pictures.take(label, "ana")["order"]
        passes(self.clock, 0.01)
        self.view.show(*boxes, **frame)
        passes(self.clock, 0.1)
        return self.outcome(order)

    def outcome(self, order: int) -> dict[str, Any]:
        """What came of one order, and what is there."""
        facts = self.pictures.facts("ana")
        found = next(one for one in facts["outcomes"] if one["order"] == order)
        return {**facts, **found}

    def files(self) -> list[str]:
        return sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*.jpg"))


@pytest.fixture
def lesson(tmp_path: Path, clock: VirtualClock) -> Iterator[Lesson]:
    found = Lesson(tmp_path / "taught", clock)
    with found.pictures:
        yield found


def test_the_next_picture_is_kept_under_its_label(lesson: Lesson) -> None:
    found = lesson.take("can")
    assert found["failure"] == ""
    assert found["counts"] == {"can": 1}
    assert lesson.take("bottle")["counts"] == {"can": 1, "bottle": 1}
    assert [file.partition("/")[0] for file in lesson.files()] == ["bottle", "can"]
    image = read_image(lesson.folder / lesson.files()[0])
    assert image.shape == (48, 64, 3), "not the region"
    assert read_geometry(lesson.folder) == REGIONS


def test_only_a_picture_that_is_newer_than_the_order_is_taken(lesson: Lesson) -> None:
    lesson.view.show()
    order = lesson.pictures.take("can", "ana")["order"]
    passes(lesson.clock, 3.0)
    assert lesson.outcome(order)["failure"] == "no_picture"
    assert lesson.files() == []


def test_counts_go_on_from_what_is_in_the_folder(lesson: Lesson) -> None:
    with PhotoFolder(lesson.folder, geometry=REGIONS, station="bin-1") as folder:
        folder.put("can", "20260101-000000-0007.jpg", b"\xff\xd8\xff")
    assert lesson.pictures.facts("ana")["counts"] is None
    passes(lesson.clock, 0.1)
    assert lesson.pictures.facts("ana")["counts"] == {"can": 1}
    lesson.take("can")
    assert lesson.files()[-1].endswith("-0008.jpg")


def test_the_last_one_is_deleted_and_the_one_before_it(lesson: Lesson) -> None:
    lesson.take("can")
    assert lesson.take("bottle")["can_discard"]
    for label, left in (("bottle", {"can": 1}), ("can", {})):
        order = lesson.pictures.discard("ana")["order"]
        passes(lesson.clock, 0.1)
        found = lesson.outcome(order)
        assert (found["label"], found["counts"]) == (label, left)
    assert lesson.files() == []
    order = lesson.pictures.discard("ana")["order"]
    passes(lesson.clock, 0.1)
    assert lesson.outcome(order)["failure"] == "nothing"


def test_nobody_deletes_what_somebody_else_took(lesson: Lesson) -> None:
    lesson.take("can")
    assert not lesson.pictures.facts("budi")["can_discard"]
    order = lesson.pictures.discard("budi")["order"]
    passes(lesson.clock, 0.1)
    assert lesson.outcome(order)["failure"] == "nothing"
    assert len(lesson.files()) == 1


def test_one_that_cannot_be_deleted_is_the_last_one_still(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson.take("can")
    lesson.take("bottle")
    with monkeypatch.context() as patched:
        patched.setattr(PhotoFolder, "remove", _refused)
        order = lesson.pictures.discard("ana")["order"]
        passes(lesson.clock, 0.1)
        assert lesson.outcome(order)["failure"] == "folder"
    order = lesson.pictures.discard("ana")["order"]
    passes(lesson.clock, 0.1)
    assert lesson.outcome(order)["label"] == "bottle"


def _refused(*words: object) -> None:
    raise StorageError("cannot remove it")


def test_of_two_at_once_each_is_told_what_came_of_its_own(lesson: Lesson) -> None:
    bad = lesson.pictures.take("a/b", "ana")["order"]
    first, second = (lesson.pictures.take(label, "budi")["order"] for label in ("can", "cup"))
    passes(lesson.clock, 0.01)
    lesson.view.show()
    passes(lesson.clock, 0.1)
    lesson.view.show()
    passes(lesson.clock, 0.1)
    assert lesson.outcome(bad)["failure"] == "label"
    assert [lesson.outcome(one)["label"] for one in (first, second)] == ["can", "cup"]
    assert len(lesson.files()) == 2


def test_one_frame_is_not_kept_twice(lesson: Lesson) -> None:
    orders = [lesson.pictures.take(label, "ana")["order"] for label in ("can", "cup")]
    passes(lesson.clock, 0.01)
    lesson.view.show()
    passes(lesson.clock, 3.0)
    assert [lesson.outcome(order)["failure"] for order in orders] == ["", "no_picture"]


def test_what_nobody_foresaw_is_told_and_the_next_one_is_heard(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("edge.teaching.labelled_pictures.judge", lambda image: 1 / 0)
        assert lesson.take("can")["failure"] == "failed"
    assert lesson.take("can")["failure"] == ""


def test_a_disk_that_is_nearly_full_is_left_to_the_ledger(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.teaching.labelled_pictures.room_left", lambda folder: 100.0)
    assert lesson.take("can")["failure"] == "full"
    assert lesson.files() == []


def test_an_item_is_cut_out_as_the_model_wants_it(tmp_path: Path, clock: VirtualClock) -> None:
    lesson = Lesson(tmp_path, clock, geometry=ITEM)
    with lesson.pictures:
        assert lesson.take("can", Box(10, 10, 20, 16))["failure"] == ""
        assert read_image(tmp_path / lesson.files()[0]).shape == (16, 20, 3)
        assert read_geometry(tmp_path) == ITEM


def test_a_model_that_wants_another_cut_fills_no_folder_of_the_one_before(lesson: Lesson) -> None:
    lesson.take("can")
    lesson.geometry = ITEM
    assert lesson.take("can", Box(10, 10, 20, 16))["failure"] == ""
    first, second = (read_image(lesson.folder / file) for file in lesson.files())
    assert first.shape == second.shape
    passes(lesson.clock, IDLE_SECONDS + 1)
    assert lesson.take("can", Box(10, 10, 20, 16))["failure"] == "other_cut"
    assert lesson.pictures.facts("ana")["crop"] == "item"


@pytest.mark.parametrize(
    ("boxes", "frame", "word"),
    [
        ((), {}, "nothing_seen"),
        ((Box(0, 0, 9, 9), Box(20, 20, 9, 9)), {}, "several"),
        ((Box(0, 0, 9, 9),), {"whole": False}, "cut_off"),
        ((), {"fault": PictureFault(PictureFaultKind.FROZEN, True, "is frozen")}, "fault"),
    ],
)
def test_a_picture_that_would_not_show_one_item_is_not_kept(
    tmp_path: Path, clock: VirtualClock, boxes: tuple[Box, ...], frame: dict[str, Any], word: str
) -> None:
    lesson = Lesson(tmp_path, clock, geometry=ITEM)
    with lesson.pictures:
        assert lesson.take("can", *boxes, **frame)["failure"] == word
        assert lesson.files() == []


def test_a_bad_label_and_a_bad_region_are_refused(tmp_path: Path, clock: VirtualClock) -> None:
    lesson = Lesson(tmp_path, clock, region=Region(left=100, top=0, width=100, height=100))
    with lesson.pictures:
        for label in ("../etc", "", "a/b", "__all__", "x" * 101):
            assert lesson.take(label)["failure"] == "label"
        assert lesson.take("can")["failure"] == "region"
        assert lesson.files() == []


def test_a_picture_that_is_dark_is_kept_and_said_to_be(lesson: Lesson) -> None:
    order = lesson.pictures.take("can", "ana")["order"]
    passes(lesson.clock, 0.01)
    lesson.view.show()
    assert lesson.view.seen is not None
    lesson.view.seen.frame.image[:] = 5
    passes(lesson.clock, 0.1)
    found = lesson.outcome(order)
    assert found["counts"] == {"can": 1}
    assert "too dark" in found["faults"]


def test_pictures_with_another_cut_are_not_mixed_with_these(
    tmp_path: Path, clock: VirtualClock
) -> None:
    with PhotoFolder(tmp_path, geometry=ITEM, station="bin-1") as folder:
        folder.put("can", "20260101-000000-0001.jpg", b"\xff\xd8\xff")
    lesson = Lesson(tmp_path, clock)
    with lesson.pictures:
        assert lesson.take("can")["failure"] == "other_cut"
        assert len(lesson.files()) == 1


def test_a_folder_that_cannot_be_made_is_said_and_tried_again(
    tmp_path: Path, clock: VirtualClock
) -> None:
    (tmp_path / "taught").write_text("a file")
    lesson = Lesson(tmp_path / "taught", clock)
    with lesson.pictures:
        found = lesson.take("can")
        assert found["failure"] == "folder"
        assert "taught" in found["said"]
        assert found["unusable"] == found["said"]
        assert found["counts"] is None
        (tmp_path / "taught").unlink()
        found = lesson.take("can")
        assert (found["counts"], found["unusable"]) == ({"can": 1}, "")


def test_a_disk_that_hangs_holds_nobody_up(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(PhotoFolder, "add", lambda *a, **k: hangs.wait(60))
    with lesson.pictures:
        lesson.pictures.take("can", "ana")
        lesson.view.show()
        for _ in range(20):
            answer = lesson.pictures.take("can", "ana")
        assert answer == {"order": 0}, "orders pile up without end"
        assert lesson.pictures.facts("ana")["outcomes"] == []
        hangs.set()


def test_the_folder_is_let_go_of_when_nobody_teaches_any_more(lesson: Lesson) -> None:
    lesson.take("can")
    passes(lesson.clock, IDLE_SECONDS + 1)
    assert not [one for one in threading.enumerate() if one.name == "teaching"]
    with PhotoFolder(lesson.folder, geometry=REGIONS, station="bin-1") as folder:
        assert folder.counts == {"can": 1}
    assert lesson.take("can")["counts"] == {"can": 2}
