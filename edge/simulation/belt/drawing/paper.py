"""Balls of crumpled paper: blank, ruled, printed, coloured or brown."""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from edge.simulation.belt.drawing import art
from edge.simulation.belt.drawing.surface import Canvas, shade, smooth, soft
from edge.simulation.belt.noise import Field
from edge.simulation.belt.sprite import Sprite


def paper_ball(random: np.random.Generator, *, height: int) -> Sprite:
    """A sheet of paper crumpled into a ball, with flat facets that meet in sharp folds."""
    radius = random.uniform(0.15, 0.22)
    stretch = random.uniform(0.75, 1.0)
    angle, reach = random.uniform(0, 2 * math.pi), radius * 1.15
    canvas = Canvas(reach=reach, across=reach, angle=angle, height=height)
    turn = np.arctan2(canvas.v, canvas.u)
    corners = int(random.integers(9, 16))
    at = np.sort(random.uniform(0, 2 * math.pi, corners))
    out = random.uniform(0.84, 1.10, corners)
    edge = np.interp(turn % (2 * math.pi), at, out, period=2 * math.pi).astype(np.float32)
    u, v = canvas.u / np.float32(radius), canvas.v / np.float32(radius * stretch)
    far = np.hypot(u, v) / edge
    surface = canvas.empty()
    slope_u, slope_v, folds = _facets(random, canvas, count=34, lean=0.36)
    fine_u, fine_v, fine = _facets(random, canvas, count=150, lean=0.24)
    flat = 1 - 0.45 * smooth(far, 0.3, 1.0)
    normal = (
        np.clip(u * 0.60 + (slope_u + fine_u) * flat, -0.93, 0.93),
        np.clip(v * 0.60 + (slope_v + fine_v) * flat, -0.93, 0.93),
    )
    length = np.maximum(np.hypot(*normal) / 0.97, 1)
    sheet = _sheet(random, canvas, slope_u, slope_v)
    sheet = sheet * (1 + folds * 0.12 * np.sign(slope_u) - 0.05 * fine)[..., None]
    hollows = canvas.noise(random, grain=0.06, octaves=2)
    sheet = sheet * (1 - 0.16 * smooth(hollows, 0.0, 0.7))[..., None]
    surface.put(
        soft((1 - far) * np.float32(radius), canvas.pixel * 1.5),
        np.clip(sheet, 0, 1),
        normal=(normal[0] / length, normal[1] / length),
        gloss=0.06,
        height=np.sqrt(np.clip(1 - far * far, 0, 1)) * radius + radius * 0.6,
    )
    return shade(canvas, surface)


def _facets(
    random: np.random.Generator, canvas: Canvas, *, count: int, lean: float
) -> tuple[Field, Field, Field]:
    """(slope along, slope across, 1 at the folds) of a sheet that is flat around each of `count`
    points."""
    rows, columns = canvas.shape[0] // 2, canvas.shape[1] // 2
    points = random.uniform(0, 1, (count, 2)) * (columns, rows)
    elsewhere = np.full((rows, columns), 255, np.uint8)
    for x, y in points.astype(np.intp):
        elsewhere[y, x] = 0
    _, owner = cv2.distanceTransformWithLabels(
        elsewhere, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    slopes = random.normal(0, lean, (int(owner.max()) + 1, 2)).astype(np.float32)
    field = cv2.GaussianBlur(slopes[owner], (0, 0), max(0.6, 0.004 * canvas.height / 2))
    sharp = cv2.morphologyEx(
        owner.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
    )
    size = canvas.shape[::-1]
    folds = cv2.resize((sharp > 0).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    field = cv2.resize(field, size, interpolation=cv2.INTER_LINEAR)
    return field[..., 0], field[..., 1], cast(Field, folds)


def _sheet(random: np.random.Generator, canvas: Canvas, slope_u: Field, slope_v: Field) -> Field:
    """The colour of the paper; print is interrupted at the folds, because each facet shows another
    part of it."""
    kind = random.random()
    if kind < 0.5:
        base = art.color(random, saturation=(0.0, 0.06), value=(0.86, 0.97))
    elif kind < 0.75:
        base = art.color(random, saturation=(0.15, 0.7), value=(0.7, 0.95))
    else:
        base = art.color(random, hue=(0.07, 0.1), saturation=(0.3, 0.5), value=(0.6, 0.8))
    colors = np.empty((*canvas.u.shape, 3), np.float32)
    colors[:] = base
    printing = random.random()
    if printing < 0.45:
        return colors
    u = canvas.u + slope_v * np.float32(0.10)
    v = canvas.v + slope_u * np.float32(0.10)
    ink: art.Color
    if printing < 0.7:  # ruled
        step, ink = random.uniform(0.018, 0.026), (0.75, 0.55, 0.4)
        lines = smooth(-np.abs((v / np.float32(step)) % 1 - 0.5), -0.10, -0.04) * 0.6
    else:  # printed: lines of words
        step, ink = random.uniform(0.012, 0.018), (0.25, 0.25, 0.25)
        row = np.floor(v / np.float32(step))
        breaks = np.sin(u * 190 + row * 37.7) + np.sin(u * 71 + row * 12.9)
        lines = smooth(-np.abs((v / np.float32(step)) % 1 - 0.5), -0.26, -0.18)
        lines *= smooth(breaks, -0.9, -0.6) * 0.6
    return colors + (np.array(ink, np.float32) - colors) * lines[..., None]
