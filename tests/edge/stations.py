"""A station in a folder: bundle, pictures and station file, for tests to run or to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bundles import BGR, make_bundle, write_picture

STATION = """\
station: bin-1
bundle: bundle
camera: {kind: folder, path: photos, frames_per_second: 1000}
trigger: {kind: continuous}
lanes:
  warm:
    labels: [red]
    actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.1}
  cold:
    labels: [blue]
    actuator: {kind: solenoid, pin: 23, hold_seconds: 0.1}
  rest: {labels: [green]}
default_lane: rest
ledger: {path: ledger.sqlite}
"""
"""A station file in which nothing is wrong; line numbers in tests count in here."""


def make_station(folder: Path, *, text: str = STATION, bundle: Path | None = None) -> Path:
    """Writes a station with three pictures (red, green, blue) and returns its file.

    Args:
        bundle: a bundle to copy instead of making a new one.
    """
    if bundle is None:
        make_bundle(folder / "bundle")
    else:
        shutil.copytree(bundle, folder / "bundle")
    for index, label in enumerate(BGR):
        write_picture(folder / "photos" / f"{index}.png", BGR[label])
    file = folder / "station.yaml"
    file.write_text(text, encoding="utf-8")
    return file
