"""Small sets of drawn pictures, and features that need no weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from trainer.audit import check, shortcut
from trainer.audit.pooled_features import PooledFeatures
from trainer.data.cache import DecodedPictures

COLOURS: Mapping[str, tuple[int, int, int]] = {"can": (40, 40, 200), "jar": (60, 190, 60)}
"""BGR of the thing in the middle, by label."""


def draw(colour: tuple[int, int, int], number: int, *, board: int = 200) -> npt.NDArray[np.uint8]:
    """A picture of 96x96 pixels: a disc of a colour on a speckled board, all a little different."""
    rng = np.random.default_rng(number)
    image = np.full((96, 96, 3), board, np.uint8)
    for _ in range(40):
        at = rng.integers(0, 96, 2).tolist()
        grey = int(np.clip(board + rng.integers(-40, 41), 0, 255))
        cv2.circle(image, at, int(rng.integers(2, 9)), (grey, grey, grey), -1)
    centre = (48 + rng.integers(-6, 7, 2)).tolist()
    shade = tuple(int(np.clip(c + rng.integers(-15, 16), 0, 255)) for c in colour)
    cv2.circle(image, centre, int(rng.integers(14, 22)), shade, -1)
    return image


def write(path: Path, image: npt.NDArray[np.uint8]) -> Path:
    """Writes a picture by its ending, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def write_set(folder: Path, *, each: int = 14, boards: Mapping[str, int] | None = None) -> Path:
    """A folder per class of COLOURS with so many pictures each."""
    for first, (label, colour) in enumerate(COLOURS.items()):
        for number in range(each):
            image = draw(colour, 1000 * first + number, board=(boards or {}).get(label, 200))
            write(folder / label / f"{number:02d}.png", image)
    return folder


def colour_features(decoded: DecodedPictures) -> PooledFeatures:
    """Instead of what a network sees: the mean colour of the middle."""
    middle = decoded.tensors[np.arange(len(decoded.pictures))][:, 64:160, 64:160]
    levels = middle.mean(axis=(1, 2)).astype(np.float32) / 255
    return PooledFeatures(levels, levels)


def check_quickly(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Has checks take `colour_features`, and forests of few trees: what is drawn is clear."""
    patch.setenv("PILAH_CACHE", str(cache))
    patch.setattr(check, "pooled_features", colour_features)
    patch.setattr(shortcut, "_TREES", 5)
