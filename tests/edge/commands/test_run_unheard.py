"""A station that nobody listens to, or in which something hangs: it sorts on, and ends when told.

Each runs in a process of its own, which tells on a pipe of its own what its pins do and when.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.core.errors import EXIT_IO, EXIT_OK, EXIT_UNAVAILABLE
from tests.edge.core.terminal.test_speech import full_pipe, stopped_terminal
from tests.edge.stations import STATION, make_station

SCRIPT = """
import functools, os, sys, threading, time
from gpiozero.pins import mock
from edge.vision.camera.folder import FolderCamera
from edge.cli import main
from edge.ledger import opening
from edge.ledger.recovering import RecoveringLedger
from edge.ledger.ledger import Ledger
from edge.runtime import supervisor

telling, hanging = int(sys.argv.pop(1)), sys.argv.pop(1)
change = mock.MockPin._change_state

def told(pin, value):
    changed = change(pin, value)
    os.write(telling, f"{pin.info.name} {float(value):.3f} {time.monotonic()}\\n".encode())
    return changed

def hangs(owner, name, after):
    method, calls = getattr(owner, name), []
    def maybe(*args, **options):
        calls.append(name)
        if len(calls) > after:
            os.write(telling, f"{name} hangs {time.monotonic()}\\n".encode())
            threading.Event().wait()
        return method(*args, **options)
    setattr(owner, name, maybe)

mock.MockPin._change_state = told
# A busy machine may take its time, but where something hangs that is to be given up.
assert (supervisor._PATIENCE_SECONDS, supervisor.END_SECONDS) == (4.2, 4.9)
patience, supervisor._PATIENCE_SECONDS, supervisor.END_SECONDS = {
    "end": (60, 0.5, 1.5), "nothing": (60, 60, 90), "camera": (60, 0.6, 30), "ledger": (1, 60, 90)
}[hanging]
supervisor.STUCK_SECONDS = 600  # it ends when it is told to, and not by itself
opening.Patience = functools.partial(opening.Patience, open=60, hang=patience, finish=patience)
if hanging == "camera":
    hangs(FolderCamera, "read", 30)
elif hanging == "ledger":
    opening.LedgerProcess = RecoveringLedger
    hangs(Ledger, "append", 2)  # the start, and the first item; many rows at a time after that
elif hanging == "end":
    FolderCamera.close = lambda camera: threading.Event().wait()
sys.exit(main())
"""
LONG = STATION.replace("second: 1000", "second: 20, loop: true").replace(
    "pin: 23, hold_seconds: 0.1", "pin: 23, hold_seconds: 50, max_on_seconds: 50"
)
ACTIVE = f"{(1.5 + 60 / 180) / 20:.3f}"


@dataclass
class Told:
    """What a pin, or a part that hangs, told."""

    name: str
    state: str
    at: float
    """Seconds, time.monotonic, which all processes share."""


@dataclass
class Running:
    """A station at work."""

    process: subprocess.Popen[bytes]
    _lines: Iterator[bytes]

    def until(self, name: str, state: str) -> Told:
        """The next time that `name` tells `state`."""
        for told in self.told():
            if (told.name, told.state) == (name, state):
                return told
        raise AssertionError(f"it ended before {name} told {state}")

    def until_all(self, wanted: set[tuple[str, str]]) -> None:
        """Waits until each name has told its state, in whatever order."""
        left = set(wanted)
        for told in self.told():
            left.discard((told.name, told.state))
            if not left:
                return
        raise AssertionError(f"it ended before it told {left}")

    def told(self) -> Iterator[Told]:
        for line in self._lines:
            name, state, at = line.decode().split()
            yield Told(name, state, float(at))

    def end(self) -> float:
        """Tells it to end; returns when."""
        at = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return at


@contextmanager
def running(folder: Path, *, out: int, err: int, hanging: str = "nothing") -> Iterator[Running]:
    read, write = os.pipe()
    with (
        os.fdopen(read, "rb") as lines,
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(write), hanging, "run",
             str(folder / "station.yaml")],
            stdout=out, stderr=err, pass_fds=[write],
        ) as process,
    ):  # fmt: skip
        os.close(write)
        try:
            yield Running(process, iter(lines.readline, b""))
        finally:
            process.kill()


def items(folder: Path) -> list[int]:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        rows = ledger.execute("SELECT item FROM items ORDER BY id").fetchall()
    ledger.close()
    return [item for (item,) in rows]


@pytest.mark.parametrize(
    ("streams", "unread"),
    [
        pytest.param("out", full_pipe, marks=pytest.mark.slow),
        ("err", full_pipe),
        ("out err", stopped_terminal),
    ],
)
def test_a_station_that_nobody_reads_sorts_on_and_ends_when_it_is_told_to(
    tmp_path: Path, tiny_bundle: Path, unread: Callable[[], tuple[int, int]], streams: str
) -> None:
    make_station(tmp_path, text=LONG, bundle=tiny_bundle)
    with ExitStack() as ends:
        ours, theirs = unread()
        ends.callback(os.close, ours)
        ends.callback(os.close, theirs)
        out = theirs if "out" in streams else subprocess.DEVNULL
        err = theirs if "err" in streams else subprocess.DEVNULL
        with running(tmp_path, out=out, err=err) as station:
            on = station.until("GPIO23", "1.000")
            for _ in range(3):
                station.until("GPIO18", ACTIVE)
            sent = station.end()
            off = station.until("GPIO23", "0.000")
            assert station.process.wait(120) == EXIT_OK
    assert sent < off.at < on.at + 50  # by itself it would stay on for so long
    found = items(tmp_path)
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= 9


HANGS = {"camera": [("read", "hangs")], "ledger": [("append", "hangs")]}


@pytest.mark.parametrize(
    ("hanging", "code", "said"),
    [
        ("camera", EXIT_UNAVAILABLE, "error: these threads did not end within 0.6 seconds: camera"),
        ("ledger", EXIT_IO, "rows: the next start adds them to the ledger"),
        pytest.param(
            "end",
            EXIT_UNAVAILABLE,
            "without waiting for a part of the station that hangs",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_whatever_hangs_a_station_ends_when_it_is_told_to(
    tmp_path: Path, tiny_bundle: Path, hanging: str, code: int, said: str
) -> None:
    make_station(tmp_path, text=LONG, bundle=tiny_bundle)
    with (
        (tmp_path / "err").open("wb") as err,
        running(
            tmp_path, out=subprocess.DEVNULL, err=err.fileno(), hanging=hanging
        ) as station,
    ):  # fmt: skip
        station.until_all({("GPIO23", "1.000"), *HANGS.get(hanging, ())})
        station.end()
        assert station.process.wait(120) == code
        levels = [told for told in station.told() if told.name == "GPIO23"]
    assert levels[-1].state == "0.000"
    assert said in (tmp_path / "err").read_text("utf-8")
