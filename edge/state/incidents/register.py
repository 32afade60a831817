"""The incidents that a station has now: what is told of each, and what stands because of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from edge.events import Event, IncidentEnded, IncidentRaised, Stamps
from edge.runtime.clock import Clock
from edge.state.incidents.kinds import INCIDENTS, IncidentKind
from edge.state.incidents.notice import Notice
from edge.state.keeper import StationStates
from edge.state.machine import State
from edge.state.stops import Cause

_log = logging.getLogger(__name__)


class _Open(NamedTuple):
    kind: IncidentKind
    id: str
    since: float
    logged: bool


class IncidentRegister:
    """The open incidents. Any thread may call every method, and none waits."""

    def __init__(
        self,
        *,
        states: StationStates,
        offer: Callable[[Event], None],
        stamps: Stamps,
        clock: Clock,
    ) -> None:
        """No incident is open.

        Args:
            states: stands because of those that have a `stop`.
            offer: takes an event when one begins and when it is over; must not wait.
            stamps: gives the events their ids and times.
        """
        self._states, self._offer, self._stamps, self._clock = states, offer, stamps, clock
        self._lock = threading.RLock()
        self._open: dict[tuple[str, str], _Open] = {}
        self._waiting: dict[tuple[str, str], Cause] = {}
        states.tell_of_ends(self._ended_by)

    @property
    def names(self) -> tuple[str, ...]:
        """What is open, the oldest first: `camera_lost`, `jam warm`. Takes no lock."""
        return tuple(" ".join(filter(None, key)) for key in list(self._open))

    def has(self, name: str, scope: str = "") -> bool:
        """Whether this one is open. Takes no lock."""
        return (name, scope) in self._open

    @property
    def waits(self) -> bool:
        """Whether the station is to stand once nothing is planned any more; see `settle`."""
        return bool(self._waiting)

    def take(self, notice: Notice) -> None:
        """What a rule has noticed. One that is open already, or is not, changes nothing, unless it
        did not stop the station before and does so now."""
        if notice.begins:
            self._begin(notice)
        else:
            self._end(notice.name, notice.scope, notice.at)

    def told(self, notice: Notice, event_id: str) -> None:
        """What has an event of its own, whose id is `event_id`, and was told by that."""
        if notice.begins:
            self._begin(notice, event_id)
        else:
            self._end(notice.name, notice.scope, notice.at)

    def settle(self) -> None:
        """Nothing is planned any more: what waited for that, stands now."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            for cause in waiting.values():
                self._states.add(cause)

    def _begin(self, notice: Notice, event_id: str = "") -> None:
        kind, key = INCIDENTS[notice.name], (notice.name, notice.scope)
        with self._lock:
            if key not in self._open:
                if not event_id:
                    event = self._raised(kind, notice)
                    event_id = event.id
                    self._offer(event)
                    if not notice.logged:
                        _log.warning(f"incident   {kind.name}: {event.cause} {event.what_to_do}")
                self._open[key] = _Open(kind, event_id, notice.at, notice.logged)
            if kind.stop is None or not notice.stops:
                return
            cause = Cause(
                kind.name, kind.stop, notice.at, notice.scope, kind.ends_by, self._open[key].id
            )
            # Whoever waits for moves to end must not be overtaken by a worse one.
            if kind.after_moves and self._states.executes:
                self._waiting[key] = cause
            else:
                self._states.add(cause)

    def _raised(self, kind: IncidentKind, notice: Notice) -> IncidentRaised:
        ends_by = "clear" if kind.stop is State.ABORTED else kind.ends_by.value
        return IncidentRaised(
            *self._stamps.at(self._clock.wall() - (self._clock.now() - notice.at)),
            name=kind.name,
            scope=notice.scope,
            cause=notice.cause or kind.cause.format(scope=notice.scope),
            what_to_do=kind.what_to_do,
            ends_by=ends_by,
        )

    def _end(self, name: str, scope: str, at: float, who: str = "") -> None:
        with self._lock:
            found = self._open.pop((name, scope), None)
            if found is None:
                return
            self._waiting.pop((name, scope), None)
            if found.kind.ended == "incident_ended":
                self._tell_end(found, scope, at, who)
            self._states.over(name, scope=scope)

    def _ended_by(self, cause: Cause, who: str) -> None:
        """A command has ended the cause of a stop."""
        found = self._open.pop(cause.key, None)
        if found is not None:
            self._tell_end(found, cause.scope, self._clock.now(), who)

    def _tell_end(self, found: _Open, scope: str, at: float, who: str) -> None:
        seconds = round(max(0.0, at - found.since), 3)
        stamp = self._stamps.now()
        by = f", by {who}" if who else ""
        if not found.logged:
            _log.info(f"incident   {found.kind.name} {scope} is over after {seconds:.1f} s{by}")
        self._offer(IncidentEnded(*stamp, found.id, found.kind.name, scope, seconds, who))
