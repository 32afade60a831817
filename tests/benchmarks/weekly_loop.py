"""A week's corrections become a better model: `python -m tests.benchmarks.weekly_loop PHOTOS WORK`.

The whole way, by the commands that a user types, on real photographs (a folder per class, whose
files are numbered as they were taken). Of one class the first training gets three series of
pictures only, as where goods come in a new wrapping. Its bundle is signed and installed. Then a
week of other pictures passes the station, which keeps their photographs; somebody looks through
them on the page Review, and presses what each shows; what was labelled by that is exported; and a
training adds it, once from the first run (`--from`) and once from scratch (not with `--quick`). The
new bundle is converted, signed and installed, the station sorts with it, and one command gives the
station the first one back.

All models look at pictures that none of them has seen, by the bundle as a station loads it.
Series of pictures (`--block`) are never divided between the three parts. Printed are the accuracy
of that class and of all others, their change with a 95 % interval (bootstrap over series), the
minutes of each training, and what a person had to correct.

With `--quick` some three minutes on two cores: three classes of TrashNet, the smallest MobileNetV2,
a minute for each training.

Exit code 1: the station did not sort with the bundle that it was to sort with, or the accuracy of
the class did not rise significantly, or that of the others fell significantly.
"""

from __future__ import annotations

import argparse
import html
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

import httpx2
import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.ledger.export.reading import read_items
from tests.edge.web.test_serving import served
from tests.ports import free_port
from trainer.statistics.intervals import Figure, Resampling

