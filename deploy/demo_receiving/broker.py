"""The demo's broker: a real mosquitto, where it is installed, which hears of all that happened."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.core.errors import PilahError
from edge.core.files import write_file

_log = logging.getLogger(__name__)

CONFIG = "mosquitto.conf"
_PATIENCE = 30.0
"""Seconds for the broker to listen."""
_SILENCE = 3
"""Seconds without a message after which there are no more."""
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))


class BrokerError(PilahError):
    """The demo's broker does not do what it should."""


@dataclass(frozen=True, slots=True)
class DemoBroker:
    """A broker that listens on this machine alone, with a session in which messages wait."""

    port: int
    subscriber: str
    """The program mosquitto_sub."""

    def section(self) -> dict[str, Any]:
        """The section `publish` of a station file that tells it what happens."""
        return {"mqtt": {"host": "127.0.0.1", "port": self.port, "tls": False}}

    def subscribe(self) -> None:
        """Begins the session: messages wait in it from now on."""
        self._listen("-E")

    def heard(self) -> Counter[str]:
        """How many events of each kind came, an event that came twice once; those on the topics of
        incidents as `incident`."""
        ids: dict[str, set[str]] = {}
        for line in self._listen("-W", str(_SILENCE)).splitlines():
            topic, _, text = line.partition(" ")
            if not text.startswith("{"):
                continue
            payload = json.loads(text)
            name = "incident" if topic.endswith("/incident") else str(payload.get("kind"))
            ids.setdefault(name, set()).add(str(payload.get("id")))
        return Counter({name: len(found) for name, found in ids.items()})

    def _listen(self, *words: str) -> str:
        session = ("-h", "127.0.0.1", "-p", str(self.port), "-i", "demo", "-c", "-q", "1")
        done = subprocess.run(
            [self.subscriber, *session, "-t", "pilah/#", "-v", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 27):  # 27: so long no message came
            raise BrokerError(f"mosquitto_sub ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def demo_broker(folder: Path) -> Iterator[DemoBroker | None]:
    """A broker that runs meanwhile; None, which is said: what it takes is not installed.

    Raises:
        BrokerError: it does not start.
    """
    program, subscriber = (
        shutil.which(name, path=_PATH) for name in ("mosquitto", "mosquitto_sub")
    )
    if program is None or subscriber is None or importlib.util.find_spec("paho") is None:
        _log.info("broker      none takes part: mosquitto, mosquitto_sub or paho is not installed")
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
    write_file(folder / CONFIG, settings + "max_queued_messages 0\n")
    process = subprocess.Popen(
        [program, "-c", str(folder / CONFIG)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield DemoBroker(port, subscriber)
    finally:
        process.kill()  # it keeps nothing, and would miss SIGTERM in its first moments
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise BrokerError(f"mosquitto does not listen on port {port}: look at its own messages")
