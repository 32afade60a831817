"""Photographs of coloured things, and a station that sorts them on a belt, for simulated runs."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from edge.core.images.preprocess import InputSpec
from tests.bundles import BGR, SPEC, make_bundle

STATION = """\
station: belt-1
bundle: bundle
camera: {kind: usb, width: 160, height: 120, frames_per_second: 20}
trigger: {kind: motion, min_area: 0.01, learn_seconds: 0.2}
belt: {metres_per_second: 0.4}
lanes:
  warm:
    labels: [red]
    distance_metres: 0.5
    actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.3}
  cold:
    labels: [blue]
    distance_metres: 0.7
    actuator: {kind: solenoid, pin: 23, hold_seconds: 0.3}
  rest: {labels: [green]}
  rejects: {}
default_lane: rejects
ledger: {path: ledger.sqlite}
"""
"""A station with a camera that is not there, over a belt: a view of 0.4 m a second."""

BIN = re.sub(r"(belt: .*|    distance_metres: .*)\n", "", STATION).replace(
    "learn_seconds: 0.2", "still_seconds: 0.3"
)
"""The same over a bin: an item lies there, and a lane moves at once."""


def write_things(folder: Path, *, labels: tuple[str, ...] = tuple(BGR)) -> Path:
    """Writes a photograph of a coloured square for each label; returns the folder."""
    for label in labels:
        image = np.full((60, 60, 3), 128, np.uint8)
        image[6:54, 6:54] = BGR[label]
        file = folder / label / "0.png"
        file.parent.mkdir(parents=True)
        assert cv2.imwrite(str(file), image)
    return folder


def belt_station(folder: Path, *, text: str = STATION, spec: InputSpec = SPEC) -> Path:
    """Writes a station with its bundle and the photographs `things`; returns its file."""
    make_bundle(folder / "bundle", spec=spec)
    write_things(folder / "things")
    file = folder / "station.yaml"
    file.write_text(text, encoding="utf-8")
    return file
