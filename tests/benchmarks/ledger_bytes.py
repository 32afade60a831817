"""How many bytes reach the disk for each row of the ledger, at one item a second.

    python -m tests.benchmarks.ledger_bytes [--seconds 600]        (needs root)

In real time, each `commit_seconds` on a disk of its own (ext4 as it is made for a card), of which
the kernel counts the sectors that are written: the log, what is brought from it into the file, and
what the file system writes for itself, which is most of it where commits are frequent. Beside
them, what nobody could do with less: a file made beforehand, in which a row is written in place
and brought to the disk each second.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from edge.core.uuid7 import UUID7Source
from edge.events import ItemSorted, utc_text
from edge.ledger.recovering import RecoveringLedger
from tests.disks import Disk, new_disk

_WARM_UP = 600
"""Rows before: a log that has had its size grows no more."""
_BYTES = 600
"""Of a row in the file that is compared with: a line of the spill."""
_LABELS = ("glass", "metal", "paper")
_BEGUN = 1_796_000_000
_NEW_ID = UUID7Source(time.time)


def row(second: int) -> ItemSorted:
    """A row as a station with three labels writes it."""
    return ItemSorted(
        id=_NEW_ID(),
        time=utc_text(_BEGUN + second),
        station="belt-1",
        item=second,
        source="",
        label="glass",
        confidence=0.9374512434005737,
        scores=dict(
            zip(_LABELS, (0.9374512434005737, 0.0410128831863, 0.0215358734131), strict=True)
        ),
        accepted=True,
        reject=None,
        lane="glass",
        bundle="first 1",
        bundle_digest="0" * 64,
        latency_ms=23.81,
        frames=3,
        actuation="planned",
        due=utc_text(_BEGUN + second + 1),
    )


def of_ledger(disk: Disk, commit_seconds: int, seconds: int) -> float:
    """Bytes for the disk and a row, where rows are committed `commit_seconds` apart."""
    with RecoveringLedger(disk.folder / "ledger.sqlite") as ledger:
        for second in range(_WARM_UP):
            ledger.append([row(second)])

        def write(second: int) -> None:
            if second % commit_seconds == 0:
                first = _WARM_UP + second - commit_seconds
                ledger.append([row(first + more) for more in range(commit_seconds)])

        def bring_in() -> None:
            assert ledger._ledger is not None
            ledger._checkpoint(ledger._ledger)

        return _each_second(disk, seconds, write, bring_in)


def in_place(disk: Disk, seconds: int) -> float:
    """The same where each row is written into a file that has its size already."""
    path = disk.folder / "file"
    path.write_bytes(bytes(_BYTES * (seconds + 1)))
    with path.open("r+b", buffering=0) as file:

        def write(second: int) -> None:
            os.pwrite(file.fileno(), b"x" * _BYTES, second * _BYTES)
            os.fdatasync(file.fileno())

        return _each_second(disk, seconds, write, lambda: None)


def _each_second(
    disk: Disk, seconds: int, write: Callable[[int], None], at_end: Callable[[], None]
) -> float:
    at_end()
    disk.sync()
    before, began = disk.written_bytes, time.monotonic()
    for second in range(1, seconds + 1):
        time.sleep(max(0.0, began + second - time.monotonic()))
        write(second)
    at_end()
    disk.sync()
    return (disk.written_bytes - before) / seconds


def main(commits: Sequence[int] = (1, 5, 15, 30, 60)) -> None:
    """Prints a line for each `commit_seconds`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=600, help="a multiple of 60")
    seconds = parser.parse_args().seconds
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        disks = [
            parts.enter_context(new_disk(folder / str(number), megabytes=64))
            for number in range(len(commits) + 1)
        ]
        pool = parts.enter_context(ThreadPoolExecutor(len(disks)))
        found = {
            f"commit_seconds {commit:>2}": pool.submit(of_ledger, disk, commit, seconds)
            for commit, disk in zip(commits, disks, strict=False)
        }
        found["a file, in place"] = pool.submit(in_place, disks[-1], seconds)
        for name, figure in found.items():
            per_row = figure.result()
            print(
                f"{name}  {per_row / 1000:6.2f} kB a row  {per_row * 0.0864:6.0f} MB a day",
                flush=True,
            )


if __name__ == "__main__":
    main()
