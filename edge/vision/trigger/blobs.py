"""The connected things in front of a background, without their shadows."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box

Floats = npt.NDArray[np.float32]
Mask = cv2.typing.MatLike
"""uint8, 0 or 255 for each pixel."""

RIM = 3
"""Pixels around a blob that still show something of it."""
_SHADOW = (0.5, 0.97)
"""A soft shadow leaves this share of the light ..."""
_SHADOW_TINT = 10.0
"""... and the colour: no channel differs by more levels from an evenly darker background."""
_SOLID = 0.3
"""What is less than this without its shadow, as a share, is not a thing with a shadow."""
_SUM = np.ones((1, 3), np.float32)


class Blob(NamedTuple):
    """A connected thing in front of the background, in pixels of the small picture."""

    box: Box
    """Without its soft shadow."""
    area: int
    """Pixels, without its soft shadow."""
    extent: Box
    """With its soft shadow."""
    shape: Mask
    """1 where it is, in the pixels up to `RIM` around its box."""


def connected(front: Mask, picture: Image, mean: Floats, *, least: float) -> list[Blob]:
    """The things that are in front.

    Args:
        front: where `picture` differs from the background.
        picture: uint8 (height, width, 3) BGR.
        mean: the background, of the same shape.
        least: pixels; what is smaller is left out.
    """
    front = _cleaned(front)
    count, places, extents, _ = cv2.connectedComponentsWithStats(front, connectivity=8)
    if count == 1:
        return []
    solid = _cleaned(cv2.bitwise_and(front, cv2.bitwise_not(_shadow(picture, mean))))
    # The blurred rim of a dark item on a light belt is half light too: it gets that back.
    solid = cv2.bitwise_and(front, cv2.dilate(solid, np.ones((5, 5), np.uint8)))
    # A dark item on a lighter belt of its colour looks like a shadow: what would be nothing but
    # shadow is an item.
    kept = np.bincount(places[solid > 0], minlength=count)
    whole = kept < np.maximum(_SOLID * extents[:, cv2.CC_STAT_AREA], 1)
    whole[0] = False
    solid[whole[places]] = 255
    count, parts, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    blobs = []
    for part in range(1, count):
        left, top, width, height, area = map(int, stats[part])
        if area < least:
            continue
        box = Box(left, top, width, height)
        row = top + int(np.argmax(parts[top : top + height, left] == part))
        extent = Box(*map(int, extents[places[row, left], :4]))
        shape = (parts[around(box, RIM)] == part).astype(np.uint8)
        blobs.append(Blob(box, area, extent, shape))
    return blobs


def is_uncovered(blob: Blob, picture: Image, mean: Floats) -> bool:
    """Its outline is in the background and no more in the picture: something was taken away."""
    height, width = picture.shape[:2]
    if any(cut_off(blob.box, (width, height))):
        return False
    part = around(blob.box, RIM)
    outline = cv2.morphologyEx(blob.shape, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    now = cv2.mean(_steepness(picture[part]), outline)[0]
    before = cv2.mean(_steepness(cv2.convertScaleAbs(mean[part])), outline)[0]
    return before > 2 * now + 4


def cut_off(box: Box, size: tuple[float, float]) -> tuple[bool, bool, bool, bool]:
    """Whether `box` reaches the left, top, right and bottom of a picture of that width, height."""
    width, height = size
    right, bottom = box.left + box.width, box.top + box.height
    return box.left <= 1, box.top <= 1, right >= width - 1, bottom >= height - 1


def touch(box: Box, other: Box) -> bool:
    """They overlap, or lie next to each other."""
    return (
        box.left <= other.left + other.width
        and other.left <= box.left + box.width
        and box.top <= other.top + other.height
        and other.top <= box.top + box.height
    )


def around(box: Box, margin: int) -> tuple[slice, slice]:
    """The rows and columns of `box` and of so many pixels around it."""
    left, top, width, height = box
    rows = slice(max(0, top - margin), top + height + margin)
    return rows, slice(max(0, left - margin), left + width + margin)


def strongest(colours: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """The largest of the three channels."""
    blue, green, red = cv2.split(colours)
    return cv2.max(cv2.max(blue, green), red)


def _cleaned(mask: Mask) -> Mask:
    """`mask` without specks, and with cracks closed."""
    speck = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
    crack = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, speck)
    return cv2.morphologyEx(opened, cv2.MORPH_CLOSE, crack)


def _shadow(picture: Image, mean: Floats) -> Mask:
    """Where the picture is like the background, but evenly darker."""
    now = picture.astype(np.float32)
    light = cv2.divide(cv2.transform(now, _SUM), cv2.transform(mean, _SUM) + 1)
    tint = strongest(cv2.absdiff(now, cv2.multiply(mean, cv2.merge([light] * 3))))
    low, high = _SHADOW
    shadow = (light > low) & (light < high) & (tint < _SHADOW_TINT)
    return np.where(shadow, np.uint8(255), np.uint8(0))


def _steepness(picture: cv2.typing.MatLike) -> cv2.typing.MatLike:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
