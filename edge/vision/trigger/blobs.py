"""Blobs: the connected objects in front of a background, without their shadows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box

Floats = npt.NDArray[np.float32]
Mask = cv2.typing.MatLike
"""uint8, 0 or 255 for each pixel."""

RIM = 3
"""The pixels around a blob that still show something of it."""
_SHADOW = (0.5, 0.97)
"""The share of the light that a soft shadow leaves, from and to."""
_DARKEST = 0.25
"""The share of the light that a shadow leaves where it is darkest, close to what casts it."""
_SHADOW_TINT = 10.0
"""The levels by which a channel of a soft shadow may differ from an evenly darker background."""
_SOLID = 0.3
"""If the dark part is all of a blob but less than this share, it is taken for an item, not for the
shadow of one."""
_MARGIN = 8
"""The pixels around what is in front that closing its cracks, its rim and its shadow may touch, and
so far beyond an object what is thin belongs to it."""
_LIGHTNESS_AND_COLOURS = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [0, -1, 1]], np.float32)
_SUM = np.ones((1, 3), np.float32)
_SPECK = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
_CRACK = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_RIM_OF_SHADOW = np.ones((5, 5), np.uint8)


class Blob(NamedTuple):
    """A connected object in front of the background, in pixels of the small picture."""

    box: Box
    """The box of the object without its soft shadow."""
    area: int
    """The number of its pixels, without its soft shadow."""
    extent: Box
    """The box of the object with its soft shadow."""
    body: Box
    """The box of the object without any shadow, also without the dark one close to it. It falls to
    one side, so that the middle of `box` is not that of the object. A part of the object may be
    missing in it that is a darker belt's colour. What is too thin to be in `box`, such as a stem,
    is in it as far as `_MARGIN`."""
    shape: Mask
    """The object's mask, 1 or 0, for its box enlarged by `RIM` pixels on each side."""
    whole: bool = True
    """False if it was joined of several, and `shape` is the mask of one of them."""

    def moved(self, right: int, down: int) -> Blob:
        """The blob in a picture that has so many columns and rows more at its left and its top."""
        box, extent, body = (
            each._replace(left=each.left + right, top=each.top + down)
            for each in (self.box, self.extent, self.body)
        )
        return self._replace(box=box, extent=extent, body=body)


def connected(front: Mask, picture: Image, mean: Floats, *, least: float) -> list[Blob]:
    """Finds the blobs in a mask.

    Args:
        front: the mask of the pixels in which `picture` differs from the background.
        picture: uint8 (height, width, 3) BGR.
        mean: the background, of the same shape.
        least: the area in pixels below which a blob is left out.
    """
    left, top, width, height = cv2.boundingRect(front)
    if not width:
        return []
    # What lies far from everything in front is not looked at.
    part = around(Box(left, top, width, height), _MARGIN)
    found = _connected(front[part], picture[part], mean[part], least=least)
    return [blob.moved(part[1].start, part[0].start) for blob in found]


def _connected(found: Mask, picture: Image, mean: Floats, *, least: float) -> list[Blob]:
    front = _cleaned(found)
    count, places, extents, _ = cv2.connectedComponentsWithStats(front, connectivity=8)
    if count == 1:
        return []
    shadow, soft = _shadows(picture, mean)
    bright, solid = found, front
    if shadow is not None and cv2.countNonZero(cv2.bitwise_and(front, shadow)):
        bright = cv2.bitwise_and(found, cv2.bitwise_not(shadow))
        solid = _cleaned(cv2.bitwise_and(front, cv2.bitwise_not(shadow)))
    bodies = _Bodies(bright, solid)
    if soft is None or not cv2.countNonZero(cv2.bitwise_and(front, soft)):
        parts, stats = places, extents
    else:
        lit = _without_shadow(front, soft, places, extents)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(lit, connectivity=8)
    blobs: list[Blob] = []
    shades = []
    for part in range(1, count):
        left, top, width, height, area = map(int, stats[part])
        if area < least:
            continue
        box = Box(left, top, width, height)
        row = top + int(np.argmax(parts[top : top + height, left] == part))
        extent = Box(*map(int, extents[places[row, left], :4]))
        shape = (parts[around(box, RIM)] == part).astype(np.uint8)
        body = bodies.of(part, parts, box)
        if body is None:
            shades.append(len(blobs))
        blobs.append(Blob(box, area, extent, body or box, shape))
    for index in shades:
        blobs[index] = _measured_by_another(blobs[index], blobs)
    return blobs


def _without_shadow(front: Mask, shadow: Mask, places: Any, extents: Any) -> Mask:
    """The mask of what is in front without its shadows.

    Args:
        shadow: the pixels that look like a shadow.
        places, extents: the components of `front`, of `cv2.connectedComponentsWithStats`.
    """
    solid = _cleaned(cv2.bitwise_and(front, cv2.bitwise_not(shadow)))
    # The blurred rim of a dark item on a light belt looks like a shadow too: it is added again.
    solid = cv2.bitwise_and(front, cv2.dilate(solid, _RIM_OF_SHADOW))
    # A dark item on a lighter belt of its colour looks like a shadow: a blob that would be nearly
    # all shadow is an item.
    kept = np.bincount(places[solid > 0], minlength=len(extents))
    whole = kept < np.maximum(_SOLID * extents[:, cv2.CC_STAT_AREA], 1)
    whole[0] = False
    solid[whole[places]] = 255
    return solid


