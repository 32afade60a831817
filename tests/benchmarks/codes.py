"""How many codes in pictures are read, and none wrongly: `python -m tests.benchmarks.codes`.

1,000 scenes of `code_scenes.py`, a quarter each EAN-13, Code 128, QR and Data Matrix, are read with
all four formats asked for, as a station reads the picture of an item; and so are 500 photographs
without any code, from ../shared/data where that is there. Printed are the share that was read with
its 95 % interval (Wilson), what was read wrongly, and milliseconds of one core for each rung. Exit
code 1: fewer than 95 % of the EAN-13 were read, or anything was read wrongly.

The ladder was not tuned on these scenes: use other seeds than the default one to work on it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.images.image_file import read_image
from edge.core.model.wilson import wilson
from edge.receiving.codes.ladder import LADDER, CodeLadder, Reading, part_with_item
from tests.benchmarks.code_scenes import FORMATS, Scene, make_scene

SEED = 20261129
SCENES = 1000
PHOTOGRAPHS = 500
LEAST_RECALL = 0.95
_SETS = ("shoes", "fruit", "clothes", "trashnet")
_PRINTED = {"cardboard22.jpg": "035000", "metal186.jpg": "0021130338023"}
"""Photographs of goods that have a code after all, and what a person reads beside its bars: they
are left out of those without codes."""
STEPS = {"plain": 1, "turned": 4, "enlarged": len(LADDER)}
"""How many rungs the ladder has up to each of its kinds."""


@dataclass(slots=True)
class Tally:
    """What was read of the scenes of one format."""

    scenes: int = 0
    read: Counter[int] = field(default_factory=Counter)
    """Right readings by the number of rungs that were tried."""
    wrong: list[str] = field(default_factory=list)
    milliseconds: float = 0.0

    def add(self, name: str, scene: Scene | None, reading: Reading) -> None:
        """Counts one picture; `scene` None: it has no code."""
        self.scenes += 1
        self.milliseconds += sum(reading.milliseconds)
        truth = None if scene is None else (scene.code_format, scene.text)
        for code in reading.codes:
            if (code.format, code.text) == truth:
                self.read[len(reading.milliseconds)] += 1
            else:
                self.wrong.append(f"{name}: read {code.format} {code.text}, and it is {truth}")

    def recall(self, rungs: int) -> str:
        """The share that is read with so many rungs, with its interval, as text."""
        right = sum(count for tried, count in self.read.items() if tried <= rungs)
        low, high = wilson(right / self.scenes, self.scenes)
        return f"{right / self.scenes:.3f} ({low:.3f}-{high:.3f})"


def scenes(count: int, seed: int) -> Iterator[tuple[str, Scene]]:
    """`count` scenes of the formats in turn, each drawn from a seed of its own."""
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        yield f"scene {number}", make_scene(FORMATS[number % len(FORMATS)], generator)


def photographs(folder: Path, count: int) -> list[Path]:
    """Photographs without codes, evenly from each set there is."""
    found = [
        sorted(file for file in (folder / name).rglob("*.jpg") if file.name not in _PRINTED)
        for name in _SETS
    ]
    share = count // len(_SETS)
    return [
        files[int(place)]
        for files in found
        if files
        for place in np.linspace(0, len(files) - 1, min(share, len(files)))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--photographs", type=int, default=PHOTOGRAPHS)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    ladder = CodeLadder(FORMATS, clock=time.process_time)
    tallies = {name: Tally() for name in FORMATS}
    rungs: dict[str, list[float]] = defaultdict(list)
    for name, scene in scenes(arguments.scenes, arguments.seed):
        reading = ladder.read(part_with_item(scene.image, None))
        tallies[scene.code_format].add(name, scene, reading)
        for rung, spent in zip(LADDER, reading.milliseconds, strict=False):
            rungs[rung.name].append(spent)
        if not reading.codes:
            print(f"{name}: {scene.code_format} at {scene.angle:.0f} degrees not read", flush=True)
    shared = Path(os.environ.get("PILAH_SHARED", "../shared")) / "data"
    none = Tally()
    for file in photographs(shared, arguments.photographs):
        none.add(str(file), None, ladder.read(part_with_item(read_image(file), None)))
    show(tallies, rungs, none)
    if not none.scenes:
        print(f"skipped: there are no photographs in {shared}")
    wrong = [line for tally in (*tallies.values(), none) for line in tally.wrong]
    print("\n".join(["", f"read wrongly: {len(wrong)}", *wrong]))
    articles = tallies["ean13"]
    enough = articles.read.total() >= LEAST_RECALL * articles.scenes
    return EXIT_OK if enough and not wrong else EXIT_NO


def show(tallies: dict[str, Tally], rungs: dict[str, list[float]], none: Tally) -> None:
    """Prints both tables as Markdown."""
    print("\n| code | scenes | plain | + turned | + enlarged | wrong | CPU ms |")
    print("|---|---|---|---|---|---|---|")
    for name, tally in tallies.items():
        if tally.scenes:
            shares = " | ".join(tally.recall(count) for count in STEPS.values())
            mean = tally.milliseconds / tally.scenes
            print(f"| {name} | {tally.scenes} | {shares} | {len(tally.wrong)} | {mean:.0f} |")
    if none.scenes:
        mean = none.milliseconds / none.scenes
        print(f"| photographs | {none.scenes} | - | - | - | {len(none.wrong)} | {mean:.0f} |")
    print("\n| rung | tried | CPU ms, median | 95 % |\n|---|---|---|---|")
    for name, spent in rungs.items():
        median, most = np.percentile(spent, (50, 95))
        print(f"| {name} | {len(spent)} | {median:.0f} | {most:.0f} |")


if __name__ == "__main__":
    sys.exit(main())
