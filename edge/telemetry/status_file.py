"""Writes the status of a running station, for whoever reads it with `edge/telemetry/status.py`."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import edge
from edge.core.closing import Closing
from edge.core.errors import StatusRefusedError
from edge.events import utc_text
from edge.runtime.clock_state import boot_id
from edge.runtime.service import Notifier
from edge.telemetry.status import (
    STALE_SECONDS,
    StationState,
    StationStatus,
    VitalSigns,
    read_status,
    status_path,
)

_log = logging.getLogger(__name__)

_STATM = Path("/proc/self/statm")


class StatusFile(Notifier, Closing):
    """Reports a station to systemd, as `Notifier` does, and writes its status at the same moments.

    Only the station's main thread may use it. Writing takes some 0.2 ms and waits for no disk; a
    status that cannot be written is said once, and is no reason to end.
    """

    def __init__(
        self,
        station: str,
        ledger: Path,
        *,
        environment: Mapping[str, str] = os.environ,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Writes that the station is starting.

        Args:
            station: the station's name.
            ledger: its ledger.
            environment: see `Notifier` and `status_path`.
            wall: seconds since 1970.
            clock: seconds, monotonic.
        """
        super().__init__(environment, clock=clock)
        self.path = status_path(station, ledger, environment)
        self._station, self._ledger, self._wall = station, str(ledger.absolute()), wall
        self._started, self._boot_id = utc_text(wall()), boot_id()
        self._signs: Callable[[], VitalSigns] | None = None
        self._failed = self._written = False
        if not self._is_taken(station, ledger, environment):
            self._write(StationState.STARTING)

    def tell_of(self, signs: Callable[[], VitalSigns]) -> None:
        """Has every status after this one hold the `signs` of the station; they must not wait."""
        self._signs = signs

    def ready(self, status: str) -> None:
        """See `Notifier`."""
        super().ready(status)
        self._write(StationState.RUNNING)

    def alive(self) -> None:
        """See `Notifier`; the status is written each time."""
        super().alive()
        self._write(StationState.RUNNING)

    def stopping(self) -> None:
        """See `Notifier`."""
        super().stopping()
        self._write(StationState.STOPPING)

    def close(self) -> None:
        """Removes the status, because the station has ended; may be called twice."""
        path, self.path = self.path, None
        if path is not None and self._written:
            with suppress(OSError):  # one that stays is soon too old to be believed
                path.unlink(missing_ok=True)

    def _is_taken(self, station: str, ledger: Path, environment: Mapping[str, str]) -> bool:
        """Whether another process runs the same station, so that this one will be refused."""
        try:
            found = read_status(station, ledger, environment=environment, now=self._clock)
        except StatusRefusedError:  # it is another user's, who holds the ledger perhaps
            return False
        return (
            found is not None
            and found.age_seconds is not None
            and found.age_seconds < STALE_SECONDS
            and found.status.pid != os.getpid()
            and Path(f"/proc/{found.status.pid}").exists()
        )

    def _write(self, state: StationState) -> None:
        if self.path is None:
            return
        status = StationStatus(
            station=self._station,
            ledger=self._ledger,
            pid=os.getpid(),
            pilah=edge.__version__,
            started=self._started,
            time=utc_text(self._wall()),
            monotonic=self._clock(),
            boot_id=self._boot_id,
            state=state,
            resident_bytes=_resident_bytes(),
            signs=None if self._signs is None else self._signs(),
        )
        try:
            _replace(self.path, json.dumps(status.as_json()).encode())
            self._failed, self._written = False, True
        except OSError as error:
            if not self._failed:
                self._failed = True
                _log.warning(
                    f"warning    cannot write the status {self.path}: {error.strerror}. The "
                    "station sorts on; `pilah-edge status` and the metrics do not see it"
                )


def _replace(path: Path, raw: bytes) -> None:
    """Puts `raw` into the file `path` at once, without waiting for a disk: it lies in memory.

    Raises:
        OSError: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(aside, flags, 0o644)
    try:
        os.write(descriptor, raw)
    finally:
        os.close(descriptor)
    aside.replace(path)


def _resident_bytes() -> int | None:
    """The resident memory of this process in bytes (proc(5)); None without /proc."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
