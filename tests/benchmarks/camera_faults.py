"""How soon a station notices what is the matter with its camera, and by which name.

    python -m tests.benchmarks.camera_faults [--json]

A station looks at a scene in which nothing passes, by a network camera, in real time. The camera is
a process of its own, which sends JPEGs over HTTP: it is paused and killed by signals, and sends
black, frozen, covered and damaged pictures, and those of another scene. Of each it is measured how
long it takes until the station says so, in its status, and whether it says that it is over. A
camera that gives one picture a second is well. Exit code 1 where a fault is noticed after more than
2 seconds, by another name, or not at all, where a slow camera is not taken for well, or where
anything is taken for an item. It takes a minute and a half.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.config.reading import read_station
from edge.core.images.image_file import Image
from edge.events import Event, ItemSorted
from edge.runtime.worker import Endings
from edge.station import Station
from tests.bundles import make_bundle
from tests.edge.vision.camera.mjpeg_server import MjpegServer
from tests.ports import free_port

BAR_SECONDS = 2.0
RATE, SLOW_RATE = 30.0, 1.0
"""Pictures a second."""
CAUSES: tuple[tuple[str, str], ...] = (
    ("paused", "camera_lost"),
    ("killed", "camera_lost"),
    ("black", "camera_black"),
    ("frozen", "camera_frozen"),
    ("covered", "camera_covered"),
    ("moved", "camera_moved"),
    ("damaged", "camera_damaged"),
)
"""What becomes of the camera, and the incident that is to be told."""
_LEARNING_SECONDS = 7.0
"""In which the station learns its scene."""
_PATIENCE_SECONDS = 30.0
_WELL_SECONDS = 1.0
"""For how long all is well before the next fault."""
_SLOW_SECONDS = 12.0
_LOOK_SECONDS = 0.01
_STATION = """\
station: camera-faults
bundle: bundle
camera: {{kind: stream, url: "{url}"}}
trigger: {{kind: motion}}
lanes:
  all: {{labels: [red, green, blue]}}
default_lane: all
ledger: {{path: ledger.sqlite}}
"""


class Pictures:
    """What the camera shows: a scene, with the noise of a sensor."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._scene, self._beside = (
            cv2.resize(
                self._random.integers(70, 220, (12, 16, 3), np.uint8),
                (320, 240),
                interpolation=cv2.INTER_CUBIC,
            )
            for _ in range(2)
        )
        self._dark = np.broadcast_to(np.linspace(8, 28, 320)[None, :, None], (240, 320, 3))
        self._last = self._noisy(self._scene)
        self.what = "well"

    def __call__(self) -> Image:
        """The next picture, uint8 (240, 320, 3) BGR."""
        if self.what == "black":
            return np.zeros((240, 320, 3), np.uint8)
        if self.what != "frozen":
            shown = {"covered": self._dark, "moved": self._beside}.get(self.what, self._scene)
            self._last = self._noisy(shown)
        return self._last

    def _noisy(self, image: Any) -> Image:
        noise = self._random.normal(0, 2, image.shape)
        return np.asarray(np.clip(image + noise, 0, 255).astype(np.uint8))


