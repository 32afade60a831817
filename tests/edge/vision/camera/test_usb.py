from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.core.errors import CameraError
from edge.core.yaml_file import YamlFile
from edge.flow import Exposure, Frame, UnreadableFrame
from edge.vision.camera import Camera, usb
from edge.vision.camera.usb import Settings
from tests.edge.core.images.awkward import slopes
from tests.edge.vision.camera.fake_time import FakeTime

DEVICE = "/dev/null"
"""A device that is there on every Linux; the fake below opens it."""

GREEN = np.full((480, 640, 3), (40, 200, 50), np.uint8)


class FakeDevice:
    """A V4L2 device as OpenCV's backend shows it: cv2.VideoCapture, for one kind of camera.

    Attributes:
        log: every (property, value) that was set, in order.
        lags: for each frame, how old the driver says it is; None: it says 0. Then it is unplugged.
    """

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.there = True
        self.image: Any = GREEN
        self.lags: list[float | None] = [0.01] * 100
        self.log: list[tuple[int, float]] = []
        self.opened: list[tuple[Any, ...]] = []
        self.unknown: set[int] = set()
        self.limits: dict[int, float] = {}
        self.values: dict[int, float] = {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV")}
        self._stamp = 0.0
        self._open = False

    def __call__(self, *words: Any) -> FakeDevice:
        self.opened.append(words)
        self._open = self.there
        return self

    def isOpened(self) -> bool:  # noqa: N802, OpenCV's name
        return self._open

    def grab(self) -> bool:
        if not self.lags or not self.there:
            return False
        lag = self.lags.pop(0)
        self.time.now += 0.03
        self._stamp = 0.0 if lag is None else self.time.now - lag
        return True

    def retrieve(self) -> tuple[bool, Any]:
        image = self.image.pop(0) if isinstance(self.image, list) else self.image
        if isinstance(image, Exception):
            raise image
        return image is not None, image

    def get(self, prop: int) -> float:
        if prop == cv2.CAP_PROP_POS_MSEC:
            return 1000 * self._stamp
        return -1.0 if prop in self.unknown else self.values.get(prop, 0.0)

    def set(self, prop: int, value: float) -> bool:
        if isinstance(value, bool):
            raise TypeError("Argument 'value' must be double, not bool")
        self.log.append((prop, value))
        if prop in self.unknown:
            return False
        self.values[prop] = min(value, self.limits.get(prop, value))
        return True

    def release(self) -> None:
        self._open = False


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    fake = FakeDevice(FakeTime())
    monkeypatch.setattr(cv2, "VideoCapture", fake)
    return fake


def open_usb(fake: FakeDevice, said: list[str] | None = None, **settings: Any) -> Camera:
    checked = Settings.model_validate({"kind": "usb", "device": DEVICE, **settings})
    said = [] if said is None else said
    return checked.open(
        clock=fake.time.clock, pause=fake.time.pause, tell=lambda level, text: said.append(text)
    )


def frames(camera: Camera, count: int) -> list[Frame]:
    found = [camera.read() for _ in range(count)]
    return [frame for frame in found if isinstance(frame, Frame)]


def test_frames_are_in_colour_and_counted_and_have_the_drivers_time(device: FakeDevice) -> None:
    device.lags = [0.01, 0.012, 0.02]
    said: list[str] = []
    camera = open_usb(device, said)
    assert camera.live
    first, second = frames(camera, 2)  # the very first went into the opening
    assert (first.sequence, second.sequence) == (1, 2)
    assert np.array_equal(first.image, GREEN)
    assert first.captured == pytest.approx(100.06 - 0.012)
    assert second.captured == pytest.approx(100.09 - 0.02)
    assert device.opened == [(DEVICE, cv2.CAP_V4L2, [])]
    assert said == [
        "camera     /dev/null, 640x480 pixels, YUYV, 30 frames a second, times from the driver"
    ]


@pytest.mark.parametrize(
    "lag",
    [
        None,  # the driver gives no time
        -0.5,  # a time to come
        100.0,  # of a clock that began at another time
    ],
)
def test_a_time_that_cannot_be_is_replaced_by_that_of_the_arrival(
    lag: float | None, device: FakeDevice
) -> None:
    device.lags = [lag] * 2
    said: list[str] = []
    (frame,) = frames(open_usb(device, said), 1)
    assert frame.captured == pytest.approx(100.06)
    assert said[0].endswith("times of their arrival")


def test_a_driver_that_is_a_little_ahead_is_believed_but_no_frame_is_from_the_future(
    device: FakeDevice,
) -> None:
    device.lags = [-0.01] * 2
    said: list[str] = []
    (frame,) = frames(open_usb(device, said), 1)
    assert frame.captured == pytest.approx(100.06)
    assert said[0].endswith("times from the driver")


def test_everything_is_asked_for_the_format_before_the_size(device: FakeDevice) -> None:
    open_usb(device, width=320, height=240, frames_per_second=15, fourcc="MJPG")
    assert device.log[:5] == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 320),
        (cv2.CAP_PROP_FRAME_HEIGHT, 240),
        (cv2.CAP_PROP_FPS, 15),
        (cv2.CAP_PROP_BUFFERSIZE, 2),
    ]


