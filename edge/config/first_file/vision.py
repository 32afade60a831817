"""The part of a first station file that describes its camera and its trigger."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

SCHEMA = "station.schema.json"
"""The name of the JSON Schema that lies beside a station file."""
CAMERAS: Mapping[str, str] = {
    "usb": """\
camera:
  kind: usb
  device: 0                  # better: its link in /dev/v4l/by-id, which stays the same
  width: 640
  height: 480
  frames_per_second: 30
  # Fixed, so that every picture looks like the next; `pilah-edge doctor` says what it takes now:
  # exposure_microseconds: 5000
  # white_balance_kelvin: 4600
""",
    "picamera": """\
camera:
  kind: picamera
  width: 640
  height: 480
  frames_per_second: 30
  # Fixed, so that every picture looks like the next; `pilah-edge doctor` says what it takes now:
  # exposure_microseconds: 5000
  # analogue_gain: 2.0
  # white_balance_gains: [1.8, 1.6]
""",
    "stream": """\
camera:
  kind: stream
  url: rtsp://CAMERA/stream  # put yours here: rtsp://... or http://... of an MJPEG stream
""",
    "belt": """\
camera:
  kind: belt                 # simulated: drawn things pass, to try things out
""",
}
_MOTION = """
# The part of the picture to look at. `pilah-edge roi` draws it, with rulers to read it off.
# region: {{left: 0, top: 0, width: 640, height: 480}}

# What comes into view, and leaves again, is an item. `pilah-edge trigger` shows what it takes for
# one, and tries other values; these are for things that come one by one.
trigger:
  kind: motion
  min_area: 0.01             # the smallest item, as a share of the region
  contrast: 10               # levels, of 255; less finds fainter things, more ignores more noise
  min_gap: 0.3               # what is nearer to each other than this share of the region is one
                             # thing; less where things come closer together
{still}"""


def vision_text(
    name: str, *, camera: str | None, photos: str | None, still_seconds: float | None = None
) -> str:
    """The part of a station file that describes the camera and the trigger.

    Args:
        name: the name of the station.
        camera: a kind that `--camera` accepts; None if there are `photos`.
        photos: a folder of pictures, as it is written in the file.
        still_seconds: how long an item must lie still; None where items move.
    """
    text = f"""\
# yaml-language-server: $schema={SCHEMA}
# A station. `pilah-edge check` finds mistakes in this file, `pilah-edge run` sorts. Before it has a
# bundle: `pilah-edge capture` takes photographs to train one, and `pilah-edge init BUNDLE` with
# this file then adds what it lacks. Paths are relative to this file.
station: {quoted(name)}

"""
    if photos is None:
        still = "" if still_seconds is None else still_line(still_seconds)
        return text + CAMERAS[camera or "usb"] + _MOTION.format(still=still)
    return f"""{text}\
camera:
  kind: folder               # photographs as frames, to try things out
  path: {quoted(photos)}
  frames_per_second: 5

trigger: {{kind: continuous}}  # every frame is an item
"""


def still_line(seconds: float) -> str:
    """The line of a motion trigger whose items lie still."""
    return f"  still_seconds: {seconds:<10g} # it lies still, and the hand is gone\n"


def quoted(text: str) -> str:
    """`text` as a value in YAML, quoted if YAML would read something else without quotes."""
    from edge.core.yaml_text import read_value

    is_plain = re.fullmatch(r"[A-Za-z0-9./][A-Za-z0-9./_-]*", text) and read_value(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)
