from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.errors import CameraError
from edge.core.yaml_file import YamlFile
from edge.flow import Exposure, Frame
from edge.vision.camera import Camera, picamera
from edge.vision.camera.picamera import PicameraSource, Settings
from tests.edge.vision.camera.fake_picamera2 import Machine, Transform
from tests.edge.vision.camera.fake_time import FakeTime


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    for name, module in machine.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    return machine


def settings(**given: Any) -> Settings:
    return Settings.model_validate({"kind": "picamera", **given})


def open_picamera(said: list[str] | None = None, **given: Any) -> Camera:
    said = [] if said is None else said
    fake = FakeTime()
    return settings(**given).open(
        clock=fake.clock, pause=fake.pause, tell=lambda level, text: said.append(text)
    )


def test_frames_are_bgr_as_the_arrays_of_rgb888_are(pi: Machine) -> None:
    said: list[str] = []
    camera = open_picamera(said, width=320, height=240)
    assert camera.live
    first, second = camera.read(), camera.read()
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.image.shape == (240, 320, 3)
    assert first.image.dtype == np.uint8
    assert first.image.flags.c_contiguous
    assert first.image[0, 0].tolist() == [10, 20, 200]
    assert said == ["camera     Pi camera 0, 320x240 pixels, times from the sensor"]
    assert pi.opened[0].configuration["main"] == {"size": (320, 240), "format": "RGB888"}


def test_every_request_goes_back_to_the_camera(pi: Machine) -> None:
    camera = open_picamera()
    for _ in range(20):
        assert camera.read() is not None
    assert pi.opened[0].held == 0


@pytest.mark.parametrize(
    ("now", "captured"),
    [
        (5.040, 100 - 0.040),  # 40 ms after the sensor began to expose
        (4.9, 100.0),  # in the future: another clock
        (90.0, 100.0),  # far in the past: another clock
    ],
)
def test_the_sensors_time_is_brought_from_the_boot_clock_to_the_monotonic_one(
    now: float, captured: float, pi: Machine
) -> None:
    source = PicameraSource(settings(), clock=FakeTime().clock, boot_clock=lambda: round(now * 1e9))
    shot = source.shoot()
    assert shot is not None
    assert shot.captured == pytest.approx(captured)


def test_without_a_sensor_time_that_of_the_arrival_counts(pi: Machine) -> None:
    pi.metadata = {}
    source = PicameraSource(settings(), clock=FakeTime().clock)
    shot = source.shoot()
    assert shot is not None
    assert shot.captured == 100.0


def test_the_clocks_of_this_machine_are_those_of_the_docstring(pi: Machine) -> None:
    off = []
    for _ in range(20):  # between two looks at clocks a busy machine may take its time
        pi.metadata = {"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME)}
        exposed = time.monotonic()
        shot = PicameraSource(settings(), clock=time.monotonic).shoot()
        assert shot is not None
        off.append(abs(shot.captured - exposed))
    assert min(off) < 0.005


@pytest.mark.parametrize(
    ("given", "controls"),
    [
        ({}, {"FrameDurationLimits": (33333, 33333)}),
        ({"frames_per_second": 60.0}, {"FrameDurationLimits": (16667, 16667)}),
        ({"exposure_microseconds": 2000}, {"ExposureTime": 2000}),
        ({"analogue_gain": 2.5}, {"AnalogueGain": 2.5}),
        ({"white_balance": "daylight"}, {"AwbMode": 5}),
        ({"white_balance_gains": [1.8, 1.6]}, {"ColourGains": (1.8, 1.6)}),
        ({"focus_dioptres": 5.0}, {"AfMode": 0, "LensPosition": 5.0}),
        ({"autofocus": True}, {"AfMode": 2}),
    ],
)
def test_settings_become_controls(
    given: dict[str, Any], controls: dict[str, Any], pi: Machine
) -> None:
    said: list[str] = []
    open_picamera(said, **given)
    assert len(said) == 1
    configured = pi.opened[0].configuration["controls"]
    expected = {"FrameDurationLimits": (33333, 33333)} | controls
    assert configured == expected


def test_a_control_that_the_camera_has_not_is_said_and_left_out(pi: Machine) -> None:
    del pi.controls["LensPosition"]
    said: list[str] = []
    open_picamera(said, focus_dioptres=5.0)
    assert said[1:] == ["camera     does not support focus_dioptres: the setting has no effect"]


def test_the_configuration_asks_for_the_next_frame_with_buffers_and_flips(pi: Machine) -> None:
    open_picamera(buffer_count=3, flip_horizontal=True)
    configuration = pi.opened[0].configuration
    assert configuration["queue"] is False
    assert configuration["buffer_count"] == 3
    assert configuration["transform"] == Transform(hflip=True, vflip=False)


def test_a_camera_that_falls_silent_is_closed_and_opened_again(
    pi: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera, "_SILENT_SECONDS", 0.01)
    said: list[str] = []
    fake = FakeTime()
    fake.at_pause[1] = lambda: setattr(pi, "silent", False)
    camera = settings().open(
        clock=fake.clock, pause=fake.pause, tell=lambda level, text: said.append(text)
    )
    assert camera.read() is not None
    pi.silent = True
    frame = camera.read()
    assert isinstance(frame, Frame)
    assert frame.sequence == 2
    assert [opened.closed for opened in pi.opened] == [True, False]
    assert said[1:] == [
        "camera     Pi camera 0 gives no more frames: it is being reopened until it does",
        "camera     Pi camera 0 is back after 0.5 s",
    ]
    camera.close()
    camera.close()
    assert pi.opened[1].closed


def test_without_picamera2_it_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match=r"apt install python3-picamera2.*--system-site-packages"):
        open_picamera()


