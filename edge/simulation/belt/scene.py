"""Makes the frames of the belt's camera from the belt, the items, the light and sensor noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.simulation.belt.noise import Field, noise
from edge.simulation.belt.sprite import Mask, SpriteLayer

Color = tuple[int, int, int]
"""BGR, 0..255."""

RAIL = 0.055
"""The height of the belt's metal edge at the top and bottom, as a share of the view's height."""

_FULL_LIGHT = 200
"""The level of a light map that leaves a pixel as it is."""


@dataclass(frozen=True, slots=True)
class PlacedLayer:
    """A layer with its position in the view."""

    layer: SpriteLayer
    left: int
    top: int


class Scene:
    """A belt under a camera; what is the same in every frame is drawn once.

    Attributes:
        width, height: the size of the frames, in pixels.
        blur: pixels that the belt moves while the sensor is exposed.
    """

    def __init__(
        self,
        *,
        random: np.random.Generator,
        width: int = 640,
        height: int = 480,
        background: Color | None = None,
        noise_levels: float = 2.0,
        blur: int = 2,
        corners: float = 0.0,
    ) -> None:
        """Draws the belt, its light and the sensor's noise.

        Args:
            random: decides their appearance.
            background: the colour of a plain belt under even light; None for a belt of dark rubber
                between metal rails, under uneven light.
            noise_levels: standard deviation of the sensor's noise, in levels of 255.
            blur: pixels that the belt moves while the sensor is exposed.
            corners: the share of the light that the lens takes from the corners of a plain belt's
                picture.
        """
        self.width, self.height, self.blur = width, height, blur
        self._period = 2 * width
        rails: Field | None = None
        light: Mask | None = None
        if background is None:
            belt = _rubber(random, self._period, height)
            rails = _rails(random, height)
            light = _uneven_light(random, width, height)
        else:
            belt = np.empty((height, self._period, 3), np.float32)
            belt[:] = background
            belt += 1.2 * _grain(random, self._period, height, 1.6)[..., None]
            if corners:
                light = _lens(width, height, corners)
        # The strip is extended by the neighbouring pixels on both sides, so that no view has a
        # seam.
        strip = np.concatenate((belt[:, -blur:], belt, belt[:, : width + blur]), axis=1)
        strip = cast(Field, cv2.blur(strip, (blur, 1)))[:, blur:-blur]
        self._strip = np.rint(np.clip(strip, 0, 255)).astype(np.uint8)
        self._light = light
        self._rails = _rail_rows(rails, height, width)
        # The noise is a little larger than a frame, and each frame uses another part of it.
        speckle = random.normal(128, max(noise_levels, 1e-6), (height + 61, width + 67, 3))
        self._noise = np.rint(np.clip(speckle, 0, 255)).astype(np.uint8)
        self._marks: tuple[tuple[slice, Image], ...] = ()

    def show_machine(self, random: np.random.Generator) -> None:
        """Lets something be recognised along the upper and the lower edge, below what passes: the
        frame of a machine."""
        self._marks = _machine_frame(random, self.width, self.height)

    @property
    def margin(self) -> int:
        """The pixels at the top and at the bottom of the view that no item covers."""
        return round(RAIL * self.height) if self._rails else 0

    def view(
        self, items: Iterable[PlacedLayer] = (), *, moved: int, random: np.random.Generator
    ) -> Image:
        """A frame, uint8 (height, width, 3) BGR.

        Args:
            items: the items in the view, the lowest first.
            moved: pixels that the belt has moved to the right since its start.
            random: decides the sensor's noise.
        """
        start = -moved % self._period
        frame = self._strip[:, start : start + self.width].copy()
        for rows, frame_of_machine in self._marks:
            frame[rows] = frame_of_machine
        for item in items:
            item.layer.lay(frame, item.left, item.top)
        for rows, rail in self._rails:
            frame[rows] = rail
        if self._light is not None:
            frame = cast(Image, cv2.multiply(frame, self._light, scale=1 / _FULL_LIGHT))
        y, x = int(random.integers(61)), int(random.integers(67))
        speckle = self._noise[y : y + self.height, x : x + self.width]
        return cast(Image, cv2.addWeighted(frame, 1, speckle, 1, -128))


def _rubber(random: np.random.Generator, width: int, height: int) -> Field:
    """A used rubber belt, float32 (height, width, 3); its right edge continues at its left."""
    tone = random.uniform(58, 92)
    tint = np.array((1, 1, 1), np.float32) + random.uniform(-0.05, 0.05, 3).astype(np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    turns = max(1, round(width * 100 / height))
    weave = np.sin(2 * np.pi * x * turns / width + y * np.float32(2 * np.pi * 75 / height))
    weave = weave * np.sin(2 * np.pi * x * turns / width - y * np.float32(2 * np.pi * 75 / height))
    texture = 2.0 * weave + 1.8 * _grain(random, width, height, 0.8)
    texture += 3.0 * _grain(random, width, height, height * 0.03)
    texture += 4.0 * _grain(random, width, height, height * 0.12)
    streaks = cv2.GaussianBlur(random.normal(0, 1, (height, 1)).astype(np.float32), (0, 0), 2.0)
    texture += 5.0 * cast(Field, streaks)
    belt = (np.float32(tone) + texture)[..., None] * tint
    for _ in range(int(random.integers(10, 22))):  # scuffs along the way
        at = (int(random.integers(width)), int(random.integers(height)))
        size = (int(random.uniform(0.02, 0.16) * height), int(random.integers(1, 3)))
        scuff = np.zeros((height, width), np.float32)
        cv2.ellipse(scuff, at, size, random.uniform(-8, 8), 0, 360, 1.0, -1, cv2.LINE_8)
        belt += (random.uniform(-12, 16) * cv2.GaussianBlur(scuff, (0, 0), 1.0))[..., None]
    # The joint, where the belt's ends are glued together at a slant.
    seam = (x - width * 0.37 - (y - height / 2) * np.float32(0.3)) * np.float32(480 / height)
    belt -= (16 * np.exp(-(seam**2) / 4) - 10 * np.exp(-((seam - 4) ** 2) / 6))[..., None]
    return belt


def _grain(random: np.random.Generator, width: int, height: int, size: float) -> Field:
    """Noise with spots of `size` pixels and standard deviation 1, periodic from left to right."""
    shrink = max(1, int(size / 2))
    small = random.normal(0, 1, (height // shrink + 1, width // shrink)).astype(np.float32)
    room = min(small.shape[1], 12)
    padded = np.concatenate((small[:, -room:], small, small[:, :room]), axis=1)
    padded = cast(Field, cv2.GaussianBlur(padded, (0, 0), size / shrink))
    spots = padded[:, room:-room]
    if shrink > 1:
        # Enlarge with the neighbours over the edge, so that no step shows there.
        wide = cv2.resize(padded, (padded.shape[1] * shrink, spots.shape[0] * shrink))
        spots = cast(Field, wide)[:height, room * shrink : -room * shrink]
        if spots.shape[1] != width:
            spots = cast(Field, cv2.resize(spots, (width, height)))
    spots = spots[:height]
    return spots / np.float32(max(float(spots.std()), 1e-6))


def _rails(random: np.random.Generator, height: int) -> Field:
    """The profile of a metal rail across, float32 (rows, 3), from outside to the belt."""
    rows = max(3, round(RAIL * height))
    t = np.linspace(0, 1, rows, dtype=np.float32)
    level = 118 + 46 * np.cos(t * 5.2 + np.float32(random.uniform(-0.4, 0.4)))
    level = level * (1 - 0.75 * np.clip((t - 0.86) / 0.14, 0, 1))
    tint = np.array((1.03, 1.0, 0.97), np.float32)
    rail: Field = level[:, None] * tint
    return rail


def _machine_frame(
    random: np.random.Generator, width: int, height: int
) -> tuple[tuple[slice, Image], ...]:
    """Bolts and plates of many greys, along a quarter of the view above and below."""
    rows, across = height // 4, width // 32
    down = max(1, rows * across // width)
    found = []
    for place in (slice(0, rows), slice(height - rows, height)):
        plates = random.integers(60, 200, (down, across), np.uint8)
        large = cv2.resize(plates, (width, rows), interpolation=cv2.INTER_NEAREST)
        found.append((place, cast(Image, cv2.cvtColor(large, cv2.COLOR_GRAY2BGR))))
    return tuple(found)


def _rail_rows(rails: Field | None, height: int, width: int) -> tuple[tuple[slice, Image], ...]:
    if rails is None:
        return ()
    rows = np.repeat(np.clip(rails, 0, 255)[:, None], width, axis=1).astype(np.uint8)
    count = len(rows)
    return (slice(0, count), rows), (slice(height - count, height), rows[::-1].copy())


def _lens(width: int, height: int, corners: float) -> Mask:
    """A light map, as of `_uneven_light`, only of what a lens takes from the corners."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    level = 1 - np.float32(corners) * (x * x + y * y) / 2
    lit = np.rint(np.repeat(level[..., None], 3, axis=2) * _FULL_LIGHT)
    return cast(Mask, lit.astype(np.uint8))


def _uneven_light(random: np.random.Generator, width: int, height: int) -> Mask:
    """A light map, uint8 (height, width, 3): brighter to one side, darker to the corners."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    lean = random.uniform(-0.10, 0.10, 2)
    level = 1.03 + lean[0] * x + lean[1] * y - random.uniform(0.04, 0.11) * (x * x + y * y)
    level = level + 0.03 * noise(random, (height, width), grain=height * 0.6)
    warmth = np.array((1, 1, 1), np.float32) + random.uniform(-0.02, 0.02) * np.array(
        (1, 0, -1), np.float32
    )
    lit = np.rint(np.clip(level[..., None] * warmth * _FULL_LIGHT, 0, 255))
    return cast(Mask, lit.astype(np.uint8))
