"""Whether all that many stations record reaches one broker and one database, once, and how soon.

    python -m tests.benchmarks.fleet                               50 stations for ten minutes
    python -m tests.benchmarks.fleet --stations 10 --seconds 30    a short trial

A real mosquitto and a real PostgreSQL, whose commits are safe, on this machine. Each station is a
ledger of its own that is written once a second, as a station's `commit_seconds` asks for, and the
pumps of its publisher; several stations share a process, because so many would not fit. At the end
every item of every ledger is with a subscriber of the broker and in the database, there once; it
exits with 1 where one is not.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import queue
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.config.publish.mqtt import MqttSettings
from edge.config.publish.postgres import PostgresSettings
from edge.config.publish.section import publisher_path
from edge.core.uuid7 import UUID7Source
from edge.events import utc_text
from edge.ledger.ledger import Ledger
from edge.outbox.retention import Keep
from edge.publish.outbox_file import OutboxFile
from edge.publish.publisher_file import PublisherFile
from edge.publish.pump import Pump
from edge.publish.receiver import Receiver
from edge.publish.receivers import Surroundings
from tests.edge.ledger.entries import entry
from tests.edge.publish.broker import Broker
from tests.edge.publish.postgres.server import Postgres

RECEIVERS = ("mqtt", "postgres")
_QUIET_SECONDS = 120.0
"""The end comes when nothing has arrived for so long."""


class Station:
    """A ledger that is written, and what publishes it."""

    def __init__(self, folder: Path, name: str, mqtt: MqttSettings, postgres: PostgresSettings):
        """Opens the ledger."""
        from edge.publish.mqtt.receiver import MqttReceiver
        from edge.publish.postgres.receiver import PostgresReceiver

        self.name, self.path = name, folder / f"{name}.sqlite"
        file = publisher_path(self.path)
        self.ledger = Ledger(self.path, keep=Keep(file, RECEIVERS, 200.0, 30.0))
        PublisherFile(file).close()
        surroundings = Surroundings(name, self.path, folder / "none")
        receivers: list[Receiver] = [
            MqttReceiver(mqtt, surroundings),
            PostgresReceiver(postgres),
        ]
        self.stopping = threading.Event()
        self.pumps = [
            Pump(receiver, [OutboxFile("ledger", self.path)], file, stopping=self.stopping)
            for receiver in receivers
        ]
        self.threads = [threading.Thread(target=pump.run) for pump in self.pumps]

    def record(self, rate: int, seconds: float, ended: queue.SimpleQueue[int]) -> None:
        """Writes `rate` items a second, all of a second in one transaction."""
        new_id = UUID7Source(time.time)
        number, began = 0, time.monotonic()
        while number < rate * seconds:
            rows = []
            for _ in range(rate):
                number += 1
                rows.append(
                    entry(number, id=new_id(), time=utc_text(time.time()), station=self.name)
                )
            self.ledger.append(rows)
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
        self.ledger.close()
        ended.put(number)


def work(
    folder: Path,
    names: list[str],
    rate: int,
    seconds: float,
    mqtt: MqttSettings,
    postgres: PostgresSettings,
    told: Event,
) -> None:
    """Runs some stations in a process of their own, until `told` is set."""
    stations = [Station(folder, name, mqtt, postgres) for name in names]
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    for station in stations:
        for thread in station.threads:
            thread.start()
    for station in stations:
        threading.Thread(target=station.record, args=(rate, seconds, ended)).start()
    for _ in stations:
        ended.get()
    told.wait()
    for station in stations:
        station.stopping.set()
    for station in stations:
        for thread in station.threads:
            thread.join()


class Subscriber:
    """Counts how often each item's message came, and how late the first was."""

    def __init__(self, port: int) -> None:
        """Connects."""
        self.seen: Counter[str] = Counter()
        self.late: list[float] = []
        self.latest = time.monotonic()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "fleet", protocol=paho.MQTTv5)
        self._client.on_message = self._take
        self._client.on_connect = lambda *said: self._client.subscribe("pilah/+/item", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        found = json.loads(message.payload)
        self.seen[found["id"]] += 1
        self.latest = time.monotonic()
        if self.seen[found["id"]] == 1:
            self.late.append(time.time() - datetime.fromisoformat(found["time"]).timestamp())


def measure(stations: int, rate: int, seconds: float, processes: int) -> int:
    """Runs the fleet and prints what came of it; the exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="pilah-fleet-") as place,
        Postgres(safe=True) as database,
        Broker(Path(place) / "broker", ["allow_anonymous true", "max_queued_messages 0"]) as broker,
    ):
        subscriber = Subscriber(broker.port)
        names = [f"station-{number:02}" for number in range(stations)]
        spawn = multiprocessing.get_context("spawn")
        told = spawn.Event()
        mqtt = MqttSettings(host="127.0.0.1", port=broker.port, tls=False)
        postgres = PostgresSettings(
            host="127.0.0.1", port=database.port, user="pilah", tls=False,
            password_file=database.password_file,
        )  # fmt: skip
        workers = [
            spawn.Process(
                target=work,
                args=(Path(place), names[first::processes], rate, seconds, mqtt, postgres, told),
                daemon=True,
            )
            for first in range(processes)
        ]
        began = time.monotonic()
        for worker in workers:
            worker.start()
        wanted = int(stations * rate * seconds)
        stored = 0
        while True:
            time.sleep(2)
            if database.query("SELECT to_regclass('items')")[0][0] is not None:
                now = int(database.query("SELECT count(*) FROM items")[0][0])
                if now != stored:
                    stored, subscriber.latest = now, time.monotonic()
            if len(subscriber.seen) >= wanted and stored >= wanted:
                break
            if time.monotonic() - subscriber.latest > _QUIET_SECONDS:
                print("nothing has arrived for too long: this is the end", file=sys.stderr)
                break
        took = time.monotonic() - began
        told.set()
        for worker in workers:
            worker.join()
        return _report(Path(place), names, subscriber, database, took)


def _report(
    place: Path, names: list[str], subscriber: Subscriber, database: Postgres, took: float
) -> int:
    recorded: set[str] = set()
    for name in names:
        with Ledger(place / f"{name}.sqlite") as ledger:
            recorded |= {item.id for item in ledger.entries()}
    rows = database.query("SELECT id FROM items")
    stored = {row[0] for row in rows}
    heard, repeats = set(subscriber.seen), subscriber.seen.total() - len(subscriber.seen)
    ((p50, p99),) = database.query(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY late), "
        "percentile_cont(0.99) WITHIN GROUP (ORDER BY late) FROM "
        "(SELECT extract(epoch FROM received - time::timestamptz)::float AS late FROM items) AS l"
    )
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    m50, m99 = np.percentile(subscriber.late, (50, 99))
    print(
        f"{len(names)} stations recorded {len(recorded):,} items; all was there after {took:.0f} s"
    )
    print(
        f"mqtt      {len(recorded - heard)} lost, {repeats} repeats, which their ids tell; "
        f"from picture to subscriber p50 {m50:.2f} s, p99 {m99:.2f} s"
    )
    print(
        f"postgres  {len(recorded - stored)} lost, {len(rows) - len(stored)} twice; "
        f"from picture to row p50 {p50:.2f} s, p99 {p99:.2f} s"
    )
    print(
        f"processor {usage.ru_utime + usage.ru_stime:.0f} s of stations and servers, "
        f"{usage.ru_maxrss / 1024:.0f} MB the largest process"
    )
    wrong = recorded != stored or recorded - heard or len(rows) != len(stored)
    return 1 if wrong else 0


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--rate", type=int, default=10, help="items a second of each station")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--processes", type=int, default=5, help="that the stations share")
    found = parser.parse_args()
    return measure(found.stations, found.rate, found.seconds, found.processes)


if __name__ == "__main__":
    sys.exit(main())