_STATION = """\
station: week
bundle: bundle
trust: {{public_keys: [../office.key.pub]}}
camera: {{kind: folder, path: ../week, frames_per_second: 50}}
trigger: {{kind: continuous}}
lanes: {{sorted: {{labels: [{labels}]}}, rest: {{}}}}
default_lane: rest
ledger: {{path: ledger.sqlite}}
photographs: {{items: all}}
web: {{listen: "127.0.0.1:{port}"}}
"""
_QUICK = ("cardboard", "glass", "plastic")
"""The classes of TrashNet that `--quick` looks at."""
_SMALL = ("network.alpha=0.35", "augment.copies=2", "accept.folds=2", "accept.epochs=2")
_SORTED_AGAIN = 10
"""Items that pass after a bundle was changed."""
_FORM = re.compile(r'<form method="post" action="/review/decide".*?</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_FIRST, _WEEK = 0.45, 0.25
"""The shares of the series that train first, and that pass the station; the rest is not used."""


def series(
    photos: Path, block: int, among: Sequence[str] | None = None
) -> dict[str, list[list[Path]]]:
    """The pictures of each class in runs of `block`, in the order of their numbers.

    Args:
        among: the classes; None: all that there are.
    """
    found = {}
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        if among is not None and folder.name not in among:
            continue
        files = sorted(
            folder.iterdir(), key=lambda file: [int(n) for n in re.findall(r"\d+", file.stem)]
        )
        found[folder.name] = [files[i : i + block] for i in range(0, len(files), block)]
    return found


def divide(
    photos: Path,
    work: Path,
    among: Sequence[str] | None,
    *,
    new: str,
    block: int,
    seed: int,
) -> None:
    """Copies the pictures to `first/LABEL`, `week` and `unused/LABEL`."""
    rng = random.Random(seed)
    for label, runs in series(photos, block, among).items():
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


def review_the_week(station: Path, *, most: int | None) -> tuple[int, int]:
    """Looks at the pictures that the page Review shows, one after the other, and presses what each
    shows: (of how many the station's best label was wrong, how many were looked at).

    Args:
        most: how many are looked at; None: all.
    """
    rows = {item.row["id"]: item.row for item in read_items(station.with_name("ledger.sqlite"))}
    wrong = seen = 0
    with served(station) as (address, _), httpx2.Client(base_url=address, timeout=60) as browser:
        while most is None or seen < most:
            page = browser.get("/review").text
            if (form := _FORM.search(page)) is None:
                break  # nothing is left to look at
            fields = {name: html.unescape(value) for name, value in _HIDDEN.findall(form[0])}
            row = rows[fields["item"]]
            truth = Path(row["source"]).name.partition("@")[0]
            answer = browser.post("/review/decide", data={**fields, "label": truth})
            assert answer.status_code == 303, answer.text
            wrong, seen = wrong + (row["label"] != truth), seen + 1
    return wrong, seen


def sorted_with(work: Path, station: Path) -> set[str]:
    """The digests of the bundles by which the next items are judged that pass the station."""
    ledger = station.with_name("ledger.sqlite")
    before = {item.row["id"] for item in read_items(ledger)}
    run(work, "edge", "run", station, "--max-items", str(_SORTED_AGAIN))
    rows = [item.row for item in read_items(ledger)]
    return {row["bundle_digest"] for row in rows if row["id"] not in before}


def release(work: Path, name: str, station: Path) -> None:
    """Converts the run `name`, signs its bundle, and gives it to the station."""
    run(work, "converter", "convert", f"runs/{name}", "--out", f"bundles/{name}", "--name", "week")
    run(work, "converter", "sign", f"bundles/{name}", "--key", "office.key")
    run(work, "edge", "install", f"bundles/{name}", station)


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
    parser.add_argument(
        "--max-minutes", metavar="M", help="of each training (8, or 1 with --quick)"
    )
    parser.add_argument("--recipe", default="mobilenet_v2")
    parser.add_argument("--look-at", type=int, metavar="N", help="pictures of the week (all)")
    parser.add_argument("--quick", action="store_true", help="three classes of TrashNet, small")
    arguments = parser.parse_args(words)
    work: Path = arguments.work.absolute()
    work.mkdir(parents=True)
    classes = _QUICK if arguments.quick else None
    divide(
        arguments.photos,
        work,
        classes,
        new=arguments.new,
        block=arguments.block,
        seed=arguments.seed,
    )
    settings, minutes_each = (_SMALL, "1") if arguments.quick else ((), "8")
    train = (
        *("train", arguments.recipe, "--data", "first", "--groups", f"blocks:{arguments.block}"),
        *("--seed", str(arguments.seed), "--max-minutes", arguments.max_minutes or minutes_each),
        *(word for setting in settings for word in ("--set", setting)),
    )
    minutes = {"first": run(work, "trainer", *train, "--out", "runs/first")}
    run(work, "converter", "keygen", "office.key")
    station = work / "station" / "station.yaml"
    station.parent.mkdir()
    labels = ", ".join(sorted(folder.name for folder in (work / "first").iterdir()))
    station.write_text(_STATION.format(labels=labels, port=free_port()), "utf-8")
    release(work, "first", station)
    run(work, "edge", "run", station)
    corrected, passed = review_the_week(station, most=arguments.look_at)
    run(work, "edge", "samples", "export", station, "labelled")

    for name, more in (("from", ("--from", "runs/first")), ("scratch", ())):
        if name == "scratch" and arguments.quick:
            continue
        added = (*train, "--add", "labelled", *more, "--out", f"runs/{name}")
        minutes[name] = run(work, "trainer", *added)
        if name == "from":
            release(work, name, station)
        else:
            run(work, "converter", "convert", f"runs/{name}", "--out", f"bundles/{name}")
    digests = {name: read_bundle(work / "bundles" / name).digest for name in minutes}
    good = sorted_with(work, station) == {digests["from"]}
    run(work, "edge", "rollback", station)
    good = sorted_with(work, station) == {digests["first"]} and good
    print("the station sorted with the new bundle, and after rollback with the first:", good)

    pictures = read_picture_set(work / "unused").pictures
    is_new = np.array([picture.label == arguments.new for picture in pictures])
    groups = [
        f"{p.label} {int(re.findall(r'[0-9]+', p.path.stem)[-1]) // arguments.block}"
        for p in pictures
    ]
    right = {name: hits(work / "bundles" / name, pictures) for name in minutes}
    result: dict[str, Any] = {
        "passed": passed, "corrected": corrected, "minutes": minutes,
        "sorted_with_the_right_bundles": good,
    }  # fmt: skip
    print(f"\n{passed} items of the week looked at, {corrected} corrected")
    for part, among in ((arguments.new, is_new), ("others", ~is_new)):
        of = [group for group, here in zip(groups, among, strict=True) if here]
        resampling = Resampling(of, int(among.sum()))
        for name, found in right.items():
            share = resampling.share(found[among])
            print(f"{part:10} {name:8} {said(share):28} {minutes[name]:.1f} min", flush=True)
            result[f"{part} {name}"] = share.to_json()
        for name in [name for name in minutes if name != "first"]:
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
