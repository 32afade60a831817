"""Frames to measure with: a belt with an item that crosses it again and again."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.flow import Frame

FRAMES_PER_SECOND = 30
LEARNING_FRAMES = 60
"""The empty frames at first, of which a motion trigger learns its background."""
_STEPS = 24
"""The frames from an item's coming in to its being gone."""
_BETWEEN = 6
"""The empty frames between two items."""
PASSING_FRAMES = _STEPS + _BETWEEN
_SIDE = 0.3
"""The side of the item, as a share of the shorter side of the frame."""
_NOISE = 3
"""The most levels by which a sensor's noise changes a pixel of the belt."""


def plain_belt(width: int, height: int) -> Image:
    """A grey belt with some texture, uint8 (height, width, 3), the same in every call."""
    random = np.random.default_rng(0)
    coarse = random.integers(90, 150, (max(2, height // 20), max(2, width // 20), 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


class DrawnBelt:
    """Draws the frames, one after the other, into the same memory."""

    def __init__(self, belt: Image) -> None:
        """Draws nothing yet.

        Args:
            belt: uint8 (height, width, 3) BGR, what the camera sees when nothing passes.
        """
        random = np.random.default_rng(1)
        self._belts = [_noisy(belt, random) for _ in range(2)]
        height, width = belt.shape[:2]
        side = max(2, round(_SIDE * min(height, width)))
        middle = belt[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
        # As different from the belt as it can be, so that any trigger finds it.
        colour = np.where(middle.mean(axis=(0, 1)) < 128, 235, 20).astype(np.uint8)
        self._item = _noisy(np.full((side, side, 3), colour, np.uint8), random)
        self._sequence = 0

    def empty(self) -> Iterator[Frame]:
        """The frames before the first item."""
        for _ in range(LEARNING_FRAMES):
            yield self._frame(None)

    def passing(self) -> Iterator[Frame]:
        """The frames of one more item, from the left to the right, and a few empty ones."""
        side, width = self._item.shape[1], self._belts[0].shape[1]
        for step in range(_STEPS):
            yield self._frame(round((step + 0.5) / _STEPS * (width + side)) - side)
        for _ in range(_BETWEEN):
            yield self._frame(None)

    def _frame(self, left: int | None) -> Frame:
        """The next frame, with the item's left side at `left`; None: without an item."""
        image = self._belts[self._sequence % 2].copy()
        if left is not None:
            side, (height, width) = len(self._item), image.shape[:2]
            first, last = max(0, left), min(width, left + side)
            top = (height - side) // 2
            image[top : top + side, first:last] = self._item[:, first - left : last - left]
        self._sequence += 1
        return Frame(image, self._sequence / FRAMES_PER_SECOND, self._sequence)


def _noisy(image: Image, random: np.random.Generator) -> Image:
    noise = random.integers(-_NOISE, _NOISE + 1, image.shape, np.int16)
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)
