"""A week's corrections become a better model: `python -m tests.benchmarks.weekly_loop PHOTOS WORK`.

The whole way, by the commands that a user types, on real photographs (a folder per class, whose
files are numbered as they were taken). Of one class the first training gets three series of
pictures only, as where goods come in a new wrapping. Then a week of other pictures passes a station
that keeps their photographs; each item whose best label is wrong is corrected; the corrected
photographs are exported; and a training adds them, once from the first run (`--from`) and once from
scratch.

All three models look at pictures that none of them has seen, by the bundle as a station loads it.
Series of pictures (`--block`) are never divided between the three parts. Printed are the accuracy
of that class and of all others, their change with a 95 % interval (bootstrap over series), the
minutes of each training, and what a person had to correct.

Exit code 1: the accuracy of the class did not rise significantly, or that of the others fell
significantly.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.ledger.export.reading import read_items
from edge.ledger.upkeep.correcting import correct
from trainer.statistics.intervals import Figure, Resampling

_STATION = """\
station: week
bundle: ../bundles/first
camera: {{kind: folder, path: ../week, frames_per_second: 50}}
trigger: {{kind: continuous}}
lanes: {{sorted: {{labels: [{labels}]}}, rest: {{}}}}
default_lane: rest
ledger: {{path: ledger.sqlite}}
photographs: {{items: all}}
"""
_FIRST, _WEEK = 0.45, 0.25
"""The shares of the series that train first, and that pass the station; the rest is not used."""


def series(photos: Path, block: int) -> dict[str, list[list[Path]]]:
    """The pictures of each class in runs of `block`, in the order of their numbers."""
    found = {}
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        files = sorted(
            folder.iterdir(), key=lambda file: [int(n) for n in re.findall(r"\d+", file.stem)]
        )
        found[folder.name] = [files[i : i + block] for i in range(0, len(files), block)]
    return found


def divide(photos: Path, work: Path, *, new: str, block: int, seed: int) -> None:
    """Copies the pictures to `first/LABEL`, `week` and `unused/LABEL`."""
    rng = random.Random(seed)
    for label, runs in series(photos, block).items():
        rng.shuffle(runs)
        first = 3 if label == new else round(len(runs) * _FIRST)
        week = first + round(len(runs) * _WEEK)
        for number, run in enumerate(runs):
            part = "first" if number < first else "week" if number < week else "unused"
            folder = work / part / ("" if part == "week" else label)
            folder.mkdir(parents=True, exist_ok=True)
            for file in run:
                name = f"{label}@{file.name}" if part == "week" else file.name
                shutil.copy(file, folder / name)


def run(work: Path, module: str, *words: str | Path) -> float:
    """Runs a program of pilah in `work`; returns the minutes that it took."""
    began = time.monotonic()
    command = [sys.executable, "-m", module, *map(str, words)]
    print("$", " ".join(command[2:]), flush=True)
    root = Path(__file__).parents[2]
    subprocess.run(command, cwd=work, check=True, env={**os.environ, "PYTHONPATH": str(root)})
    return (time.monotonic() - began) / 60


def correct_the_week(ledger: Path) -> tuple[int, int]:
    """Corrects each item of which the best label is wrong: (corrected, all)."""
    corrected = total = 0
    for item in list(read_items(ledger)):
        truth = Path(item.row["source"]).name.partition("@")[0]
        total += 1
        if item.row["label"] != truth:  # also of a rejected item, whose best label is in its row
            changes = {"label": truth}
            correct(ledger, item.row["id"], changes, who="benchmark", why="looked at it")
            corrected += 1
    return corrected, total


def hits(bundle: Path, pictures: Sequence[LabelledPicture]) -> npt.NDArray[np.bool_]:
    """Which pictures the bundle gives their own label as the best."""
    classifier = Classifier(read_bundle(bundle))
    return np.array(
        [
            classifier.verdict(classifier.predict(read_image(picture.path))).label == picture.label
            for picture in pictures
        ]
    )


def said(figure: Figure) -> str:
    """A share or a change of one, with its interval."""
    value, interval = figure.value, figure.interval
    assert value is not None
    ends = "" if interval is None else f" ({interval[0]:+.1%} to {interval[1]:+.1%})"
    return f"{value:.1%}{ends}"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="weekly_loop")
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("work", type=Path, metavar="WORK", help="a new folder")
    parser.add_argument("--new", default="plastic", metavar="LABEL", help="the class (plastic)")
    parser.add_argument("--block", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-minutes", default="8", metavar="M", help="of each training (8)")
    parser.add_argument("--recipe", default="mobilenet_v2")
    arguments = parser.parse_args(words)
    work: Path = arguments.work.absolute()
    work.mkdir(parents=True)
    divide(arguments.photos, work, new=arguments.new, block=arguments.block, seed=arguments.seed)
    train = (
        *("train", arguments.recipe, "--data", "first", "--groups", f"blocks:{arguments.block}"),
        *("--seed", str(arguments.seed), "--max-minutes", arguments.max_minutes),
    )
    minutes = {"first": run(work, "trainer", *train, "--out", "runs/first")}
    run(work, "converter", "convert", "runs/first", "--out", "bundles/first")

    labels = read_bundle(work / "bundles" / "first").labels
    station = work / "station" / "station.yaml"
    station.parent.mkdir()
    station.write_text(_STATION.format(labels=", ".join(labels)), "utf-8")
    run(work, "edge", "run", station)
    corrected, passed = correct_the_week(station.with_name("ledger.sqlite"))
    run(work, "edge", "samples", "export", station, "corrected")

    for name, more in (("from", ("--from", "runs/first")), ("scratch", ())):
        added = (*train, "--add", "corrected", *more, "--out", f"runs/{name}")
        minutes[name] = run(work, "trainer", *added)
        run(work, "converter", "convert", f"runs/{name}", "--out", f"bundles/{name}")

    pictures = read_picture_set(work / "unused").pictures
    is_new = np.array([picture.label == arguments.new for picture in pictures])
    groups = [
        f"{p.label} {int(re.findall(r'[0-9]+', p.path.stem)[-1]) // arguments.block}"
        for p in pictures
    ]
    right = {name: hits(work / "bundles" / name, pictures) for name in minutes}
    result: dict[str, Any] = {"passed": passed, "corrected": corrected, "minutes": minutes}
    print(f"\n{corrected} of {passed} items of the week corrected")
    good = True
    for part, among in ((arguments.new, is_new), ("others", ~is_new)):
        of = [group for group, here in zip(groups, among, strict=True) if here]
        resampling = Resampling(of, int(among.sum()))
        for name, found in right.items():
            share = resampling.share(found[among])
            print(f"{part:10} {name:8} {said(share):28} {minutes[name]:.1f} min", flush=True)
            result[f"{part} {name}"] = share.to_json()
        for name in ("from", "scratch"):
            change = resampling.change(right["first"][among], right[name][among])
            print(f"{part:10} {name:8} change {said(change)}")
            result[f"{part} {name} change"] = change.to_json()
            if name == "from":
                low, high = change.interval or (-1.0, -1.0)
                good = good and (low > 0 if part == arguments.new else high >= 0)
    print(json.dumps(result))
    return EXIT_OK if good else EXIT_NO


if __name__ == "__main__":
    sys.exit(main())
