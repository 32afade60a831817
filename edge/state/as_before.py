"""How a station stands when it is started, by how its run before ended."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.config.station import StationConfig
from edge.ledger.reports.last_run import LastRun
from edge.state.incidents.kinds import INCIDENTS
from edge.state.incidents.notice import Notice
from edge.state.keeper import StationStates
from edge.state.machine import Mode, State
from edge.state.stops import PAUSED, Cause, EndsBy

_log = logging.getLogger(__name__)

_ABORTED_BEFORE = {
    State.ABORTED.value: "The station was Aborted when it ended, and not cleared.",
    None: "Nobody knows whether the station was Aborted when it ended: its ledger cannot be read.",
}
"""Why a station with an emergency stop is Aborted from its start, by how the run before ended."""
_AS_BEFORE = "It was so when the station ended, and nobody has reset it."


def stand_as_before(
    config: StationConfig,
    before: LastRun,
    *,
    states: StationStates,
    take: Callable[[Notice], None],
    now: float,
) -> None:
    """What only a person ends is not over because the program was started again.

    Args:
        config: the station file.
        before: how the run before ended.
        states: the state of the station, which is Starting.
        take: takes that an incident begins, or is over.
        now: seconds on the station's clock.
    """
    _stand(before, states, take, now)
    if before.state is None and config.actuators:
        states.stay_in(Mode.MAINTENANCE)
        take(Notice("mode_unknown", True, now))
    cause = _ABORTED_BEFORE.get(before.state)
    if config.stops is not None and config.stops.emergency_stop and cause:
        take(Notice("emergency_stop", True, now, cause=cause))
        take(Notice("emergency_stop", False, now))  # unless the contact says so, too


def _stand(
    before: LastRun, states: StationStates, take: Callable[[Notice], None], now: float
) -> None:
    waiting = set(filter(None, before.waits_for.split(", ")))
    for label in sorted(waiting):
        name, _, lane = label.partition(" ")
        if name in INCIDENTS:
            cause = f"{INCIDENTS[name].cause.format(scope=lane)} {_AS_BEFORE}"
            take(Notice(name, True, now, lane, cause))
            waiting.discard(label)
    if PAUSED in waiting:
        states.add(Cause(PAUSED, State.HELD, now, ends_by=EndsBy.RESUME))
        _log.warning(
            "state      the station was paused when it ended, and is paused still: "
            "`pilah-edge resume` lets it sort"
        )
    if before.mode in [one.value for one in Mode if one.is_manual]:
        states.stay_in(Mode(before.mode))
        _log.warning(
            f"state      the station was in the mode {before.mode} when it ended, and stays "
            "Stopped: `pilah-edge mode`, then `reset` and `resume` let it sort"
        )
    elif waiting - {PAUSED}:  # STOPPED, or what only a newer pilah knows
        states.stay_in(Mode.PRODUCTION)
        _log.warning(
            "state      somebody had stopped the station when it ended, and it stays Stopped: "
            "`pilah-edge reset` and `resume` let it sort"
        )
