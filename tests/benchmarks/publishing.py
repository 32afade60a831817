"""Whether all that was recorded reaches a real broker, whatever ends in between.

    python -m tests.benchmarks.publishing killed --cycles 300   kills recorder and publisher
    python -m tests.benchmarks.publishing away --items 50000    the broker comes back later

In `killed`, one process records 20 items a second and another one publishes them; each cycle kills
(SIGKILL) one or both at a moment of chance, examines the ledger and starts them again. At the end
every item that was shown is in the ledger, every item of the ledger is with a subscriber, once when
repeats are dropped by their ids, and in order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

from edge.config.publish.section import publisher_path
from edge.core.processes.children import end_with_parent
from edge.events import ItemSorted, Stamps, of_items
from edge.ledger.ledger import Ledger
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.recovering import RecoveringLedger
from edge.ledger.spill import Spill
from edge.outbox.retention import Keep
from edge.publish import cli, program, pump, receivers
from edge.publish.mqtt import receiver
from tests.edge.ledger.entries import entry
from tests.edge.publish.broker import Broker

PRELOADED = (cli, program, pump, receivers, receiver)
"""Imported once, so that a process that is started again begins at once."""
RATE = 20.0
_PATIENCE_SECONDS = 600.0
_BROKER = ("allow_anonymous true", "max_queued_messages 0")
"""Without the second line mosquitto keeps 1,000 messages for a slow subscriber, and drops more."""


class Folder:
    """The files of one station, and who hears what it publishes."""

    def __init__(self, path: Path, port: int) -> None:
        """Writes the station file."""
        self.path, self.port = path, port
        self.ledger, self.shown = path / "ledger.sqlite", path / "shown"
        self.heard = path / "heard"
        self.station = path / "station.yaml"
        self.station.write_text(
            "station: bin-1\nledger: {path: ledger.sqlite}\n"
            f"publish: {{mqtt: {{host: 127.0.0.1, port: {port}, tls: false}}}}\n",
            "utf-8",
        )

    @property
    def keep(self) -> Keep:
        """What the outbox keeps."""
        return Keep(publisher_path(self.ledger), ("mqtt",), 1000.0, 30.0)

    @contextmanager
    def subscriber(self) -> Iterator[None]:
        """Writes each payload that the broker gives it to the file `heard`, a line each."""
        program_file = shutil.which("mosquitto_sub")
        assert program_file is not None, "mosquitto_sub is not installed: mosquitto-clients"
        words = [
            program_file,
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-q",
            "1",
            "-c",
            "-i",
            "all",
        ]
        with (
            self.heard.open("ab") as out,
            subprocess.Popen([*words, "-t", "pilah/+/item", "-F", "%p"], stdout=out) as process,
        ):
            try:
                yield
            finally:
                process.terminate()

    def received(self) -> list[str]:
        """The ids of the items that came, repeats too, in the order they came in."""
        whole = self.heard.read_bytes().split(b"\n")[:-1]
        return [str(json.loads(line)["id"]) for line in whole]

    def recorded(self) -> list[str]:
        """The ids of the items of the ledger, in the order they were written."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            rows = connection.execute("SELECT uuid FROM items ORDER BY id").fetchall()
        return [str(row[0]) for row in rows]

    def wait_for_all(self) -> None:
        """Waits until every item of the ledger has come."""
        until = time.monotonic() + _PATIENCE_SECONDS
        wanted = set(self.recorded())
        while missing := wanted - set(self.received()):
            assert time.monotonic() < until, f"{len(missing)} items did not arrive"
            time.sleep(0.2)


