"""What one connection does at the limits of a real mosquitto, and of paho."""

from __future__ import annotations

from pathlib import Path

import pytest
from paho.mqtt.client import DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.config.publish.mqtt import MqttSettings
from edge.publish.mqtt import session
from edge.publish.mqtt.session import Session
from edge.publish.mqtt.topics import Message
from edge.publish.receiver import ReceiverUnavailable
from tests.edge.publish.broker import Broker
from tests.logged import listen


def message(topic: str) -> Message:
    return Message(topic, b"1", retain=False)


def connect(broker: Broker) -> Session:
    return Session(
        MqttSettings.model_validate({"host": "127.0.0.1", "port": broker.port, "tls": False}),
        client_id="cell-1",
        will=message("gone"),
        on_message=lambda topic, payload, retained: None,
    )


def test_a_topic_that_can_never_be_published_is_refused_and_holds_up_no_other(
    tmp_path: Path,
) -> None:
    with Broker(tmp_path) as broker, connect(broker) as found:
        first, second, third = found.publish([message("a"), message("a/#"), message("b")])
    assert (first, third) == (None, None)
    assert "wildcards" in str(second)


def test_a_broker_that_acknowledges_no_messages_is_not_used(tmp_path: Path) -> None:
    with (
        Broker(tmp_path, ["allow_anonymous true", "max_qos 0"]) as broker,
        pytest.raises(ReceiverUnavailable, match="does not accept us: QoS not supported"),
    ):
        connect(broker)


def test_more_than_paho_has_room_for_is_sent_at_the_next_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_QUEUE", 3)
    with Broker(tmp_path) as broker, connect(broker) as found:
        broker.pause()  # nothing is acknowledged, so that nothing leaves paho's queue
        found.window = 10
        with pytest.raises(ReceiverUnavailable, match="is given no more"):
            found.publish([message("a")] * 10)
        broker.go_on()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("Success", None),
        ("No matching subscribers", None),
        ("Not authorized", "the broker: Not authorized"),
        ("Payload format invalid", "the broker: Payload format invalid"),
    ],
)
def test_what_the_broker_answers_says_why_it_refused(code: str, why: str | None) -> None:
    assert session._refusal(ReasonCode(PacketTypes.PUBACK, code)) == why


def test_a_broker_whose_quota_is_used_up_is_tried_again() -> None:
    with pytest.raises(ReceiverUnavailable, match="takes no more at the moment: Quota exceeded"):
        session._refusal(ReasonCode(PacketTypes.PUBACK, "Quota exceeded"))


def test_a_topic_that_the_broker_does_not_let_us_hear_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    listen(said.append)
    with Broker(tmp_path) as broker, connect(broker) as found:
        with monkeypatch.context() as held:
            held.setattr(found._client, "subscribe", lambda topic, qos: (0, 7))
            found.subscribe("pilah/cell-1/command/pause")
        refused = ReasonCode(PacketTypes.SUBACK, identifier=0x87)
        found._subscribed(found._client, None, 7, [refused], None)
    assert said == [
        "warning    the broker does not let us hear pilah/cell-1/command/pause: Not authorized"
    ]


def test_two_stations_of_one_name_are_told_that_they_take_the_connection_from_each_other(
    tmp_path: Path,
) -> None:
    """As newer brokers say it; mosquitto 2.0.11 closes the connection without a word."""
    with Broker(tmp_path) as broker, connect(broker) as found:
        taken_over = ReasonCode(PacketTypes.DISCONNECT, identifier=0x8E)
        found._disconnected(found._client, None, DisconnectFlags(True), taken_over, None)
        assert "Session taken over" in str(found.lost)
        assert "give each station a name of its own" in str(found.lost)
