"""Statuses of stations, for the tests of those that write and read them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from edge.telemetry.status import StationState, StationStatus, VitalSigns

SIGNS = VitalSigns(
    model="tiny 1",
    model_digest="ab" * 32,
    silent_seconds={"camera": 0.1, "sorting": 0.2, "lanes": 0.3, "ledger": 0.4},
    camera_lost=False,
    camera_losses=1,
    frame_age_seconds=0.04,
    items=7,
    lanes={"warm": 5, "rest": 2},
    rejects={"late": 2},
    frames_dropped=3,
    frame_faults={"damaged": 1},
    rows_lost={"item": 0, "actuation": 0, "other": 0},
)
"""Those of a station that is well."""
BOOT = "7d1d4bb2-6bd3-4a6e-8e5c-7e8f5b2a0f2c"


def status(
    ledger: Path, *, state: StationState = StationState.RUNNING, signs: VitalSigns | None = SIGNS
) -> StationStatus:
    """A status of the station `bin-1`, written at 100 s on the monotonic clock of the boot BOOT."""
    return StationStatus(
        station="bin-1",
        ledger=str(ledger.absolute()),
        pid=os.getpid(),
        pilah="1",
        started="2026-11-30T00:00:00.000000Z",
        time="2026-11-30T00:01:00.000000Z",
        monotonic=100.0,
        boot_id=BOOT,
        state=state,
        resident_bytes=90_000_000,
        signs=signs,
    )


def put(folder: Path, found: StationStatus, **changes: object) -> Path:
    """Writes a status as the service of a station does, into `folder`."""
    found = replace(found, **changes)  # type: ignore[arg-type]
    file = folder / f"{found.station}.json"
    file.write_text(json.dumps(found.as_json()), "utf-8")
    return file
