"""The status of a running station, which other processes read: one small file in memory.

The station's main thread writes it twice a second (`edge/telemetry/status_file.py`), so that a file
that is older tells of a station that was killed or hangs. A station that ends in order removes it.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from edge.core.errors import StatusRefusedError
from edge.core.json_text import read_typed
from edge.runtime.clock_state import boot_id
from edge.runtime.memory_folder import MEMORY, memory_name, service_folder

SERVICE_FOLDER = Path("/run/pilah")
"""The folder in memory that `deploy/pilah.service` gives the service."""
STALE_SECONDS = 5.0
"""A status that is older in seconds is out of date; it is written twice a second."""
START_SECONDS = 120.0
"""A start may take so long (`TimeoutStartSec` of the service), and writes its status once."""
SILENT_SECONDS = 5.0
"""A thread without a heartbeat for longer hangs. A camera's read may take 4 s."""
_LARGEST = 64 * 1024
"""The most bytes of a status; a larger file is not one."""


class StationState(StrEnum):
    """What the process of a station is doing."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSigns:
    """The state of a station by PackML's names, as its event has it (`StateChanged`)."""

    state: str
    mode: str
    since: str
    reason: str = ""
    scope: str = ""
    first: str = ""
    first_incident: str | None = None
    who: str = ""
    waits_for: str = ""
    incidents: tuple[str, ...] = ()
    """What is wrong now, the oldest first: `jam warm`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalSigns:
    """The figures of a station's threads since it started."""

    model: str
    """The bundle's name and version."""
    model_digest: str
    silent_seconds: Mapping[str, float]
    """The seconds since the last heartbeat of each thread, by the thread's name."""
    camera_lost: bool
    camera_losses: int
    frame_age_seconds: float | None
    """The seconds since the newest frame was captured; None before the first frame."""
    items: int
    lanes: Mapping[str, int] = field(default_factory=dict)
    """The number of items by lane."""
    rejects: Mapping[str, int] = field(default_factory=dict)
    """The number of rejected items by reason."""
    frames_dropped: int = 0
    """The number of frames that a newer one replaced before they were examined."""
    frame_faults: Mapping[str, int] = field(default_factory=dict)
    """The number of frames that could not be used, by the kind of fault."""
    single_frame: int = 0
    """The number of objects that were seen in a single frame only, and are not items."""
    ledger_fails: bool = False
    """Whether the ledger cannot be written."""
    rows_queued: int = 0
    """The number of rows that are in memory only."""
    items_spilled: int = 0
    """The number of items whose rows are in the spill, and not known to be in the ledger."""
    rows_lost: Mapping[str, int] = field(default_factory=dict)
    """The number of rows that will never be in the ledger, by `item`, `actuation`, `other`."""

    counts_fail: bool = False
    """Whether the file of deliveries cannot be written, or read."""
    counts_waiting: int = 0
    """The number of items and scans that wait to be counted on their delivery."""
    state: StateSigns | None = None
    """None: it is one of an older pilah."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStatus:
    """The content of the status file."""

    station: str
    ledger: str
    """The absolute path of the station's ledger."""
    pid: int
    pilah: str
    """The version of pilah."""
    started: str
    """When the process began to open the station, in UTC as in the ledger."""
    time: str
    """When the status was written."""
    monotonic: float
    """The same time on the machine's monotonic clock, which no correction of the time changes."""
    boot_id: str | None
    """The id of the boot in which that clock runs; None if it is not known."""
    state: StationState
    resident_bytes: int | None
    """The memory of the station's process, without that of the process that writes the ledger."""
    signs: VitalSigns | None = None
    """The figures of the threads; None while the station is starting."""

    def as_json(self) -> dict[str, object]:
        """Its values, as JSON takes them. Not `asdict`, which copies all of them first: once a
        second, in a station, that costs more than the rest."""
        found = {name: getattr(self, name) for name in _STATUS_NAMES}
        if self.signs is not None:
            signs = {name: getattr(self.signs, name) for name in _SIGN_NAMES}
            if self.signs.state is not None:
                signs["state"] = asdict(self.signs.state)
            found["signs"] = signs
        return found


_STATUS_NAMES = tuple(field.name for field in fields(StationStatus))
_SIGN_NAMES = tuple(field.name for field in fields(VitalSigns))


_WAITS_FOR_SOMEBODY = ("Held", "Aborted", "Stopped", "Idle")
"""States that somebody must end; Suspended ends by itself."""


class StatusReading(NamedTuple):
    """A status, and how old it was when it was read."""

    status: StationStatus
    age_seconds: float | None
    """The age of the status in seconds; None if it was written before the machine's last boot."""

    @property
    def is_stale(self) -> bool:
        """Whether the status is out of date."""
        starting = self.status.state is StationState.STARTING
        return _age(self) > (START_SECONDS if starting else STALE_SECONDS)


