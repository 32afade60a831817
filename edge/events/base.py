"""What all events have, and the stamps that give them an id and a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from edge.core.uuid7 import UUID7Source


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: str
    """A UUID version 7: unique for ever, and in the order in which one run of a station made them.
    Those of states, incidents, audits and corrections are in order across runs, too."""
    time: str
    """When it happened: UTC, ISO 8601 with microseconds, such as 2026-11-21T23:04:36.123456Z."""
    station: str


@dataclass(frozen=True, slots=True)
class Incident(Event):
    """Something abnormal that asks for an action."""


class EventSink(Protocol):
    """What events are offered to."""

    def offer(self, event: Event) -> None:
        """Takes `event`. Never waits; may be called by any thread."""
        ...


class Stamp(NamedTuple):
    """What all events have: `CameraLost(*stamp, camera="cam")`."""

    id: str
    time: str
    station: str


class Stamps:
    """Gives the events of one station their ids and times; may be called by any thread.

    A stamp costs microseconds; it uses neither a disk nor the system's source of randomness.
    """

    def __init__(
        self,
        station: str,
        wall: Callable[[], float],
        *,
        boot_id: str | None = None,
        synchronised: Callable[[], bool | None] = lambda: None,
        after: str = "",
    ) -> None:
        """Has given none.

        Args:
            station: the station's name.
            wall: seconds since 1970.
            boot_id: the UUID of this boot of the machine; None: not known.
            synchronised: whether the clock behind `wall` is kept right; must not wait.
            after: the last id that was given before, if the order across runs matters: the ids
                are greater, even where `wall` has been set back since.
        """
        self.station, self._wall = station, wall
        self.boot_id, self.synchronised = boot_id, synchronised
        self.new_id = UUID7Source(wall, after=after)

    def following(self, last_id: str) -> Stamps:
        """Stamps like these, whose ids are all greater than `last_id`; see `after`."""
        return Stamps(
            self.station,
            self._wall,
            boot_id=self.boot_id,
            synchronised=self.synchronised,
            after=last_id,
        )

    def now(self) -> Stamp:
        """The stamp of what happens now."""
        return Stamp(self.new_id(), utc_text(self._wall()), self.station)

    def ago(self, seconds: float) -> Stamp:
        """The stamp of what happened so many seconds ago."""
        return self.at(self._wall() - seconds)

    def at(self, seconds: float) -> Stamp:
        """The stamp, with a new id, of what happened so many seconds after the start of 1970."""
        return Stamp(self.new_id(), utc_text(seconds), self.station)


def utc_text(seconds: float) -> str:
    """The text of an event's time, from seconds since 1970."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"