def test_what_the_camera_gives_instead_is_said(device: FakeDevice) -> None:
    device.limits = {cv2.CAP_PROP_FPS: 10}
    said: list[str] = []
    open_usb(device, said, width=1920, height=1080)
    assert said == [
        "camera     /dev/null, 640x480 pixels (asked for 1920x1080), YUYV, 10 frames a second "
        "(asked for 30), times from the driver"
    ]


MANUAL = {
    "exposure_microseconds": (5000, cv2.CAP_PROP_EXPOSURE, 50, cv2.CAP_PROP_AUTO_EXPOSURE, 1, 3),
    "white_balance_kelvin": (4600, cv2.CAP_PROP_WB_TEMPERATURE, 4600, cv2.CAP_PROP_AUTO_WB, 0, 1),
    "focus": (30, cv2.CAP_PROP_FOCUS, 30, cv2.CAP_PROP_AUTOFOCUS, 0, 1),
    "gain": (12, cv2.CAP_PROP_GAIN, 12, None, 0, 0),
}


@pytest.mark.parametrize("key", MANUAL)
def test_a_fixed_setting_switches_its_automatic_off(key: str, device: FakeDevice) -> None:
    value, prop, raw, automatic, off, on = MANUAL[key]
    said: list[str] = []
    open_usb(device, said, **{key: value})
    assert (prop, raw) in device.log
    assert len(said) == 1
    if automatic is not None:
        assert device.log.index((automatic, off)) < device.log.index((prop, raw))
        device.log.clear()
        open_usb(device)
        assert (automatic, on) in device.log


@pytest.mark.parametrize("key", MANUAL)
def test_a_setting_that_the_camera_does_not_take_is_said(key: str, device: FakeDevice) -> None:
    value, prop, raw, *_ = MANUAL[key]
    said: list[str] = []
    device.unknown = {prop}
    open_usb(device, said, **{key: value})
    assert said[1:] == [f"camera     does not know {key}: {value} has no effect"]
    device.unknown, device.limits = set(), {prop: raw / 2}
    said.clear()
    open_usb(device, said, **{key: value})
    assert said[1:] == [
        f"camera     does not accept {key}: {value}; the value stays at {value / 2:g}"
    ]


def test_frames_tell_once_a_second_what_the_camera_says_of_what_is_fixed(
    device: FakeDevice,
) -> None:
    camera = open_usb(device, exposure_microseconds=8000, gain=12, white_balance_kelvin=4600)
    (first,) = frames(camera, 1)
    assert first.exposure == Exposure(8000, 12, white_balance_kelvin=4600)
    device.values[cv2.CAP_PROP_EXPOSURE] = 120  # another program changes it
    told = [frame.exposure.microseconds for frame in frames(camera, 40) if frame.exposure]
    assert (told[0], told[-1], len(set(told))) == (8000, 12000, 2)


def test_a_camera_that_sets_by_itself_what_was_fixed_is_told(device: FakeDevice) -> None:
    """V4L2 answers the last fixed value then."""
    camera = open_usb(device, exposure_microseconds=8000, white_balance_kelvin=4600)
    (first,) = frames(camera, 1)
    device.values[cv2.CAP_PROP_AUTO_EXPOSURE] = 3
    last = frames(camera, 40)[-1]
    assert first.exposure is not None
    assert first.exposure.automatic == ()
    assert last.exposure == first.exposure._replace(automatic=("exposure",))


def test_of_what_is_automatic_and_of_what_it_does_not_know_a_usb_camera_tells_nothing(
    device: FakeDevice,
) -> None:
    (automatic,) = frames(open_usb(device), 1)
    assert automatic.exposure is None
    device.unknown = {cv2.CAP_PROP_GAIN}
    (partly,) = frames(open_usb(device, gain=12, exposure_microseconds=8000), 1)
    assert partly.exposure == Exposure(8000)


def test_a_damaged_picture_is_told_apart(device: FakeDevice) -> None:
    said: list[str] = []
    camera = open_usb(device, said)
    device.image = [None, cv2.error("bad JPEG"), GREEN]
    found = [camera.read() for _ in range(3)]
    assert [type(frame) for frame in found] == [UnreadableFrame, UnreadableFrame, Frame]
    assert [frame.sequence for frame in found if frame] == [1, 2, 3]
    assert "damaged frames, which are left out, the first: it cannot be decoded" in said[1]
    assert len(said) == 2, "it is said once, not for each frame"


