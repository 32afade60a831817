"""Ends a process that records rows, again and again, in a way that nobody can foresee.

    python -m tests.edge.ledger.killing 100           kills it (SIGKILL)
    python -m tests.edge.ledger.killing --power 40    takes the power off its disk (needs root)

Whatever was shown must be in the ledger after the next start, once, and the ledger whole.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

from edge.core.errors import LedgerError
from edge.core.processes.children import end_with_parent
from edge.events import Event, ItemSorted, Observer, of_items
from edge.ledger.ledger_process import LedgerProcess
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.rows import Writable
from edge.ledger.spill import Spill
from tests.disks import Disk, new_disk
from tests.edge.ledger.entries import entry
from tests.logged import listen

_FULL = "no room, says the test"


class Unsteady:
    """A ledger whose disk is full now and then, so that rows go through the spill."""

    def __init__(self, ledger: Writable, chance: random.Random) -> None:
        self._ledger, self._chance = ledger, chance

    def append(self, rows: Sequence[Event]) -> None:
        """Writes all or none."""
        if self._chance.random() < 0.3:
            raise LedgerError(_FULL)
        self._ledger.append(rows)

    def close(self) -> None:
        """Closes it."""
        self._ledger.close()


def new_recorder(
    folder: Path,
    *,
    observers: Sequence[Observer],
    chance: random.Random | None = None,
) -> Recorder:
    """A recorder of the ledger in `folder`, in a process of its own as a station has it.

    Args:
        chance: when the disk is full; None: never.
    """
    ledger: Writable = LedgerProcess(folder / "ledger.sqlite")
    recorder = Recorder(
        ledger if chance is None else Unsteady(ledger, chance),
        observers=observers,
        patience=Patience(commit=0.002, hang=60, retry=0.002, finish=60),
    )
    recorder.add_spill(Spill(folder / "spill"))
    return recorder


def end_once(
    folder: Path, chance: random.Random, first: int, end: Callable[[int], None]
) -> set[int]:
    """The items that a process showed until `end` ended it, at a moment of chance.

    Args:
        first: the number of the first item.
        end: ends the process that it is given the number of.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _record_for_ever(folder, writing, random.Random(chance.random()), first)
    os.close(writing)
    shown, enough = b"", chance.randrange(1, 3000)
    while len(shown) < enough:
        more = os.read(reading, 4096)
        assert more, "it ended by itself"
        shown += more
    end(pid)
    os.waitpid(pid, 0)
    while more := os.read(reading, 4096):
        shown += more
    os.close(reading)
    return {int(line) for line in shown.split(b"\n")[:-1]}


def items_after_start(folder: Path) -> list[int]:
    """The items of the ledger once the next start has taken in what was left."""
    said: list[str] = []
    listen(said.append)
    recorder = new_recorder(folder, observers=[])
    recorder.open()
    recorder.finish()
    recorder.run()
    assert recorder.spilled == 0, said
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection, connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = [row[0] for row in connection.execute("SELECT item FROM items ORDER BY id")]
    connection.close()
    assert not (folder / "spill").exists()
    return found


def kill(pid: int) -> None:
    """Ends a process at once."""
    os.kill(pid, signal.SIGKILL)


def power_cut(disk: Disk) -> Callable[[int], None]:
    """What ends a process on `disk` as a power cut does: what was in memory only is gone."""

    def end(pid: int) -> None:
        disk.fail()
        kill(pid)
        disk.mend()

    return end


def end_and_compare(folder: Path, rounds: int, seed: int, end: Callable[[int], None] = kill) -> int:
    """How many items were shown in `rounds`, each of which is in the ledger.

    Raises:
        AssertionError: one is not, or is there twice, or out of order.
    """
    chance, shown, first = random.Random(seed), set[int](), 1
    for _ in range(rounds):
        shown |= end_once(folder, chance, first, end)
        found = items_after_start(folder)
        assert shown <= set(found), f"lost: {sorted(shown - set(found))}"
        assert found == sorted(set(found)), "twice, or out of order"
        first = max(*found, *shown) + 1
    return len(shown)


def _record_for_ever(folder: Path, shown: int, chance: random.Random, first: int) -> None:
    import threading

    end_with_parent()
    room = threading.Semaphore(50)

    def show(row: ItemSorted) -> None:
        os.write(shown, b"%d\n" % row.item)
        room.release()

    try:
        listen(_end_at_an_incident)
        recorder = new_recorder(folder, observers=[of_items(show)], chance=chance)
        threading.Thread(target=recorder.run, daemon=True).start()
        for item in count(first):
            room.acquire()
            recorder.offer(entry(item, time=f"2026-11-29T12:00:00.{item:06}Z"))
    finally:
        os._exit(1)


def _end_at_an_incident(text: str) -> None:
    """Of what is shown after it was said that the disk fails, nothing is promised."""
    if text.startswith("incident") and _FULL not in text:
        os._exit(1)


def main() -> None:
    """Prints how many items were shown, and ends with an AssertionError where one is lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rounds", type=int)
    parser.add_argument("--power", action="store_true", help="takes the power off the disk")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.power:
            with new_disk(Path(name), megabytes=64) as disk:
                total = end_and_compare(disk.folder, given.rounds, given.seed, power_cut(disk))
        else:
            total = end_and_compare(Path(name), given.rounds, given.seed)
    print(
        f"{given.rounds} {'power cuts' if given.power else 'kills'} (seed {given.seed}): {total:,} "
        "items shown, every one in the ledger, once and in order"
    )


if __name__ == "__main__":
    main()
