from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.errors import LedgerMissingError
from edge.events import (
    CameraBack,
    CameraLost,
    ExitSeen,
    LaneMoved,
    ModelChanged,
    Stamps,
    StationStopped,
)
from edge.ledger.ledger import Ledger
from edge.ledger.reports.newest_events import newest_events


def test_the_newest_of_what_happened_to_the_station_come_first(tmp_path: Path) -> None:
    path, stamps = tmp_path / "ledger.sqlite", Stamps("bin-1", iter(range(99999)).__next__)
    with Ledger(path) as ledger:
        ledger.append(
            [
                CameraLost(*stamps.now(), "usb"),
                CameraBack(*stamps.now(), "usb", 2.5),
                LaneMoved(*stamps.now(), "warm", 0.1, "ana"),
                *(ExitSeen(*stamps.now(), "warm", 1.0) for _ in range(6000)),
                ModelChanged(*stamps.now(), "second 2", "ab" * 32),
                StationStopped(*stamps.now(), 7, "SIGTERM"),
            ]
        )
    found = newest_events(path, 4)
    assert [one.kind for one in found] == [
        "station_stopped", "model_changed", "lane_moved", "camera_back",
    ]  # fmt: skip
    assert found[2].details == {"lane": "warm", "seconds": 0.1, "who": "ana"}
    assert found[0].time > found[3].time
    assert len(newest_events(path, 100)) == 5


def test_a_ledger_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissingError):
        newest_events(tmp_path / "ledger.sqlite", 4)
