"""What each kind of event becomes at a broker."""

from __future__ import annotations

import json

import pytest

from edge import events
from edge.publish.mqtt.topics import TOPICS, messages
from edge.publish.receiver import Entry
from edge.receiving import events as delivery_events


def entry(kind: str, **details: object) -> Entry:
    whole = {"id": "an-id", "kind": kind, "time": "2026-11-21T00:00:00.000000Z", "station": "c1"}
    return Entry(1, "an-id", kind, whole["time"], "c1", {**whole, **details})


def test_every_kind_of_event_has_a_topic() -> None:
    assert TOPICS.keys() == events.KINDS.keys() | delivery_events.KINDS.keys()


def test_a_payload_is_the_whole_event_in_utf_8() -> None:
    (message,) = messages(entry("item", label="Größe 猫", scores=None), "pilah")
    assert message.topic == "pilah/c1/item"
    assert json.loads(message.payload) == {
        "id": "an-id", "kind": "item", "time": "2026-11-21T00:00:00.000000Z", "station": "c1",
        "label": "Größe 猫", "scores": None,
    }  # fmt: skip
    assert "猫".encode() in message.payload
    assert not message.retain


RETAINED = {
    "state_changed": "state",
    "station_started": "station",
    "station_stopped": "station",
    "model_changed": "station",
}


@pytest.mark.parametrize("kind", TOPICS)
def test_what_is_so_until_the_next_one_is_retained(kind: str) -> None:
    found = messages(entry(kind, state="Held"), "a/b")
    kept = [message for message in found if message.retain]
    assert [message.topic for message in kept] == (
        [f"a/b/c1/{RETAINED[kind]}"] if kind in RETAINED else []
    )
    assert all(json.loads(message.payload)["state"] == "Held" for message in kept)


def test_an_item_whose_picture_says_otherwise_is_one_incident() -> None:
    """Its delivery hears of it, too, by an event of its own."""
    topics = {
        kind: [message.topic for message in messages(entry(kind), "pilah")]
        for kind in ("picture_contradicted", "picture_disagreed")
    }
    assert topics == {
        "picture_contradicted": ["pilah/c1/incident"],
        "picture_disagreed": ["pilah/c1/delivery"],
    }


def test_what_a_newer_pilah_wrote_is_told_too() -> None:
    assert [one.topic for one in messages(entry("item_teleported"), "pilah")] == ["pilah/c1/other"]


def test_a_lane_that_was_moved_by_hand_is_told_with_the_station_and_of_no_item() -> None:
    (message,) = messages(entry("lane_moved", lane="warm"), "pilah")
    assert (message.topic, message.retain) == ("pilah/c1/station", False)
