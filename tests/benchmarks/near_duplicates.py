"""How many planted copies `find_near_duplicates` finds, and how many of its pairs are none.

    python -m tests.benchmarks.near_duplicates --data PHOTOS [--data MORE] [--planted 300]

Copies of a sample of the photographs are put among all of them: of each a few, changed as copies
change on their way through phones, shops and other data sets. A pair between two originals is
counted apart: whether those are copies only an eye can say (`--sheet FOLDER` draws them).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.dataset import read_picture_set
from edge.core.images.image_file import Image, decode_image, read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.metrics import Share
from edge.core.terminal.progress import Progress
from trainer.data.duplicates.near_duplicates import NearPair, find_near_duplicates

Change = Callable[[Image, np.random.Generator], Image]


def _resized(image: Image, rng: np.random.Generator) -> Image:
    scale = float(rng.choice([0.4, 0.55, 0.7, 0.85, 1.3, 1.7]))
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _encoded(image: Image, rng: np.random.Generator) -> Image:
    quality = int(rng.integers(30, 91))
    content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return decode_image(content.tobytes())


def _cropped(image: Image, rng: np.random.Generator) -> Image:
    kept = 1 - rng.uniform(0.1, 0.25)
    height, width = image.shape[:2]
    # All of it off one axis, or shared out between both.
    share = float(rng.choice([0.0, 0.5, 1.0, rng.uniform()]))
    rows, columns = round(height * kept**share), round(width * kept ** (1 - share))
    # At one side, or from both.
    top = int(rng.choice([0, height - rows, rng.integers(0, height - rows + 1)]))
    left = int(rng.choice([0, width - columns, rng.integers(0, width - columns + 1)]))
    return np.ascontiguousarray(image[top : top + rows, left : left + columns])


def _flipped(image: Image, rng: np.random.Generator) -> Image:
    return np.ascontiguousarray(image[:, ::-1])


def _lit(gain: tuple[float, float], offset: tuple[float, float]) -> Change:
    def change(image: Image, rng: np.random.Generator) -> Image:
        levels = np.arange(256) * rng.uniform(*gain) + rng.uniform(*offset)
        return np.asarray(cv2.LUT(image, np.clip(levels, 0, 255).round().astype(np.uint8)))

    return change


def _contrast(image: Image, rng: np.random.Generator) -> Image:
    gain = float(rng.choice([rng.uniform(0.6, 0.85), rng.uniform(1.15, 1.4)]))
    levels = (np.arange(256) - 128) * gain + 128
    return np.asarray(cv2.LUT(image, np.clip(levels, 0, 255).round().astype(np.uint8)))


CHANGES: Mapping[str, Sequence[Change]] = {
    "exact": (),
    "resized": (_resized,),
    "encoded": (_encoded,),
    "cropped": (_cropped,),
    "flipped": (_flipped,),
    "brighter": (_lit((1.05, 1.25), (5, 30)),),
    "darker": (_lit((0.6, 0.9), (-15, 0)),),
    "contrast": (_contrast,),
    "cropped, flipped": (_cropped, _flipped),
    "cropped, encoded": (_cropped, _encoded),
    "cropped, resized": (_cropped, _resized),
    "cropped, brighter": (_cropped, _lit((1.05, 1.25), (5, 30))),
    "flipped, darker": (_flipped, _lit((0.6, 0.9), (-15, 0))),
    "resized, encoded": (_resized, _encoded),
    "encoded, contrast": (_encoded, _contrast),
}
"""What becomes of a copy, by its name; every copy is saved as JPEG in the end."""


def planted(image: Image, change: str, rng: np.random.Generator) -> Image:
    """The copy of `image` (uint8, BGR) that `change`, one of CHANGES, makes."""
    for step in CHANGES[change]:
        image = step(image, rng)
    if change == "exact":
        return image
    return decode_image(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


@dataclass(frozen=True, slots=True)
class Planting:
    """Photographs with planted copies behind them, and what was found."""

    pictures: int
    seconds: float
    sources: tuple[int, ...]
    """Of each copy, the number of its original."""
    changes: tuple[str, ...]
    pairs: tuple[NearPair, ...]

    def origin(self, index: int) -> int:
        return index if index < self.pictures else self.sources[index - self.pictures]

    @property
    def among_originals(self) -> list[NearPair]:
        return [pair for pair in self.pairs if pair.second < self.pictures]

    @property
    def false(self) -> list[NearPair]:
        """Pairs of a copy with what it is no copy of, nor of one of its original's like."""
        like = {(pair.first, pair.second) for pair in self.among_originals}
        return [
            pair
            for pair in self.pairs
            if pair.second >= self.pictures
            and (a := self.origin(pair.first)) != (b := self.origin(pair.second))
            and (min(a, b), max(a, b)) not in like
        ]

    def found(self, change: str | None = None) -> Share:
        """How many of the copies were found with their originals, those of one change or all."""
        named = {(pair.first, pair.second) for pair in self.pairs}
        which = [i for i, name in enumerate(self.changes) if change in (None, name)]
        hits = sum((self.sources[i], self.pictures + i) in named for i in which)
        return Share(hits, len(which))


