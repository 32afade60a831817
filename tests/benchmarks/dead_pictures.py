"""How soon a station names a dead picture: `python -m tests.benchmarks.dead_pictures`.

`pilah-edge run` sorts by an MJPEG stream of red pictures with noise, until these become black,
green without noise, frozen, half grey, half transmitted, or smaller ones of green. Each of these
has to be named, and none accepted. Printed are the seconds from the first dead picture to its name
and the items that were accepted by one. Exit code 1: an item was, or a kind was not named in two
seconds (frozen: in two and a half).
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.images.image_file import Image
from tests.bundles import BGR
from tests.edge.stations import STATION, make_station
from tests.edge.vision.camera.mjpeg_server import MjpegServer

SECONDS = 2.0
_MORE_FOR_FROZEN = 0.5
"""Nobody can know it sooner than after two seconds."""
_ON_THE_WAY = 0.3
"""Seconds that a last good picture may take to the station."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A kind of dead picture.

    Attributes:
        picture: makes one of the pictures that the camera gave last.
        says: what names it.
        damage: what becomes of its JPEGs on the way.
    """

    picture: Callable[[Image], Image]
    says: str
    damage: Callable[[bytes], bytes] | None = None


def noisy(label: str, height: int = 240, width: int = 320) -> Image:
    """A picture of a colour with a slope and a sensor's noise."""
    slope = np.linspace(-8, 8, width)[:, None]
    levels = np.array(BGR[label]) + slope + np.random.default_rng().normal(0, 4, (height, width, 3))
    return np.clip(levels, 0, 255).astype(np.uint8)


def _half_grey(last: Image) -> Image:
    picture = noisy("green")
    picture[110:] = 128
    return picture


KINDS = {
    "black": Dead(lambda last: np.zeros_like(last), "shows nothing: its picture is evenly dark"),
    "green": Dead(lambda last: np.full_like(last, (30, 200, 40)), "shows nothing: its picture is"),
    "frozen": Dead(lambda last: last, "is frozen: exactly the same picture"),
    "half grey": Dead(_half_grey, "gives incomplete pictures"),
    "half sent": Dead(lambda last: noisy("green"), "damaged", lambda jpeg: jpeg[: len(jpeg) // 2]),
    "smaller": Dead(lambda last: noisy("green", 120, 160), "gives 160x120 pixels now"),
}
"""Where a picture is made anew it is green, so that an item of it shows by its label."""


@dataclass(frozen=True, slots=True)
class Named:
    """What became of a kind."""

    seconds: float
    """From the first dead picture until it was named; infinite: it was not, or nothing sorted."""
    accepted: int
    """Items, by a dead picture."""
    rejected: int
    """Items as `bad_picture`."""
    before: int
    """Items that were accepted before."""
    said: str


def watch(dead: Dead, folder: Path, *, patience: float = 30.0) -> Named:
    """Runs a station in `folder` whose camera goes dead after twenty accepted items.

    Args:
        patience: seconds until it has to sort, and until it has to have named it.
    """
    with MjpegServer() as server:
        last = noisy("red")

        def live() -> Image:
            nonlocal last
            last = noisy("red")
            return last

        server.picture = live
        camera = f"camera: {{kind: stream, url: '{server.url}'}}"
        text = STATION.replace(
            "camera: {kind: folder, path: photos, frames_per_second: 1000}", camera
        )
        station = make_station(folder, text=text)
        process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", str(station)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        output = process.stdout

        def read() -> None:
            for line in output:
                lines.put(line)

        reader = threading.Thread(target=read)
        reader.start()
        said: list[str] = []

        def wait_for(words: str, count: int = 1) -> bool:
            end = time.monotonic() + patience
            while count and time.monotonic() < end:
                with contextlib.suppress(queue.Empty):
                    said.append(line := lines.get(timeout=0.1))
                    count -= words in line
            return not count

        try:
            sorts = wait_for("-> warm", 20)
            switched, clock = datetime.now(UTC).timestamp(), time.monotonic()
            frozen, server.damage, server.damaged = last, dead.damage, 1
            server.picture = lambda: dead.picture(frozen)
            named = sorts and wait_for(dead.says)
            seconds = time.monotonic() - clock if named else float("inf")
            wait_for("", 5)  # whatever it says; where it says nothing, for as long as it may take
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            reader.join()
            process.stdout.close()
        said += list(lines.queue)
    if not sorts:
        return Named(float("inf"), 0, 0, 0, "".join(said))
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        rows = ledger.execute("SELECT time, label, reject FROM items").fetchall()
    good = [(row[0], row[1]) for row in rows if row[2] is None]
    if dead.picture(frozen) is frozen:
        after = [when for when, _ in good if _seconds(when) > switched + _ON_THE_WAY]
    else:
        after = [when for when, label in good if label != "red"]
    # Rows that wait for the ledger's disk are not in it yet: what is printed counts as well.
    place = next((number for number, line in enumerate(said) if dead.says in line), len(said))
    shown = [line for line in said[place:] if "%  ->" in line and "reject:" not in line]
    if dead.picture(frozen) is not frozen:  # a last good picture may be told after the name
        shown = [line for line in shown if " red " not in line]
    return Named(
        seconds,
        max(len(after), len(shown)),
        sum(reject == "bad_picture" for _, _, reject in rows),
        len(good) - len(after),
        "".join(said),
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def main() -> int:
    good = True
    for kind, dead in KINDS.items():
        with tempfile.TemporaryDirectory() as name:
            found = watch(dead, Path(name))
        limit = SECONDS + _MORE_FOR_FROZEN * (kind == "frozen")
        well = found.seconds <= limit and not found.accepted
        good = good and well
        print(
            f"{kind:<10} named after {found.seconds:.2f} s; {found.accepted} accepted, "
            f"{found.rejected} rejected as bad_picture, {found.before} accepted before"
            f"{'' if well else '  FAILS'}",
            flush=True,
        )
        if not well:
            print(found.said[-2000:])
    return EXIT_OK if good else EXIT_NO


if __name__ == "__main__":
    sys.exit(main())
