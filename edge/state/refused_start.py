"""What the ledger of a station tells of a start that ended before any of its parts was opened."""

from __future__ import annotations

import logging

from edge.config.station import StationConfig
from edge.core.errors import PilahError
from edge.lanes.lanes import Lanes
from edge.ledger.opening import (
    begin_recorder,
    open_journal,
    open_ledger,
    open_recorder,
    open_stamps,
)
from edge.runtime.clock import SYSTEM_CLOCK
from edge.state.watch import StateWatch

_log = logging.getLogger(__name__)


def tell_of_refused_start(config: StationConfig, error: Exception) -> None:
    """Writes down that the station could not be started, where it has a ledger already.

    One that runs in another process has its ledger for itself: nothing is written then. What keeps
    from writing is only warned of, for the caller has `error` to tell.

    Args:
        config: the station file.
        error: why it could not be started.
    """
    try:
        _write(config, error)
    except (OSError, PilahError) as found:
        _log.warning(f"warning    this start is not in the ledger: {found}")


def _write(config: StationConfig, error: Exception) -> None:
    if not config.ledger.path.exists():  # it has never sorted
        return
    clock = SYSTEM_CLOCK
    stamps = open_stamps(config.station, clock)
    ledger = open_ledger(config.ledger.path, keep=config.keep)
    recorder = begin_recorder(ledger, config.ledger, observers=(), clock=clock, stamps=stamps)
    try:
        journal = open_journal(recorder, config.ledger, stamps)
        if journal.before.state is None:  # it runs, or nobody knows how it stands
            _log.warning("warning    this start is not in the ledger, which cannot be read")
            return
        open_recorder(recorder, config.ledger, config.station)
        nothing_moves = Lanes({}, {}, clock=clock)
        with StateWatch(config, lanes=nothing_moves, journal=journal, clock=clock) as state:
            state.cannot_start(error)
    finally:
        recorder.close()
