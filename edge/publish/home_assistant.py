"""The announcement of a station to Home Assistant: device discovery by MQTT (pure).

One retained message on `PREFIX/device/ID/config` makes a device with all its entities, and Home
Assistant makes them anew each time that it hears it. See
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import edge
from edge.publish.mqtt.commands import COMMANDS
from edge.publish.mqtt.topics import (
    AVAILABILITY,
    DELIVERY,
    INCIDENT,
    ITEM,
    OFFLINE,
    ONLINE,
    STATE,
    STATS,
    topic,
)
from edge.state.machine import State

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
"""Home Assistant allows letters, digits, _ and - in an id; a station's name may have dots, too."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The announcement of one station to Home Assistant."""

    device: str
    """The id of the device, which its topics and the ids of its entities contain."""
    payload: Mapping[str, Any]

    def topic(self, prefix: str) -> str:
        """The topic of the announcement, below Home Assistant's own prefix: `homeassistant`."""
        return f"{prefix}/device/{self.device}/config"


def discovery(station: str, prefix: str, buttons: Mapping[str, str] | None = None) -> Discovery:
    """The device and the entities of a station.

    Args:
        prefix: what the station's own topics begin with: `pilah`.
        buttons: the commands that are taken, each with its topic; None: none is. What is not among
            them has no button any more.
    """
    device = "pilah_" + station
    if _NOT_IN_AN_ID.search(station):  # `a.b` and `a-b` must not be the same
        mark = blake2b(station.encode(), digest_size=4).hexdigest()
        device = f"{_NOT_IN_AN_ID.sub('-', device)}-{mark}"

    def of(name: str) -> str:
        return topic(prefix, station, name)

    entities: dict[str, dict[str, Any]] = {
        "state": {
            "platform": "sensor",
            "name": "State",
            "state_topic": of(STATE),
            "value_template": "{{ value_json.state }}",
            "device_class": "enum",
            "options": [state.value for state in State],
            "json_attributes_topic": of(STATE),
        },
        "items_today": {
            "platform": "sensor",
            "name": "Items today",
            "state_topic": of(STATS),
            "value_template": "{{ value_json.items }}",
            "json_attributes_topic": of(STATS),
            "state_class": "total_increasing",
            "unit_of_measurement": "items",
        },
        "rejected_today": {
            "platform": "sensor",
            "name": "Rejected today",
            "state_topic": of(STATS),
            "value_template": "{{ value_json.rejected }}",
            "state_class": "total_increasing",
            "unit_of_measurement": "items",
        },
        "last_label": {
            "platform": "sensor",
            "name": "Last label",
            "state_topic": of(ITEM),
            # Of what is told on this topic, an item alone has a label.
            "value_template": "{% if value_json.kind == 'item' %}"
            "{{ value_json.label or 'none' }}{% else %}{{ this.state }}{% endif %}",
        },
        "last_lane": {
            "platform": "sensor",
            "name": "Last lane",
            "state_topic": of(ITEM),
            "value_template": "{% if value_json.kind == 'item' %}"
            "{{ value_json.lane }}{% else %}{{ this.state }}{% endif %}",
        },
        "camera": {
            "platform": "binary_sensor",
            "name": "Camera",
            "device_class": "problem",
            "state_topic": of(STATE),
            "value_template": "{{ 'ON' if 'camera_lost' in (value_json.reason, value_json.first) "
            "else 'OFF' }}",
        },
        "last_incident": {
            "platform": "sensor",
            "name": "Last incident",
            "state_topic": of(INCIDENT),
            "value_template": "{{ value_json.kind }}",
            "json_attributes_topic": of(INCIDENT),
        },
        "last_delivery_event": {
            "platform": "sensor",
            "name": "Last delivery event",
            "state_topic": of(DELIVERY),
            "value_template": "{{ value_json.kind }}",
            "json_attributes_topic": of(DELIVERY),
        },
    }
    taken = buttons or {}
    for command, its_topic in taken.items():
        entities[command] = {
            "platform": "button",
            "name": command.capitalize(),
            "command_topic": its_topic,
            "payload_press": "PRESS",
        }
    for name, entity in entities.items():
        entity["unique_id"] = f"{device}_{name}"
    # An entity with its platform alone is taken away, where an earlier announcement made it.
    entities |= {each.value: {"platform": "button"} for each in COMMANDS if each not in taken}
    payload = {
        "device": {
            "identifiers": [device],
            "name": station,
            "manufacturer": "pilah",
            "model": "Sorting station",
            "sw_version": edge.__version__,
        },
        "origin": {"name": "pilah-publish", "sw_version": edge.__version__},
        "availability": [
            {
                "topic": of(AVAILABILITY),
                "payload_available": ONLINE,
                "payload_not_available": OFFLINE,
            }
        ],
        "qos": 1,
        "components": entities,
    }
    return Discovery(device, payload)