def measure(
    images: Sequence[Image], *, copies: int, seed: int, spec: InputSpec | None = None
) -> Planting:
    """What `find_near_duplicates` makes of `images` and `copies` planted copies of them."""
    spec = spec or InputSpec()
    rng = np.random.default_rng(seed)
    sources = [int(i) for i in rng.permutation(len(images))]
    sources = (sources * (copies // len(sources) + 1))[:copies]
    names = list(CHANGES)
    changes = [names[i % len(names)] for i in range(copies)]
    with Progress("planting", total=len(images) + copies) as progress:
        tensors = np.empty((len(images) + copies, *spec.shape), np.uint8)
        for row, image in enumerate(images):
            tensors[row] = preprocess(image, spec)
            progress.advance()
        for row, (source, change) in enumerate(zip(sources, changes, strict=True)):
            tensors[len(images) + row] = preprocess(planted(images[source], change, rng), spec)
            progress.advance()
    start = time.monotonic()
    pairs = find_near_duplicates(tensors, spec)
    seconds = time.monotonic() - start
    return Planting(len(images), seconds, tuple(sources), tuple(changes), pairs)


def draw_pairs(images: Sequence[Image], pairs: Sequence[NearPair], path: Path) -> None:
    """A PNG of each pair side by side, for an eye to judge."""
    rows: list[npt.NDArray[np.uint8]] = []
    for pair in pairs:
        two = [cv2.resize(images[i], (224, 224)) for i in (pair.first, pair.second)]
        row = np.ascontiguousarray(np.concatenate(two, axis=1))
        text = f"{pair.first} {pair.second} {pair.similarity:.2f} {pair.how}"
        cv2.putText(row, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 255), 1)
        rows.append(row)
    if rows:
        cv2.imwrite(str(path), np.concatenate(rows))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--planted", type=int, default=300, metavar="N", help="copies in each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--geometry", default="squash", choices=["squash", "letterbox"])
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="draw pairs of originals")
    arguments = parser.parse_args()
    spec = InputSpec(geometry=arguments.geometry)
    by_change: dict[str, Counter[str]] = {name: Counter() for name in CHANGES}
    pairs = false = 0
    for data in arguments.data:
        images = [read_image(picture.path) for picture in read_picture_set(data).pictures]
        result = measure(images, copies=arguments.planted, seed=arguments.seed, spec=spec)
        pairs, false = pairs + len(result.pairs), false + len(result.false)
        for name, count in by_change.items():
            share = result.found(name)
            count.update(found=share.count, planted=share.total)
        print(
            f"{data}: {len(images)} pictures, found {result.found()}, {len(result.false)} of "
            f"{len(result.pairs)} pairs false, {len(result.among_originals)} among originals, "
            f"{result.seconds:.1f} s"
        )
        if arguments.sheet:
            arguments.sheet.mkdir(parents=True, exist_ok=True)
            draw_pairs(images, result.among_originals, arguments.sheet / f"{data.name}.png")
    for name, count in by_change.items():
        print(f"  {name:<20} {Share(count['found'], count['planted'])}")
    found = sum(count["found"] for count in by_change.values())
    planted_in_all = sum(count["planted"] for count in by_change.values())
    print(f"found {Share(found, planted_in_all)}; false {Share(false, pairs)}")
    if not found:
        print("no copy was found at all")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
