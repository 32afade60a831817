"""Cuts items out of their photographs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.simulation.belt.noise import Field
from edge.simulation.belt.scene import Color
from edge.simulation.belt.sprite import Mask, Sprite

_COPY_SIDE = 200
"""The longer side of the copy that GrabCut works on, in pixels. A copy takes 0.1 s; the photograph
itself would take 2 s."""
_LEAST, _MOST = 0.02, 0.90
"""The least and most share of the photograph that an item covers; otherwise the cut has failed."""
_SURELY_OTHER = 20.0
"""A distance of colours, about that of CIELAB, that is larger than light and shade cause."""
_DEEPEST_SHADOW = 0.6
"""The share of the light that remains in the deepest shadow."""
_LEAST_BORDER = 0.55
"""The share of the border that must show the same background."""
_MOST_LEFT_OVER = 0.10
"""The share of the area that is cut away that may clearly differ from the background."""
_MOST_LINES_LEFT = 0.12
"""The share of the photograph's sharp lines that may be cut away."""
_BORDER = 0.04
"""Width of the frame of pixels that is taken for background, as a share of the shorter side."""


def background_of(photographs: Iterable[Image]) -> Color:
    """The colour around the items: the median of the colours along the photographs' borders."""
    medians = [np.median(photograph[_border_of(photograph)], axis=0) for photograph in photographs]
    blue, green, red = np.median(medians, axis=0).tolist()
    return round(blue), round(green), round(red)


def cut_out(photograph: Image, *, height: int) -> tuple[Sprite, bool]:
    """(the item with soft edges and a shadow, whether it could be cut out of its background).

    If the cut fails, because almost nothing or almost everything was taken for the item, the sprite
    is the whole photograph with feathered edges.

    Args:
        photograph: uint8 (height, width, 3) BGR.
        height: the height of the photograph on the belt, in pixels.
    """
    width = max(8, round(photograph.shape[1] * height / photograph.shape[0]))
    shrinks = height < photograph.shape[0]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    image = cast(Image, cv2.resize(photograph, (width, height), interpolation=way))
    found = _foreground(image)
    if found is None:
        return _whole(image), False
    share, background = found
    shadow = _own_shadow(image, background, share)
    return Sprite(image, _levels(255 * share), _levels(255 * shadow)), True


