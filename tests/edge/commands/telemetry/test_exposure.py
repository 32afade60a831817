"""What `doctor` says of a camera's exposure, gain and white balance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.commands.telemetry.exposure import about_the_exposure
from edge.flow import Exposure
from edge.vision.camera import folder, picamera, stream, usb

PI = picamera.Settings(kind="picamera", width=640, height=480, frames_per_second=30)
USB = usb.Settings(kind="usb", device=0, width=640, height=480, frames_per_second=30)
FIXED = PI.model_copy(
    update={"exposure_microseconds": 5000, "analogue_gain": 2.0, "white_balance_gains": [1.8, 1.6]}
)
TOLD = Exposure(5003, 2.02, (1.8, 1.6))


@pytest.mark.parametrize(
    ("camera", "told", "line"),
    [
        (
            FIXED, TOLD,
            "ok       exposure   fixed: exposure 5000 microseconds, gain 2, white balance 1.80 "
            "1.60; the camera tells exposure 5003 microseconds, gain 2.02, white balance 1.80 "
            "1.60",
        ),
        (
            PI, Exposure(8012, 1.5, (1.91, 1.52)),
            "warning  exposure   automatic: exposure, gain, white balance; the camera tells "
            "exposure 8012 microseconds, gain 1.5, white balance 1.91 1.52: put "
            "`exposure_microseconds: 8012`, `analogue_gain: 1.50`, `white_balance_gains: [1.91, "
            "1.52]` under `camera`, or items look otherwise when the light changes, or something "
            "bright passes",
        ),
        (
            FIXED.model_copy(update={"white_balance_gains": None}), TOLD,
            "warning  exposure   fixed: exposure 5000 microseconds, gain 2; automatic: white "
            "balance; the camera tells exposure 5003 microseconds, gain 2.02, white balance 1.80 "
            "1.60: put `white_balance_gains: [1.80, 1.60]` under `camera`, or",
        ),
        (
            FIXED, Exposure(9000, 2.0, (1.8, 1.6)),
            "warning  exposure   fixed: exposure 5000 microseconds, gain 2, white balance 1.80 "
            "1.60; the camera tells exposure 9000 microseconds, gain 2, white balance 1.80 1.60: "
            "it has an exposure of 9000 microseconds, and the station file fixes 5000: check that"
            " it supports",
        ),
        (
            USB, None,
            "warning  exposure   automatic: exposure, white balance: put `exposure_microseconds: "
            "...`, `white_balance_kelvin: ...` under",
        ),
        (
            USB.model_copy(update={"exposure_microseconds": 5000, "gain": 0,
                                   "white_balance_kelvin": 4600}),
            Exposure(5000, 0, white_balance_kelvin=4600),
            "ok       exposure   fixed: exposure 5000 microseconds, gain 0, white balance 4600 K;"
            " the",
        ),
        (
            USB.model_copy(update={"exposure_microseconds": 5000, "gain": 0,
                                   "white_balance_kelvin": 4600}),
            Exposure(5000, 0),
            "warning  exposure   fixed: exposure 5000 microseconds, gain 0, white balance 4600 K;"
            " the camera tells exposure 5000 microseconds, gain 0: it does not tell its white "
            "balance: see",
        ),
        (
            stream.Settings(kind="stream", url="rtsp://camera/1"), None,
            "ok       exposure   a stream does not tell it: fix exposure and white balance on",
        ),
    ],
)  # fmt: skip
def test_what_is_fixed_and_what_is_not(camera: Any, told: Exposure | None, line: str) -> None:
    assert str(about_the_exposure(camera, told)).startswith(line)


def test_stored_pictures_have_no_exposure(tmp_path: Path) -> None:
    assert about_the_exposure(folder.Settings(kind="folder", path=tmp_path), None) is None
