"""The receiver `mqtt`: keeps a connection to a broker, and publishes the entries there."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edge.config.publish.mqtt import MqttSettings
from edge.publish.home_assistant import discovery
from edge.publish.mqtt.commands import BUTTONS, StationCommands
from edge.publish.mqtt.session import Session, SessionLost, read_password, tls_context
from edge.publish.mqtt.stats import DayStats
from edge.publish.mqtt.topics import (
    AVAILABILITY,
    OFFLINE,
    ONLINE,
    STATS,
    Message,
    json_bytes,
    messages,
    topic,
)
from edge.publish.pump import Backoff
from edge.publish.receiver import Entry, ReceiverUnavailable, Refused
from edge.publish.receivers import Surroundings
from edge.publish.settled import Settled
from edge.runtime.clock import SYSTEM_CLOCK

_log = logging.getLogger(__name__)

_STATS_SECONDS = 10.0
_WAIT_SECONDS = 12.0
"""How many seconds `send` waits for a connection: a little longer than opening one may take."""
_CLOSE_SECONDS = 3.0
"""How long `close` waits for the thread, which a broker that is silent may hold up."""
_STEADY_SECONDS = 30.0
"""A connection that was open for so many seconds does not count as a failed attempt."""
OF_THE_MESSAGE = {0x81, 0x82, 0x90, 0x95, 0x99, 0x9A, 0x9B}
"""Reason codes with which a broker ends the connection because of a message that it will not have:
malformed packet, protocol error, topic name invalid, packet too large, payload format invalid,
retain and QoS not supported (MQTT 5, section 3.14.2.1)."""
_SEARCH_SECONDS = 30.0
"""How long `send` looks for such messages before it lets others have their turn."""
_LOSSES = 5
"""A message at which the connection is lost so often in a row, without a word, is refused."""


class MqttReceiver:
    """See `edge/publish/receiver.py`. A thread of its own keeps the connection."""

    name = "mqtt"

    def __init__(self, settings: MqttSettings, surroundings: Surroundings) -> None:
        """Begins to connect, and does not wait for it.

        Raises:
            ReceiverSetupError: a certificate, a key or the password cannot be read.
        """
        read_password(settings)
        if settings.tls:
            tls_context(settings)
        self._settings, self._station = settings, surroundings.station
        self._stats = DayStats(surroundings.ledger)
        self._changed = threading.Condition()
        self._session: Session | None = None
        self._reason = "the broker has not answered yet"
        self._closing = threading.Event()
        self._announce = threading.Event()
        self._one_by_one = False
        self._losses: Counter[str] = Counter()
        """How often the connection was lost at an entry, by its id, without a word."""
        self._settled = Settled()
        self._commands: StationCommands | None = None
        if settings.commands:
            self._commands = StationCommands(
                surroundings.station, surroundings.ledger, settings.prefix
            )
        self._thread = threading.Thread(target=self._keep, name="mqtt-connection", daemon=True)
        self._thread.start()

    def send(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """See `Receiver`."""
        until = SYSTEM_CLOCK.now() + _SEARCH_SECONDS
        while True:
            try:
                self._try(entries)
            except SessionLost as lost:
                self._one_by_one = True  # one of them may be what the broker will not have
                if lost.code not in OF_THE_MESSAGE or SYSTEM_CLOCK.now() > until:
                    raise
            else:
                self._one_by_one = False
                self._losses.clear()
                return self._settled.end(entries)

    def close(self) -> None:
        """See `Receiver`."""
        self._closing.set()
        with self._changed:
            session = self._session
            self._changed.notify_all()
        if session is not None:
            session.wake()
        self._thread.join(_CLOSE_SECONDS)

    def _try(self, entries: Sequence[Entry]) -> None:
        """Publishes those of `entries` that are not settled."""
        session = self._connected()
        left = self._settled.begin(entries)
        size = 1 if self._one_by_one else session.window
        for start in range(0, len(left), size):
            self._settled.check_time()
            self._publish(session, left[start : start + size])

    def _publish(self, session: Session, entries: Sequence[Entry]) -> None:
        """Publishes `entries`, and notes where one alone is why the connection is lost."""
        sent = [(entry, message) for entry in entries for message in self._messages(entry)]
        try:
            reasons = session.publish([message for _, message in sent])
        except SessionLost as lost:
            if self._one_by_one:
                self._note_loss(entries[0], lost)
            raise
        refused: dict[str, str] = {}
        for (entry, _), reason in zip(sent, reasons, strict=True):
            if reason is not None:
                refused.setdefault(entry.id, reason)
        for entry in entries:
            self._settled.settle(entry, refused.get(entry.id))

    def _note_loss(self, entry: Entry, lost: SessionLost) -> None:
        if lost.code is None:
            self._losses[entry.id] += 1
        if lost.code in OF_THE_MESSAGE or self._losses[entry.id] >= _LOSSES:
            self._settled.settle(entry, f"the broker ends the connection at it: {lost}")

    def _messages(self, entry: Entry) -> list[Message]:
        return messages(entry, self._settings.prefix)

    def _connected(self) -> Session:
        """The connection, for which it waits a while.

        Raises:
            ReceiverUnavailable: there is none.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._standing() is not None or self._closing.is_set(), _WAIT_SECONDS
            )
            session = self._standing()
            if session is None:
                raise ReceiverUnavailable(self._reason)
            return session

    def _standing(self) -> Session | None:
        session = self._session
        return session if session is not None and session.lost is None else None

    # The thread that keeps the connection

    def _keep(self) -> None:
        backoff = Backoff()
        while not self._closing.is_set():
            began = SYSTEM_CLOCK.now()
            try:
                self._connect_and_serve(backoff)
            except ReceiverUnavailable as error:
                self._set(None, str(error))
            except Exception as error:
                # Nothing else looks after this thread: whatever ended it would end the receiver,
                # and the trouble that people are told would be an old one.
                _log.debug("mqtt: not foreseen", exc_info=True)
                self._set(None, f"{type(error).__name__}: {error}")
            if SYSTEM_CLOCK.now() - began > _STEADY_SECONDS:
                backoff.succeeded()
            self._closing.wait(backoff.failed())

    def _connect_and_serve(self, backoff: Backoff) -> None:
        with self._open() as session:
            session.publish([self._available(ONLINE)])
            self._set(session, "")
            self._serve(session)
        self._set(None, str(session.lost or "the connection was closed"))
        if session.lost is not None and session.lost.code in OF_THE_MESSAGE:
            backoff.succeeded()  # it is no fault of the broker

    def _open(self) -> Session:
        self._announce.set()
        return Session(
            self._settings,
            client_id=f"pilah-publish-{self._station}",
            will=self._available(OFFLINE),
            on_message=self._heard,
        )

    def _serve(self, session: Session) -> None:
        """Announces the station, publishes how many items it has sorted, and passes commands on to
        it, as long as `session` stands."""
        prefix = self._settings.home_assistant
        told: Mapping[str, Any] | None = None
        try:
            if prefix is not None:
                session.subscribe(f"{prefix}/status")
            commands = self._commands
            for each in () if commands is None else commands.topics:
                session.subscribe(each)
            while not self._closing.is_set() and session.lost is None:
                if self._announce.is_set() and prefix is not None:
                    self._announce.clear()
                    session.publish([self._announcement(prefix)])
                if commands is not None:
                    for answer in commands.pass_on():
                        session.publish([answer])
                stats = self._stats.look()
                if stats is not None and stats != told:
                    session.publish([self._message(STATS, json_bytes(stats))])
                    told = stats
                session.wait(_STATS_SECONDS, self._is_called)
            if session.lost is None:
                session.publish([self._available(OFFLINE)])
        except ReceiverUnavailable as error:
            _log.debug(f"mqtt: {error}")

    def _is_called(self) -> bool:
        announce = self._announce.is_set() and self._settings.home_assistant is not None
        commanded = self._commands is not None and self._commands.waiting
        return announce or commanded or self._closing.is_set()

    def _announcement(self, prefix: str) -> Message:
        commands = self._commands
        buttons: dict[str, str] = {}
        if commands is not None:
            buttons = {each.value: commands.topic(each) for each in BUTTONS}
        found = discovery(self._station, self._settings.prefix, buttons)
        return Message(found.topic(prefix), json_bytes(found.payload), retain=True)

    def _heard(self, heard: str, payload: bytes, retained: bool) -> None:
        """Takes a message: Home Assistant was started, or a command for the station."""
        if heard == f"{self._settings.home_assistant}/status":
            if payload == b"online":
                self._announce.set()
        elif self._commands is not None:
            self._commands.take(heard, payload, retained=retained)

    def _available(self, word: str) -> Message:
        return self._message(AVAILABILITY, word.encode())

    def _message(self, name: str, payload: bytes) -> Message:
        return Message(topic(self._settings.prefix, self._station, name), payload, retain=True)

    def _set(self, session: Session | None, reason: str) -> None:
        with self._changed:
            self._session = session
            self._reason = reason or self._reason
            self._changed.notify_all()


def open_receiver(settings: MqttSettings, surroundings: Surroundings) -> MqttReceiver:
    """See `edge/publish/receivers.py`."""
    return MqttReceiver(settings, surroundings)