def _foreground(image: Image) -> tuple[Field, Field] | None:
    """(0..1, the share of the item in each pixel; the background's colours under it).

    None if the item cannot be distinguished from its background.
    """
    rows, columns = image.shape[:2]
    shrink = min(1.0, _COPY_SIDE / max(rows, columns))
    size = (max(8, round(columns * shrink)), max(8, round(rows * shrink)))
    copy = cast(Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    border = _border_of(copy)
    background = _background_under(copy.astype(np.float32), border)
    away = _distance(copy, background)
    if float((away[border] < _SURELY_OTHER).mean()) < _LEAST_BORDER:
        return None  # the item fills the photograph, or there is no one background
    usual = float(np.percentile(away[border], 70))
    mask = np.full(away.shape, cv2.GC_PR_BGD, np.uint8)
    lines = _lines(copy)
    within = _filled(lines)
    mask[(away > max(11.0, 3.0 * usual)) | (within > 0)] = cv2.GC_PR_FGD
    # An item may reach over the photograph's edge: only a border like the background is certain.
    mask[border & (away < max(9.0, 2.0 * usual))] = cv2.GC_BGD
    if not (mask == cv2.GC_PR_FGD).any():
        return None
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # the same photograph is always cut in the same way
    cv2.grabCut(copy, mask, (0, 0, 0, 0), *models, 4, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    # Glass and white plastic have the colour of what lies behind them, but lines around them.
    inside = _tidy(inside | within)
    share = float(inside.mean())
    left_over = float((away[inside == 0] > _SURELY_OTHER).mean()) if share < 1 else 1.0
    if not _LEAST <= share <= _MOST or left_over > _MOST_LEFT_OVER:
        return None
    near = cv2.dilate(inside, np.ones((9, 9), np.uint8))
    if float(lines[near == 0].sum()) > _MOST_LINES_LEFT * float(lines.sum()):
        return None
    large = cv2.resize(inside.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    coarse = cv2.GaussianBlur(large, (0, 0), max(1.0, 0.6 / shrink))
    alpha = _refined(image, cast(Field, coarse), radius=max(2, round(1.5 / shrink)))
    return alpha, cast(Field, cv2.resize(background, (columns, rows)))


def _border_of(image: Image) -> npt.NDArray[np.bool_]:
    """True along the edges of the picture."""
    rim = max(2, round(_BORDER * min(image.shape[:2])))
    border = np.ones(image.shape[:2], bool)
    border[rim:-rim, rim:-rim] = False
    return border


def _distance(image: Image, background: Field) -> Field:
    """The distance of each pixel's colour from the background's, about that of CIELAB.

    The background may lie in shadow: as much shadow is assumed as fits the pixel best, within
    limits.
    """
    light = (image * background).sum(axis=2) / (np.square(background).sum(axis=2) + 1)
    background = background * np.clip(light, _DEEPEST_SHADOW, 1)[..., None]
    off = cv2.cvtColor(image, cv2.COLOR_BGR2LAB).astype(np.float32)
    off -= cv2.cvtColor(_levels(background), cv2.COLOR_BGR2LAB)
    off *= np.array((0.6, 1.4, 1.4), np.float32)  # light differs more than hue on one surface
    return cast(Field, np.sqrt((off**2).sum(axis=2)))


def _own_shadow(image: Image, background: Field, share: Field) -> Field:
    """0..1, the shadow around the item: the share of the background's light that is missing."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    expected = cv2.cvtColor(background.astype(np.float32), cv2.COLOR_BGR2GRAY)
    dark = 1 - grey / np.maximum(expected, 1)
    # The shadow under the item is unknown; it is taken to be as dark as at the item's edge.
    outside = cv2.erode(1 - share, np.ones((5, 5), np.uint8))
    size = 0.012 * image.shape[0]
    known = cv2.GaussianBlur(outside, (0, 0), size)
    dark = cv2.GaussianBlur(dark * outside, (0, 0), size) / np.maximum(known, 0.02)
    near = cv2.GaussianBlur(share, (0, 0), 0.09 * image.shape[0])
    dark = dark * np.clip(near * 5, 0, 1)
    return cast(Field, np.clip(dark - 0.015, 0, 0.7))


def _levels(colors: Field) -> Image:
    return cast(Image, np.rint(np.clip(colors, 0, 255)).astype(np.uint8))


def _lines(copy: Image) -> Mask:
    """1 where the colour changes sharply, as at an edge, and not softly, as at a shadow."""
    lab = cv2.cvtColor(copy, cv2.COLOR_BGR2LAB).astype(np.float32)
    sharp, blunt = (_steepness(cast(Field, cv2.GaussianBlur(lab, (0, 0), s))) for s in (1.0, 3.0))
    least = max(2.5, 2.0 * float(np.median(sharp)))
    return cast(Mask, ((sharp > least) & (sharp > 1.4 * blunt)).astype(np.uint8))


def _steepness(lab: Field) -> Field:
    """The change of colour in levels per pixel."""
    right, down = (cv2.Sobel(lab, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    return cast(Field, np.sqrt((np.square(right) + np.square(down)).sum(axis=2)))


def _filled(lines: Mask) -> Mask:
    """The areas that lines enclose, completely or nearly."""
    wide = max(5, round(0.05 * min(lines.shape))) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    room = ((wide, wide), (wide, wide))
    closed = cast(Mask, cv2.morphologyEx(np.pad(lines, room), cv2.MORPH_CLOSE, kernel))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = cv2.drawContours(np.zeros_like(closed), outlines, -1, 1, -1)[wide:-wide, wide:-wide]
    thin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    areas = cv2.morphologyEx(areas, cv2.MORPH_OPEN, thin)
    # A line is as wide as its blur, and the edge is in its middle.
    return cast(Mask, cv2.erode(areas, np.ones((5, 5), np.uint8), borderValue=1))


def _background_under(image: Field, border: npt.NDArray[np.bool_]) -> Field:
    """The background under the item: a curved plane fitted to the border without outliers."""
    rows, columns = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    terms = np.stack((np.ones_like(x), x, y, x * y, x * x, y * y), axis=-1)
    points, colors = terms[border], image[border]
    kept = np.ones(len(points), bool)
    found = np.zeros((6, 3), np.float32)
    for _ in range(4):
        found = np.linalg.lstsq(points[kept], colors[kept], rcond=None)[0]
        off = np.abs(points @ found - colors).sum(axis=1)
        kept = off <= max(9.0, 1.5 * float(np.median(off[kept])))
    return cast(Field, terms @ found)


def _tidy(inside: Mask) -> Mask:
    """The mask without specks and without holes that are too small to be real."""
    size = max(3, round(min(inside.shape) * 0.02) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    inside = cast(Mask, cv2.morphologyEx(inside, cv2.MORPH_CLOSE, kernel))
    inside = cast(Mask, cv2.morphologyEx(inside, cv2.MORPH_OPEN, kernel))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside)
    if count > 1:
        areas = stats[1:, cv2.CC_STAT_AREA]
        kept = 1 + np.flatnonzero(areas >= 0.08 * areas.max())
        inside = np.isin(parts, kept).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(1 - inside)
    small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < 0.01 * inside.size]
    inside[np.isin(parts, small)] = 1
    return inside


def _refined(image: Image, coarse: Field, *, radius: int) -> Field:
    """The mask drawn to the edges of the photograph: a guided filter (He, Sun and Tang, 2013)."""
    guide = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(of: Field) -> Field:
        return cast(Field, cv2.blur(of, window))

    average, expected = mean(guide), mean(coarse)
    spread = mean(guide * guide) - average * average
    slope = (mean(guide * coarse) - average * expected) / (spread + np.float32(1e-3))
    alpha = mean(slope) * guide + mean(expected - slope * average)
    # The edge is made steeper and moved inwards a little, so that no seam of background remains.
    return cast(Field, np.clip((alpha - 0.30) / 0.45, 0, 1))


def _whole(image: Image) -> Sprite:
    rows, columns = image.shape[:2]
    feather = max(3, round(0.03 * min(rows, columns)))
    y = np.minimum(np.arange(rows), np.arange(rows)[::-1])[:, None] + 0.5
    x = np.minimum(np.arange(columns), np.arange(columns)[::-1])[None, :] + 0.5
    edge = np.clip(np.minimum(y, x) / feather, 0, 1)
    alpha = np.rint(255 * (0.5 - 0.5 * np.cos(math.pi * edge))).astype(np.uint8)
    return Sprite(image, alpha, np.zeros_like(alpha))
