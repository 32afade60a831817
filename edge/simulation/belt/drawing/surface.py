"""Surfaces under the belt's lamps: geometry and material of an item become a sprite.

Lengths are in heights of the view, so that an item is drawn alike at every frame size. Axes are the
picture's: x to the right, y down, z towards the camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.simulation.belt.noise import Field, noise
from edge.simulation.belt.sprite import Mask, Sprite, filled_part

SUPERSAMPLING = 2
"""The canvas pixels for each pixel of the sprite along each axis, which make edges smooth."""

_LAMP = np.array((-0.42, -0.58, 0.70), np.float32) / np.float32(math.sqrt(0.9928))
_WINDOW = np.array((0.62, 0.30, 0.72), np.float32) / np.float32(math.sqrt(0.9928))
_SHADOW_STEP = 0.7
"""How far to the side the shadow of an item of height 1 falls."""

_TONES_PER_UNIT = 2048
# As on film, bright colours come close to white and never reach it.
_TONES = (
    (1 - np.exp(-1.9 * (np.arange(4 * _TONES_PER_UNIT) / _TONES_PER_UNIT) ** 1.15))
    / (1 - math.exp(-2.6))
).astype(np.float32)


class Canvas:
    """Pixels around an item, with coordinates along the item's own axes.

    Attributes:
        u, v: where each pixel is along and across the item's axis, from its middle.
        cos, sin: the direction of the u axis in the picture; arrays where the item is bent.
        pixel: the size of one canvas pixel.
        shape: (rows, columns) of canvas pixels.
    """

    def __init__(self, *, reach: float, across: float, angle: float, height: int) -> None:
        """Lays out the pixels.

        Args:
            reach: the item's furthest point from its middle, along its axis.
            across: the same, across its axis.
            angle: of its axis, in radians from x towards y.
            height: of the view, in pixels.
        """
        self.height = height
        self.pixel = 1 / (height * SUPERSAMPLING)
        cos, sin = math.cos(angle), math.sin(angle)
        x = self._ramp(reach * abs(cos) + across * abs(sin))[None, :]
        y = self._ramp(reach * abs(sin) + across * abs(cos))[:, None]
        self.shape = y.shape[0], x.shape[1]
        self.u: Field = x * cos + y * sin
        self.v: Field = y * cos - x * sin
        self.cos: Field | float = cos
        self.sin: Field | float = sin

    def _ramp(self, half: float) -> Field:
        pixels = 2 * SUPERSAMPLING * (math.ceil(half * self.height) + 2)
        middle = np.float32(pixels / 2 - 0.5)
        return (np.arange(pixels, dtype=np.float32) - middle) * np.float32(self.pixel)

    def bend(self, radius: float) -> None:
        """Bends the item's axis to a circle of `radius` (u runs along it from here on)."""
        away = self.v + np.float32(radius)
        turn = np.arctan2(self.u, away)
        self.u, self.v = radius * turn, np.hypot(self.u, away) - np.float32(radius)
        cos, sin = np.cos(turn), -np.sin(turn)
        self.cos, self.sin = self.cos * cos - self.sin * sin, self.sin * cos + self.cos * sin

    def noise(self, random: np.random.Generator, *, grain: float, octaves: int = 1) -> Field:
        """Smooth noise, about -1..1, whose largest spots have the size `grain`."""
        return noise(random, self.shape, grain=grain / self.pixel, octaves=octaves)

    def empty(self) -> Surface:
        """An empty surface."""
        shape = self.shape
        return Surface(
            color=np.zeros((*shape, 3), np.float32),
            normal=(np.zeros(shape, np.float32), np.zeros(shape, np.float32)),
            cover=np.zeros(shape, np.float32),
            gloss=np.zeros(shape, np.float32),
            metal=np.zeros(shape, np.float32),
            height=np.zeros(shape, np.float32),
        )


