"""Sprites: the pictures of items, prepared so that they can be drawn into a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.simulation.belt.noise import Field

Mask = npt.NDArray[np.uint8]
"""uint8 (height, width), from 0 for nothing to 255 for everything."""

_VISIBLE = 128
"""The least opacity with which a pixel counts as part of the item."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """One item seen from above, and its shadow; all arrays have the same height and width."""

    image: Image
    """uint8 (height, width, 3) BGR; pixels where `alpha` is 0 are not used."""
    alpha: Mask
    """The opacity of the item at each pixel."""
    shadow: Mask
    """The share of the belt's light that the item's shadow takes away at each pixel."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self.alpha.shape
        return width, height

    @property
    def box(self) -> Box:
        """The item without its shadow, in the sprite's pixels."""
        return box_of(self.alpha)

    def scaled(self, factor: float) -> Sprite:
        """The sprite in another size, of at least a pixel."""
        size = tuple(max(1, round(factor * side)) for side in self.size)
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        arrays = (
            np.asarray(cv2.resize(of, size, interpolation=way), np.uint8)
            for of in (self.image, self.alpha, self.shadow)
        )
        return Sprite(*arrays)

    def trimmed(self) -> tuple[Sprite, tuple[int, int]]:
        """(the sprite without empty edges, the columns and rows taken from its left and top)."""
        part = filled_part(np.maximum(self.alpha, self.shadow) > 0)
        arrays = (np.ascontiguousarray(of[part]) for of in (self.image, self.alpha, self.shadow))
        return Sprite(*arrays), (part[1].start, part[0].start)


def box_of(alpha: Mask) -> Box:
    """The smallest box around the visible pixels; around the middle one if there is none."""
    rows = np.flatnonzero((alpha >= _VISIBLE).any(axis=1))
    columns = np.flatnonzero((alpha >= _VISIBLE).any(axis=0))
    if not rows.size:
        return Box(alpha.shape[1] // 2, alpha.shape[0] // 2, 1, 1)
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def filled_part(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest slices of rows and columns around all True values; empty if there is none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


class SpriteLayer:
    """A sprite prepared so that laying it into a frame costs two passes over its pixels.

    Attributes:
        box: the item without its shadow, in the layer's pixels.
    """

    def __init__(self, sprite: Sprite, *, blur: int = 1) -> None:
        """Computes in advance what is the same in every frame.

        Args:
            blur: pixels that the item moves while the sensor is exposed.
        """
        alpha, shadow, image = sprite.alpha, sprite.shadow, sprite.image
        if blur > 1:
            room = ((0, 0), (blur, blur))
            alpha, shadow = np.pad(alpha, room), np.pad(shadow, room)
            image = np.pad(image, (*room, (0, 0)), mode="edge")
        hides = alpha.astype(np.float32)[:, :, None] / 255
        paint: Field = image * hides
        keep: Field = (1 - hides) * (255 - shadow.astype(np.float32)[:, :, None])
        keep = np.repeat(keep, 3, axis=2)
        if blur > 1:
            paint, keep = (
                cast(Field, cv2.blur(of, (blur, 1), borderType=cv2.BORDER_REPLICATE))
                for of in (paint, keep)
            )
        self._paint = np.rint(paint).astype(np.uint8)
        self._keep = np.rint(keep).astype(np.uint8)
        self.box = box_of(alpha)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self._paint.shape[:2]
        return width, height

    def lay(self, frame: Image, left: int, top: int) -> None:
        """Draws the sprite into `frame`; the part outside of the frame is cut off."""
        height, width = frame.shape[:2]
        own_width, own_height = self.size
        x0, x1 = max(left, 0), min(left + own_width, width)
        y0, y1 = max(top, 0), min(top + own_height, height)
        if x0 >= x1 or y0 >= y1:
            return
        own = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        under = frame[y0:y1, x0:x1]
        dimmed = cv2.multiply(under, self._keep[own], scale=1 / 255)
        under[:] = cv2.add(dimmed, self._paint[own])
