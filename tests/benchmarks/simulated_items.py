"""Whether a simulated run stays the same size, and how many items it lets pass in a minute.

    python -m tests.benchmarks.simulated_items [--count N] [--station STATION.yaml] [--json]

A million items with recorded scores pass a station with three lanes, two of which move. In 400
recorded pictures of each class one is taken for another class and one is unsure: which of them
passed is counted, and purity and recovery must be exactly what follows from it.

With `--station`, drawn items pass before the camera of that station instead, at 2 a second, with
its own trigger, model and ledger, such as that of `make demo`: 99 % of each must be reached. How
exactly the actuators moved for them is told, from when each really passed, so that what the trigger
made of that is in it; the 99th percentile must be within half of the shortest hold, beyond which a
move misses its item.

Memory, threads and open files are looked at after a tenth and after eight tenths of the items. Exit
code 1 where an item has not exactly one verdict, a share is not as it must be, or something grew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from edge.benchmark.frame_to_verdict import resident_bytes
from edge.config.reading import read_station
from edge.core.dataset.scores_file import ScoredPicture, write_scores
from edge.core.verdict import Prediction
from edge.simulation import running, scored_run
from edge.simulation.account.account import Account
from edge.simulation.account.fates import Pending
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from tests.edge.simulation.photographs import belt_station

LABELS = ("red", "green", "blue")
_PICTURES = 400
"""Of each class: the last but one is taken for another class, the last is rejected."""
_LEAST = 0.99
"""The least purity and recovery."""
_RATE = 2.0
"""Items a second."""
_GROWN = 20e6
"""So many bytes more are no growth: memory is taken in pieces."""


def write_recorded(path: Path) -> None:
    """Writes the scores of 400 pictures of each class: 398 right, one wrong, one unsure."""
    pictures = []
    for index, label in enumerate(LABELS):
        for number in range(_PICTURES):
            scores = np.full(3, 0.05, np.float32)
            scores[index if number < _PICTURES - 2 else (index + 1) % 3] = 0.9
            if number == _PICTURES - 1:
                scores[:] = (0.4, 0.3, 0.3)
            pictures.append(ScoredPicture(f"{label}/{number}", label, Prediction(scores)))
    write_scores(path, pictures, LABELS)


class Watch:
    """An account's eye on the process, and on what passes."""

    def __init__(self, count: int) -> None:
        self._moments = [count // 10, count * 8 // 10]
        self.sizes: list[tuple[int, int, int]] = []
        self.wrong = self.unsure = 0
        """Items whose recorded scores are of another class, and of none."""
        self.half_hold_ms: float | None = None
        """Half of the shortest hold of an actuator at the belt; None: there is none."""

    def account(self) -> type[Account]:
        """The class of account that it looks through."""
        watch = self

        class Watched(Account):
            """An account that tells what it settles."""

            def close(self) -> int:
                left = super().close()
                places = [place for place in self.places.values() if place.has_place]
                halves = [500 * place.hold_seconds for place in places if place.hold_seconds]
                watch.half_hold_ms = min(halves, default=None)
                return left

            def settle(self, now: float) -> int:
                settled = super().settle(now)
                if watch._moments and self.items >= watch._moments[0]:
                    del watch._moments[0]
                    watch.sizes.append(_size())
                return settled

            def _count(self, pending: Pending) -> None:
                super()._count(pending)
                picture = pending.item.source.rpartition("/")[2]
                watch.wrong += picture == str(_PICTURES - 2)
                watch.unsure += picture == str(_PICTURES - 1)

        return Watched


def measure(count: int, station: Path | None = None) -> dict[str, Any]:
    """The figures of a run of so many items.

    Args:
        station: the file of a station before whose camera drawn items pass; None: recorded scores
            pass another one.
    """
    watch = Watch(count)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as kept:
        for module in (scored_run, running):
            kept.enter_context(mock.patch.object(module, "Account", watch.account()))
        scores = None
        if station is None:
            station, scores = belt_station(Path(folder)), Path(folder) / "scores.csv"
            write_recorded(scores)
        options = SimulationOptions(scores=scores, count=count, rate=_RATE)
        found = simulate(read_station(station), options).to_json()
    names = ("resident_bytes", "threads", "descriptors")
    right = count - watch.wrong - watch.unsure
    planted = {
        "purity": round(right / (count - watch.unsure), 6), "recovery": round(right / count, 6)
    }  # fmt: skip
    landed = {"landing_ms": found["landing_ms"], "half_hold_ms": watch.half_hold_ms}
    return {
        "items": found["items"],
        "one_verdict": found["verdicts"]["one"],
        "purity": found["purity"],
        "recovery": found["recovery"],
        **(landed if scores is None else {"planted": planted}),
        "seconds": found["machine"]["seconds"],
        "virtual_seconds": found["seconds"],
        **{name: [size[index] for size in watch.sizes] for index, name in enumerate(names)},
    }


def _size() -> tuple[int, int, int]:
    return resident_bytes(), threading.active_count(), len([*Path("/proc/self/fd").iterdir()])


def is_right(found: dict[str, Any], count: int) -> bool:
    """Whether each item had its verdict, the shares are those of the scores, and nothing grew."""
    sizes = found["resident_bytes"]
    shares = {"purity": found["purity"], "recovery": found["recovery"]}
    expected = found.get("planted", shares)
    limit = found.get("half_hold_ms")
    return (
        found["items"] == found["one_verdict"] == count
        and all(abs(share - expected[name]) < 1e-5 for name, share in shares.items())
        and min(shares.values()) >= _LEAST
        and (limit is None or (found["landing_ms"]["p99"] or 0) <= limit)
        and len(sizes) == 2
        and sizes[1] - sizes[0] < _GROWN
        and len({*found["threads"]}) == len({*found["descriptors"]}) == 1
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N", help="items")
    parser.add_argument(
        "--station", type=Path, metavar="STATION.yaml", help="drawn items, before this station"
    )
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    found = measure(arguments.count, arguments.station)
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name.replace('_', ' '):<24}{value}" for name, value in found.items()))
    return 0 if is_right(found, arguments.count) else 1


if __name__ == "__main__":
    sys.exit(main())
