"""A station in a folder: bundle, pictures and station file, for tests to run or to damage."""

from __future__ import annotations

import shutil
import sys
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

PATIENT = """\
import functools
from edge.control import server
from edge.ledger import opening
from edge.runtime import supervisor

# On a busy machine the ledger's process may take its time to begin, and a disk or a thread to go
# on.
opening.Patience = functools.partial(opening.Patience, open=60, hang=60, finish=60)
supervisor.STUCK_SECONDS = supervisor._PATIENCE_SECONDS = supervisor._LAST_ROWS_SECONDS = 60.0
supervisor.END_SECONDS = 240.0
server._ASK_SECONDS = 120.0
"""
"""What a program of a test does first that then runs a station."""
RUN = (
    sys.executable, "-c", f"{PATIENT}import sys\nfrom edge.cli import main\nsys.exit(main())", "run"
)  # fmt: skip
"""`pilah-edge run`, which has that patience."""


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
