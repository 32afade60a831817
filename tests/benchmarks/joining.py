"""Ways of joining the frames of an item into one verdict, on the same disturbed frames.

    python -m tests.benchmarks.joining BUNDLE PHOTOS [--items 200] [--frames 6] [--seed 1]

PHOTOS has a folder for each label. Each photograph is an item; its frames are what a camera over a
belt makes of it: shifted and scaled, blurred by its motion, lighter or darker, noisy, and in some
frames half covered, each frame to another degree. A bundle's thresholds count for the joined
scores of each way. `mean` is what a station does (`edge/core/verdict.py`).

Measured on photographs that the model was not trained on: the test part of TrashNet (`blocks:20`,
230 photographs, a bundle of 224 pixels), 5 frames each, with seeds 1, 2 and 3. Right in per cent,
the items that are right with a way and wrong with the mean and the other way round, and the share
that the bundle's thresholds accept, with how many of these are right:

| way | right | against the mean | accepted, of these right |
|---|---|---|---|
| mean | 87.4, 88.7, 85.2 | | 67.5, 94.6 |
| log_mean | 85.7, 87.8, 86.1 | +0 -4, +0 -2, +3 -1 (p 0.12, 0.5, 0.62) | 75.1, 94.0 |
| vote | 86.1, 88.3, 84.8 | +2 -5, +1 -2, +2 -3 (p 0.45, 1, 1) | 80.9, 91.7 |
| sharpest | 59.1, 64.8, 59.1 | +2 -67, +3 -58, +4 -64 (p below 1e-13) | 68.4, 70.2 |

So the first three are right equally often, and the sharpest frame alone is far worse. The vote
accepts more, of which fewer are right: a threshold is a promise about a mean of probabilities,
and none about a share of frames. The mean keeps it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from edge.core.images.image_file import Image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.metrics import Share
from edge.vision.sharpness import sharpness

Frames = npt.NDArray[np.float64]
"""Probabilities of the frames of items: float64 (items, frames, classes)."""

_LEAST = 1e-6
"""A probability below it counts as this: the scores of an int8 model are 0 below a step."""


def mean(scores: Frames, sharp: npt.NDArray[np.float64]) -> Frames:
    """The mean probability."""
    return scores.mean(axis=1)


def log_mean(scores: Frames, sharp: npt.NDArray[np.float64]) -> Frames:
    """The mean log-probability, as probabilities that sum to 1."""
    joined = np.exp(np.log(np.maximum(scores, _LEAST)).mean(axis=1))
    return np.asarray(joined / joined.sum(axis=1, keepdims=True))


def vote(scores: Frames, sharp: npt.NDArray[np.float64]) -> Frames:
    """The share of the frames of which each class is the best; the mean decides between equals."""
    best = scores.argmax(axis=2)
    counts = (best[:, :, None] == np.arange(scores.shape[2])).mean(axis=1)
    return np.asarray(counts + 1e-3 * scores.mean(axis=1))


def sharpest(scores: Frames, sharp: npt.NDArray[np.float64]) -> Frames:
    """The probabilities of the sharpest frame."""
    return np.asarray(scores[np.arange(len(scores)), sharp.argmax(axis=1)])


WAYS: Mapping[str, Callable[[Frames, npt.NDArray[np.float64]], Frames]] = {
    "mean": mean,
    "log_mean": log_mean,
    "vote": vote,
    "sharpest": sharpest,
}


def frame_of(image: Image, rng: np.random.Generator) -> Image:
    """One frame of an item, disturbed to a degree of its own."""
    height, width = image.shape[:2]
    degree = float(rng.beta(0.8, 1.2))  # most frames are good, some are bad
    scale = 1 + 0.25 * degree * rng.uniform(-1, 1)
    shift = 0.25 * degree * rng.uniform(-1, 1, 2) * (width, height)
    move = np.array(
        [
            [scale, 0, shift[0] + (1 - scale) * width / 2],
            [0, scale, shift[1] + (1 - scale) * height / 2],
        ]
    )
    found = cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    length = 1 + 2 * round(0.04 * width * degree * rng.uniform())
    found = cv2.blur(found, (length, 1))
    if rng.uniform() < 0.3 * degree:  # a hand, or the edge of the region
        side = round(width * rng.uniform(0.3, 0.6))
        found[:, :side] = int(rng.integers(0, 256))
    levels = found * (1 + 0.6 * degree * rng.uniform(-1, 1))
    levels = levels + rng.normal(0, 1 + 12 * degree, found.shape)
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def recorded(
    classifier: Classifier, photos: Path, *, items: int, frames: int, seed: int
) -> tuple[Frames, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """(scores, sharpness of each frame, label of each item) of so many items, drawn evenly."""
    rng = np.random.default_rng(seed)
    labels = list(classifier.labels)
    files = [
        (path, label)
        for label, name in enumerate(labels)
        for path in rng.permutation(sorted((photos / name).iterdir()))[: -(-items // len(labels))]
    ]
    scores = np.zeros((len(files), frames, len(labels)))
    sharp = np.zeros((len(files), frames))
    for row, (path, _) in enumerate(files):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        assert image is not None
        for column in range(frames):
            frame = frame_of(image, rng)
            scores[row, column] = classifier.predict(frame).scores
            sharp[row, column] = sharpness(frame, None)
    return scores, sharp, np.array([label for _, label in files])


def compared(
    scores: Frames,
    sharp: npt.NDArray[np.float64],
    truth: npt.NDArray[np.int64],
    accept: npt.NDArray[np.float64],
) -> dict[str, dict[str, Any]]:
    """For each way: how many are right, whether it differs from the mean, and what it accepts.

    Args:
        accept: the accept threshold of each class.
    """
    found: dict[str, dict[str, Any]] = {}
    by_mean = mean(scores, sharp).argmax(axis=1) == truth
    for name, join in WAYS.items():
        joined = join(scores, sharp)
        best = joined.argmax(axis=1)
        right, taken = best == truth, joined.max(axis=1) >= accept[best]
        better, worse = int((right & ~by_mean).sum()), int((by_mean & ~right).sum())
        both = better + worse
        found[name] = {
            "right": Share(int(right.sum()), len(truth)),
            "accepted": Share(int(taken.sum()), len(truth)),
            "purity": Share(int((right & taken).sum()), int(taken.sum())),
            "better": better,
            "worse": worse,
            "p": binomtest(better, both).pvalue if both else 1.0,
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    bundle = read_bundle(arguments.bundle)
    scores, sharp, truth = recorded(
        Classifier(bundle),
        arguments.photos,
        items=arguments.items,
        frames=arguments.frames,
        seed=arguments.seed,
    )
    accept = np.array([bundle.manifest.accept[label] for label in bundle.labels])
    print(f"{bundle.title}: {len(truth)} items of {arguments.frames} frames each")
    for name, row in compared(scores, sharp, truth, accept).items():
        print(
            f"{name:<9} right {row['right']}, against mean +{row['better']} -{row['worse']} "
            f"(p {row['p']:.2g}); accepted {row['accepted']}, of these right {row['purity']}"
        )


if __name__ == "__main__":
    main()
