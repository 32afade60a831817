"""A picture for reading off a region: it has rulers at its sides, and is dim outside the region."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.vision.region import Region

_RULER = 36
"""Pixels of the rulers' strips, left of the picture and above it."""
_PAPER, _INK = (245, 245, 245), (40, 40, 40)
_FRAME, _MIDDLE = (0, 94, 213), (178, 114, 0)  # BGR of vermilion and blue: see the contact sheet
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_OUTSIDE = 0.35


def draw_region(image: Image, region: Region | None) -> Image:
    """Draws rulers in the picture's pixels and, if there is one, the region and its middle.

    If the region reaches beyond the picture, only the part inside is drawn.

    Args:
        image: uint8 (height, width, 3) BGR, a camera's whole picture.

    Returns:
        uint8 BGR, larger than `image` by the rulers.
    """
    height, width = image.shape[:2]
    drawn = image.copy()
    if region is not None:
        right, bottom = region.left + region.width, region.top + region.height
        inside = (slice(region.top, bottom), slice(region.left, right))
        drawn = (image * _OUTSIDE).astype(np.uint8)
        drawn[inside] = image[inside]
        line = max(1, round(min(height, width) / 240))
        corners = ((region.left, region.top), (right - 1, bottom - 1))
        cv2.rectangle(drawn, *corners, color=_FRAME, thickness=line)
        _dashes(drawn, region, line)
    sheet = np.full((height + _RULER, width + _RULER, 3), _PAPER, np.uint8)
    sheet[_RULER:, _RULER:] = drawn
    for axis, length in enumerate((width, height)):
        _ruler(sheet, axis, length)
    return sheet


def _dashes(drawn: Image, region: Region, line: int) -> None:
    """Draws the lines through the region's middle, where an item's passing is measured."""
    across = region.left + region.width // 2
    down = region.top + region.height // 2
    for start in range(region.top, region.top + region.height, 16):
        stop = min(start + 8, region.top + region.height - 1)
        cv2.line(drawn, (across, start), (across, stop), _MIDDLE, line)
    for start in range(region.left, region.left + region.width, 16):
        stop = min(start + 8, region.left + region.width - 1)
        cv2.line(drawn, (start, down), (stop, down), _MIDDLE, line)


def _ruler(sheet: Image, axis: int, length: int) -> None:
    """Draws ticks every 10, 50 and 100 pixels, five times as far apart on a large picture.

    Every tenth tick has a number.
    """
    unit = 10 if length <= 1600 else 50
    for at in range(0, length, unit):
        step = at // unit
        size = 14 if step % 10 == 0 else 9 if step % 5 == 0 else 4
        place = _RULER + at
        begin, end = (place, _RULER - size), (place, _RULER - 1)
        if axis == 1:
            begin, end = begin[::-1], end[::-1]
        cv2.line(sheet, begin, end, _INK, 1)
        if step % 10 == 0 and length - at > 12:
            text = str(at)
            (wide, high), _ = cv2.getTextSize(text, _FONT, 0.36, 1)
            middle = max(_RULER + wide // 2 if axis == 0 else 0, place)
            corner = (
                (middle - wide // 2, _RULER - 18)
                if axis == 0
                else (max(0, (_RULER - 14 - wide) // 2), max(_RULER + high, place + high // 2))
            )
            cv2.putText(sheet, text, corner, _FONT, 0.36, _INK, 1, cv2.LINE_AA)
