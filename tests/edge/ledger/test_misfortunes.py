"""What may happen to a ledger on a real disk, at the start and while it is written.

In each case the station goes on, says so at once, and has all its rows in the ledger in the end.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edge.events import of_items
from edge.ledger.ledger_process import LedgerProcess
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.recovering import set_aside_files
from edge.ledger.spill import Spill
from tests.disks import Disk
from tests.edge.ledger.entries import entry
from tests.edge.ledger.test_recovering import (
    copy_other_over,
    empty,
    fill_with_noise,
    flip_middle,
    items_of,
)
from tests.logged import listen

Mend = Callable[[], Any]


class Started:
    """A recorder at work, as a station has it, and what it showed and said."""

    def __init__(self, path: Path, spill: Path) -> None:
        self.shown: list[int] = []
        self.said: list[str] = []
        self._changed = threading.Condition()
        listen(self._say)
        self.recorder = Recorder(
            LedgerProcess(path),
            observers=[of_items(lambda row: self._note(self.shown, row.item))],
            patience=Patience(open=60, commit=0, hang=3, retry=0.02, finish=60),
        )
        self.recorder.open()
        self.recorder.add_spill(Spill(spill))
        self._thread = threading.Thread(target=self.recorder.run)
        self._thread.start()

    def _say(self, text: str) -> None:
        self._note(self.said, text)

    def _note(self, where: list[Any], what: Any) -> None:
        with self._changed:
            where.append(what)
            self._changed.notify_all()

    def wait_for(self, there: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(there, 120), self.said

    @property
    def incidents(self) -> int:
        return sum(said.startswith("incident") for said in self.said)

    def record(self, items: range) -> None:
        """Has `items` recorded, each after the one before was shown."""
        for item in items:
            self.recorder.offer(entry(item))
            self.wait_for(lambda: item in self.shown)  # noqa: B023

    def end(self) -> None:
        self.recorder.finish()
        self._thread.join(120)
        assert not self._thread.is_alive()
        assert (self.recorder.lost, self.recorder.spilled) == (0, 0), self.said


def moved(path: Path, disk: Disk) -> Mend:
    path.rename(path.with_name("elsewhere.sqlite"))
    return lambda: None


def deleted(path: Path, disk: Disk) -> Mend:
    path.unlink()
    return lambda: None


def written_over(path: Path, disk: Disk) -> Mend:
    copy_other_over(path)
    return lambda: None


def damaged(path: Path, disk: Disk) -> Mend:
    flip_middle(path)
    return lambda: None


def noise(path: Path, disk: Disk) -> Mend:
    fill_with_noise(path)
    return lambda: None


def emptied(path: Path, disk: Disk) -> Mend:
    empty(path)
    return lambda: None


def full(path: Path, disk: Disk) -> Mend:
    ballast = path.with_name("ballast")
    with ballast.open("wb", buffering=0) as file:
        for size in (2**16, 1):
            with suppress(OSError):  # there is no room for so many any more
                while file.write(bytes(size)):
                    pass
    return ballast.unlink


def read_only(path: Path, disk: Disk) -> Mend:
    """No file of the folder may be changed any more, open or not."""
    there = [str(path.parent), *map(str, path.parent.iterdir())]
    subprocess.run(["chattr", "+i", *there], check=True)
    return lambda: subprocess.run(["chattr", "-i", *there], check=True)


def failing(path: Path, disk: Disk) -> Mend:
    disk.fail()
    return disk.mend


def hanging(path: Path, disk: Disk) -> Mend:
    disk.freeze()
    return disk.thaw


CHANGES = [moved, deleted, written_over, damaged, noise, emptied]
PASSING = [full, read_only, failing, hanging]


@pytest.mark.slow
@pytest.mark.parametrize("running", [True, False], ids=["running", "start"])
@pytest.mark.parametrize("what", [*CHANGES, *PASSING])
def test_the_rows_of_a_station_are_in_its_ledger_in_the_end(
    disk: Disk, tmp_path: Path, what: Callable[[Path, Disk], Mend], running: bool
) -> None:
    path, spill = disk.folder / "station" / "ledger.sqlite", tmp_path / "spill"
    path.parent.mkdir()
    before = Started(path, spill)
    before.record(range(1, 21))
    before.end()  # these are in the file itself
    station = Started(path, spill)
    station.record(range(21, 31))
    if not running:
        station.end()
    with ExitStack() as mends:
        mends.callback(what(path, disk))
        if not running:
            station = Started(path, spill)
        for item in count(31):
            station.record(range(item, item + 1))
            if item >= 50 and station.incidents:
                break
    if what in PASSING:
        station.wait_for(lambda: "can be written again" in station.said[-1])
    station.record(range(item + 1, item + 20))
    station.end()
    kept = items_of(path)
    assert kept == sorted(set(kept))
    # What lay on the disk is there yet, unless it was the disk's content that was spoilt.
    held = set(range(1, item + 20))
    if what in CHANGES:
        held -= set(range(1, 21 if running else 31))
    assert held <= set(kept)
    assert station.incidents >= 1
    if what in (written_over, damaged, noise, emptied) and 1 not in kept:
        assert len(set_aside_files(path)) == (running or what is not emptied)
    assert not spill.exists()
