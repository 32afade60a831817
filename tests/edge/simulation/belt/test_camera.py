"""The belt's camera with its real process. Frames are small, so that they cost little."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import pytest

from edge.core.errors import CameraError, ConfigError, PictureSetError
from edge.core.yaml_file import Section, YamlFile
from edge.core.yaml_kinds import one_of
from edge.flow import Frame
from edge.simulation.belt.camera import BeltCamera, Settings
from edge.simulation.belt.traffic import read_ground_truth
from edge.vision.camera import KINDS, CameraSettings
from tests.bundles import write_picture

SMALL: dict[str, Any] = {"width": 128, "height": 96, "views_per_second": 1.0}
SECONDS = 60.0
"""How long to wait for what takes a moment."""


@contextmanager
def opened(said: list[str] | None = None, **keys: Any) -> Iterator[BeltCamera]:
    settings = Settings.model_validate({"kind": "belt"} | SMALL | keys)
    say = (said if said is not None else []).append
    camera = settings.open(
        clock=lambda: 500.0, pause=lambda seconds: False, tell=lambda level, text: say(text)
    )
    assert isinstance(camera, BeltCamera)
    try:
        yield camera
    finally:
        camera.close()


def frames(camera: BeltCamera) -> list[Frame]:
    found = []
    while (frame := camera.read()) is not None:
        found.append(frame)
    return found


def ended(process: int) -> bool:
    """Waits for a process that need not be a child of this one."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], SECONDS)[0])
    finally:
        os.close(descriptor)


