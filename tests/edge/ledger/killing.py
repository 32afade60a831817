"""Kills a process that records rows, again and again: `python -m tests.edge.ledger.killing 100`.

Whatever was shown must be in the ledger after the next start, once, and the ledger whole.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from edge.errors import LedgerError
from edge.ledger.kept import KeptLedger
from edge.ledger.ledger import Row
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.spill import Spill
from tests.edge.ledger.entries import entry


class UnsteadyLedger(KeptLedger):
    """A ledger whose disk is full now and then, so that rows go through the spill."""

    chance: random.Random

    def append(self, rows: Sequence[Row]) -> None:
        """Writes all or none."""
        if self.chance.random() < 0.3:
            raise LedgerError("the disk is full")
        super().append(rows)


def new_recorder(folder: Path, shown: int | None, chance: random.Random | None) -> Recorder:
    """A recorder of the ledger in `folder`.

    Args:
        shown: a file descriptor that the numbers of shown items are written to.
        chance: when the disk is full; None: never.
    """
    kind = KeptLedger if chance is None else UnsteadyLedger
    ledger = kind(folder / "ledger.sqlite", say=lambda text: None)
    if isinstance(ledger, UnsteadyLedger) and chance is not None:
        ledger.chance = chance
    recorder = Recorder(
        ledger,
        show=lambda row: None if shown is None else _write(shown, b"%d\n" % row.item),
        say=lambda text: None,
        patience=Patience(commit=0.002, hang=60, retry=0.002, finish=60),
    )
    recorder.add_spill(Spill(folder / "spill"))
    return recorder


def kill_once(folder: Path, chance: random.Random, first: int) -> set[int]:
    """The items that a process showed until it was killed, at a moment of chance.

    Args:
        first: the number of the first item.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _record_for_ever(folder, writing, random.Random(chance.random()), first)
    os.close(writing)
    shown, enough = b"", chance.randrange(1, 3000)
    while len(shown) < enough:
        shown += os.read(reading, 4096)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while more := os.read(reading, 4096):
        shown += more
    os.close(reading)
    return {int(line) for line in shown.split(b"\n")[:-1]}


def items_after_start(folder: Path) -> list[int]:
    """The items of the ledger once the next start has taken in what was left."""
    recorder = new_recorder(folder, None, None)
    recorder.finish()
    recorder.run()
    with sqlite3.connect(folder / "ledger.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = [row[0] for row in connection.execute("SELECT item FROM items ORDER BY id")]
    connection.close()
    assert not (folder / "spill").exists()
    return found


def kill_and_compare(folder: Path, rounds: int, seed: int) -> int:
    """How many items were shown in `rounds`, each of which is in the ledger.

    Raises:
        AssertionError: one is not, or is there twice, or out of order.
    """
    chance, shown, first = random.Random(seed), set[int](), 1
    for _ in range(rounds):
        shown |= kill_once(folder, chance, first)
        found = items_after_start(folder)
        assert shown <= set(found), f"lost: {sorted(shown - set(found))}"
        assert found == sorted(set(found)), "twice, or out of order"
        first = max(*found, *shown) + 1
    return len(shown)


def _record_for_ever(folder: Path, shown: int, chance: random.Random, first: int) -> None:
    import threading
    import time

    try:
        recorder = new_recorder(folder, shown, chance)
        threading.Thread(target=recorder.run, daemon=True).start()
        for item in count(first):
            while recorder.waiting > 50:
                time.sleep(0.0005)
            recorder.offer(entry(item, time=f"2026-11-29T12:00:00.{item:06}Z"))
    finally:
        os._exit(1)


def _write(descriptor: int, raw: bytes) -> None:
    os.write(descriptor, raw)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        rounds = int(sys.argv[1])
        total = kill_and_compare(Path(name), rounds, seed=int.from_bytes(os.urandom(4), "big"))
    print(f"{rounds} kills, {total:,} items shown, every one in the ledger, once and in order")