def serve(port: int, rate: float) -> None:
    """Is the camera, until its standard input ends, whose lines say what it shows."""
    pictures = Pictures()
    with MjpegServer(port=port, rate=rate) as server:
        server.picture, server.damaged = pictures, 1
        print("ready", flush=True)
        for line in sys.stdin:
            pictures.what = line.strip()
            half: Callable[[bytes], bytes] = lambda jpeg: jpeg[: len(jpeg) // 2]  # noqa: E731
            server.damage = half if pictures.what == "damaged" else None


class CameraProcess:
    """The camera as a process, which can be paused and killed."""

    def __init__(self, rate: float) -> None:
        self.port = free_port()
        self._rate = rate
        self._process = self._started()

    @property
    def url(self) -> str:
        """Where it sends its pictures."""
        return f"http://127.0.0.1:{self.port}/stream"

    def becomes(self, cause: str) -> None:
        """It has this fault from now on."""
        if cause == "paused":
            self._process.send_signal(signal.SIGSTOP)
        elif cause == "killed":
            self.close()
        else:
            self._says(cause)

    def mended(self, cause: str) -> None:
        """It is well again."""
        if cause == "paused":
            self._process.send_signal(signal.SIGCONT)
        elif cause == "killed":
            self._process = self._started()
        else:
            self._says("well")

    def close(self) -> None:
        """Kills it; may be called twice."""
        self._process.kill()
        self._process.communicate()

    def _says(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.benchmarks.camera_faults",
                "--serve", str(self.port), "--rate", str(self._rate),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process


@dataclass(slots=True)
class Watched:
    """A station that runs, and what is written of it."""

    station: Station
    events: list[Event]

    def incidents(self) -> set[str]:
        """The names of those that are open, by its status."""
        return set(self.station.state.signs.incidents)

    def within(self, seconds: float, there: Callable[[], bool]) -> float | None:
        """How long it takes until something is so; None: longer than that."""
        began = time.monotonic()
        while (took := time.monotonic() - began) < seconds:
            if there():
                return took
            time.sleep(_LOOK_SECONDS)
        return None


@contextmanager
def running(folder: Path, url: str) -> Iterator[Watched]:
    """A station before the camera at `url`, in a thread of its own."""
    make_bundle(folder / "bundle")
    file = folder / "station.yaml"
    file.write_text(_STATION.format(url=url), encoding="utf-8")
    endings: Endings = queue.SimpleQueue()
    events: list[Event] = []
    with Station(read_station(file), endings=endings, observers=[events.append]) as station:
        thread = threading.Thread(target=station.run)
        thread.start()
        try:
            yield Watched(station, events)
        finally:
            endings.put(signal.SIGTERM)
            thread.join()


def measure(folder: Path, causes: tuple[tuple[str, str], ...] = CAUSES) -> list[dict[str, Any]]:
    """Each cause with when it was noticed, what was told of it, and when that was over."""
    camera = CameraProcess(RATE)
    try:
        with running(folder, camera.url) as watched:
            watched.within(_LEARNING_SECONDS, lambda: False)
            found = [_of_cause(watched, camera, *cause) for cause in causes]
        items = sum(isinstance(event, ItemSorted) for event in watched.events)
    finally:
        camera.close()
    return [one | {"items": items} for one in found]


def _of_cause(watched: Watched, camera: CameraProcess, cause: str, name: str) -> dict[str, Any]:
    camera.becomes(cause)
    noticed = watched.within(_PATIENCE_SECONDS, lambda: name in watched.incidents())
    told = sorted(watched.incidents())
    camera.mended(cause)
    over = watched.within(_PATIENCE_SECONDS, lambda: not watched.incidents())
    watched.within(_WELL_SECONDS, lambda: False)
    return {"cause": cause, "name": name, "noticed": noticed, "told": told, "over": over}


def slow(folder: Path) -> dict[str, Any]:
    """What is told of a camera that gives one picture a second."""
    camera, told = CameraProcess(SLOW_RATE), set[str]()

    def one_is_told() -> bool:
        told.update(watched.incidents())
        return bool(told)

    try:
        with running(folder, camera.url) as watched:
            watched.within(_SLOW_SECONDS, one_is_told)
        items = sum(isinstance(event, ItemSorted) for event in watched.events)
    finally:
        camera.close()
    return {"cause": "one picture a second", "told": sorted(told), "items": items}


def faults_of(found: list[dict[str, Any]]) -> list[str]:
    """What is not as it should be, as sentences; none if all is."""
    wrong = []
    for one in found:
        cause, told = one["cause"], ", ".join(one["told"]) or "nothing"
        if "name" not in one:
            if one["told"]:
                wrong.append(f"{cause}: it is well, and is told as {told}")
            continue
        if one["noticed"] is None:
            wrong.append(f"{cause}: not told as {one['name']} but as {told}")
        elif one["noticed"] > BAR_SECONDS:
            wrong.append(f"{cause}: noticed after {one['noticed']:.2f} s")
        if one["over"] is None:
            wrong.append(f"{cause}: it is mended, and that is not noticed")
    if items := max(one["items"] for one in found):
        wrong.append(f"{items} items, though nothing passed")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    parser.add_argument("--serve", type=int, metavar="PORT", help="be the camera")
    parser.add_argument("--rate", type=float, default=RATE, help="its pictures a second")
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve, arguments.rate)
        return 0
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        found = [*measure(Path(one)), slow(Path(other))]
    wrong = faults_of(found)
    if arguments.json:
        print(json.dumps({"found": found, "wrong": wrong}))
    else:
        print(f"{'the camera is':<22} {'noticed':>9} {'over':>9}  told as")
        for row in found:
            noticed, over = (
                "-" if row.get(key) is None else f"{row[key]:.2f} s" for key in ("noticed", "over")
            )
            print(f"{row['cause']:<22} {noticed:>9} {over:>9}  {', '.join(row['told']) or 'well'}")
        print("\n".join(wrong) or "all noticed in time, and no item")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
