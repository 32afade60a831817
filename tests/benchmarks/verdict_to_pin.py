"""How late a pin moves after its verdict, beside a thread that only waits.

    python -m tests.benchmarks.verdict_to_pin BUNDLE [--items N] [--publishing] [--pages] [--json]

Runs a whole station in this process: pictures of 640x480 pixels at 30 frames a second, each one an
item, through the bundle's model; a row of each in a ledger; solenoids on mock pins. In turns a
verdict's lane is to move at once, and at a time that lies ahead, as on a belt. Meanwhile one more
thread does nothing but wait for a time and note how late it wakes: what this machine, loaded like
this, can do at best. With `--publishing` a publisher tells a real mosquitto of each item and one
export of the ledger follows another, each in a process of its own. With `--pages` ten of the
operator's pages are open, of which six ask for what the camera sees as browsers do, and one export
from them follows another. Exit code 1 where the 99th percentile is further above the control than
3 ms at once (verdict to pin) or 5 ms later (the error with which an item on a belt is met).
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from gpiozero.pins.mock import MockFactory, MockPWMPin

from edge.config.reading import read_station
from edge.control.place import control_path
from edge.control.server import ControlServer
from edge.core.terminal.progress import Progress
from edge.events import ItemSorted, of_items
from edge.flow import ItemKey
from edge.lanes import opening
from edge.lanes.lanes import Lanes
from edge.pins.pins import Pins
from edge.sorting.openers import Openers
from edge.station import Station
from edge.teaching.answers import StationAnswers
from edge.telemetry.status_file import StatusFile
from tests.benchmarks.open_pages import LOOKING, PATHS
from tests.edge.publish.broker import Broker
from tests.ports import free_port

_AT_ONCE, _LATER = KINDS = ("at once", "later")
BARS_MS = {_AT_ONCE: 3.0, _LATER: 5.0}
"""The most by which the 99th percentile may lie above the control."""
_LANES = [f"{kind} {number}" for number in range(4) for kind in KINDS]
"""In whose turns they move: so many that a lane is at rest again when its next turn comes."""
_PIN = {lane: 16 + index for index, lane in enumerate(_LANES)}
_AHEAD_SECONDS = 0.137
_HOLD_SECONDS = 0.1
"""Of the 267 ms from one verdict of a lane to its next."""
_WARM_UP = 60
"""The first items, during which pages of the process are touched for the first time."""

_STATION = """\
station: verdict-to-pin
bundle: {bundle}
camera: {{kind: folder, path: photos, frames_per_second: 30, loop: true}}
trigger: {{kind: continuous}}
default_lane: at once 0
lanes:
{lanes}
ledger: {{path: ledger.sqlite}}
"""


class Edges:
    """When which pin went on, and when it should have."""

    def __init__(self) -> None:
        self.wanted: dict[str, list[float]] = {lane: [] for lane in _LANES}
        self.seen: dict[int, list[float]] = {pin: [] for pin in _PIN.values()}

    def lateness(self, kind: str) -> tuple[list[float], int]:
        """(seconds from each wanted time to its edge, how many have none).

        One without an edge was found due only after its whole hold time, and counts as that.
        """
        found, missed = [], 0
        for lane in (lane for lane in _LANES if lane.startswith(kind)):
            wanted, seen = self.wanted[lane][_WARM_UP // len(_LANES) :], self.seen[_PIN[lane]]
            for at, following in zip(wanted, [*wanted, float("inf")][1:], strict=True):
                index = bisect_left(seen, at)
                if index < len(seen) and seen[index] < following:
                    found.append(seen[index] - at)
                else:
                    found.append(_HOLD_SECONDS)
                    missed += 1
        return found, missed

    def pins(self) -> Pins:
        """Mock pins that write down their edges here."""
        seen = self.seen

        class Pin(MockPWMPin):  # type: ignore[misc]
            def _change_state(self, value: Any) -> Any:
                if value and self._number in seen:
                    seen[self._number].append(time.monotonic())
                return super()._change_state(value)

        return Pins(MockFactory(pin_class=Pin), real=False, title="mock")

    def lanes(self) -> type[Lanes]:
        """Lanes that are told in turns to move at once and later, and when that was."""
        wanted = self.wanted

        class Watched(Lanes):
            def actuate(
                self,
                lane: str,
                at: float,
                key: ItemKey | None = None,
                *,
                metres: float | None = None,
            ) -> None:
                now = time.monotonic()
                lane = _LANES[sum(map(len, wanted.values())) % len(_LANES)]
                at = now if lane.startswith(_AT_ONCE) else now + _AHEAD_SECONDS
                wanted[lane].append(at)
                super().actuate(lane, at, key, metres=metres)

        return Watched


class Control(threading.Thread):
    """A thread that only waits, for as long as lanes do, and notes how late it wakes."""

    def __init__(self) -> None:
        super().__init__(name="control", daemon=True)
        self.late: list[float] = []
        self._condition = threading.Condition()
        self._stopped = False

    def run(self) -> None:
        """The thread's body."""
        pauses = random.Random(0)
        with self._condition:
            while not self._stopped:
                pause = pauses.uniform(0.005, 0.05)
                due = time.monotonic() + pause
                self._condition.wait(pause)
                self.late.append(max(0.0, time.monotonic() - due))

    def stop(self) -> None:
        """Ends it after its present wait."""
        self._stopped = True
        self.join()


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds at the median, the 99th percentile and the most."""
    p50, p99 = np.percentile(seconds, (50, 99))
    found = {"p50": p50, "p99": p99, "max": max(seconds)}
    return {name: round(1000 * float(value), 3) for name, value in found.items()}


@contextmanager
def published(station: Path) -> Iterator[None]:
    """Within it, a publisher of the station and exports of its ledger run."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    export = (
        f"while :; do {shlex.quote(sys.executable)} -m edge ledger export "
        f"{shlex.quote(str(station))} --format csv --out /dev/null; done"
    )
    publisher = [sys.executable, "-m", "edge.publish.cli", str(station)]
    commands = (
        # As deploy/pilah-publish.service runs it, and as deploy/ledger.md has an export run.
        ["nice", "-n", "10", *publisher],
        ["nice", "-n", "10", "sh", "-c", export],
    )
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(station.parent / "broker"))
        with station.open("a", encoding="utf-8") as file:
            file.write(f"publish: {{mqtt: {{host: 127.0.0.1, port: {broker.port}, tls: false}}}}\n")
        for command in commands:
            process = subprocess.Popen(
                command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
        yield
        command = [*publisher, "--status", "--json"]
        found = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        sent = json.loads(found)["receivers"]["mqtt"]["outboxes"]["ledger"]["sent"]
        if not sent:
            raise SystemExit(f"the publisher sent nothing, so nothing was measured: {found!r}")


@contextmanager
def open_pages(station: Path) -> Iterator[None]:
    """Within it, the operator's pages of the station are served, and ten are open."""
    port = free_port()
    with station.open("a", encoding="utf-8") as file:
        file.write(f'web: {{listen: "127.0.0.1:{port}"}}\n')
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    log = station.parent / "open_pages"
    with ExitStack() as stack, log.open("w", encoding="utf-8") as out:

        def start(priority: str, *words: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                ["nice", "-n", priority, sys.executable, "-m", *words], env=environment,
                start_new_session=True, stdout=out, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(process.communicate)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
            return process

        pages = start("10", "edge", "web", str(station))  # as deploy/pilah-web.service runs it
        assert pages.stderr is not None
        if not (said := pages.stderr.readline()).startswith("pages "):
            raise SystemExit(f"the pages are not served: {said}{pages.stderr.read()}")
        # Browsers are on other machines: theirs is to take as little as can be here.
        readers = start("19", "tests.benchmarks.open_pages", said.split()[1], "--exporting")
        while log.read_text("utf-8").count("\n") < 10 and readers.poll() is None:
            time.sleep(0.1)
        yield
        answers = Counter(line.split()[0] for line in log.read_text("utf-8").splitlines())
        if readers.poll() is not None:
            raise SystemExit(f"the pages did not stay open, so nothing was measured: {answers}")
        if silent := unanswered(answers):
            raise SystemExit(f"nothing was answered to {', '.join(silent)}: {dict(answers)}")
        print(f"answered meanwhile: {dict(answers)}", file=sys.stderr)


def unanswered(answers: Mapping[str, int]) -> list[str]:
    """What open pages ask for and were not answered, so that nothing was measured beside it.

    Args:
        answers: how many answers `tests/benchmarks/open_pages.py` told of, by what it asked for.
    """
    asked = [*PATHS, *(f"picture:{path}" for path in LOOKING), "export"]
    return [one for one in asked if not answers.get(one)]


@contextmanager
def running(file: Path, openers: Openers, show: Callable[[ItemSorted], None]) -> Iterator[Station]:
    """Within it, the station of a station file, which tells the pages how it is and what it sees,
    as `pilah-edge run` has it."""
    plan = read_station(file)
    name, ledger = plan.config.station, plan.config.ledger.path
    with (
        StatusFile(name, ledger) as status,
        Station(
            plan,
            endings=queue.SimpleQueue(),
            observers=[of_items(show)],
            openers=openers,
            notifier=status,
        ) as station,
        StationAnswers(
            plan, seen=station.loop.seen, state=station.state.answer, bundles=station.bundles
        ) as answers,
        ControlServer(control_path(name, ledger), answers.answer),
    ):
        status.tell_of(station.vital_signs)
        yield station


def measure(
    bundle: Path, items: int, *, publishing: bool = False, pages: bool = False
) -> dict[str, Any]:
    """The table, as numbers."""
    edges, control = Edges(), Control()
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress("verdicts", total=items) as progress,
        patch.object(opening, "Lanes", edges.lanes()),
        Path("/dev/null").open("w", encoding="utf-8") as nowhere,
    ):

        def show(entry: ItemSorted) -> None:
            print(entry, file=nowhere, flush=True)
            progress.advance()

        file = _write_station(Path(folder), bundle)
        with (
            published(file) if publishing else nullcontext(),
            open_pages(file) if pages else nullcontext(),
            running(file, Openers(pins=edges.pins), show) as station,
        ):
            control.start()
            try:
                tally = station.run(max_items=items)
            finally:
                control.stop()
    found: dict[str, Any] = {"control": quantiles(control.late) | {"times": len(control.late)}}
    for lane in KINDS:
        late, missed = edges.lateness(lane)
        found[lane] = quantiles(late) | {"times": len(late), "missed": missed}
        found[lane]["p99_above_control"] = round(found[lane]["p99"] - found["control"]["p99"], 3)
    return found | {"items": tally.items, "dropped": tally.dropped, "lost": tally.lost}


def table(found: dict[str, Any]) -> str:
    """The measurement for people."""
    lines = ["milliseconds late        p50      p99      max    times   missed"]
    for name in ("control", *KINDS):
        row = found[name]
        missed = row.get("missed", "")
        lines.append(
            f"{name:<18}{row['p50']:>10.2f}{row['p99']:>9.2f}{row['max']:>9.2f}"
            f"{row['times']:>9}{missed:>9}"
        )
    above = [
        f"{lane} {found[lane]['p99_above_control']:.2f} ms (at most {bar:g})"
        for lane, bar in BARS_MS.items()
    ]
    lines.append(f"p99 above the control: {', '.join(above)}")
    lines.append(f"items {found['items']}, frames dropped {found['dropped']}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle of 224x224 pixels")
    parser.add_argument("--items", type=int, default=3000, metavar="N", help="verdicts (3000)")
    parser.add_argument("--publishing", action="store_true", help="beside a publisher and exports")
    parser.add_argument("--pages", action="store_true", help="beside ten open pages and exports")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    found = measure(
        arguments.bundle.absolute(), arguments.items, publishing=arguments.publishing,
        pages=arguments.pages,
    )  # fmt: skip
    print(json.dumps(found) if arguments.json else table(found))
    return 0 if within_bars(found) else 1


def within_bars(found: dict[str, Any]) -> bool:
    """Whether both kinds of moves are as punctual as they must be, and none was missed."""
    return all(
        found[lane]["p99_above_control"] <= bar and not found[lane]["missed"]
        for lane, bar in BARS_MS.items()
    )


def _write_station(folder: Path, bundle: Path) -> Path:
    (folder / "photos").mkdir()
    pixels = np.random.default_rng(0)
    for index in range(8):
        coarse = pixels.integers(0, 256, (12, 16, 3), np.uint8)
        image = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_LINEAR_EXACT)
        cv2.imwrite(str(folder / "photos" / f"{index}.jpg"), image)
    labels = json.dumps((bundle / "labels.txt").read_text(encoding="utf-8").splitlines())
    file = folder / "station.yaml"
    lanes = (
        f"  {lane}:\n"
        f"    labels: {labels if lane == _LANES[0] else '[]'}\n"
        f"    actuator: {{kind: solenoid, pin: {pin}, hold_seconds: {_HOLD_SECONDS}}}"
        for lane, pin in _PIN.items()
    )
    text = _STATION.format(bundle=json.dumps(str(bundle)), lanes="\n".join(lanes))
    file.write_text(text, encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.exit(main())
