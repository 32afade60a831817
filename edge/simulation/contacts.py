"""The contacts of a simulated station: emergency stop, sensors of bins, and exits of lanes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from edge.config.lanes import Lane
from edge.config.stops.section import StopSettings
from edge.core.errors import UsageError
from edge.core.suggestions import did_you_mean
from edge.pins.pins import Pins
from edge.runtime.clock import Clock
from edge.simulation.faults.fault import Fault
from edge.simulation.faults.table import Faults


class SimulatedContacts:
    """What the contacts of a station see: what faults do to them, and items that come out."""

    def __init__(
        self,
        settings: StopSettings | None,
        faults: Faults,
        now: Callable[[], float],
        *,
        lanes: Mapping[str, Lane],
    ) -> None:
        """Nothing has moved.

        Args:
            settings: the section `stops` of the station file; None: it has none.
            faults: what is done to the contacts.
            now: seconds by the clock of the run.
            lanes: those of the station.

        Raises:
            UsageError: a fault is to be noticed by a contact that the station does not have, or is
                that of a lane without one.
        """
        for fault in faults.all:
            if fault.contact:
                _check_contact(fault, getattr(settings, fault.contact, None), lanes)
        self._given, self._faults, self._now = settings, faults, now
        self._lock = threading.Lock()
        exits = {} if settings is None else settings.exits
        self._passing: dict[str, deque[float]] = {lane: deque() for lane in exits}

    @property
    def settings(self) -> StopSettings | None:
        """The same section, whose contacts are simulated."""
        given = self._given
        if given is None:
            return None
        button = given.emergency_stop
        return given.model_copy(
            update={
                "emergency_stop": button and _ContactSettings(button, self._is_pressed),
                "bins": {
                    lane: _ContactSettings(sensor, partial(self._is_full, lane))
                    for lane, sensor in given.bins.items()
                },
                "exits": {
                    lane: _ExitSettings(sensor, partial(self._come_out, lane))
                    for lane, sensor in given.exits.items()
                },
            }
        )

    def lane_moved(self, lane: str, at: float) -> None:
        """The actuator of a lane began to move; an item comes out later, unless it is jammed."""
        if lane in self._passing and self._given is not None:
            out = at + self._given.exits[lane].after_seconds
            if not self._faults.is_jammed(lane, at):
                with self._lock:
                    self._passing[lane].append(out)

    def _is_pressed(self) -> bool:
        return self._faults.is_pressed(self._now())

    def _is_full(self, lane: str) -> bool:
        return self._faults.is_full(lane, self._now())

    def _come_out(self, lane: str, now: float) -> list[float]:
        """When items came out of a lane, of which nobody was told yet."""
        found = []
        with self._lock:
            passing = self._passing[lane]
            while passing and passing[0] <= now:
                found.append(passing.popleft())
        return found


_EXAMPLES = {
    "emergency_stop": "{pin: PIN}",
    "bins": "{LANE: {pin: PIN}}",
    "exits": "{LANE: {pin: PIN, after_seconds: SECONDS}}",
}
"""What to write under a key of the section `stops`."""


def _check_contact(fault: Fault, there: Any, lanes: Mapping[str, Lane]) -> None:
    """Checks that the station has the contact by which it notices a fault.

    Args:
        there: what the station file has under the fault's key of `stops`; None or empty: nothing.
        lanes: those of the station.
    """
    key = fault.contact
    if not there:
        able = [name for name, lane in lanes.items() if lane.actuator or key != "exits"]
        advice = (
            f"Add `stops: {{{key}: {_EXAMPLES[key].replace('LANE', able[0])}}}` to it" if able
            else f"It is for lanes that move (`init --kind` {', '.join(fault.kinds)})"
        )  # fmt: skip
        raise UsageError(
            f"--faults: {fault.name}: this station would not notice it: its file has no "
            f"`stops: {{{key}: ...}}`. {advice}"
        )
    lane = getattr(fault, "lane", "")
    if lane and lane not in there:
        raise UsageError(
            f"--faults: {fault.name}: lane={lane}: the station's file has no lane of this name in "
            f"`stops: {{{key}: ...}}`{did_you_mean(lane, there)}"
        )


class _Settings:
    """Stands in for the settings of a pin."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


class _ExitSettings(_Settings):
    """Stands in for the settings of an exit."""

    def __init__(self, settings: Any, come_out: Callable[[float], list[float]]) -> None:
        super().__init__(settings)
        self._come_out = come_out

    def watch(self, pins: Pins, clock: Clock) -> _Exit:
        """See ExitSensor."""
        return _Exit(self._come_out)


class _Exit:
    def __init__(self, come_out: Callable[[float], list[float]]) -> None:
        self.take = come_out

    def close(self) -> None:
        """See EdgeInput."""


class _ContactSettings(_Settings):
    """Stands in for the settings of a pin that is read."""

    def __init__(self, settings: Any, active: Callable[[], bool]) -> None:
        super().__init__(settings)
        self._active = active

    def open(self, pins: Pins) -> _Contact:
        """Opens the contact."""
        return _Contact(self._active)


class _Contact:
    def __init__(self, active: Callable[[], bool]) -> None:
        self._active = active

    @property
    def active(self) -> bool:
        """See Input."""
        return self._active()

    def close(self) -> None:
        """See Input."""