@dataclass(slots=True, eq=False)
class Surface:
    """What the camera sees of an item at each canvas pixel, before light falls on it."""

    color: Field
    """BGR, 0..1, under even white light."""
    normal: tuple[Field, Field]
    """Along and across the item's axis; the rest of the unit vector points to the camera."""
    cover: Field
    """0..1, how much of the belt is hidden: less than 1 at edges and where light shines through."""
    gloss: Field
    """0..1, how much light of the lamps the surface mirrors."""
    metal: Field
    """0..1, how much the surface mirrors in its own colour, like metal, instead of scattering
    light."""
    height: Field
    """The height above the belt."""

    def put(
        self,
        cover: Field,
        color: Field | tuple[float, float, float],
        *,
        normal: tuple[Field | float, Field | float] | None = None,
        gloss: Field | float = 0.0,
        metal: Field | float = 0.0,
        height: Field | float | None = None,
        opacity: Field | float = 1.0,
    ) -> None:
        """Lays another material over the surface, as far as `cover` says.

        Args:
            normal, height: None: as they are.
            opacity: how much of the belt the material hides where `cover` is 1.
        """
        part = filled_part(cover > 0)
        cover = cover[part]
        _blend(self.color, np.asarray(color, np.float32), cover[..., None], part)
        _blend(self.gloss, gloss, cover, part)
        _blend(self.metal, metal, cover, part)
        _blend(self.cover, opacity, cover, part)
        if normal is not None:
            _blend(self.normal[0], normal[0], cover, part)
            _blend(self.normal[1], normal[1], cover, part)
        if height is not None:
            _blend(self.height, height, cover, part)

    def part(self, part: tuple[slice, slice]) -> Surface:
        """A view of some rows and columns of the surface, which shares their memory."""
        return Surface(
            self.color[part],
            (self.normal[0][part], self.normal[1][part]),
            self.cover[part],
            self.gloss[part],
            self.metal[part],
            self.height[part],
        )


_Part = tuple[slice, slice]


def _blend(under: Field, over: Field | float, cover: Field, part: _Part) -> None:
    if isinstance(over, np.ndarray) and over.ndim >= 2:
        over = over[part]
    below = under[part]
    below += (over - below) * cover


