"""Drawn boxes: an open carton from above with one thing in it, and a printed code beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

from edge.core.errors import StorageError
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.receiving.code import check_digit
from edge.simulation.belt.drawing.draw import draw_item
from edge.simulation.belt.sprite import SpriteLayer

SIDE = 480
"""Pixels of a picture, whose width and height are the same."""
_LABEL = Box(110, 378, 260, 90)
"""Where the printed label is, in pixels."""
_INSIDE = Box(30, 30, SIDE - 60, 335)
_MODULE = 2
"""Pixels of the narrowest bar."""


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box that passes."""

    thing: str
    """What is in it."""
    code: str
    """The EAN-13 that is printed on it."""
    number: int
    """Decides what it looks like."""

    @property
    def name(self) -> str:
        """The name of its picture."""
        return f"{self.number:04}.png"


def draw_box(box: DrawnBox, *, seed: int) -> Image:
    """The picture of a box; uint8 (SIDE, SIDE, 3) BGR.

    Args:
        seed: that of the demo, which decides all that is left to chance.
    """
    random = np.random.default_rng((seed, box.number))
    picture = np.empty((SIDE, SIDE, 3), np.uint8)
    picture[:] = np.array((92, 140, 178)) + random.integers(-10, 11)  # cardboard
    inside = picture[_INSIDE.top :, _INSIDE.left :][: _INSIDE.height, : _INSIDE.width]
    inside[:] = np.array((122, 84, 52)) + random.integers(-10, 11)  # blue tissue paper
    layer = SpriteLayer(draw_item(box.thing, random=random, height=SIDE))
    middle_x = (_INSIDE.width - layer.box.width) // 2 - layer.box.left
    middle_y = (_INSIDE.height - layer.box.height) // 2 - layer.box.top
    layer.lay(inside, middle_x, middle_y)
    bars = np.array(
        zxingcpp.create_barcode(box.code, zxingcpp.BarcodeFormat.EAN13).to_image(scale=_MODULE)
    )[: _LABEL.height - 10]
    label = picture[_LABEL.top :, _LABEL.left :][: _LABEL.height, : _LABEL.width]
    label[:] = 245
    left = (_LABEL.width - bars.shape[1]) // 2
    label[5 : 5 + bars.shape[0], left : left + bars.shape[1]] = bars[:, :, None]
    noisy = picture + random.normal(0, 2.5, picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def write_box(box: DrawnBox, folder: Path, *, seed: int) -> None:
    """Writes the picture of a box into a folder, which is made where it is not there.

    Raises:
        StorageError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / box.name
    if not cv2.imwrite(str(path), draw_box(box, seed=seed)):
        raise StorageError(f"{path} cannot be written")


def ean_13(number: int) -> str:
    """The EAN-13 with that number of an article.

    >>> ean_13(3339)
    '4006381033398'
    """
    digits = f"40063810{number:04}"
    return digits + check_digit(digits)
