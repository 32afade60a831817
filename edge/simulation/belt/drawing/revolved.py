"""Bodies of revolution that lie on the belt: cans, bottles, cups, most fruit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from edge.simulation.belt.drawing.surface import Canvas, smooth, soft
from edge.simulation.belt.noise import Field


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A body of revolution as seen from above, at each canvas pixel."""

    cover: Field
    """The share of each pixel that the body covers, 0..1."""
    along: Field
    """The position on the axis, 0..1 from the first point of the profile to its last."""
    around: Field
    """The angle around the axis from the point that is highest, in radians."""
    radius: Field
    normal: tuple[Field, Field]
    height: Field
    cap: Field
    """0..1, the flat end at the start of the axis, if it is tilted towards the camera."""
    cap_at: tuple[Field, Field]
    """The position on that end from its middle, in radii: towards the camera, and across."""


def revolve(
    canvas: Canvas, profile: Sequence[tuple[float, float]], *, tilt: float, rounding: float = 0.012
) -> Body:
    """The body that is made by turning `profile` around the axis.

    Args:
        profile: (along, radius) from the start of the axis to its end, lengths as in Canvas.
        tilt: of the axis, radians: the start of it rises, and shows its flat end.
        rounding: how far corners of the profile are rounded.
    """
    points = np.array(profile, np.float64)
    start, end = points[0, 0], points[-1, 0]
    length = end - start
    steps = np.linspace(0, 1, 512)
    radii = np.interp(start + steps * length, points[:, 0], points[:, 1])
    width = max(1.0, rounding / length * 512)
    inner = cv2.GaussianBlur(
        radii.astype(np.float32)[None, :], (0, 0), width, borderType=cv2.BORDER_REFLECT
    )[0]
    slope = np.gradient(inner, length / 511).astype(np.float32)
    sin, cos = np.float32(math.sin(tilt)), np.float32(math.cos(tilt))
    middle = np.float32((start + end) / 2 * cos)
    u, v = canvas.u + middle, canvas.v
    # A point of the upper side at axial position t and height z is seen at t cos + z sin.
    t = (u / cos - np.float32(start)) / np.float32(length)
    for _ in range(2 if tilt else 0):
        radius = _look_up(inner, t)
        z = np.sqrt(np.maximum(radius * radius - v * v, 0))
        t = ((u - z * sin) / cos - np.float32(start)) / np.float32(length)
    radius = np.maximum(_look_up(inner, t), np.float32(1e-4))
    incline = _look_up(slope, t)
    pixel = canvas.pixel
    cover = soft(radius - np.abs(v), pixel * 1.5)
    cover *= soft(np.minimum(t, 1 - t) * np.float32(length), pixel * 1.5)
    sine = np.clip(v / radius, -1, 1)
    cosine = np.sqrt(1 - sine * sine)
    norm = 1 / np.sqrt(1 + incline * incline)
    along = (-incline * cos + cosine * sin) * norm
    first = float(inner[0])
    wide = max(first * float(sin), 1e-6)
    cap_u, cap_v = (u - np.float32(start) * cos) / np.float32(wide), v / np.float32(first)
    cap = soft((1 - np.hypot(cap_u, cap_v)) * np.float32(wide), pixel * 1.5) * (1 - cover)
    if wide < pixel:
        cap = np.zeros_like(cap)
    return Body(
        cover=cover,
        along=np.clip(t, 0, 1),
        around=np.arcsin(sine),
        radius=radius,
        normal=(along, sine * norm),
        height=radius * (1 + cosine),
        cap=cap,
        cap_at=(cap_u, cap_v),
    )


def wrapped(body: Body, art: Field, *, begin: float, end: float, turn: float) -> Field:
    """The colours of a label wrapped around the body, (height, width, 3).

    Args:
        art: its height runs along the axis and its width once around.
        begin, end: where on the axis it is, 0..1.
        turn: 0..1, what part of it is on top.
    """
    height, width = art.shape[:2]
    y = (body.along - np.float32(begin)) * np.float32((height - 1) / (end - begin))
    x = (np.float32(turn) - body.around * np.float32(0.5 / math.pi)) % 1 * np.float32(width - 1)
    return cast(Field, cv2.remap(art, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def zone(body: Body, begin: float, end: float, *, edge: float = 0.006) -> Field:
    """1 between two positions on the axis, falling softly to 0 outside of them."""
    return smooth(body.along, begin - edge, begin + edge) * (
        1 - smooth(body.along, end - edge, end + edge)
    )


def dented(body: Body, dents: Field, *, depth: float, pixel: float) -> tuple[Field, Field]:
    """The body's normals with its surface pushed in as `dents` says.

    Args:
        dents: about -1..1, same size.
        depth: of a dent, length as in Canvas.
    """
    down = cv2.Sobel(dents, cv2.CV_32F, 0, 1, scale=depth / (8 * pixel))
    right = cv2.Sobel(dents, cv2.CV_32F, 1, 0, scale=depth / (8 * pixel))
    return body.normal[0] - cast(Field, right), body.normal[1] - cast(Field, down)


def _look_up(values: Field, t: Field) -> Field:
    return cast(
        Field,
        values[np.clip(t * np.float32(len(values) - 1) + 0.5, 0, len(values) - 1).astype(np.intp)],
    )
