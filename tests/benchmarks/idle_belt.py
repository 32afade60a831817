"""What a station spends on a belt on which nothing lies: processor time by thread.

    python -m tests.benchmarks.idle_belt BUNDLE [--seconds 20] [--fps 15] [--frame 640x480] [--json]

Runs a whole station with the motion trigger, the bundle's model, a lane on a mock pin and a ledger.
Its pictures were drawn before and lie in memory, so that drawing them costs nothing; they are
judged as those of any camera. After five seconds the kernel's account of each thread and of each
process that the station started (proc(5), `stat`) is read twice, `--seconds` apart. Exit code 1
where all of it is more than 12 % of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.benchmark.drawn_belt import DrawnBelt, plain_belt
from edge.benchmark.drawn_camera import DrawnCameraSettings
from edge.config.reading import read_station
from edge.core.model.bundle import read_bundle
from edge.station import Station

BAR_PERCENT = 12.0
_SETTLING_SECONDS = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


def spent() -> dict[str, float]:
    """The seconds of processor time of each thread, by its name, and of the processes begun."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        name = names.get(int(task.name), "others")
        found[name] = found.get(name, 0.0) + _seconds(task / "stat")
    children = Path("/proc/self/task").glob("*/children")
    for child in {int(pid) for file in children for pid in file.read_text().split()}:
        found["ledger process"] = found.get("ledger process", 0.0) + _seconds(
            Path(f"/proc/{child}/stat")
        )
    return found


def _seconds(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS  # utime and stime


def measure(
    bundle: Path,
    *,
    seconds: float,
    frames_per_second: float,
    size: tuple[int, int],
    settling_seconds: float = _SETTLING_SECONDS,
) -> dict[str, float]:
    """Per cent of one core, by thread."""
    endings: Any = queue.SimpleQueue()
    found: dict[str, float] = {}

    def sample() -> None:
        time.sleep(settling_seconds)
        before, began = spent(), time.monotonic()
        time.sleep(seconds)
        after, lasted = spent(), time.monotonic() - began
        for name, total in after.items():
            found[name] = 100 * (total - before.get(name, 0.0)) / lasted
        endings.put(signal.SIGTERM)

    with tempfile.TemporaryDirectory() as folder:
        plan = read_station(_write_station(Path(folder), bundle))
        empty = DrawnBelt(plain_belt(*size)).empty()
        shown = [next(empty).image for _ in range(2)]
        camera = DrawnCameraSettings(shown, frames_per_second=frames_per_second)
        config = plan.config.model_copy(update={"camera": camera})
        with Station(replace(plan, config=config), endings=endings) as station:
            threading.Thread(target=sample, name="sampling", daemon=True).start()
            tally = station.run()
    if tally.items:
        raise SystemExit(f"{tally.items} items were seen on a belt that is empty")
    found.pop("sampling", None)
    return found


def table(found: dict[str, float]) -> str:
    """The measurement for people."""
    rows = sorted(found.items(), key=lambda each: -each[1])
    lines = [f"{name:<16}{percent:>7.2f} % of one core" for name, percent in rows if percent]
    return "\n".join([*lines, f"{'all':<16}{sum(found.values()):>7.2f} %, at most {BAR_PERCENT:g}"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds measured (20)")
    parser.add_argument("--fps", type=float, default=15.0, help="frames a second (15)")
    parser.add_argument("--frame", default="640x480", metavar="WIDTHxHEIGHT")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    width, height = map(int, arguments.frame.split("x"))
    found = measure(
        arguments.bundle.absolute(),
        seconds=arguments.seconds,
        frames_per_second=arguments.fps,
        size=(width, height),
    )
    print(json.dumps(found) if arguments.json else table(found))
    return 0 if sum(found.values()) <= BAR_PERCENT else 1


def _write_station(folder: Path, bundle: Path) -> Path:
    (folder / "pictures").mkdir()
    content = {
        "station": "idle",
        "bundle": str(bundle),
        "camera": {"kind": "folder", "path": "pictures"},
        "trigger": {"kind": "motion"},
        "default_lane": "all",
        "lanes": {
            "all": {
                "labels": list(read_bundle(bundle).labels),
                "actuator": {"kind": "solenoid", "pin": 17, "hold_seconds": 0.1},
            }
        },
        "ledger": {"path": "ledger.sqlite"},
    }
    file = folder / "station.yaml"
    file.write_text(json.dumps(content), "utf-8")  # JSON is YAML
    return file


if __name__ == "__main__":
    sys.exit(main())