@pytest.mark.parametrize(
    ("cameras", "number", "said"),
    [
        ([], 0, "Pi camera 0: there is none. Found: no camera at all. Is its cable pushed in"),
        (["imx708", "ov5647"], 2, "Pi camera 2: there is none. Found: 0: imx708, 1: ov5647. Is"),
    ],
)
def test_a_camera_that_is_not_there_names_those_that_are(
    cameras: list[str], number: int, said: str, pi: Machine
) -> None:
    pi.cameras = cameras
    with pytest.raises(CameraError) as caught:
        open_picamera(camera=number)
    assert said in str(caught.value)


def test_a_camera_in_use_is_an_error(pi: Machine) -> None:
    pi.busy = True
    with pytest.raises(CameraError, match=r"cannot be opened.*another program"):
        open_picamera()


def test_one_that_gives_no_first_picture_is_an_error_and_closed(
    pi: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera, "_SILENT_SECONDS", 0.01)
    pi.silent = True
    with pytest.raises(CameraError, match="gives no picture"):
        open_picamera()
    assert pi.opened[0].closed


def test_one_that_cannot_be_configured_is_an_error_and_closed(
    pi: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, configuration: object) -> None:
        raise RuntimeError("Invalid camera configuration")

    monkeypatch.setattr(sys.modules["picamera2"].Picamera2, "configure", refuse)
    with pytest.raises(CameraError, match="640x480 pixels: Invalid camera configuration"):
        open_picamera()
    assert pi.opened[0].closed


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("width: 641", "width", "multiple of 2"),
        (
            "frames_per_second: 60.0\nexposure_microseconds: 20000",
            "exposure_microseconds",
            "20000 microseconds are longer than a frame at 60 frames a second (16667)",
        ),
        ("focus_dioptres: 2.0\nautofocus: true", "autofocus", "remove one of the two"),
        ("white_balance: sunny", "white_balance", "daylight"),
        ("white_balance_gains: [1.5]", "white_balance_gains", "at least 2 items"),
    ],
)
def test_settings_that_cannot_be_are_told(text: str, key: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "camera.yaml").write_text(f"kind: picamera\n{text}\n")
    checked, problems = YamlFile(tmp_path / "camera.yaml").check(Settings)
    assert checked is None
    assert [problem.location for problem in problems] == [(key,)]
    assert said in problems[0].message


def test_each_frame_tells_how_it_was_taken(pi: Machine) -> None:
    pi.metadata |= {"ExposureTime": 7985, "AnalogueGain": 2.0, "ColourGains": (1.8, 1.6)}
    camera = open_picamera()
    frame = camera.read()
    assert isinstance(frame, Frame)
    assert frame.exposure == Exposure(7985, 2.0, (1.8, 1.6))
    assert frame.exposure.words == "exposure 7985 microseconds, gain 2, white balance 1.80 1.60"
    pi.metadata = {"SensorTimestamp": 5_000_000_000}
    silent = camera.read()
    assert isinstance(silent, Frame)
    assert silent.exposure is None


def test_what_the_file_fixes_is_locked() -> None:
    assert settings().locked is None
    assert settings(white_balance="daylight").locked is None
    fixed = {"exposure_microseconds": 8000, "white_balance_gains": [1.8, 1.6]}
    assert settings(**fixed).locked == Exposure(8000, None, (1.8, 1.6))
    assert settings(analogue_gain=2.0).locked == Exposure(gain=2.0)
