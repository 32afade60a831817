from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from edge.core.errors import CameraError
from edge.core.yaml_file import YamlFile
from edge.flow import Frame
from edge.vision.camera.video import Settings, VideoCamera
from tests.edge.vision.camera.fake_time import FakeTime

LENGTHS = (0.1, 0.5, 0.04, 0.2, 1.0)
"""Seconds that each picture of the GIF is shown."""


def write_gif(path: Path) -> Path:
    """Five pictures, ever redder."""
    pictures = [Image.new("RGB", (64, 48), (40 * i, 0, 0)) for i in range(len(LENGTHS))]
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=[round(1000 * length) for length in LENGTHS],
        loop=0,
    )
    return path


def open_video(path: Path, time: FakeTime, **options: Any) -> VideoCamera:
    settings = {"paced": True, "loop": False} | options
    return VideoCamera(path, clock=time.clock, pause=time.pause, **settings)


def frames(camera: VideoCamera, most: int = 100) -> list[Frame]:
    found: list[Frame] = []
    while len(found) < most and (frame := camera.read()) is not None:
        found.append(frame)
    return found


@pytest.mark.parametrize("paced", [True, False])
def test_frames_of_a_gif_have_the_times_that_the_file_gives_them(
    paced: bool, tmp_path: Path
) -> None:
    time = FakeTime()
    camera = open_video(write_gif(tmp_path / "clip.gif"), time, paced=paced)
    assert camera.live == paced
    found = frames(camera)
    assert [frame.captured for frame in found] == pytest.approx([100, 100.1, 100.6, 100.64, 100.84])
    assert time.now == pytest.approx(100.84 if paced else 100)  # waits, or does not
    assert [frame.sequence for frame in found] == [1, 2, 3, 4, 5]
    assert {frame.source for frame in found} == {"clip.gif"}
    assert {(frame.image.shape, frame.image.dtype) for frame in found} == {
        ((48, 64, 3), np.dtype(np.uint8))
    }
    reds = [frame.image[:, :, 2].mean() for frame in found]  # BGR
    assert reds == pytest.approx([0, 40, 80, 120, 160], abs=3)


def test_a_reader_who_comes_late_does_not_make_the_next_frames_hurry(tmp_path: Path) -> None:
    time = FakeTime()
    camera = open_video(write_gif(tmp_path / "clip.gif"), time)
    times = []
    while (frame := camera.read()) is not None:
        times.append(frame.captured)
        time.now += 0.3 if len(times) == 1 else 0.01
    assert times == pytest.approx([100, 100.3, 100.8, 100.84, 101.04])


def test_a_loop_goes_on_counting_and_its_times_too(tmp_path: Path) -> None:
    camera = open_video(write_gif(tmp_path / "clip.gif"), FakeTime(), loop=True, paced=False)
    found = frames(camera, 12)
    assert [frame.sequence for frame in found] == list(range(1, 13))
    steps = np.diff([frame.captured for frame in found])
    # the length of the last picture is not told: it is taken to be that of the one before
    assert steps == pytest.approx([0.1, 0.5, 0.04, 0.2, 0.2, 0.1, 0.5, 0.04, 0.2, 0.2, 0.1])


def test_a_video_of_even_pace(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (64, 48))
    for blue in (0, 100, 200):
        writer.write(np.full((48, 64, 3), (blue, 0, 0), np.uint8))
    writer.release()
    found = frames(open_video(path, FakeTime()))
    assert np.diff([frame.captured for frame in found]) == pytest.approx([0.05, 0.05])
    assert [frame.image[:, :, 0].mean() for frame in found] == pytest.approx([0, 100, 200], abs=9)


def test_a_stop_while_it_waits_ends_it(tmp_path: Path) -> None:
    time = FakeTime()
    camera = open_video(write_gif(tmp_path / "clip.gif"), time)
    assert camera.read() is not None
    time.stopped = True
    assert camera.read() is None


def test_close_ends_it_and_may_be_called_twice(tmp_path: Path) -> None:
    camera = open_video(write_gif(tmp_path / "clip.gif"), FakeTime(), loop=True)
    assert camera.read() is not None
    camera.close()
    camera.close()
    assert camera.read() is None


def test_a_file_that_is_no_video_is_refused_without_chatter(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(CameraError, match="cannot be read as a video"):
        open_video(tmp_path / "clip.mp4", FakeTime())
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_there_is_told_by_the_station_file(tmp_path: Path) -> None:
    write_gif(tmp_path / "clip.gif")
    (tmp_path / "camera.yaml").write_text("kind: video\npath: clop.gif\n")
    settings, problems = YamlFile(tmp_path / "camera.yaml").check(Settings)
    assert settings is None
    assert [problem.location for problem in problems] == [("path",)]
    assert "no such video" in problems[0].message
    assert "Did you mean" in problems[0].message


def test_a_conveyor_clip_is_read_to_its_end(shared: Path) -> None:
    clip = shared / "data" / "video" / "bolt-multi-size-detection.gif"
    found = frames(open_video(clip, FakeTime(), paced=False))
    assert len(found) == 37
    assert found[-1].captured - found[0].captured == pytest.approx(36 / 15, abs=0.1)
