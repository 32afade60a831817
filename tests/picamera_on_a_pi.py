"""What a real Pi camera does, for what the tests can only fake: run it on a Raspberry Pi.

    python -m tests.picamera_on_a_pi [camera]

in a checkout, in an environment made as deploy/install.sh makes it. It shows the cameras, the size
and pace of the frames, the order of their colours (hold something red before the lens), how old
they are when they arrive and by which clock, and whether fixed controls are kept.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from typing import Any

from edge.core.errors import CameraError
from edge.vision.camera.picamera import PicameraSource, Settings

FRAMES = 90
FIXED: dict[str, Any] = {
    "exposure_microseconds": 4000,
    "analogue_gain": 2.0,
    "white_balance_gains": [1.5, 2.0],
}


def main(words: list[str]) -> int:
    """Prints what was found; 1: something is not as pilah takes it to be."""
    number = int(words[0]) if words else 0
    try:
        source = PicameraSource(_settings(camera=number), clock=time.monotonic)
    except CameraError as error:
        print(error)
        return 1
    for index, info in enumerate(source.device.global_camera_info()):
        print(f"camera {index}: {info}")
    print(source.title, *source.notes, sep="\n")
    print("controls:", ", ".join(sorted(source.device.camera_controls)))
    good = [_pace(source), _clocks(source), _colours(source)]
    source.close()
    good.append(_fixed_controls(number))
    print("all as expected" if all(good) else "NOT all as expected: please report this output")
    return 0 if all(good) else 1


def _settings(**given: Any) -> Settings:
    return Settings.model_validate({"kind": "picamera", **given})


def _pace(source: PicameraSource) -> bool:
    captured, ages = [], []
    for _ in range(FRAMES):
        shot = source.shoot()
        if shot is None:
            print("the camera stopped giving frames")
            return False
        captured.append(shot.captured)
        ages.append(1000 * (time.monotonic() - shot.captured))
    steps = [1000 * (b - a) for a, b in itertools.pairwise(captured)]
    print(f"step between frames, ms: median {statistics.median(steps):.1f}, most {max(steps):.1f}")
    print(
        f"age of a frame when it is read, ms: least {min(ages):.1f}, "
        f"median {statistics.median(ages):.1f}, most {max(ages):.1f}"
    )
    return 25 < statistics.median(steps) < 42 and 5 < statistics.median(ages) < 300


def _clocks(source: PicameraSource) -> bool:
    stamp = source.device.capture_metadata().get("SensorTimestamp", 0)
    ages = {
        name: (time.clock_gettime_ns(clock) - stamp) / 1e6
        for name, clock in (
            ("CLOCK_BOOTTIME", time.CLOCK_BOOTTIME),
            ("CLOCK_MONOTONIC", time.CLOCK_MONOTONIC),
        )
    }
    print("SensorTimestamp, age in ms:", ", ".join(f"{k} {v:.1f}" for k, v in ages.items()))
    return bool(0 < ages["CLOCK_BOOTTIME"] < 300)


def _colours(source: PicameraSource) -> bool:
    input("hold something RED before the lens, then press Enter: ")
    for _ in range(30):  # until exposure and white balance have settled
        shot = source.shoot()
    if shot is None:
        return False
    height, width = shot.image.shape[:2]
    middle = shot.image[height // 3 : -height // 3, width // 3 : -width // 3]
    blue, green, red = middle.reshape(-1, 3).mean(0)
    order = "blue, green, red: right" if red > blue else "RED AND BLUE ARE EXCHANGED"
    print(f"middle of the picture: {blue:.0f} {green:.0f} {red:.0f} ({order})")
    return bool(red > blue)


def _fixed_controls(number: int) -> bool:
    source = PicameraSource(_settings(camera=number, **FIXED), clock=time.monotonic)
    for _ in range(15):
        source.shoot()
    found = source.device.capture_metadata()
    source.close()
    names = ("ExposureTime", "AnalogueGain", "ColourGains", "FrameDuration")
    print("fixed", FIXED, "gave", {name: found.get(name) for name in names})
    return bool(abs(found.get("ExposureTime", 0) - FIXED["exposure_microseconds"]) < 200)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
