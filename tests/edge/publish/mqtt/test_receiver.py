"""A real mosquitto is told of what happens, whatever becomes of it meanwhile."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.config.publish.mqtt import MqttSettings
from edge.core.errors import ReceiverSetupError
from edge.publish import pump
from edge.publish.mqtt import session, topics
from edge.publish.mqtt.receiver import MqttReceiver
from edge.publish.mqtt.topics import Message
from edge.publish.receiver import Entry, ReceiverUnavailable
from edge.publish.receivers import Surroundings
from tests.edge.publish.broker import PATIENCE, Authority, Broker, Listener
from tests.edge.publish.outboxes import hurry


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was lost, or never came about, is tried again at once; an answer is waited
    for as long as a busy machine may take for it."""
    monkeypatch.setattr(pump, "_LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(session, "_ANSWER_SECONDS", PATIENCE)
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", PATIENCE)
    monkeypatch.setattr("edge.publish.mqtt.receiver._CLOSE_SECONDS", PATIENCE)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as found:
        yield found


def settings(broker: Broker, **values: Any) -> MqttSettings:
    plain = {"host": "127.0.0.1", "port": broker.port, "tls": False}
    return MqttSettings.model_validate({**plain, **values})


def surroundings_in(folder: Path) -> Surroundings:
    return Surroundings("cell-1", folder / "ledger.sqlite", folder / "deliveries.sqlite")


@contextmanager
def receiver_at(folder: Path, found: MqttSettings) -> Iterator[MqttReceiver]:
    receiver = MqttReceiver(found, surroundings_in(folder))
    try:
        yield receiver
    finally:
        receiver.close()


def entries(*numbers: int, size: int = 0) -> list[Entry]:
    return [
        Entry(
            number, f"id-{number}", "item", "2026-11-21T00:00:00.000000Z", "cell-1",
            {"id": f"id-{number}", "kind": "item", "item": number, "text": "x" * size},
        )
        for number in numbers
    ]  # fmt: skip


def items(listener: Listener) -> list[int]:
    """The items that were heard of, each once, in the order they first came in."""
    found = [json.loads(one.payload)["item"] for one in listener.of("/item")]
    return list(dict.fromkeys(found))


def send_until_taken(receiver: MqttReceiver, sent: Sequence[Entry]) -> int:
    """Sends until the broker has all; how often it could not."""
    failures = 0
    while True:
        try:
            assert receiver.send(sent) == []
        except ReceiverUnavailable:
            failures += 1
        else:
            return failures


def trouble_of(receiver: MqttReceiver) -> str:
    """Why nothing can be sent, when it has tried to connect."""
    while True:
        with pytest.raises(ReceiverUnavailable) as caught:
            receiver.send(entries(1))
        if "has not answered yet" not in str(caught.value):
            return str(caught.value)


def test_what_is_sent_is_heard_in_order(tmp_path: Path, broker: Broker) -> None:
    with Listener(broker) as listener, receiver_at(tmp_path, settings(broker)) as receiver:
        assert receiver.send(entries(*range(1, 301))) == []
        listener.wait(lambda: len(listener.of("/item")) == 300)
        assert items(listener) == list(range(1, 301))
        assert listener.of("cell-1/availability")[0].payload == b"online"


def test_the_availability_is_retained_and_ends_with_the_publisher(
    tmp_path: Path, broker: Broker
) -> None:
    with receiver_at(tmp_path, settings(broker)) as receiver:
        receiver.send(entries(1))
        with Listener(broker) as listener:
            listener.wait(lambda: bool(listener.of("availability")))
            (heard,) = listener.of("availability")
            assert (heard.payload, heard.retained) == (b"online", True)
            receiver.close()
            listener.wait(lambda: len(listener.of("availability")) == 2)
            assert listener.of("availability")[1].payload == b"offline"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_broker_that_comes_back_gets_the_rest(
    tmp_path: Path, broker: Broker, number: int
) -> None:
    with Listener(broker) as listener, receiver_at(tmp_path, settings(broker)) as receiver:
        send_until_taken(receiver, entries(1, 2))
        listener.wait(lambda: items(listener) == [1, 2])
        broker.stop(number)
        broker.start()
        listener.wait(lambda: listener.subscribed == 2)  # the broker has forgotten it
        send_until_taken(receiver, entries(3, 4))
        listener.wait(lambda: items(listener) == [1, 2, 3, 4])


def test_a_broker_that_is_away_is_waited_for_no_longer_than_it_takes(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.5)
    broker.stop()
    with receiver_at(tmp_path, settings(broker)) as receiver:
        with pytest.raises(ReceiverUnavailable, match=r"is not reached|has not answered"):
            receiver.send(entries(1))
        broker.start()
        with Listener(broker) as listener:
            send_until_taken(receiver, entries(1))
            listener.wait(lambda: items(listener) == [1])


def test_a_halted_broker_is_noticed_and_gets_the_rest(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_ANSWER_SECONDS", 0.3)
    with Listener(broker) as listener, receiver_at(tmp_path, settings(broker)) as receiver:
        send_until_taken(receiver, entries(1))
        broker.pause()
        with pytest.raises(ReceiverUnavailable, match="acknowledged nothing"):
            receiver.send(entries(2))
        broker.go_on()
        send_until_taken(receiver, entries(2, 3))
        listener.wait(lambda: items(listener) == [1, 2, 3])


def test_a_connection_that_is_lost_while_nothing_is_sent_is_opened_again(
    tmp_path: Path, broker: Broker
) -> None:
    with receiver_at(tmp_path, settings(broker)) as receiver:
        send_until_taken(receiver, entries(1))
        broker.stop(signal.SIGKILL)
        broker.start()
        with Listener(broker) as listener:
            listener.wait(lambda: any(x.payload == b"online" for x in listener.of("availability")))


@pytest.mark.parametrize("allowed", [1, 5])
def test_no_more_is_on_its_way_at_once_than_the_broker_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    sent, acknowledged = session.paho.Client.publish, session.Session._published
    counting, counts = threading.Lock(), [0]

    def publish(self: Any, topic: str, *more: Any, **values: Any) -> Any:
        with counting:
            counts.append(counts[-1] + 1)
        return sent(self, topic, *more, **values)

    def published(self: session.Session, *told: Any) -> None:
        with counting:
            counts.append(counts[-1] - 1)
        acknowledged(self, *told)

    monkeypatch.setattr(session.paho.Client, "publish", publish)
    monkeypatch.setattr(session.Session, "_published", published)
    messages = [topics.Message("a/b", b"c", retain=False)] * 80
    lines = ["allow_anonymous true", f"max_inflight_messages {allowed}"]
    with (
        Broker(tmp_path / "broker", lines) as broker,
        session.Session(
            settings(broker), client_id="a", will=messages[0], on_message=lambda *_: None
        ) as opened,
        ThreadPoolExecutor(2) as two,
    ):
        answers = list(two.map(opened.publish, [messages, messages]))
    assert answers == [[None] * 80] * 2
    assert max(counts) == opened.window == allowed


REFUSALS = {
    "too large for the broker": (["message_size_limit 2000"], "ends the connection|too large"),
    "larger than the packets it takes": (["max_packet_size 2000"], "takes 2000 at most"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_message_that_is_too_large_is_refused_and_the_others_are_taken(
    tmp_path: Path, case: str
) -> None:
    lines, words = REFUSALS[case]
    with (
        Broker(tmp_path / "broker", ["allow_anonymous true", *lines]) as broker,
        Listener(broker) as listener,
        receiver_at(tmp_path, settings(broker)) as receiver,
    ):
        sent = [*entries(1), *entries(2, size=5000), *entries(3)]
        (refused,) = receiver.send(sent)
        assert refused.entry.id == "id-2"
        assert re.search(words, refused.reason)
        listener.wait(lambda: items(listener) == [1, 3])


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_slow_broker_gets_the_rest_of_a_batch_at_the_next_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    lines = ["allow_anonymous true", *([] if one_by_one else ["max_inflight_messages 2"])]
    with (
        Broker(tmp_path / "broker", lines) as broker,
        Listener(broker) as listener,
        receiver_at(tmp_path, settings(broker)) as receiver,
    ):
        assert receiver.send(entries(0)) == []
        hurry(monkeypatch, 2)
        receiver._one_by_one = one_by_one
        sent = entries(*range(1, 6 if one_by_one else 11))
        for _ in range(2):
            with pytest.raises(ReceiverUnavailable, match="slowly"):
                receiver.send(sent)
        assert receiver.send(sent) == []
        listener.wait(lambda: len(items(listener)) == len(sent) + 1)
        assert len(listener.of("/item")) == len(sent) + 1  # none came twice


def test_a_topic_that_the_broker_does_not_allow_is_refused(tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic write pilah/+/availability\ntopic read #\n", "utf-8")
    with (
        Broker(tmp_path / "broker", ["allow_anonymous true", f"acl_file {rules}"]) as broker,
        receiver_at(tmp_path, settings(broker)) as receiver,
    ):
        refused = receiver.send(entries(1, 2))
        assert [one.entry.id for one in refused] == ["id-1", "id-2"]
        assert "Not authorized" in refused[0].reason


def test_a_host_that_is_no_name_is_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.5)
    found = MqttSettings.model_validate({"host": "a..b", "tls": False})
    with receiver_at(tmp_path, found) as receiver:
        assert "a..b:1883 is not reached" in trouble_of(receiver)


def test_an_error_that_nobody_foresaw_is_said_and_does_not_end_the_connecting(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = session.Session.publish
    wrong = threading.Event()
    wrong.set()

    def fails(self: session.Session, sent: Sequence[Message]) -> list[str | None]:
        if wrong.is_set():
            raise KeyError("unheard of")
        return publish(self, sent)

    monkeypatch.setattr(session.Session, "publish", fails)
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.5)
    with receiver_at(tmp_path, settings(broker)) as receiver:
        assert trouble_of(receiver) == "KeyError: 'unheard of'"
        wrong.clear()
        send_until_taken(receiver, entries(1))


def test_a_message_at_which_the_connection_is_lost_is_found_and_refused(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a broker, or a proxy before one, that ends the connection without a word."""
    publish = session.Session.publish

    def falls_at_2(self: session.Session, messages: Any) -> Any:
        if any(b'"item":2,' in message.payload for message in messages):
            self._lose("the connection was lost", None)  # which wakes who keeps it
            assert self.lost is not None
            raise self.lost
        return publish(self, messages)

    monkeypatch.setattr(session.Session, "publish", falls_at_2)
    with Listener(broker) as listener, receiver_at(tmp_path, settings(broker)) as receiver:
        refused, failures = None, 0
        while refused is None:
            try:
                refused = receiver.send(entries(1, 2, 3))
            except ReceiverUnavailable:
                failures += 1
        assert [one.entry.id for one in refused] == ["id-2"]
        assert failures == 6  # once with the others, five times alone
        listener.wait(lambda: items(listener) == [1, 3])


def test_home_assistant_is_told_and_told_again_when_it_starts(
    tmp_path: Path, broker: Broker
) -> None:
    topic = "homeassistant/device/pilah_cell-1/config"
    found = settings(broker, home_assistant="homeassistant")
    with Listener(broker, "homeassistant/#") as listener, receiver_at(tmp_path, found):
        listener.wait(lambda: len(listener.of(topic)) == 1)
        listener.say("homeassistant/status", "online")
        listener.wait(lambda: len(listener.of(topic)) == 2)
        with Listener(broker, "homeassistant/device/#") as later:
            later.wait(lambda: len(later.of(topic)) == 1)
            assert later.of(topic)[0].retained


# TLS, certificates and passwords


leaves_a_socket = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""paho leaves the socket of a handshake that failed to the collector, which warns of it."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def tls_lines(authority: Authority, *more: str, address: str = "127.0.0.1") -> list[str]:
    certificate, key = authority.issue("broker", address)
    return [f"cafile {authority.ca}", f"certfile {certificate}", f"keyfile {key}", *more]


def tls_settings(broker: Broker, authority: Authority, **values: Any) -> MqttSettings:
    return settings(broker, tls=True, ca_file=authority.ca, **values)


def test_a_certificate_of_ones_own_logs_in(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("cell-1")
    lines = tls_lines(authority, "require_certificate true", "use_identity_as_username true")
    with Broker(tmp_path / "broker", [*lines, "allow_anonymous false"]) as broker:
        found = tls_settings(broker, authority, certificate_file=certificate, key_file=key)
        with receiver_at(tmp_path, found) as receiver:
            assert receiver.send(entries(1)) == []


def reason_at(folder: Path, found: MqttSettings) -> str:
    """Why nothing can be sent with these settings."""
    with receiver_at(folder, found) as receiver:
        return trouble_of(receiver)


@leaves_a_socket
def test_a_broker_whose_certificate_is_of_another_is_not_told(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.2)
    other = Authority(tmp_path / "other", "another")
    with Broker(tmp_path / "broker", [*tls_lines(other), "allow_anonymous true"]) as broker:
        assert "certificate verify failed" in reason_at(tmp_path, tls_settings(broker, authority))


@leaves_a_socket
def test_a_broker_whose_certificate_is_for_another_address_is_not_told(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.2)
    lines = tls_lines(authority, "allow_anonymous true", address="127.0.0.2")
    with Broker(tmp_path / "broker", lines) as broker:
        assert "IP address mismatch" in reason_at(tmp_path, tls_settings(broker, authority))


def test_a_wrong_password_is_said_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.mqtt.receiver._WAIT_SECONDS", 0.2)
    users = tmp_path / "users"
    users.write_text("", "utf-8")
    secret = tmp_path / "password"
    secret.write_text("hunter2\n", "utf-8")
    with Broker(tmp_path / "broker", ["allow_anonymous false", f"password_file {users}"]) as broker:
        found = settings(broker, username="cell-1", password_file=secret)
        reason = reason_at(tmp_path, found)
    assert "does not accept us: Not authorized" in reason
    assert "hunter2" not in reason


MISSING = {
    "password_file": {"username": "a", "password_file": "none"},
    "ca_file": {"tls": True, "ca_file": "none"},
    "certificate_file": {"tls": True, "certificate_file": "none", "key_file": "none"},
}


@pytest.mark.parametrize("name", MISSING)
def test_a_file_that_cannot_be_read_is_a_mistake_of_the_station_file(
    tmp_path: Path, name: str
) -> None:
    values: dict[str, Any] = {
        key: tmp_path / "none" if value == "none" else value for key, value in MISSING[name].items()
    }
    found = MqttSettings.model_validate({"host": "127.0.0.1", "tls": False, **values})
    with pytest.raises(ReceiverSetupError, match=f"publish.mqtt.{name} .*none"):
        MqttReceiver(found, surroundings_in(tmp_path))


def test_no_thread_is_left(tmp_path: Path, broker: Broker) -> None:
    with receiver_at(tmp_path, settings(broker)) as receiver:
        receiver.send(entries(1))
    assert not any("mqtt" in thread.name for thread in threading.enumerate())


def test_after_a_connection_that_stood_long_the_pauses_begin_anew(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_anew = threading.Event()

    class Watched(pump.Backoff):
        def succeeded(self) -> None:
            begun_anew.set()
            super().succeeded()

    monkeypatch.setattr("edge.publish.mqtt.receiver.Backoff", Watched)
    monkeypatch.setattr("edge.publish.mqtt.receiver._STEADY_SECONDS", 0.0)
    with receiver_at(tmp_path, settings(broker)) as receiver:
        send_until_taken(receiver, entries(1))
        begun_anew.clear()
        broker.stop(signal.SIGKILL)
        assert begun_anew.wait(PATIENCE)