def status_path(
    station: str, ledger: Path, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """The path of a station's status; None if this machine has no folder in memory for it.

    In memory, never on a disk: the thread that writes it must not wait for one.
    """
    own = service_folder(environment)
    path = _in_memory(station, ledger) if own is None else own / f"{station}.json"
    return path if os.access(path.parent, os.W_OK | os.X_OK) else None


def status_places(
    station: str, ledger: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[Path]:
    """Where a station's status may be: this process may be no service, while the station is one."""
    folders = dict.fromkeys((service_folder(environment) or SERVICE_FOLDER, SERVICE_FOLDER))
    yield from (folder / f"{station}.json" for folder in folders)
    yield _in_memory(station, ledger)


def read_status(
    station: str,
    ledger: Path,
    *,
    environment: Mapping[str, str] = os.environ,
    now: Callable[[], float] = time.monotonic,
    boot: Callable[[], str | None] = boot_id,
) -> StatusReading | None:
    """The newest status that the station with this name and ledger has written.

    Args:
        environment: has RUNTIME_DIRECTORY if systemd set it.
        now: seconds on the machine's monotonic clock.
        boot: the UUID of the boot of the machine.

    Returns:
        None where there is none, which is so of a station that does not run.

    Raises:
        StatusRefusedError: there may be one, in a place that this user may not read.
    """
    found, refused = [], None
    for place in status_places(station, ledger, environment):
        try:
            status = _read(place, ledger)
        except PermissionError:
            refused = place
            continue
        if status is not None and status.station == station:
            same_boot = status.boot_id == boot()
            found.append(StatusReading(status, now() - status.monotonic if same_boot else None))
    if refused is not None and not found:
        raise StatusRefusedError(
            f"this user may not read {refused}, where the status of the station is if it runs as a "
            "service: ask as the user of the service, or as root"
        )
    return min(found, key=_age, default=None)


def problems_of(reading: StatusReading | None) -> list[str]:
    """Why a station is not well, as a sentence for each reason; empty if it is well.

    Args:
        reading: its status; None if it has none.
    """
    if reading is None:
        return ["the station does not run: it has no status"]
    return list(_problems(reading))


def _in_memory(station: str, ledger: Path) -> Path:
    return MEMORY / f"{memory_name(station, ledger)}.json"


def _read(path: Path, ledger: Path) -> StationStatus | None:
    """The status in the file `path`; None if it has none of the station with this ledger.

    Raises:
        PermissionError: this user may not read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            owner, raw = os.fstat(descriptor).st_uid, file.read(_LARGEST + 1)
        # Anybody may put a file into /dev/shm.
        trusted = {0, os.geteuid(), *((ledger.stat().st_uid,) if ledger.exists() else ())}
    except PermissionError:
        raise
    except OSError:
        return None
    if owner not in trusted or len(raw) > _LARGEST:
        return None
    try:
        status = read_typed(StationStatus, raw)
    except ValueError:  # of another program
        return None
    return status if status.ledger == str(ledger.absolute()) else None


def _age(reading: StatusReading) -> float:
    return math.inf if reading.age_seconds is None else reading.age_seconds


def _because(state: StateSigns) -> str:
    return f" ({' '.join(filter(None, (state.reason, state.scope)))})" if state.reason else ""


def _problems(reading: StatusReading) -> Iterator[str]:
    status, age = reading.status, reading.age_seconds
    if reading.is_stale:
        if age is None:
            yield "the station has not run since this machine was started"
        else:
            yield f"the station hangs or was killed: its status is {age:.0f} seconds old"
        return
    if status.state is not StationState.RUNNING:
        yield f"the station is {status.state}"
    signs = status.signs
    if signs is None:
        return
    for thread, silent in signs.silent_seconds.items():
        if silent > SILENT_SECONDS:
            yield f"the thread {thread} has not responded for {silent:.0f} seconds"
    if signs.camera_lost:
        yield "the camera is lost, and is being reopened"
    if (state := signs.state) is not None and state.state in _WAITS_FOR_SOMEBODY:
        yield f"the station does not sort: it is {state.state}{_because(state)}"
    if signs.ledger_fails:
        yield "the ledger cannot be written: is its disk full, or does it hang?"
    elif signs.items_spilled:
        yield f"the rows of {signs.items_spilled} items still wait to be added to the ledger"
    if signs.counts_fail:
        yield (
            "the file of deliveries cannot be used, as the station's log says: "
            f"{signs.counts_waiting} items wait to be counted"
        )
