"""A capture session takes the pictures that it is asked for, as the station sees them."""

from __future__ import annotations

import logging
import queue
import re
import signal
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.config.station import VisionConfig
from edge.core.dataset.photo_folder import Geometry, PhotoFolder
from edge.core.errors import CameraError, RegionError, StorageError
from edge.core.images.image_file import Image, read_image
from edge.core.images.preprocess import Box
from edge.core.terminal.live_line import LiveLine
from edge.flow import Frame, Observation
from edge.runtime.clock import Clock
from edge.runtime.worker import Endings
from edge.samples.capture import CaptureSchedule, CaptureSession, geometry_of
from edge.simulation.virtual_clock import VirtualClock
from edge.vision import trigger
from tests.clocks import ToldClock
from tests.edge.vision.drawn_trigger import BRIGHT, DrawnTrigger

HEIGHT, WIDTH, SIDE = 80, 200, 30
NONE = -1000


@pytest.fixture(autouse=True)
def _drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trigger.KINDS, "drawn", "tests.edge.vision.drawn_trigger")


def frame(left: int, *, level: int = 240, blurred: bool = False) -> Image:
    """A dark belt with a bright striped square on it, `left` pixels from the picture's left."""
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    columns = np.arange(max(0, left), min(WIDTH, left + SIDE))
    if len(columns):
        rows = np.arange(25, 25 + SIDE)
        stripes = np.where((rows[:, None] + columns[None] - left) % 6 < 3, level, BRIGHT + 10)
        image[25 : 25 + SIDE, columns] = stripes[:, :, None]
    return cv2.GaussianBlur(image, (0, 0), 4) if blurred else image  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


class Place:
    """A station whose camera shows drawn frames, and a folder to fill."""

    def __init__(self, root: Path, frames: Iterable[Image], **vision: object) -> None:
        self.root = root
        (root / "frames").mkdir()
        for number, image in enumerate(frames):
            cv2.imwrite(str(root / "frames" / f"{number}.png"), image)
        camera = {"kind": "folder", "path": root / "frames", "frames_per_second": 1000.0}
        self.vision = VisionConfig.model_validate(
            {"station": "bin", "camera": camera, "trigger": {"kind": "drawn"}} | vision
        )
        self.endings: Endings = queue.SimpleQueue()
        self.out = root / "photos"

    def sit(
        self,
        keys: Iterable[str | None] = (),
        *,
        labels: tuple[str, ...] = ("can",),
        whole_region: bool = False,
        items: bool = False,
        every: float | None = None,
        count: int | None = None,
        clock: Clock | None = None,
    ) -> CaptureSession:
        """Runs a whole session. A None among `keys` lets a frame go by."""
        pressed = iter(keys)
        geometry = geometry_of(self.vision, items=items, whole_region=whole_region)
        with (
            PhotoFolder(self.out, geometry=geometry, station="bin") as folder,
            CaptureSession(
                self.vision,
                folder,
                labels=labels,
                schedule=CaptureSchedule(items, every, count),
                key=lambda: next(pressed, None),
                line=LiveLine(),
                clock=clock or ToldClock(wall=lambda: 1_800_000_000.0),
            ) as session,
        ):
            session.run(self.endings)
        return session

    def taken(self, label: str = "can") -> list[Image]:
        return [read_image(file) for file in sorted((self.out / label).glob("*.jpg"))]


def near(image: Image, wanted: Image) -> bool:
    """Whether a JPEG shows `wanted`."""
    if image.shape != wanted.shape:
        return False
    return float(np.abs(image.astype(int) - wanted).mean()) < 3


def test_a_key_takes_the_next_frame(tmp_path: Path) -> None:
    frames = [frame(left) for left in (10, 40, 70, 100)]
    place = Place(tmp_path, frames)
    place.sit([None, " "])
    (image,) = place.taken()
    assert near(image, frames[2]), "pressed while the second was looked at"
    assert not near(image, frames[1])


def test_only_the_region_is_taken(tmp_path: Path) -> None:
    region = {"left": 30, "top": 10, "width": 100, "height": 60}
    place = Place(tmp_path, [frame(50), frame(50)], region=region)
    place.sit([" "])
    (image,) = place.taken()
    assert near(image, frame(50)[10:70, 30:130])