def _whole_pixels(mask: npt.NDArray[np.bool_]) -> _Part:
    """The smallest part around all True values that consists of whole pixels of the sprite."""
    n = SUPERSAMPLING
    rows, columns = filled_part(mask)
    return tuple(  # type: ignore[return-value]
        slice(part.start // n * n, max(-(-part.stop // n), part.start // n + 1) * n)
        for part in (rows, columns)
    )


def soft(inside: Field, width: float) -> Field:
    """1 where `inside` is positive, 0 where it is negative, even over `width` around 0."""
    return cast(Field, np.clip(inside / np.float32(width) + np.float32(0.5), 0, 1))


def smooth(value: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, and a soft step between."""
    t = value * np.float32(1 / (high - low))
    t -= np.float32(low / (high - low))
    np.clip(t, 0, 1, out=t)
    rest = np.float32(3) - 2 * t
    rest *= t
    rest *= t
    return rest


def shade(canvas: Canvas, surface: Surface) -> Sprite:
    """The item under the lamps, with its shadow."""
    part = _whole_pixels(surface.cover > 0)
    at = np.flatnonzero(surface.cover[part])

    def of(field: Field | float) -> Field:
        """The values of a field at the item's pixels only, because most of a canvas is empty."""
        return np.broadcast_to(field, canvas.shape)[part].ravel()[at]

    along, across = (of(normal) for normal in surface.normal)
    cos, sin = of(canvas.cos), of(canvas.sin)
    light, shine = _light(along * cos - across * sin, along * sin + across * cos, of(surface.metal))
    shine *= of(surface.gloss)
    lit = surface.color[part].reshape(-1, 3)[at] * light[:, None] + shine[:, None]
    # A lamp that is mirrored in clear plastic hides the belt behind it, too.
    cover = of(surface.cover)
    cover = cover + (1 - cover) * np.clip(1.3 * shine, 0, 1) * (cover > 0.2)
    tones = np.clip(lit * np.float32(_TONES_PER_UNIT), 0, len(_TONES) - 1).astype(np.uint16)
    # Colours are multiplied by their cover before both are shrunk.
    shape = surface.cover[part].shape
    layers = np.zeros((*shape, 4), np.float32)
    flat = layers.reshape(-1, 4)
    flat[at, :3] = np.take(_TONES, tones) * cover[:, None]
    flat[at, 3] = cover
    size = (shape[1] // SUPERSAMPLING, shape[0] // SUPERSAMPLING)
    small = cv2.resize(layers, size, interpolation=cv2.INTER_AREA)
    image = small[..., :3] / np.maximum(small[..., 3:], 1e-3)
    tallest = float(surface.height.max()) * canvas.height
    return _with_shadow(_levels(cast(Field, image)), _levels(cast(Field, small[..., 3])), tallest)


def _light(nx: Field, ny: Field, metal: Field) -> tuple[Field, Field]:
    """(the light on a surface, the light that a glossy surface mirrors), computed from its normals.

    A lamp stands at the upper left and a weaker window at the lower right. Scattered light follows
    Lambert; mirrored light is that of two soft boxes, which on a curved body become the streaks
    that one sees on cans and bottles.
    """
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0.0025, 1))
    lamp = np.clip(nx * _LAMP[0] + ny * _LAMP[1] + nz * _LAMP[2], 0, 1)
    scattered = 0.36 + 0.16 * nz + 0.62 * lamp - 0.10 * np.clip(ny, 0, 1)
    # This is the direction of view, mirrored at the surface.
    rx, ry, rz = 2 * nz * nx, 2 * nz * ny, 2 * nz * nz - 1
    to_lamp = rx * _LAMP[0] + ry * _LAMP[1] + rz * _LAMP[2]
    to_window = rx * _WINDOW[0] + ry * _WINDOW[1] + rz * _WINDOW[2]
    boxes = smooth(to_lamp, 0.86, 0.97) + 0.4 * smooth(to_window, 0.90, 0.97)
    glow = smooth(to_lamp, 0.30, 1.0)
    mirrored = 0.30 + 0.30 * smooth(rz, -0.2, 0.9) + 0.55 * glow + 0.75 * boxes
    mirrored -= 0.25 * smooth(-np.abs(rz - 0.35), -0.25, 0.0)
    flat = 1 - nz
    fresnel = 0.25 + 0.75 * flat * flat * flat  # after Schlick, 1994
    shine = 0.62 * boxes + 0.14 * glow + 0.16 * fresnel * smooth(rz, -1.0, 0.4)
    return scattered + (mirrored - scattered) * metal, shine * (1 - 0.5 * metal)


def _levels(share: Field) -> Mask:
    return cast(Mask, np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8))


def _with_shadow(image: Mask, alpha: Mask, tallest: float) -> Sprite:
    """The sprite, extended for its shadow and then trimmed of empty edges."""
    room = math.ceil(_SHADOW_STEP * tallest * 1.3) + 4
    around = ((room, room), (room, room))
    image = np.pad(image, (*around, (0, 0)))
    alpha = np.pad(alpha, around)
    shadow = _cast_shadow(alpha, tallest)
    return Sprite(image, alpha, shadow).trimmed()[0]


def _cast_shadow(alpha: Mask, tallest: float) -> Mask:
    """The shadow of an item of the shape `alpha`, which is softer further away from the item.

    Args:
        tallest: its height in pixels.
    """
    shape = (alpha > 40).astype(np.float32)
    rows, columns = shape.shape
    # Shadows are soft, so half the size is enough.
    size = (columns // 2 + 1, rows // 2 + 1)
    small = cv2.resize(shape, size, interpolation=cv2.INTER_AREA)
    fallen = np.zeros(size[::-1], np.float32)
    steps = 4
    for step in range(steps):
        far = 0.5 * _SHADOW_STEP * tallest * (step + 0.4) / steps
        move = np.array(((1, 0, far * 0.62), (0, 1, far * 0.80)), np.float32)
        moved = cv2.warpAffine(small, move, size)
        blur = 0.6 + 0.05 * tallest * (step + 1) / steps
        fallen += cv2.GaussianBlur(moved, (0, 0), blur) * (0.62 - 0.09 * step) / 1.6
    contact = cv2.GaussianBlur(small, (0, 0), max(0.75, 0.05 * tallest)) * 0.35
    dark = cv2.resize(fallen * 0.62 + contact, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return _levels(np.clip(cast(Field, dark), 0, 0.72))
