"""Runs a station that nobody listens to, and one whose disk hangs, for as long as that may last.

    python -m tests.benchmarks.unheard [--seconds 60]        (a disk of its own needs root)

20 items a second pass. Told of each case: whether every item is in the ledger in the end, how long
after SIGTERM the actuators were at rest (a solenoid would stay on for 50 s by itself), and how long
after it the process had ended. Exit code 1 where an item is missing, or a bar is not kept.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.disks import new_disk
from tests.edge.commands.test_run_unheard import LONG, items, running
from tests.edge.core.terminal.test_speech import full_pipe, stopped_terminal
from tests.edge.stations import make_station

_HANG_SECONDS = 10
"""How much longer a disk hangs than a reader: 70 s."""
_REST_BAR, _END_BAR = 0.1, 5.0
_UNREAD = {
    "nobody reads stdout (a full pipe)": ("out", full_pipe),
    "nobody reads stderr (a full pipe)": ("err", full_pipe),
    "Ctrl-S on the terminal": ("out err", stopped_terminal),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a station ended, in seconds after SIGTERM."""

    rest: float
    """When the last actuator was at rest."""
    end: float
    code: int


def unread(folder: Path, streams: str, new: Callable[[], tuple[int, int]], seconds: float) -> Ended:
    """A station of which `streams` are not read for `seconds`, until it is told to end."""
    make_station(folder, text=LONG)
    with ExitStack() as ends:
        pair = new()
        for end in pair:
            ends.callback(os.close, end)
        out, err = (pair[1] if name in streams else subprocess.DEVNULL for name in ("out", "err"))
        return _run(folder, out, err, lambda: time.sleep(seconds))


def hanging(folder: Path, seconds: float, after: float) -> tuple[Ended, float]:
    """(how it ended, after how many seconds it said that the disk hangs): `after` seconds later.

    Where `after` is 0, it is told to end while the disk hangs.
    """
    make_station(folder, text=LONG.replace("ledger.sqlite", "disk/ledger.sqlite"))
    said = 0.0

    def hang() -> None:
        nonlocal said
        time.sleep(3)
        began = time.monotonic()
        disk.freeze()
        while "has not answered" not in (folder / "err").read_text("utf-8"):
            time.sleep(0.05)
        said = time.monotonic() - began
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        if after:
            disk.thaw()
            time.sleep(after)

    with new_disk(folder, megabytes=64) as disk:
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            ended = _run(folder, out.fileno(), err.fileno(), hang)
        if not after:
            disk.thaw()
            with running(folder, out=subprocess.DEVNULL, err=subprocess.DEVNULL) as station:
                station.until("GPIO23", "1.000")
                station.end()
                assert station.process.wait(60) == 0
        (folder / "ledger.sqlite").write_bytes((disk.folder / "ledger.sqlite").read_bytes())
    return ended, said


def _run(folder: Path, out: int, err: int, meanwhile: Callable[[], None]) -> Ended:
    with running(folder, out=out, err=err, hanging="as it is") as station:
        station.until("GPIO23", "1.000")
        meanwhile()
        sent = station.end()
        code = station.process.wait(60)
        ended = time.monotonic()
        levels = [told for told in station.told() if told.name == "GPIO23" and told.at > sent]
    assert levels[-1].state == "0.000"
    moved = [number for number, told in enumerate(levels) if told.state != "0.000"]
    rest = levels[moved[-1] + 1 if moved else 0]
    return Ended(rest.at - sent, ended - sent, code)


def main() -> int:
    """Prints a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    kept = True
    with tempfile.TemporaryDirectory() as name:
        os.environ["RUNTIME_DIRECTORY"] = name
        for number, (case, (streams, new)) in enumerate(_UNREAD.items()):
            folder = Path(name) / str(number)
            folder.mkdir()
            ended = unread(folder, streams, new, seconds)
            kept = _tell(f"{case}, {seconds:g} s", folder, ended, 0) and kept
        for after in (8, 0):
            folder = Path(name) / f"disk {after}"
            folder.mkdir()
            long = seconds + _HANG_SECONDS if after else 10
            ended, said = hanging(folder, long, after)
            case = f"the disk hangs {long:g} s" + ("" if after else " and is told to end then")
            shown = len((folder / "out").read_text("utf-8").splitlines())
            kept = _tell(f"{case}, said after {said:.1f} s", folder, ended, shown) and kept
    return 0 if kept else 1


def _tell(case: str, folder: Path, ended: Ended, shown: int) -> bool:
    found = items(folder)
    if shown:  # a second start may have added some of its own, numbered from 1
        found = found[:shown]
    whole = found == list(range(1, len(found) + 1)) and len(found) >= shown
    print(
        f"{case}: {len(found):,} items, {'all' if whole else 'NOT ALL'} in the ledger; at rest "
        f"{ended.rest * 1000:.0f} ms after SIGTERM, ended after {ended.end:.1f} s, exit code "
        f"{ended.code}",
        flush=True,
    )
    return whole and ended.rest <= _REST_BAR and ended.end <= _END_BAR


if __name__ == "__main__":
    sys.exit(main())
