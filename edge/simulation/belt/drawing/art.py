"""The print on items: colours, invented words and labels."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.simulation.belt.noise import Field

Color = tuple[float, float, float]
"""BGR, 0..1."""

_FACES = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX)
_STARTS = ("FRE", "LIM", "NOR", "SO", "BEL", "KA", "MI", "TRO", "AL", "VI", "ZE", "PU", "OR", "LU")
_ENDS = ("SH", "ONA", "DIC", "LA", "TA", "RA", "MO", "PIC", "PA", "VO", "STA", "RE", "SO", "NA")


def color(
    random: np.random.Generator,
    *,
    hue: tuple[float, float] = (0, 1),
    saturation: tuple[float, float] = (0.45, 0.95),
    value: tuple[float, float] = (0.35, 0.9),
) -> Color:
    """A random colour within ranges of 0..1; a hue below 0 is counted back from 1."""
    red, green, blue = colorsys.hsv_to_rgb(
        random.uniform(*hue) % 1, random.uniform(*saturation), random.uniform(*value)
    )
    return blue, green, red


def mix(one: Color, other: Color, share: float) -> Color:
    """A mixture of two colours, with the share `share` of the second."""
    b, g, r = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return b, g, r


def word(random: np.random.Generator) -> str:
    """An invented word that looks like a brand."""
    return str(random.choice(_STARTS)) + str(random.choice(_ENDS))


def label(
    random: np.random.Generator, *, height: int, width: int, base: Color, lettering: bool = True
) -> Field:
    """A printed label, float32 (height, width, 3): bands, shapes, a word, small print, a bar code.

    Words run along the width.
    """
    art = np.empty((height, width, 3), np.uint8)  # OpenCV writes text on nothing else
    art[:] = _level(base)
    bright = sum(base) / 3 > 0.5
    ink = color(random, saturation=(0.5, 1), value=(0.1, 0.45) if bright else (0.75, 1))
    accent = color(random, saturation=(0.6, 1), value=(0.5, 1))
    pattern = random.integers(5)
    if pattern == 0:  # bands around
        for _ in range(random.integers(1, 4)):
            at, thick = random.integers(height), random.integers(height // 20, height // 5)
            cv2.rectangle(
                art, (0, int(at)), (width, int(at + thick)), _level(_tone(random, accent)), -1
            )
    elif pattern == 1:  # a wave
        x = np.arange(width)
        y = height * (0.5 + 0.18 * np.sin(2 * np.pi * (x / width * 2 + random.random())))
        points = np.stack((x, y), 1).astype(np.int32)
        points = np.concatenate((points, np.array(((width, height), (0, height)), np.int32)))
        cv2.fillPoly(art, [points], _level(accent))
    elif pattern == 2:  # discs
        for _ in range(random.integers(4, 12)):
            centre = (int(random.integers(width)), int(random.integers(height)))
            radius = int(random.integers(height // 14, height // 5))
            cv2.circle(art, centre, radius, _level(_tone(random, accent)), -1, cv2.LINE_AA)
    elif pattern == 3:  # slanted stripes
        step = int(random.integers(width // 12, width // 5))
        for x0 in range(-height, width, 2 * step):
            corners = np.array(
                (
                    (x0, 0),
                    (x0 + step, 0),
                    (x0 + step + height // 2, height),
                    (x0 + height // 2, height),
                )
            )
            cv2.fillPoly(art, [corners.astype(np.int32)], _level(accent), cv2.LINE_AA)
    else:  # a lighter middle
        ramp = 1 - np.abs(np.linspace(-1, 1, height, dtype=np.float32))[:, None, None]
        tinted = art + (np.array(_level(accent), np.float32) - art) * ramp * 0.8
        art = np.rint(tinted).astype(np.uint8)
    if lettering:
        for start in (0.04, 0.54):  # seen from either side
            _write(random, art, ink, accent, left=start * width, room=0.42 * width)
    return art.astype(np.float32) / 255


def _level(color: Color) -> Color:
    b, g, r = (round(255 * part) for part in color)
    return b, g, r


def _tone(random: np.random.Generator, of: Color) -> Color:
    return mix(of, (1, 1, 1) if random.random() < 0.5 else (0, 0, 0), random.uniform(0, 0.4))


def _write(
    random: np.random.Generator, art: Image, ink: Color, accent: Color, *, left: float, room: float
) -> None:
    height = art.shape[0]
    middle = height * random.uniform(0.35, 0.6)
    if random.random() < 0.6:  # a badge behind the word
        centre = (round(left + room / 2), round(middle))
        axes = (round(room * 0.52), round(height * random.uniform(0.16, 0.26)))
        badge = (0.97, 0.97, 0.97) if sum(ink) < 1.5 else (0.08, 0.08, 0.1)
        cv2.ellipse(art, centre, axes, 0, 0, 360, _level(badge), -1, cv2.LINE_AA)
        cv2.ellipse(art, centre, axes, 0, 0, 360, _level(accent), max(1, height // 60), cv2.LINE_AA)
    text, face = word(random), int(random.choice(_FACES))
    thick = max(1, height // 45)
    (wide, tall), _ = cv2.getTextSize(text, face, 1, 1)
    scale = min(room * 0.9 / wide, height * 0.22 / tall)
    at = (round(left + (room - wide * scale) / 2), round(middle + tall * scale / 2))
    cv2.putText(art, text, at, face, scale, _level(ink), thick, cv2.LINE_AA)
    for line in range(3):  # small print
        y = round(height * 0.80 + line * height * 0.055)
        end = left + room * random.uniform(0.5, 0.95)
        cv2.line(art, (round(left + room * 0.08), y), (round(end), y), _level(ink), 1, cv2.LINE_AA)