def test_the_frames_of_a_camera_that_sends_jpegs_are_judged(device: FakeDevice) -> None:
    device.values[cv2.CAP_PROP_FOURCC] = cv2.VideoWriter.fourcc(*"MJPG")
    whole = cv2.imencode(".jpg", slopes(240, 320))[1].tobytes()
    half = len(whole) // 2
    zeroed = whole[:half] + bytes(400) + whole[half + 400 :]
    contents = [whole, whole, zeroed, whole[:half], whole[:half] + whole[half + 300 :], whole[:-2]]
    device.image = [np.frombuffer(content, np.uint8)[None] for content in contents]
    camera = open_usb(device)
    found = [camera.read() for _ in range(5)]
    assert (cv2.CAP_PROP_CONVERT_RGB, 0) in device.log
    assert [type(frame) for frame in found] == [
        Frame, UnreadableFrame, UnreadableFrame, UnreadableFrame, Frame,
    ]  # fmt: skip
    first, last = found[0], found[-1]
    assert isinstance(first, Frame)
    assert isinstance(last, Frame)
    assert np.array_equal(first.image, last.image), "only its end marker is missing"


def test_a_camera_that_gives_only_damaged_pictures_is_lost(device: FakeDevice) -> None:
    said: list[str] = []
    camera = open_usb(device, said)
    device.image = [None] * 10
    device.time.at_pause[1] = lambda: setattr(device, "image", GREEN)
    (frame,) = frames(camera, 10)
    assert frame.sequence == 10
    assert len(said) == 4


def test_a_grey_camera_gives_colour_pictures(device: FakeDevice) -> None:
    device.image = np.full((480, 640), 90, np.uint8)
    (frame,) = frames(open_usb(device), 1)
    assert frame.image.shape == (480, 640, 3)
    assert np.unique(frame.image).tolist() == [90]


@pytest.mark.parametrize(
    "broken",
    [
        {"lags": []},  # nothing comes
        {"image": np.zeros((1, 614400), np.uint8)},  # bytes that OpenCV does not decode
        {"image": np.zeros((480, 640, 2), np.uint8)},
    ],
    ids=["silent", "raw", "two channels"],
)
def test_a_device_without_pictures_is_an_error(broken: dict[str, Any], device: FakeDevice) -> None:
    for name, value in broken.items():
        setattr(device, name, value)
    with pytest.raises(CameraError, match="gives no picture that can be read within 3 seconds"):
        open_usb(device)
    assert not device.isOpened()


def test_a_device_in_use_is_an_error(device: FakeDevice) -> None:
    device.there = False
    with pytest.raises(CameraError, match="Does another program use it"):
        open_usb(device)


def test_a_camera_that_was_pulled_out_and_put_back_goes_on(device: FakeDevice) -> None:
    said: list[str] = []
    camera = open_usb(device, said)
    assert len(frames(camera, 2)) == 2
    device.time.at_pause[3] = lambda: setattr(device, "there", True)
    device.there = False
    (frame,) = frames(camera, 1)
    assert frame.sequence == 3
    assert said[1:] == [
        f"camera     {DEVICE} gives no more frames: it is being reopened until it does",
        f"camera     {DEVICE} is back after 3.5 s",
    ]


def touched(folder: Path, names: Iterable[str]) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("links", "nodes", "found"),
    [
        (
            ["usb-B-video-index0", "usb-A-video-index0"],
            ["video0"],
            "Found: {}/by-id/usb-A-video-index0, {}/by-id/usb-B-video-index0.",
        ),
        ([], ["video10", "video2", "vcs"], "Found: {}/dev/video2, {}/dev/video10."),
        ([], [], "No camera is plugged in."),
    ],
)
def test_a_camera_that_is_not_there_names_those_that_are(
    links: list[str],
    nodes: list[str],
    found: str,
    tmp_path: Path,
    device: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usb, "_LINKS", touched(tmp_path / "by-id", links))
    monkeypatch.setattr(usb, "_NODES", touched(tmp_path / "dev", nodes))
    with pytest.raises(CameraError) as caught:
        open_usb(device, device="/dev/video77")
    assert "/dev/video77: there is no such camera" in str(caught.value)
    assert found.replace("{}", str(tmp_path)) in str(caught.value)


def test_a_camera_without_permission_tells_the_group(
    device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usb.os, "access", lambda path, mode: False)
    with pytest.raises(CameraError, match=r"no permission.*usermod -aG video"):
        open_usb(device)


@pytest.mark.parametrize(("device_key", "path"), [(2, "/dev/video2"), ("/dev/v4l/x", "/dev/v4l/x")])
def test_a_number_is_short_for_a_device(device_key: int | str, path: str) -> None:
    assert Settings.model_validate({"kind": "usb", "device": device_key}).path == path


@pytest.mark.parametrize("received", ["-1", '"0"', "true", "webcam", "[0]"])
def test_anything_else_is_no_device(received: str, tmp_path: Path) -> None:
    (tmp_path / "camera.yaml").write_text(f"kind: usb\ndevice: {received}\n")
    settings, problems = YamlFile(tmp_path / "camera.yaml").check(Settings)
    assert settings is None
    assert [problem.location for problem in problems] == [("device",)]
    assert "must be a number from 0, or a path such as /dev/v4l" in problems[0].message
