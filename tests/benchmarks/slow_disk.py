"""Runs a whole station whose ledger is on a slow disk, and on one that is full for a while.

    python -m tests.benchmarks.slow_disk [--seconds 30]        (the full disk needs root)

20 items a second pass, and a photograph of each is kept on the same disk. Each case runs for
`--seconds`: a disk as it is, one on which every fsync takes 500 ms longer, and a small one that is
full for the second third of the time. Told of each: how many items were sorted and are in the
ledger, how late actuators moved (median and 99th percentile, in milliseconds after the moment that
was planned), and what was said. Exit code 1 where a row is missing, or a full disk was not said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.edge.commands.test_run_unheard import running
from tests.edge.stations import STATION, make_station

FSYNC_MS = 500
_DISK = "size=4m"
_STATION = (
    STATION.replace("second: 1000", "second: 20, loop: true").replace(
        "path: ledger.sqlite", "path: disk/ledger.sqlite"
    )
    + "photographs: {items: all, megabytes: 1}\n"
)
_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void rest(int descriptor) {
    char link[64], path[PATH_MAX + 1];
    const char *folder = getenv("SLOW_FOLDER");
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX);
    if (folder == NULL || length < 0) return;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)) == 0) usleep(1000 * atoi(getenv("SLOW_MS")));
}

int fsync(int descriptor) {
    rest(descriptor);
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int fdatasync(int descriptor) {
    rest(descriptor);
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}
"""


class Found(NamedTuple):
    """What one case came to."""

    sorted_items: int
    """As the station counted them."""
    rows: int
    lateness_ms: tuple[float, float]
    """The median, and the 99th percentile."""
    outage: list[str]
    """The kinds of the events in the ledger that tell of a time when it could not be written."""
    photographs: int
    said: list[str]
    """Incidents, what is lost, and that all is well again."""
    code: int


def slow_fsync(folder: Path) -> dict[str, str]:
    """The environment of a process whose every fsync of a file in `folder` takes FSYNC_MS longer.

    Raises:
        subprocess.CalledProcessError, FileNotFoundError: there is no C compiler.
    """
    source, library = folder.parent / "slow.c", folder.parent / "slow.so"
    source.write_text(_SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "SLOW_FOLDER": str(folder), "SLOW_MS": str(FSYNC_MS)}


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of a few megabytes at `folder`; needs root."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", _DISK, "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Leaves no byte free on the disk of `folder`; the file that takes it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**16, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                pass  # there is no room for so many any more
    return ballast


def run(folder: Path, *, seconds: float, environment: dict[str, str], full: bool = False) -> Found:
    """One case, in `folder`, whose disk is its folder `disk`.

    Args:
        seconds: how long the station sorts.
        environment: for the station's process.
        full: whether the disk is full for the second third of that time.
    """
    disk, tick = folder / "disk", threading.Event()
    make_station(folder, text=_STATION)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            started = running(folder, out=out.fileno(), err=err.fileno(), hanging="as it is")
            station = started.__enter__()
        finally:
            os.environ.clear()
            os.environ.update(before)
        try:
            station.until("GPIO23", "1.000")
            tick.wait(seconds / 3)
            ballast = fill(disk) if full else None
            tick.wait(seconds / 3)
            if ballast is not None:
                ballast.unlink()
            tick.wait(seconds / 3)
            station.end()
            code = station.process.wait(60)
        finally:
            started.__exit__(None, None, None)
    said = [
        line
        for line in (folder / "err").read_text("utf-8").splitlines()
        if line.startswith(("incident", "LOST", "ledger     it", "photographs"))
    ]
    return Found(*_read(disk / "ledger.sqlite"), _photographs(disk), said, code)


def _read(ledger: Path) -> tuple[int, int, tuple[float, float], list[str]]:
    with closing(sqlite3.connect(ledger)) as opened:
        ((details,),) = opened.execute("SELECT details FROM events WHERE kind = 'station_stopped'")
        ((rows,),) = opened.execute("SELECT count(*) FROM items")
        moved = opened.execute(
            "SELECT i.due, a.ended FROM actuations a JOIN items i ON i.uuid = a.item_uuid "
            "WHERE a.missed IS NULL"
        ).fetchall()
        outage = opened.execute(
            "SELECT kind FROM events WHERE kind IN ('ledger_failed', 'ledger_back') ORDER BY id"
        ).fetchall()
    late = [
        (datetime.fromisoformat(ended) - datetime.fromisoformat(due)).total_seconds() * 1000
        for due, ended in moved
    ]
    median, most = np.percentile(late, [50, 99])
    kinds = [kind for (kind,) in outage]
    return json.loads(details)["items"], rows, (float(median), float(most)), kinds


def _photographs(disk: Path) -> int:
    return len(list((disk / "ledger-photographs").rglob("*.jpg")))


def main() -> int:
    """Prints a line for each case, and what was said in it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    seconds = parser.parse_args().seconds
    kept = True
    with tempfile.TemporaryDirectory() as name:
        for case in ("a disk as it is", f"fsync {FSYNC_MS} ms slower", "full for a third"):
            folder = Path(name) / case.partition(" ")[0]
            (folder / "disk").mkdir(parents=True)
            kept = _tell(case, _run_case(case, folder, seconds)) and kept
            shutil.rmtree(folder)
    return 0 if kept else 1


def _run_case(case: str, folder: Path, seconds: float) -> Found:
    if case.startswith("full"):
        with small_disk(folder / "disk"):
            return run(folder, seconds=seconds, environment={}, full=True)
    slow = slow_fsync(folder / "disk") if case.startswith("fsync") else {}
    return run(folder, seconds=seconds, environment=slow)


def _tell(case: str, found: Found) -> bool:
    whole = found.rows == found.sorted_items and found.code == 0
    told = not case.startswith("full") or "ledger_failed" in found.outage
    median, most = found.lateness_ms
    print(
        f"{case}: {found.sorted_items:,} items sorted, {found.rows:,} rows, "
        f"{'all' if whole else 'NOT ALL'} (exit code {found.code}); actuators {median:.2f} ms late "
        f"in the middle, {most:.2f} ms in the 99th percentile; {found.photographs} photographs; "
        f"events of an outage: {', '.join(found.outage) or 'none'}",
        flush=True,
    )
    for line in found.said:
        print(f"    {line}", flush=True)
    return whole and told


if __name__ == "__main__":
    sys.exit(main())