def is_uncovered(blob: Blob, picture: Image, background: Image) -> bool:
    """Whether something was taken away: its outline is in the background, not in the picture.

    Args:
        picture, background: uint8 (height, width, 3) BGR.
    """
    height, width = picture.shape[:2]
    if any(cut_off(blob.box, (width, height))):
        return False
    part = around(blob.box, RIM)
    outline = cv2.morphologyEx(blob.shape, cv2.MORPH_GRADIENT, _SPECK)
    before = cv2.mean(_steepness(background[part]), outline)[0]
    if before <= 4:  # as on a plain belt
        return False
    now = cv2.mean(_steepness(picture[part]), outline)[0]
    return before > 2 * now + 4


def cut_off(box: Box, size: tuple[float, float]) -> tuple[bool, bool, bool, bool]:
    """Whether `box` reaches the left, top, right and bottom of a picture of that size."""
    width, height = size
    right, bottom = box.left + box.width, box.top + box.height
    return box.left <= 1, box.top <= 1, right >= width - 1, bottom >= height - 1


def touch(box: Box, other: Box) -> bool:
    """Whether two boxes overlap or adjoin."""
    return (
        box.left <= other.left + other.width
        and other.left <= box.left + box.width
        and box.top <= other.top + other.height
        and other.top <= box.top + box.height
    )


def around(box: Box, margin: int) -> tuple[slice, slice]:
    """The rows and columns of `box` and of `margin` pixels around it."""
    left, top, width, height = box
    rows = slice(max(0, top - margin), top + height + margin)
    return rows, slice(max(0, left - margin), left + width + margin)


def away(picture: Image, mean: Floats) -> Floats:
    """The absolute differences, in levels, of the lightness and of two colour differences.

    They are used in place of the channels, so that the texture of a grey belt does not hide
    coloured objects.
    """
    off = cv2.transform(picture - mean, _LIGHTNESS_AND_COLOURS)
    return np.asarray(np.abs(off, out=off), np.float32)


def strongest(colours: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """The largest of the three channels."""
    blue, green, red = cv2.split(colours)
    return cv2.max(cv2.max(blue, green), red)


def _cleaned(mask: Mask) -> Mask:
    """`mask` without specks, and with cracks closed."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _SPECK)
    return cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _CRACK)


def _shadows(picture: Image, mean: Floats) -> tuple[Mask | None, Mask | None]:
    """The masks of the pixels that are like the background, but evenly darker, and of those of them
    that are not much darker; None: none is."""
    now = picture.astype(np.float32)
    light = cv2.divide(cv2.transform(now, _SUM), cv2.transform(mean, _SUM) + 1)
    low, high = _SHADOW
    darker = cv2.inRange(light, _DARKEST, high)
    if not cv2.countNonZero(darker):
        return None, None
    tint = strongest(cv2.absdiff(now, cv2.multiply(mean, cv2.merge([light] * 3))))
    shadow = cv2.bitwise_and(darker, cv2.inRange(tint, 0.0, _SHADOW_TINT))
    return shadow, cv2.bitwise_and(shadow, cv2.inRange(light, low, high))


class _Bodies:
    """Finds the boxes of blobs without any shadow, and with what is thin, such as a stem."""

    def __init__(self, bright: Mask, solid: Mask) -> None:
        """Connects what is thin to what is not.

        Args:
            bright: the mask of what is in front and no shadow, with specks.
            solid: the same without specks, in which what is thin is missing, too.
        """
        self._solid = solid
        self._count, self._pieces = cv2.connectedComponents(cv2.bitwise_or(bright, solid))

    def of(self, part: int, parts: Any, box: Box) -> Box | None:
        """The body of a blob; None if nothing of it is brighter than a shadow.

        Args:
            part: its number in `parts`.
            parts: the components of `cv2.connectedComponentsWithStats`, 0 where there is none.
            box: that of the blob.
        """
        inside, room = around(box, 0), around(box, _MARGIN)
        own = parts[inside] == part
        solid = own & (self._solid[inside] > 0)
        if np.count_nonzero(solid) < _SOLID * np.count_nonzero(own):
            return box if solid.any() else None  # it is nearly all as dark as a shadow
        mine = np.zeros(self._count, np.uint8)
        mine[self._pieces[inside][solid]] = 1
        body = mine[self._pieces[room]]
        body[(parts[room] != part) & (parts[room] != 0)] = 0
        left, top, width, height = cv2.boundingRect(body)
        return Box(room[1].start + left, room[0].start + top, width, height)


def _measured_by_another(shade: Blob, blobs: Sequence[Blob]) -> Blob:
    """A blob as dark as a shadow, with the body of what casts it if that is in front with it.

    Between a grey item and the darkest part of its shadow may be what looks like the belt. Joined
    to the item again, the shadow must not move its middle.
    """
    casting = [
        one for one in blobs if one.extent == shade.extent and one.area * _SOLID > shade.area
    ]
    if not casting:
        return shade
    return shade._replace(body=max(casting, key=lambda one: one.area).body)


def _steepness(picture: cv2.typing.MatLike) -> cv2.typing.MatLike:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
