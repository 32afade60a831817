"""Whether a station is ever late by itself: many items through all of it, on virtual time.

    python -m tests.benchmarks.virtual_time [--items N] [--json]

A whole station in this process, on a clock that jumps when all threads wait: 25 pictures a second,
each one an item, through a small model; each has a deadline, and a lane that moves at a set time,
on mock pins; a row of each in a ledger, in its own process. By this clock computing takes no time,
so that what is late or missed is the station's fault, not the machine's. Exit code 1 where an item
is late, an actuator did not move at its moment, or a row is not in the ledger.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from edge.config.reading import read_station
from edge.core.terminal.progress import Progress
from edge.events import ItemSorted, of_items
from edge.ledger.ledger import Ledger
from edge.simulation.virtual_clock import VirtualClock
from edge.station import Station
from tests.edge.stations import make_station

_STATION = """\
station: virtual-time
bundle: bundle
camera: {kind: folder, path: photos, frames_per_second: 25, loop: true}
trigger: {kind: continuous}
decision: {deadline_seconds: 0.3}
lanes:
  warm: {labels: [red], delay_seconds: 0.5, actuator: {kind: solenoid, pin: 23, hold_seconds: .02}}
  cold: {labels: [blue], delay_seconds: 0.7, actuator: {kind: solenoid, pin: 24, hold_seconds: .02}}
  rest: {labels: [green], delay_seconds: 1, actuator: {kind: solenoid, pin: 25, hold_seconds: .02}}
default_lane: rest
ledger: {path: ledger.sqlite, commit_seconds: 60}
"""


def measure(items: int) -> dict[str, Any]:
    """The figures of a run of so many items."""
    clock, began = VirtualClock(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Progress("items", total=items) as progress:
        file = make_station(Path(folder), text=_STATION)

        def show(entry: ItemSorted) -> None:
            progress.advance()

        with Station(
            read_station(file),
            endings=queue.SimpleQueue(),
            observers=[of_items(show)],
            clock=clock,
        ) as station:
            tally = station.run(max_items=items)
        seconds = time.monotonic() - began
        with Ledger(file.with_name("ledger.sqlite")) as ledger:
            rows = {entry.item: entry for entry in ledger.entries()}
            moved = list(ledger.actuations())
    in_time = [a for a in moved if a.missed is None and a.ended == rows[a.item].due]
    return {
        "items": tally.items,
        "rows": len(rows),
        "rejects": dict(tally.rejects),
        "moved_at_their_moment": len(in_time),
        "virtual_seconds": round(clock.now(), 3),
        "seconds": round(seconds, 1),
    }


def is_right(found: dict[str, Any], items: int) -> bool:
    """Whether each item has its row and moved its lane at its moment, and none was late."""
    counted = {found[name] for name in ("items", "rows", "moved_at_their_moment")}
    return counted == {items} and not found["rejects"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=100_000, metavar="N", help="items (100,000)")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    found = measure(arguments.items)
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name.replace('_', ' '):<24}{value}" for name, value in found.items()))
    return 0 if is_right(found, arguments.items) else 1


if __name__ == "__main__":
    sys.exit(main())
