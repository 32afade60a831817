"""The ledger of a station, with its spill, its hand and its recorder, as its file asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.config import NO_SPILL, LedgerSettings
from edge.errors import StorageError
from edge.ledger.kept import KeptLedger
from edge.ledger.ledger import Entry
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.spill import Spill, default_spill


def spill_path(settings: LedgerSettings, station: str) -> Path | None:
    """Where the rows of the station wait while its ledger cannot be written; None: nowhere."""
    if settings.spill is None:
        return default_spill(station, settings.path)
    return None if settings.spill == NO_SPILL else settings.spill


def open_recorder(
    settings: LedgerSettings,
    station: str,
    *,
    show: Callable[[Entry], None],
    say: Callable[[str], None],
) -> Recorder:
    """A recorder whose ledger is open, or will be when it can be: that is no reason not to sort.

    Args:
        station: the station's name.
        show: see `Recorder`.
        say: see `Recorder`.

    Raises:
        LedgerRefusedError: a person must decide what to do; see its kinds.
    """
    recorder = Recorder(
        KeptLedger(settings.path, say=say),
        show=show,
        say=say,
        patience=Patience(commit=settings.commit_seconds),
    )
    recorder.open()
    say(f"ledger     {settings.path}")
    path = spill_path(settings, station)
    if path is None:
        return recorder
    try:
        recorder.add_spill(Spill(path))
    except StorageError as error:
        say(f"warning: {error}. Rows wait in memory while the ledger cannot be written")
    return recorder
