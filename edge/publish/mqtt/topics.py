"""The MQTT messages for an entry of an outbox: topics and payloads (pure).

PREFIX/STATION/availability   retained: `online`, and by the last will `offline`
PREFIX/STATION/item           an item, and what becomes of it later
PREFIX/STATION/incident       something abnormal
PREFIX/STATION/state          retained: the state that the station is in, by PackML's names
PREFIX/STATION/station        retained: it was started or stopped, or has another model; not
                              retained: a lane was moved by hand
PREFIX/STATION/stats          retained: how many items of today
PREFIX/STATION/delivery       what happens to a delivery, and what was scanned
PREFIX/STATION/other          what a newer pilah wrote and this one does not know
PREFIX/STATION/command/...    is heard, where the station file says so: `pause`, `resume`, ...
PREFIX/STATION/answer         what the station answers to a command
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from edge.publish.receiver import Entry

AVAILABILITY, ITEM, INCIDENT, STATE, STATION, STATS, DELIVERY, OTHER = (
    "availability", "item", "incident", "state", "station", "stats", "delivery", "other",
)  # fmt: skip
COMMAND, ANSWER = "command", "answer"
_RETAINED = (STATE, STATION)
_PASSING = ("lane_moved",)
"""Kinds that are never retained: they tell of a moment, and not how the station is."""
ONLINE, OFFLINE = "online", "offline"

TOPICS: Mapping[str, tuple[str, ...]] = {
    "item": (ITEM,),
    "actuation": (ITEM,),
    "correction": (ITEM,),
    "code_read": (ITEM,),
    "code_scanned": (DELIVERY,),
    "picture_contradicted": (INCIDENT,),
    "camera_lost": (INCIDENT,),
    "camera_back": (INCIDENT,),
    "ledger_failed": (INCIDENT,),
    "ledger_back": (INCIDENT,),
    "model_changed": (STATION,),
    "station_started": (STATION,),
    "station_stopped": (STATION,),
    "state_changed": (STATE,),
    "incident_raised": (INCIDENT,),
    "incident_ended": (INCIDENT,),
    "exit_seen": (ITEM,),
    "lane_moved": (STATION,),
    "item_audited": (ITEM,),
    "delivery_imported": (DELIVERY,),
    "delivery_opened": (DELIVERY,),
    "delivery_withdrawn": (DELIVERY,),
    "container_arrived": (DELIVERY,),
    "piece_counted": (DELIVERY,),
    "put_aside": (DELIVERY,),
    "picture_disagreed": (DELIVERY,),  # where the station saw it, an incident tells of it, too
    "marked_damaged": (DELIVERY,),
    "count_corrected": (DELIVERY,),
    "count_undone": (DELIVERY,),
    "delivery_checked": (DELIVERY,),
    "delivery_closed": (DELIVERY,),
    "delivery_reopened": (DELIVERY,),
}
"""The topic of an entry, by its kind."""


class Message(NamedTuple):
    """One message for a broker, to be sent with QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


def topic(prefix: str, station: str, name: str) -> str:
    """A topic of a station, such as `pilah/cell-1/item`."""
    return f"{prefix}/{station}/{name}"


def messages(entry: Entry, prefix: str) -> list[Message]:
    """The messages for `entry`."""
    return [
        Message(
            topic(prefix, entry.station, name),
            json_bytes(entry.payload),
            retain=name in _RETAINED and entry.kind not in _PASSING,
        )
        for name in TOPICS.get(entry.kind, (OTHER,))
    ]


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """`value` as JSON in UTF-8, without spaces."""
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")).encode()
