"""Opens the ledger of a station, its spill and its recorder, as the station file asks for them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from edge.config.ledger import NO_SPILL, LedgerSettings
from edge.core.errors import StorageError
from edge.events import Observer, Stamps
from edge.ledger.journal import Journal
from edge.ledger.ledger_process import LedgerProcess
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.reports.last_run import last_run
from edge.ledger.rows import Writable
from edge.ledger.spill import Spill, default_spill
from edge.outbox.retention import Keep
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.runtime.clock_state import CachedClockState, boot_id

_log = logging.getLogger(__name__)


def spill_path(settings: LedgerSettings, station: str) -> Path | None:
    """Where the rows of the station wait while its ledger cannot be written; None: nowhere."""
    if settings.spill is None:
        return default_spill(station, settings.path)
    return None if settings.spill == NO_SPILL else settings.spill


class OpenLedger(Protocol):
    """Begins to open the ledger in a file."""

    def __call__(self, path: Path, *, keep: Keep | None) -> Writable:
        """The ledger in the file `path`, which need not be open yet: `append` of no rows opens it.

        Args:
            keep: what its outbox keeps; None: nothing is written to the outbox.
        """
        ...


def open_ledger(path: Path, *, keep: Keep | None) -> Writable:
    """The ledger in a process of its own; see OpenLedger."""
    return LedgerProcess(path, keep=keep)


def begin_recorder(
    ledger: Writable,
    settings: LedgerSettings,
    *,
    observers: Sequence[Observer],
    clock: Clock = SYSTEM_CLOCK,
    stamps: Stamps | None = None,
) -> Recorder:
    """A recorder of `ledger`, which is being opened; to be followed by `open_recorder`.

    Args:
        observers, clock, stamps: see `Recorder`.
    """
    return Recorder(
        ledger,
        observers=observers,
        patience=Patience(commit=settings.commit_seconds),
        clock=clock,
        stamps=stamps,
    )


def open_journal(recorder: Recorder, settings: LedgerSettings, stamps: Stamps) -> Journal:
    """The journal of a station, which goes on where the ledger and its spill end.

    Args:
        stamps: see `Journal`.
    """
    before = last_run(settings.path, spill_path(settings, stamps.station))
    return Journal(recorder, stamps, before)


def open_recorder(recorder: Recorder, settings: LedgerSettings, station: str) -> None:
    """Waits for the ledger to be open. That it cannot be opened now is no reason not to sort.

    Args:
        station: the station's name.

    Raises:
        LedgerRefusedError: a person must decide what to do; see its kinds.
    """
    recorder.open()
    _log.info(f"ledger     {settings.path}")
    path = spill_path(settings, station)
    if path is None:
        return
    try:
        recorder.add_spill(Spill(path))
    except StorageError as error:
        _log.warning(f"warning: {error}. Rows wait in memory while the ledger cannot be written")


def open_stamps(station: str, clock: Clock) -> Stamps:
    """The stamps of a station, which record whether this machine's clock is synchronised."""
    if clock is not SYSTEM_CLOCK:  # a simulated time is that of no machine
        return Stamps(station, clock.wall)
    state = CachedClockState(clock.now)
    return Stamps(station, clock.wall, boot_id=boot_id(), synchronised=state)
