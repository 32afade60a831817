"""What Home Assistant is told: one message that makes a device with entities."""

from __future__ import annotations

import json
import re

import pytest

from edge.publish.home_assistant import discovery
from edge.publish.mqtt.topics import json_bytes

FOUND = discovery("cell-1", "pilah")
IDS = re.compile(r"[A-Za-z0-9_-]+")


def test_the_device_is_announced_where_home_assistant_looks() -> None:
    assert FOUND.topic("homeassistant") == "homeassistant/device/pilah_cell-1/config"


def test_the_message_has_what_home_assistant_asks_for() -> None:
    payload = json.loads(json_bytes(FOUND.payload))
    assert payload["device"]["identifiers"] == ["pilah_cell-1"]
    assert payload["device"]["name"] == "cell-1"
    assert payload["origin"]["name"] == "pilah-publish"
    assert payload["availability"][0] == {
        "topic": "pilah/cell-1/availability",
        "payload_available": "online",
        "payload_not_available": "offline",
    }
    for name, entity in payload["components"].items():
        if entity == {"platform": "button"}:  # which takes one away
            continue
        assert entity["platform"] in ("sensor", "binary_sensor")
        assert entity["unique_id"] == f"pilah_cell-1_{name}"
        assert entity["state_topic"].startswith("pilah/cell-1/")
        assert "{{" in entity["value_template"]


def test_a_button_of_a_command_that_is_not_taken_any_more_is_taken_away() -> None:
    """An entity with nothing but its platform is removed, says Home Assistant's page on discovery
    by MQTT."""
    found = discovery("cell-1", "pilah", {"pause": "pilah/cell-1/command/pause"})
    components = found.payload["components"]
    assert components["pause"]["unique_id"] == "pilah_cell-1_pause"
    assert components["resume"] == components["clear"] == {"platform": "button"}
    assert FOUND.payload["components"]["pause"] == {"platform": "button"}


STATIONS = [("a.b", "a_b"), ("a.b", "a-b"), ("a..", "a.-")]


@pytest.mark.parametrize("pair", STATIONS)
def test_ids_are_allowed_by_home_assistant_and_two_stations_have_two(
    pair: tuple[str, str],
) -> None:
    ids = [discovery(station, "pilah").device for station in pair]
    assert all(IDS.fullmatch(found) for found in ids)
    assert len(set(ids)) == 2