def test_a_file_is_named_by_the_time_of_its_capture_and_a_number(tmp_path: Path) -> None:
    place = Place(tmp_path, [frame(50)] * 4)
    session = place.sit([" ", None, " "])
    stems = [file.stem for file in session.taken]
    assert all(re.fullmatch(r"20270115-\d{6}-000[12]", stem) for stem in stems), stems
    assert [stem[-4:] for stem in stems] == ["0001", "0002"]


@pytest.mark.parametrize(
    ("keys", "counts"),
    [
        ([" ", " ", "q"], {"can": 2}),
        (["q", " "], {}),
        ([" ", "n", " ", "n", " "], {"can": 2, "empty": 1}),
        (["2", " ", "2", " ", "1", " "], {"empty": 2, "can": 1}),
        (["3", "0", "x", "up", " "], {"can": 1}),
        ([" ", "2", " ", "d", " "], {"can": 1, "empty": 1}),
        ([" ", "2", " ", "d", "d", "d"], {}),
        (["²", " "], {"can": 1}),
    ],
)
def test_what_keys_do(tmp_path: Path, keys: list[str], counts: dict[str, int]) -> None:
    place = Place(tmp_path, [frame(50)] * 12)
    place.sit(keys, labels=("can", "empty"))
    found = {
        folder.name: len(list(folder.iterdir()))
        for folder in place.out.iterdir()
        if folder.is_dir()
    }
    assert found == counts


def test_deleting_tells_what_was_deleted_and_when_there_is_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(tmp_path, [frame(50)] * 5)
    session = place.sit([" ", "d", "d"])
    assert "deleted " in caplog.text
    assert "nothing to delete" in caplog.text
    assert session.taken == []


def test_after_a_count_it_ends(tmp_path: Path) -> None:
    place = Place(tmp_path, [frame(50)] * 9)
    assert len(place.sit([" "] * 9, count=2).taken) == 2


def test_a_picture_in_so_many_seconds(tmp_path: Path) -> None:
    camera = {"kind": "folder", "path": tmp_path / "frames", "frames_per_second": 1}
    place = Place(tmp_path, [frame(50)] * 40, camera=camera)
    assert len(place.sit(every=10, clock=VirtualClock()).taken) == 3  # after 10, 20, 30 seconds


def test_each_item_is_taken_once_at_its_best(tmp_path: Path) -> None:
    lefts = [NONE, -10, 20, 60, 88, 130, 180, NONE, 10, 80, 150, NONE]
    place = Place(tmp_path, map(frame, lefts))
    session = place.sit(items=True)
    assert len(session.taken) == 2
    first, second = place.taken()
    padding = round(0.1 * SIDE)
    for image, left in ((first, 88), (second, 80)):
        box = frame(left)[
            25 - padding : 25 + SIDE + padding, left - padding : left + SIDE + padding
        ]
        assert near(image, box), "the item's box and its padding, nearest to the middle"


def test_a_sharp_picture_is_better_than_one_nearer_to_the_middle(tmp_path: Path) -> None:
    frames = [frame(40), frame(85, blurred=True), frame(140), frame(NONE)]
    place = Place(tmp_path, frames)
    place.sit(items=True, whole_region=True)
    (image,) = place.taken()
    assert near(image, frames[0])


def test_with_the_whole_region_the_best_frame_is_kept_whole(tmp_path: Path) -> None:
    place = Place(tmp_path, map(frame, [20, 85, 150, NONE]))
    place.sit(items=True, whole_region=True)
    (image,) = place.taken()
    assert near(image, frame(85))


def test_an_item_that_was_never_whole_is_not_taken_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(tmp_path, map(frame, [-20, -5, NONE]))
    assert place.sit(items=True).taken == []
    assert "item 1 was not taken, because it was never completely in" in caplog.text


def test_the_last_item_is_taken_though_the_frames_end_before_it_is_gone(tmp_path: Path) -> None:
    place = Place(tmp_path, map(frame, [20, 80]))
    assert len(place.sit(items=True).taken) == 1


def test_items_end_with_the_count_too(tmp_path: Path) -> None:
    place = Place(tmp_path, map(frame, [50, NONE] * 5))
    assert len(place.sit(items=True, count=2).taken) == 2


