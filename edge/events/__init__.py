"""What happened at a station: values that are made once, have an id for ever, and never change.

Each part of a station offers its events to the recorder (`edge/ledger/recorder.py`), which writes a
row for each and then tells the observers. Lanes are not moved by events: the sorting thread calls
them itself, because their time matters.

A new kind of event is a class in a module of this folder and a line in KINDS. Its rows are in the
table `events` without a migration; a kind that is to be counted and joined in SQL has a table of
its own. The events of deliveries are in `edge/receiving/events.py`, and in a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from edge.events.base import Event, EventSink, Incident, Stamp, Stamps, utc_text
from edge.events.items import (
    CORRECTABLE,
    ActuationEnded,
    CodeRead,
    CodeScanned,
    ItemAudited,
    ItemCorrected,
    ItemSorted,
    PictureContradicted,
)
from edge.events.station import (
    CameraBack,
    CameraLost,
    ExitSeen,
    IncidentEnded,
    IncidentRaised,
    LaneMoved,
    LedgerBack,
    LedgerFailed,
    ModelChanged,
    StateChanged,
    StationStarted,
    StationStopped,
)

__all__ = [
    "CORRECTABLE", "KINDS", "ActuationEnded", "CameraBack", "CameraLost", "CodeRead",
    "CodeScanned", "Event", "EventSink", "ExitSeen", "Incident", "IncidentEnded",
    "IncidentRaised", "ItemAudited", "ItemCorrected", "ItemSorted", "LaneMoved", "LedgerBack",
    "LedgerFailed", "ModelChanged", "Observer", "PictureContradicted", "Stamp", "Stamps",
    "StateChanged", "StationStarted", "StationStopped", "kind_of", "of_items", "utc_text",
]  # fmt: skip

KINDS: Mapping[str, type[Event]] = {
    "item": ItemSorted,
    "actuation": ActuationEnded,
    "correction": ItemCorrected,
    "code_read": CodeRead,
    "code_scanned": CodeScanned,
    "picture_contradicted": PictureContradicted,
    "camera_lost": CameraLost,
    "camera_back": CameraBack,
    "ledger_failed": LedgerFailed,
    "ledger_back": LedgerBack,
    "model_changed": ModelChanged,
    "station_started": StationStarted,
    "station_stopped": StationStopped,
    "state_changed": StateChanged,
    "incident_raised": IncidentRaised,
    "incident_ended": IncidentEnded,
    "exit_seen": ExitSeen,
    "lane_moved": LaneMoved,
    "item_audited": ItemAudited,
}
"""The classes by what they are called outside of this process."""


_NAMES = {kind: name for name, kind in KINDS.items()}


def kind_of(event: Event) -> str:
    """What the class of `event` is called outside of this process: a key of KINDS."""
    return _NAMES[type(event)]


Observer = Callable[[Event], None]
"""Is told of each event once that is written down. Must not wait."""


def of_items(take: Callable[[ItemSorted], object]) -> Observer:
    """An observer that passes each sorted item to `take`, and ignores other events."""

    @wraps(take)
    def observe(event: Event) -> None:
        if isinstance(event, ItemSorted):
            take(event)

    return observe