def test_as_fast_as_can_be_every_frame_is_given_on_simulated_time(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    with opened(items=2, paced=False, truth=truth) as camera:
        assert not camera.live
        found = frames(camera)
        assert camera.read() is None
    assert [frame.sequence for frame in found] == list(range(1, len(found) + 1))
    assert [frame.captured for frame in found] == pytest.approx(
        [500 + frame.sequence / 25 for frame in found]
    )
    assert found[0].image.shape == (96, 128, 3)
    assert found[0].image.dtype == np.uint8
    first, second = read_ground_truth(truth)
    assert (first.item, second.item) == (1, 2)
    assert 500 < first.entered < first.centred < first.left < second.left < found[-1].captured


def test_an_item_is_in_the_middle_when_the_truth_says_so(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    background = "#c832c8"
    keys = {"labels": ["paper_ball"], "background": background, "exposure_seconds": 0.0}
    with opened(items=1, paced=False, truth=truth, **keys) as camera:
        found = frames(camera)
    (row,) = read_ground_truth(truth)
    nearest = min(found, key=lambda frame: abs(frame.captured - row.centred))
    columns = np.flatnonzero((nearest.image[:, :, 1] > 90).any(axis=0))  # more green than the belt
    assert (columns[0] + columns[-1] + 1) / 2 == pytest.approx(64, abs=5)
    assert columns[0] == pytest.approx(row.box.left, abs=5)
    seen = [frame for frame in found if (frame.image[:, :, 1] > 90).any()]
    assert seen[0].captured == pytest.approx(row.entered, abs=0.1)
    assert seen[-1].captured == pytest.approx(row.left, abs=0.1)


def test_the_seed_decides_everything() -> None:
    runs = []
    for seed in (1, 1, 2):
        with opened(items=1, paced=False, seed=seed) as camera:
            runs.append(frames(camera))
    assert len(runs[0]) == len(runs[1])
    for one, other in zip(runs[0], runs[1], strict=True):
        assert np.array_equal(one.image, other.image)
    assert not np.array_equal(runs[0][0].image, runs[2][0].image)


def test_classes_come_evenly(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    keys = {"labels": ["can", "cup"], "views_per_second": 4.0}
    with opened(items=6, paced=False, truth=truth, **keys) as camera:
        frames(camera)
    labels = [row.label for row in read_ground_truth(truth)]
    assert sorted(labels) == ["can"] * 3 + ["cup"] * 3


def test_a_live_belt_keeps_real_time() -> None:
    settings = Settings.model_validate({"kind": "belt", "frames_per_second": 50.0} | SMALL)
    camera = settings.open(clock=time.monotonic, pause=lambda seconds: False)
    assert camera.live
    try:
        found = [camera.read() for _ in range(10)]
    finally:
        camera.close()
    previous = None
    for frame in found:
        assert isinstance(frame, Frame)
        if previous is not None:
            steps = frame.sequence - previous.sequence
            assert steps >= 1
            assert frame.captured - previous.captured == pytest.approx(steps / 50)
        previous = frame
    assert previous is not None
    assert abs(previous.captured - time.monotonic()) < SECONDS


def test_close_ends_the_process_and_the_reading_and_may_be_called_twice() -> None:
    with opened(frames_per_second=0.01) as camera:
        found: list[object] = []
        reader = threading.Thread(target=lambda: found.append(camera.read()))
        reader.start()  # the first frame is due in 100 seconds
        camera.close()
        reader.join(SECONDS)
        assert found == [None]
        camera.close()
        assert camera.read() is None
        assert ended(camera.process_id)


def test_a_process_that_dies_is_a_camera_error() -> None:
    with opened() as camera:
        assert camera.read() is not None
        os.kill(camera.process_id, signal.SIGKILL)
        with pytest.raises(CameraError, match=r"ended unexpectedly: it ended with code -9"):
            frames(camera)


def test_its_last_words_are_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with opened() as camera, pytest.raises(CameraError, match=r"ended unexpectedly: .*code 1"):
        camera.read()
    talking = Path(sys.prefix) / "none"
    monkeypatch.setattr(sys, "executable", str(talking))
    with pytest.raises(CameraError, match=r"cannot be started: .*No such file"), opened():
        pass


PARENT = """
import os, sys, time
from edge.simulation.belt.camera import Settings
camera = Settings.model_validate({"kind": "belt", "width": 128, "height": 96}).open(
    clock=time.monotonic, pause=lambda seconds: False)
camera.read()
print(camera.process_id, flush=True)
sys.stdin.readline()
"""


def test_it_dies_with_the_station_however_that_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        belt = int(parent.stdout.readline())
        os.kill(belt, 0)  # it lives
        parent.kill()
        assert ended(belt)


def test_ctrl_c_at_the_terminal_is_for_the_station_alone() -> None:
    with opened() as camera:
        assert camera.read() is not None
        assert os.getpgid(camera.process_id) != os.getpgid(0)


def test_photographs_of_the_part_and_the_classes_asked_for_pass(tmp_path: Path) -> None:
    rows = ["path,label,split"]
    for label, color in (("red", (0, 0, 220)), ("blue", (220, 0, 0)), ("green", (0, 200, 0))):
        for part in ("train", "test"):
            picture = np.full((60, 80, 3), 200, np.uint8)
            cv2.circle(picture, (40, 30), 16, color, -1)
            name = f"{label}-{part}.png"
            cv2.imwrite(str(tmp_path / name), picture)
            rows.append(f"{name},{label},{part}")
    (tmp_path / "set.csv").write_text("\n".join(rows) + "\n")
    truth = tmp_path / "truth.csv"
    keys = {"photographs": tmp_path / "set.csv", "part": "test", "labels": ["red", "blue"]}
    with opened(items=2, paced=False, truth=truth, **keys) as camera:
        found = frames(camera)
    truths = list(read_ground_truth(truth))
    assert {Path(row.source).name for row in truths} == {"red-test.png", "blue-test.png"}
    assert {row.cut for row in truths} == {"cut"}
    channel = {"blue": 0, "red": 2}
    for row in truths:
        nearest = min(found, key=lambda frame, row=row: abs(frame.captured - row.centred))
        middle = nearest.image[46:50, 62:66].mean(axis=(0, 1))
        assert np.argmax(middle) == channel[row.label]
        assert nearest.image[5, 5].astype(float) == pytest.approx(
            200, abs=12
        )  # the photographs' own board


def test_a_photograph_that_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "thing"
    folder.mkdir(parents=True)
    write_picture(folder / "a.png", (30, 30, 30))
    (folder / "b.png").write_bytes(b"no picture")
    said: list[str] = []
    truth = tmp_path / "truth.csv"
    with opened(said, photographs=tmp_path / "set", items=3, paced=False, truth=truth) as camera:
        frames(camera)
    assert [Path(row.source).name for row in read_ground_truth(truth)] == ["a.png"] * 3
    assert said
    assert all("left out: " in line and "b.png" in line for line in said)


def test_a_set_without_one_readable_photograph_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "set" / "thing").mkdir(parents=True)
    (tmp_path / "set" / "thing" / "b.png").write_bytes(b"no picture")
    with (
        opened(photographs=tmp_path / "set", paced=False) as camera,
        pytest.raises(CameraError, match=r"the belt: none of 1 photographs can be read.*b\.png"),
    ):
        frames(camera)


def test_an_empty_set_is_told_when_the_camera_is_opened(tmp_path: Path) -> None:
    with pytest.raises(PictureSetError, match="no pictures found"), opened(photographs=tmp_path):
        pass


class File(Section):
    """A file with a camera in it."""

    camera: Annotated[CameraSettings, one_of(KINDS)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("speed: 3", r":3: camera\.speed: unknown key"),
        ("items: 0", r":3: camera\.items: must be greater than or equal to 1. Received: 0"),
        ("labels: [botle]", r":3: camera\.labels: .*'botle'. Did you mean bottle\?"),
        ("labels: []", r":3: camera\.labels: .*at least 1"),
        ("photographs: nowhere", r":3: camera\.photographs: no such file or folder: .*nowhere"),
        ("background: blue", r":3: camera\.background: .*auto, drawn or"),
        ("views_per_second: 0", r":3: camera\.views_per_second: must be greater than 0"),
        ("width: 32", r":3: camera\.width: must be greater than or equal to 64"),
        ("part: test", r":3: camera\.part: .*photographs"),
        ("truth: nowhere/truth.csv", r":3: camera\.truth: no such folder"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(f"camera:\n  kind: belt\n  {line}\n")
    file = YamlFile(path)
    checked, problems = file.check(File)
    assert checked is None
    with pytest.raises(ConfigError, match=message):
        raise file.error(problems)


def test_a_belt_needs_no_more_than_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text("camera: {kind: belt}\n")
    checked, problems = YamlFile(path).check(File)
    assert problems == []
    assert checked is not None
    assert isinstance(checked.camera, Settings)
    assert checked.camera.items is None
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_a_class_that_no_photograph_is_of_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thing").mkdir()
    write_picture(tmp_path / "thing" / "a.png", (30, 30, 30))
    with (
        pytest.raises(CameraError, match=r"has no pictures of 'thng'. Did you mean thing\?"),
        opened(photographs=tmp_path, labels=["thng"]),
    ):
        pass


def test_an_image_may_be_kept_while_the_next_is_read() -> None:
    with opened(items=1, paced=False) as camera:
        first = camera.read()
        assert first is not None
        kept = first.image.copy()
        frames(camera)
        assert np.array_equal(first.image, kept)