def record_for_ever(folder: Folder, first: int) -> None:
    """Records items at RATE, and notes each that was shown."""
    shown = os.open(folder.shown, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def show(row: ItemSorted) -> None:
        os.write(shown, f"{row.id}\n".encode())

    recorder = Recorder(
        RecoveringLedger(folder.ledger, keep=folder.keep),
        observers=[of_items(show)],
        patience=Patience(commit=0.05, hang=60, retry=0.1, finish=60),
    )
    recorder.add_spill(Spill(folder.path / "spill"))
    recorder.open()
    threading.Thread(target=recorder.run, daemon=True).start()
    stamps = Stamps("bin-1", time.time)
    for item in count(first):
        stamp = stamps.now()
        recorder.offer(entry(item, id=stamp.id, time=stamp.time))
        time.sleep(1 / RATE)


def publish_for_ever(folder: Folder) -> None:
    """`pilah-publish`."""
    cli.main([str(folder.station), "-q"])


def started(work: object, *arguments: object) -> int:
    """The number of a new process that does `work`, and ends with this one."""
    pid = os.fork()
    if pid == 0:
        try:
            end_with_parent()
            assert callable(work)
            work(*arguments)
        finally:
            os._exit(1)
    return pid


def end(pid: int) -> None:
    """Kills a process, and waits for its end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def killed(path: Path, cycles: int, seed: int) -> str:
    """Kills recorder and publisher `cycles` times, and says what was found.

    Raises:
        AssertionError: something is lost, missing, out of order, or the ledger is damaged.
    """
    chance, kills = random.Random(seed), {"recorder": 0, "publisher": 0}
    with Broker(path / "broker", _BROKER) as broker, ExitStack() as parts:
        folder = Folder(path, broker.port)
        parts.enter_context(folder.subscriber())
        running = {
            "recorder": started(record_for_ever, folder, 1),
            "publisher": started(publish_for_ever, folder),
        }
        while not folder.shown.exists() or folder.shown.stat().st_size == 0:
            time.sleep(0.1)  # until there is a ledger
        for cycle in range(cycles):
            time.sleep(chance.uniform(0.2, 1.5))
            victims = chance.choice([["recorder"], ["publisher"], ["recorder", "publisher"]])
            for name in victims:
                end(running[name])
                kills[name] += 1
            folder.recorded()  # which examines it
            for name in victims:
                running[name] = (
                    started(record_for_ever, folder, 1_000_000 * (cycle + 1))
                    if name == "recorder"
                    else started(publish_for_ever, folder)
                )
        time.sleep(1)
        end(running["recorder"])
        last = started(record_for_ever, folder, 1_000_000_000)  # takes in what the spill has
        time.sleep(3)
        end(last)
        # A process that is killed between its commit and telling the others of it leaves a row that
        # is found when the file is opened while nobody has it open.
        end(running["publisher"])
        folder.recorded()
        running["publisher"] = started(publish_for_ever, folder)
        folder.wait_for_all()
        end(running["publisher"])
    shown = set(folder.shown.read_text().split("\n")[:-1])
    return (
        f"{cycles} cycles, {kills['recorder']} kills of the recorder and {kills['publisher']} of "
        f"the publisher (seed {seed}); quick_check clean each time; {compared(folder, shown)}"
    )


def compared(folder: Folder, shown: set[str]) -> str:
    """What the ledger and the subscriber have, which is the same.

    Raises:
        AssertionError: it is not.
    """
    recorded, received = folder.recorded(), folder.received()
    once = list(dict.fromkeys(received))
    assert not shown - set(recorded), f"lost: {len(shown - set(recorded))}"
    assert not set(recorded) - set(once), f"missing: {len(set(recorded) - set(once))}"
    assert not set(once) - set(recorded), f"never recorded: {len(set(once) - set(recorded))}"
    assert once == recorded, "out of order"
    return (
        f"{len(shown):,} items shown, {len(recorded):,} in the ledger, {len(once):,} at the "
        f"subscriber in order, {len(received) - len(once):,} repeats dropped"
    )


def away(path: Path, items: int) -> str:
    """Records `items` while the broker is away, then starts it, and says what was found."""
    with Broker(path / "broker", _BROKER) as broker, ExitStack() as parts:
        folder = Folder(path, broker.port)
        with folder.subscriber():
            time.sleep(1)  # its subscription outlives it
        broker.stop()
        publisher = started(publish_for_ever, folder)
        stamps = Stamps("bin-1", time.time)
        began = time.monotonic()
        with Ledger(folder.ledger, keep=folder.keep) as ledger:
            for first in range(0, items, 100):
                batch = range(first, min(first + 100, items))
                found = [(number, stamps.now()) for number in batch]
                ledger.append([entry(n, id=stamp.id, time=stamp.time) for n, stamp in found])
            ledger.checkpoint()
        recording = time.monotonic() - began
        broker.start()
        parts.enter_context(folder.subscriber())
        began = time.monotonic()
        folder.wait_for_all()
        took = time.monotonic() - began
        end(publisher)
    return (
        f"{items:,} items recorded in {recording:.0f} s while the broker was away; all there "
        f"{took:.0f} s after it was back; {compared(folder, set())}"
    )


def main() -> None:
    """Prints what was found; an AssertionError where something is not as it should be."""
    assert all(PRELOADED)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["killed", "away"])
    parser.add_argument("--cycles", type=int, default=300)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = (
            killed(Path(name), given.cycles, given.seed)
            if given.what == "killed"
            else away(Path(name), given.items)
        )
    print(found)


if __name__ == "__main__":
    main()
