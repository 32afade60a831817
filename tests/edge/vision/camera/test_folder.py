from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.errors import CameraError
from edge.flow import Frame, UnreadableFrame
from edge.vision.camera.folder import FolderCamera
from tests.bundles import BGR, write_picture
from tests.edge.vision.camera.fake_time import FakeTime


def open_folder(path: Path, time: FakeTime | None = None, **options: Any) -> FolderCamera:
    time = time or FakeTime()
    settings = {"seconds_per_frame": 0.5, "loop": False} | options
    return FolderCamera(path, clock=time.clock, pause=time.pause, **settings)


def sources(camera: FolderCamera) -> list[str]:
    found = []
    while (frame := camera.read()) is not None:
        found.append(frame.source)
    return found


def test_pictures_come_in_natural_order_with_those_in_folders_below(tmp_path: Path) -> None:
    for name in ("10.png", "2.png", "b/1.jpg", "a/12.png", "a/3.png", "1.PNG", ".hidden.png"):
        write_picture(tmp_path / name, BGR["red"])
    (tmp_path / "notes.txt").write_text("no picture")
    assert sources(open_folder(tmp_path)) == [
        *("1.PNG", "2.png", "10.png"),
        *("a/3.png", "a/12.png", "b/1.jpg"),
    ]


def test_frames_hold_the_picture_and_count_on(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png", BGR["blue"], height=20, width=30)
    write_picture(tmp_path / "2.png", BGR["blue"])
    camera = open_folder(tmp_path)
    first, second = camera.read(), camera.read()
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert first.image.shape == (20, 30, 3)
    assert first.image.dtype == np.uint8
    assert np.argmax(first.image.mean((0, 1))) == 0  # BGR
    assert (first.sequence, second.sequence) == (1, 2)


def test_frames_come_at_an_even_pace(tmp_path: Path) -> None:
    for index in range(4):
        write_picture(tmp_path / f"{index}.png", BGR["red"])
    time = FakeTime()
    camera = open_folder(tmp_path, time)
    times = []
    while (frame := camera.read()) is not None:
        times.append(frame.captured)
        time.now += 0.2 if len(times) != 2 else 0.7  # sorting takes its time
    # after the third, which came late, none hurries
    assert times == pytest.approx([100.0, 100.5, 101.2, 101.7])


def test_a_loop_begins_again_with_what_is_there_then(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png", BGR["red"])
    camera = open_folder(tmp_path, loop=True)
    assert [camera.read().source for _ in range(2)] == ["1.png", "1.png"]  # type: ignore[union-attr]
    write_picture(tmp_path / "2.png", BGR["red"])
    assert [camera.read().source for _ in range(3)] == ["1.png", "2.png", "1.png"]  # type: ignore[union-attr]
    camera.close()
    assert camera.read() is None


def test_a_stop_while_it_waits_ends_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png", BGR["red"])
    time = FakeTime()
    camera = open_folder(tmp_path, time, loop=True)
    assert camera.read() is not None
    time.stopped = True
    assert camera.read() is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("1.jpg", b"", "no bytes"),
        ("1.jpg", b"\xff\xd8\xff\xe0 cut", "cut short"),
        ("1.heic", b"\0\0\0\x18ftypheic", "convert the picture to JPEG"),
    ],
)
def test_an_unreadable_picture_is_told_and_does_not_end_the_rest(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    write_picture(tmp_path / "2.png", BGR["red"])
    camera = open_folder(tmp_path)
    first = camera.read()
    assert isinstance(first, UnreadableFrame)
    assert (first.source, first.sequence) == (name, 1)
    assert said in first.message
    assert isinstance(camera.read(), Frame)


def test_a_picture_that_vanished_is_unreadable(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png", BGR["red"])
    camera = open_folder(tmp_path)
    (tmp_path / "1.png").unlink()
    assert isinstance(camera.read(), UnreadableFrame)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no pictures in this folder"):
        open_folder(tmp_path)