def test_of_items_that_leave_together_no_more_than_the_count_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_: DrawnTrigger, frame: Frame) -> list[Observation]:
        gone = frame.sequence > 1
        return [Observation(item, Box(30 * item, 20, 20, 20), gone=gone) for item in (1, 2, 3)]

    monkeypatch.setattr(DrawnTrigger, "look", look)
    place = Place(tmp_path, [frame(50)] * 3)
    assert len(place.sit(items=True, count=2).taken) == 2


def test_a_key_takes_nothing_while_items_are_taken(tmp_path: Path) -> None:
    place = Place(tmp_path, [frame(NONE)] * 4)
    assert place.sit([" ", " "], items=True).taken == []


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (np.full((60, 80, 3), 20, np.uint8), "too dark"),
        (np.full((60, 80, 3), 250, np.uint8), "too bright"),
        (frame(60, blurred=True), "blurred"),
    ],
)
def test_a_faulty_picture_is_taken_and_its_fault_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, image: Image, fault: str
) -> None:
    place = Place(tmp_path, [image] * 3)
    session = place.sit([" "])
    assert session.warned == {fault: 1}
    assert f"(1 can, {fault})" in caplog.text
    assert len(place.taken()) == 1


def test_a_deleted_picture_is_no_longer_warned_of(tmp_path: Path) -> None:
    place = Place(tmp_path, [frame(60, blurred=True)] * 4)
    assert place.sit([" ", "d"]).warned["blurred"] == 0


def test_a_signal_ends_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = Place(tmp_path, [frame(50)] * 9)
    place.endings.put(signal.SIGTERM)
    assert place.sit([" "] * 9).taken == []
    assert "stopping: SIGTERM" in caplog.text


def test_an_unreadable_frame_is_told_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(tmp_path, [frame(50)] * 3)
    (tmp_path / "frames" / "0.png").write_bytes(b"no picture")
    assert len(place.sit([" "]).taken) == 1
    assert "unreadable: " in caplog.text


def test_a_region_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, [frame(50)], region={"width": WIDTH + 1, "height": 20})
    with pytest.raises(RegionError, match="correct the region"):
        place.sit([" "])


def test_a_full_disk_ends_it_and_what_was_taken_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, [frame(50)] * 9)
    real, left = PhotoFolder.add, iter([True, True, False])

    def add(folder: PhotoFolder, label: str, image: Image, *, taken: float) -> Path:
        if next(left):
            return real(folder, label, image, taken=taken)
        raise StorageError("the disk is full")

    monkeypatch.setattr(PhotoFolder, "add", add)
    with pytest.raises(StorageError, match="full"):
        place.sit([" "] * 9)
    assert len(place.taken()) == 2


def test_a_camera_that_fails_is_told_after_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, [frame(50)] * 3)

    def fail(*_: object) -> None:
        raise CameraError("unplugged")

    monkeypatch.setattr("edge.vision.camera.folder.read_image", fail)
    with pytest.raises(CameraError, match="unplugged"):
        place.sit([" "])


@pytest.mark.parametrize(
    ("kind", "items", "whole_region", "wanted"),
    [
        ("drawn", True, False, Geometry(crop="item", padding=0.1)),
        ("drawn", True, True, Geometry(crop="region")),
        ("drawn", False, False, Geometry(crop="region")),
        ("continuous", True, False, Geometry(crop="region")),
    ],
)
def test_what_a_picture_shows(
    tmp_path: Path, kind: str, items: bool, whole_region: bool, wanted: Geometry
) -> None:
    place = Place(tmp_path, [frame(50)], trigger={"kind": kind})
    assert geometry_of(place.vision, items=items, whole_region=whole_region) == wanted


def test_what_is_seen_in_a_single_frame_is_not_taken_but_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flashes = [
        [Observation(1, Box(30, 20, 20, 20), confirmed=False)],
        [Observation(1, Box(30, 20, 20, 20), gone=True)],
        [Observation(2, Box(30, 20, 20, 20), confirmed=False)],
    ]
    monkeypatch.setattr(DrawnTrigger, "look", lambda trigger, frame: flashes.pop(0))
    session = Place(tmp_path, [frame(50)] * 3).sit(items=True)
    assert (session.taken, session.single_frame) == ([], 1)
