"""What happens to the station itself: its state, its incidents, its camera, ledger and model."""

from __future__ import annotations

from dataclasses import dataclass

from edge.events.base import Event, Incident


@dataclass(frozen=True, slots=True)
class IncidentRaised(Incident):
    """One of the kinds of `edge/state/incidents/kinds.py` began that has no event of its own."""

    name: str
    scope: str
    """Which part has it, such as a lane; empty for the whole station."""
    cause: str
    """What is known to be wrong, as a sentence."""
    what_to_do: str
    """As a sentence, for who stands at the machine."""
    ends_by: str
    """`itself`, or the verb that ends it: `reset` or `clear`."""


@dataclass(frozen=True, slots=True)
class IncidentEnded(Event):
    """An incident of an IncidentRaised is over, whether somebody ended it or it did so itself; or
    any that was open when the program ended, which is over when that is started again."""

    incident_id: str
    """The id of its IncidentRaised, or of the other event that told that it began."""
    name: str
    scope: str
    seconds: float
    """How long it lasted."""
    who: str = ""
    """Who ended it; empty: it ended by itself."""


@dataclass(frozen=True, slots=True)
class ExitSeen(Event):
    """The sensor at the exit of a lane saw something pass."""

    lane: str
    at: float
    """When, in seconds on the machine's monotonic clock."""


@dataclass(frozen=True, slots=True)
class LaneMoved(Event):
    """Somebody moved the actuator of a lane by hand, for no item."""

    lane: str
    seconds: float
    """For how long it was to be active."""
    who: str


@dataclass(frozen=True, slots=True)
class CameraLost(Event):
    """The camera gives no more pictures, and is opened again until it does."""

    camera: str


@dataclass(frozen=True, slots=True)
class CameraBack(Event):
    """A camera that was lost gives pictures again."""

    camera: str
    lost_seconds: float


@dataclass(frozen=True, slots=True)
class LedgerFailed(Incident):
    """The ledger cannot be written, or does not answer. The station goes on sorting; this event is
    written, with the rows that waited, once there is room again."""

    reason: str
    """What failed, as it was logged."""


@dataclass(frozen=True, slots=True)
class LedgerBack(Event):
    """A ledger that had failed was written again."""

    failed_seconds: float


@dataclass(frozen=True, slots=True)
class ModelChanged(Event):
    """Items that come into view from now on are judged by another model."""

    bundle: str
    """The bundle's name and version."""
    bundle_digest: str


@dataclass(frozen=True, slots=True)
class StationStarted(Event):
    """The station begins to sort."""

    pilah: str
    """The version of pilah."""
    bundle: str
    """The name and version of the bundle that it sorts with."""
    bundle_digest: str


@dataclass(frozen=True, slots=True)
class StationStopped(Event):
    """The station has stopped sorting. There is no such event after a power cut or a crash."""

    items: int
    """How many it has sorted since it started."""
    reason: str
    """The signal that ended it, or what failed; empty: it had sorted what there was to sort."""


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    """The station is in another state from now on, or in the same one for another reason, because
    the one before is over, or waits for something else. `edge/state/machine.py` has the states."""

    state: str
    """By PackML's names: `Execute`, `Held`, ...; it sorts in Execute only."""
    mode: str
    """`Production`, `Maintenance` or `Manual`."""
    since: str
    """When what it is about began, in the form of `time`; for a stop, the moment of its cause,
    which may be a little earlier than `time`."""
    reason: str = ""
    """Why: the name of an incident, or `paused`; empty in a state that needs no reason."""
    scope: str = ""
    """Which part the reason is about, such as a lane; empty for the whole station."""
    first: str = ""
    """The reason that was the first since the station sorted, of which the others may follow; empty
    where it sorts, and where somebody ended it. What an error has ended has one until it is started
    again: that incident, or `failed`."""
    first_incident: str | None = None
    """The id of the event of that incident; None: there is none."""
    who: str = ""
    """Who gave the command for it; empty: nobody did."""
    run: str = ""
    """The same in all rows of one run of the station, and in no others, so that runs can be told
    apart where the clock was set back between them; empty: the row is older than this."""
    waits_for: str = ""
    """What only a person ends, and without which the station does not sort, after its next start
    neither: `paused`, `jam warm`, `stopped`, and several with commas between them; empty: nothing.
    """
