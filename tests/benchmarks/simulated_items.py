"""Whether a simulated run stays the same size, and how many items it lets pass in a minute.

    python -m tests.benchmarks.simulated_items [--count N] [--json]

A million items with recorded scores, one in fifty of them wrong and one in fifty unsure, pass a
station with three lanes, two of which move. Memory, threads and open files are looked at after a
tenth of the items and at the end. Exit code 1 where an item has not exactly one verdict, the purity
is not that of the scores, or something has grown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from edge.benchmark.frame_to_verdict import resident_bytes
from edge.config.reading import read_station
from edge.core.dataset.scores_file import ScoredPicture, write_scores
from edge.core.verdict import Prediction
from edge.simulation import scored_run
from edge.simulation.account.account import Account
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from tests.edge.simulation.photographs import belt_station

LABELS = ("red", "green", "blue")
_PICTURES = 50
"""Of each class: the last but one is taken for another class, the last is rejected."""


def write_recorded(path: Path) -> None:
    """Writes the scores of 50 pictures of each class: 48 right, one wrong, one unsure."""
    pictures = []
    for index, label in enumerate(LABELS):
        for number in range(_PICTURES):
            scores = np.full(3, 0.05, np.float32)
            scores[index if number < _PICTURES - 2 else (index + 1) % 3] = 0.9
            if number == _PICTURES - 1:
                scores[:] = (0.4, 0.3, 0.3)
            pictures.append(ScoredPicture(f"{label}/{number}", label, Prediction(scores)))
    write_scores(path, pictures, LABELS)


def measure(count: int) -> dict[str, Any]:
    """The figures of a run of so many items."""
    seen: list[tuple[int, int, int]] = []

    class Watched(Account):
        """An account that looks at the process after a tenth of the items."""

        def settle(self, now: float) -> None:
            super().settle(now)
            if not seen and self.items >= count // 10:
                seen.append(_size())

    whole, scored_run.Account = scored_run.Account, Watched  # type: ignore[misc, attr-defined]
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = belt_station(Path(folder))
            write_recorded(Path(folder) / "scores.csv")
            found = simulate(
                read_station(file),
                SimulationOptions(scores=Path(folder) / "scores.csv", count=count, rate=2.0),
            ).to_json()
    finally:
        scored_run.Account = whole  # type: ignore[misc, attr-defined]
    seen.append(_size())
    names = ("resident_bytes", "threads", "descriptors")
    return {
        "items": found["items"],
        "one_verdict": found["verdicts"]["one"],
        "purity": found["purity"],
        "recovery": found["recovery"],
        "seconds": found["machine"]["seconds"],
        "virtual_seconds": found["seconds"],
        **{name: [size[index] for size in seen] for index, name in enumerate(names)},
    }


def _size() -> tuple[int, int, int]:
    return resident_bytes(), threading.active_count(), len([*Path("/proc/self/fd").iterdir()])


def is_right(found: dict[str, Any], count: int) -> bool:
    """Whether each item had its verdict, the shares are those of the scores, and nothing grew."""
    before, after = found["resident_bytes"]
    return (
        found["items"] == found["one_verdict"] == count
        and abs(found["purity"] - 48 / 49) < 0.03
        and abs(found["recovery"] - 48 / 50) < 0.03
        and after - before < 20e6
        and len({*found["threads"]}) == len({*found["descriptors"]}) == 1
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N", help="items")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    found = measure(arguments.count)
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name.replace('_', ' '):<24}{value}" for name, value in found.items()))
    return 0 if is_right(found, arguments.count) else 1


if __name__ == "__main__":
    sys.exit(main())
