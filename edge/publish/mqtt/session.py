"""One connection to a broker, from its opening to its loss. It is never opened again."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.config.publish.mqtt import MqttSettings
from edge.core.closing import Closing
from edge.core.errors import ReceiverSetupError
from edge.publish.credentials import read_secret, trusting
from edge.publish.mqtt.topics import Message
from edge.publish.receiver import ReceiverUnavailable

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 10.0
"""How long to wait for the next acknowledgement of a message. A broker that answers none for so
long is halted, or the connection is only open at this end."""
_QUEUE = 1000
_PAHO_WINDOW = 20
"""So many messages paho has on their way at once, unless it is given fewer; it does not know how
many the broker allows (Receive Maximum; MQTT 5, section 3.2.2.3.3)."""
_FAILURE = 0x80
"""Reason codes from this one on are failures (MQTT 5, section 2.4)."""
_UNSPECIFIED = 0x80
_QUOTA_EXCEEDED = 0x97
_TAKEN_OVER = 0x8E
"""The broker has given the connection to another client of the same id."""


class SessionLost(ReceiverUnavailable):
    """The connection ended before all was acknowledged.

    Attributes:
        code: the reason code of MQTT 5 with which it ended; None without one, 0 if this end closed
        it.
    """

    def __init__(self, reason: str, code: int | None) -> None:
        super().__init__(reason)
        self.code = code


class Session(Closing):
    """A connection to a broker; any thread may use it.

    Attributes:
        lost: why the connection ended; None while it is open.
        window: how many messages paho may be given at once.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        will: Message,
        on_message: Callable[[str, bytes, bool], None],
    ) -> None:
        """Opens it, and waits for the broker to accept it.

        Args:
            client_id: who it is, for the broker, which has one connection for each.
            will: what the broker publishes when the connection is lost.
            on_message: is given the topic and payload of each message that comes, and whether the
                broker had kept it; must not wait.

        Raises:
            ReceiverUnavailable: the broker is not reached, or does not accept it.
        """
        self._changed = threading.Condition()
        self._accepted = False
        self._answers: dict[int, ReasonCode] = {}
        self._asked: dict[int, str] = {}
        """The topics that the broker was asked for, by the numbers of the questions."""
        self.lost: SessionLost | None = None
        self.window = 1
        self._turn = threading.Lock()
        """Held by the thread that publishes: what all have on their way counts."""
        self._largest: int | None = None
        self._retains = True
        self._on_message = on_message
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client = client
        client.connect_timeout = _CONNECT_SECONDS
        client.max_queued_messages_set(_QUEUE)
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._received
        client.on_subscribe = self._subscribed
        where = f"{settings.host}:{settings.port_used}"
        try:
            _add_credentials(client, settings)
            client.connect(
                settings.host, settings.port_used, settings.keep_alive_seconds, clean_start=True
            )
        except (OSError, ValueError, ReceiverSetupError) as error:
            # A ValueError: a host that is no name, such as `a..b`, or what paho will not have.
            raise ReceiverUnavailable(f"the broker {where} is not reached: {error}") from error
        client.loop_start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._accepted or self.lost is not None, _CONNECT_SECONDS
            )
            accepted, lost = self._accepted, self.lost
        if not accepted:
            self.close()
            why = str(lost) if lost else f"no answer for {_CONNECT_SECONDS:g} seconds"
            raise ReceiverUnavailable(f"the broker {where} does not accept us: {why}")

    def publish(self, messages: Sequence[Message]) -> list[str | None]:
        """Publishes `messages` in their order, and waits until each is acknowledged.

        Returns:
            For each message why the broker refused it; None if the broker has it.

        Raises:
            SessionLost: the connection ended meanwhile.
            ReceiverUnavailable: the broker does not answer, or takes no more at the moment. The
                session is closed.
        """
        with self._turn:
            return [
                answer
                for start in range(0, len(messages), self.window)
                for answer in self._publish_at_once(messages[start : start + self.window])
            ]

    def _publish_at_once(self, messages: Sequence[Message]) -> list[str | None]:
        sent: list[int | str] = [self._send(message) for message in messages]
        wanted = {mid for mid in sent if isinstance(mid, int)}
        with self._changed:
            try:
                self._await(wanted)
                answers = {mid: self._answers[mid] for mid in wanted}
            finally:
                for mid in wanted:
                    self._answers.pop(mid, None)
        return [mid if isinstance(mid, str) else _refusal(answers[mid]) for mid in sent]

    def subscribe(self, topic: str) -> None:
        """Asks for the messages of a topic, without waiting."""
        with self._changed:
            _, number = self._client.subscribe(topic, qos=1)
            if number is not None:
                self._asked[number] = topic

    def wait(self, seconds: float, woken: Callable[[], bool]) -> None:
        """Waits until so much time has passed, the connection is lost, or `woken` is true."""
        with self._changed:
            self._changed.wait_for(lambda: self.lost is not None or woken(), seconds)

    def wake(self) -> None:
        """Makes `wait` check its conditions again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the connection in order, so that the broker does not publish the will; may be called
        twice."""
        client = self._client
        client.disconnect()
        client.loop_stop()
        # Without this circle of references paho closes its own pair of sockets at once.
        client.on_connect = client.on_disconnect = client.on_publish = None
        client.on_message = client.on_subscribe = None
        self._lose("closed", None)

    def _send(self, message: Message) -> int | str:
        """The number of a message that is being sent, or why it can never be sent."""
        size = len(message.topic.encode()) + len(message.payload) + 16
        if self._largest is not None and size > self._largest:
            return f"it has {size} bytes, and the broker takes {self._largest} at most"
        try:
            told = self._client.publish(
                message.topic, message.payload, qos=1, retain=message.retain and self._retains
            )
        except ValueError as error:
            return str(error)
        if told.rc not in (paho.MQTT_ERR_SUCCESS, paho.MQTT_ERR_NO_CONN):
            raise ReceiverUnavailable(f"the broker is given no more: {paho.error_string(told.rc)}")
        return told.mid

    def _await(self, wanted: set[int]) -> None:
        """Waits for the answers to the messages of these numbers; with `_changed` held."""
        until = time.monotonic() + _ANSWER_SECONDS
        left = len(wanted - self._answers.keys())
        while left:
            if self.lost is not None:
                raise self.lost
            if not self._changed.wait(max(0.0, until - time.monotonic())) and (
                time.monotonic() >= until
            ):
                error = SessionLost(
                    f"the broker has acknowledged nothing for {_ANSWER_SECONDS:g} seconds", 0
                )
                self.lost = self.lost or error
                self._changed.notify_all()
                raise error
            now_left = len(wanted - self._answers.keys())
            if now_left < left:
                until = time.monotonic() + _ANSWER_SECONDS
            left = now_left

    # Called by paho's thread

    def _connected(
        self,
        client: paho.Client,
        userdata: object,
        flags: object,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._lose(str(code), code.value)
            return
        with self._changed:
            self._largest = getattr(properties, "MaximumPacketSize", None)
            allowed = getattr(properties, "ReceiveMaximum", _PAHO_WINDOW)
            self.window = _QUEUE if allowed >= _PAHO_WINDOW else max(1, allowed)
            self._retains = bool(getattr(properties, "RetainAvailable", 1))
            self._accepted = True
            self._changed.notify_all()

    def _disconnected(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        # What paho found itself counts, too: mosquitto 2.0.11 answers a message that is too large
        # with a code that an answer must not have, and paho takes that for a protocol error.
        said = None if code.value == _UNSPECIFIED else code.value
        why = f"the connection was lost: {code}"
        if code.value == _TAKEN_OVER:
            why += (
                ". Another publisher connects with the name of this station: give each station a "
                "name of its own, or end the other publisher"
            )
        self._lose(why, said)

    def _published(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        with self._changed:
            self._answers[mid] = code
            self._changed.notify_all()

    def _received(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload), message.retain)
        self.wake()

    def _subscribed(
        self,
        client: paho.Client,
        userdata: object,
        number: int,
        codes: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        with self._changed:
            topic = self._asked.pop(number, "")
        if any(code.is_failure for code in codes):
            _log.warning(f"warning    the broker does not let us hear {topic}: {codes[0]}")

    def _lose(self, reason: str, code: int | None) -> None:
        with self._changed:
            self.lost = self.lost or SessionLost(reason, code)
            self._changed.notify_all()


def read_password(settings: MqttSettings) -> str | None:
    """The password, which is the first line of its file; None if the settings name no file.

    Raises:
        ReceiverSetupError: the file cannot be read, or is empty.
    """
    if settings.password_file is None:
        return None
    return read_secret(settings.password_file, "publish.mqtt.password_file")


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """The TLS context that verifies the broker's name, with this client's own certificate if any.

    Raises:
        ReceiverSetupError: a file of the settings cannot be read, or is no certificate or key.
    """
    context = trusting(settings.ca_file, "publish.mqtt.ca_file")
    if settings.certificate_file is not None:
        try:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
        except OSError as error:
            raise ReceiverSetupError(
                f"publish.mqtt.certificate_file {settings.certificate_file} with the key "
                f"{settings.key_file} cannot be used: {error}"
            ) from error
    return context


def _add_credentials(client: paho.Client, settings: MqttSettings) -> None:
    """Read anew for each connection, so that renewed certificates and passwords are used."""
    if settings.tls:
        client.tls_set_context(tls_context(settings))
    if settings.username is not None:
        client.username_pw_set(settings.username, read_password(settings))


def _refusal(code: ReasonCode) -> str | None:
    """Why the broker refused a message; None if it took the message.

    Raises:
        ReceiverUnavailable: it takes none at the moment.
    """
    if code.value < _FAILURE:
        return None
    if code.value == _QUOTA_EXCEEDED:
        raise ReceiverUnavailable(f"the broker takes no more at the moment: {code}")
    return f"the broker: {code}"
