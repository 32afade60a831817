"""A mosquitto of a test's own, on a free port of this machine, and one who hears its messages."""

from __future__ import annotations

import ipaddress
import itertools
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from edge.core.closing import Closing
from tests.ports import free_port

_NUMBERS = itertools.count(1)
PATIENCE = 120.0
"""Seconds that a test waits for what must come; a busy machine may take its time."""


def mosquitto() -> str:
    """The broker's program; the test is skipped, aloud, where it is not installed."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        pytest.skip("mosquitto is not installed: apt install mosquitto")
    return found


class Broker(Closing):
    """A mosquitto, which can be paused, killed and started again on the same port."""

    def __init__(self, folder: Path, lines: Sequence[str] = ("allow_anonymous true",)) -> None:
        """Starts it, and waits for it to listen.

        Args:
            lines: of its configuration, beside the port.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._program, self._config = mosquitto(), folder / "mosquitto.conf"
        settings = ("user root", f"listener {self.port} 127.0.0.1", *lines)
        self._config.write_text("\n".join(settings) + "\n", "utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Starts it, and waits for it to listen."""
        words = [self._program, "-c", str(self._config)]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                assert self._process.stderr is not None
                raise AssertionError(self._process.stderr.read().decode())
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise AssertionError("mosquitto does not listen")

    def pause(self) -> None:
        """Halts it: its connections stay open, and nobody answers."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Has a paused one work again."""
        self._send(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it; SIGKILL: without a word to those who are connected."""
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(signal.SIGCONT)
            while process.returncode is None:
                process.send_signal(number)  # one that comes just as it begins to work is lost
                with suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=1)

    def close(self) -> None:
        """See `stop`."""
        self.stop(signal.SIGKILL)

    def _send(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came."""

    topic: str
    payload: bytes
    retained: bool


class Listener(Closing):
    """Hears all that a broker is told, and connects again whenever it is back."""

    def __init__(self, broker: Broker, topic: str = "#") -> None:
        """Connects, and waits until it hears."""
        self.heard: list[Heard] = []
        self._changed = threading.Condition()
        self.subscribed = 0
        """How often it has subscribed: once for each connection."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"listener-{next(_NUMBERS)}",
            protocol=paho.MQTTv311, clean_session=False,
        )  # fmt: skip
        client.reconnect_delay_set(0.05, 0.2)
        client.on_message = self._on_message
        client.on_connect = lambda *_: client.subscribe(topic, qos=1)
        client.on_subscribe = self._on_subscribe
        self._client = client
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        self.wait(lambda: self.subscribed == 1)

    def wait(self, met: Callable[[], bool]) -> None:
        """Waits until `met`, which is asked with each message."""
        with self._changed:
            assert self._changed.wait_for(met, PATIENCE), [one.topic for one in self.heard[-5:]]

    def of(self, ending: str) -> list[Heard]:
        """What came on the topics that end so."""
        return [one for one in self.heard if one.topic.endswith(ending)]

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publishes a message of its own."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    def close(self) -> None:
        """Disconnects."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: object, userdata: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.heard.append(Heard(message.topic, message.payload, message.retain))
            self._changed.notify_all()

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self.subscribed += 1
            self._changed.notify_all()


class Authority:
    """Who signs certificates: for a broker, and for its clients."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Makes a key and a certificate, the file `ca`."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._sign(self._name, self._key, is_authority=True)
        self.ca = self._write("ca.pem", self._certificate.public_bytes(_PEM))

    def issue(self, name: str, address: str | None = None) -> tuple[Path, Path]:
        """The files of a certificate for `name` and of its key.

        Args:
            address: whose it proves to be; None: it is a client's.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, address=address)
        private = key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return (
            self._write(f"{name}.pem", certificate.public_bytes(_PEM)),
            self._write(f"{name}.key", private),
        )

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        is_authority: bool = False,
        address: str | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if address is not None:
            names = [x509.IPAddress(ipaddress.ip_address(address))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, content: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(content)
        file.chmod(0o644)
        return file


_PEM = serialization.Encoding.PEM
