from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edge.control import server
from edge.control.client import ask
from edge.ledger import opening
from edge.ledger.recorder import Patience
from edge.ledger.recovering import RecoveringLedger
from edge.runtime import supervisor
from edge.state import watch
from edge.telemetry import status
from tests.disks import Disk
from tests.edge.station_runs import NewRun, Run
from tests.edge.stations import STATION
from tests.logged import stop_listening


@pytest.fixture
def ledger_within(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stations of this process write their ledgers themselves, and have a minute for whatever
    the machine holds up.

    The process of its own that each would start for it takes most of a second, and is tried in
    ledger/test_ledger_process.py and wherever a station is a process. On a busy machine even the
    imports for the first ledger can take longer than a station waits before it sorts without one,
    and a disk or a thread can be held up for longer than a station waits for rows and threads.
    """
    monkeypatch.setattr(opening, "LedgerProcess", RecoveringLedger)
    monkeypatch.setattr(opening, "Patience", partial(Patience, open=60, hang=60, finish=60))
    for patience in ("_PATIENCE_SECONDS", "_LAST_ROWS_SECONDS", "STUCK_SECONDS"):
        monkeypatch.setattr(supervisor, patience, 60.0)
    monkeypatch.setattr(watch, "_KEEP_SECONDS", 60.0)
    for age in ("STALE_SECONDS", "SILENT_SECONDS"):
        monkeypatch.setattr(status, age, 60.0)


@pytest.fixture
def new_run(tmp_path: Path, tiny_bundle: Path) -> NewRun:
    """Makes runs of stations, each in a folder of its own."""
    numbers = itertools.count()
    return lambda text=STATION: Run(tmp_path / str(next(numbers)), tiny_bundle, text)


@pytest.fixture(autouse=True)
def control_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks a station, and the station that is asked, may be held up by a busy machine."""
    monkeypatch.setitem(ask.__kwdefaults__, "seconds", 120.0)
    monkeypatch.setattr(server, "_ASK_SECONDS", 120.0)


@pytest.fixture(autouse=True)
def nobody_listens() -> Iterator[None]:
    """Whoever listens to the log does so to the end of the test."""
    yield
    stop_listening()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that can hang and fail."""
    try:
        disk = Disk(tmp_path / "disks")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs root on Linux, to mount a disk of its own ({error})")
    yield disk
    disk.close()
