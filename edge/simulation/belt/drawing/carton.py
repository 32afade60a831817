"""Drink cartons: bricks and gable tops of printed board, seen as solids with flat faces."""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.simulation.belt.drawing import art
from edge.simulation.belt.drawing.surface import Canvas, Surface, shade, smooth
from edge.simulation.belt.noise import Field
from edge.simulation.belt.sprite import Sprite

_DISTANCE = 2.6
"""The distance from the camera to the belt, which determines the perspective."""

Corner = tuple[float, float, float]


def carton(random: np.random.Generator, *, height: int) -> Sprite:
    """A carton lying on one of its sides: with gable, or a plain brick; some with a screw cap."""
    width = random.uniform(0.19, 0.25)
    depth = width * random.uniform(0.65, 1.0)
    length = width * random.uniform(1.6, 2.2)
    gable = random.random() < 0.6
    roof = width * random.uniform(0.38, 0.55) if gable else 0.0
    fin = width * 0.16 if gable else 0.0
    whole = length + roof + fin
    reach = 0.60 * math.hypot(whole, width + depth)
    canvas = Canvas(reach=reach, across=reach, angle=0.0, height=height)
    solid = _Solid(canvas, _pose(random), middle=(whole / 2, 0.0, depth / 2))
    base = art.color(random, saturation=(0.0, 0.85), value=(0.5, 0.97))
    front = _panel(random, base, along=length, across=width)
    side = _panel(random, base, along=length, across=depth)
    plain = np.full((32, 32, 3), art.mix(base, (1, 1, 1), random.uniform(0, 0.5)), np.float32)
    w, d, end = width / 2, depth, length
    # Corners of a face run: start of the axis left and right, then its end right and left.
    solid.face(((0, -w, d), (0, w, d), (end, w, d), (end, -w, d)), front)
    solid.face(((0, w, d), (0, w, 0), (end, w, 0), (end, w, d)), side)
    solid.face(((0, -w, 0), (0, -w, d), (end, -w, d), (end, -w, 0)), side)
    solid.face(((0, -w, 0), (0, w, 0), (0, w, d), (0, -w, d)), plain)
    if gable:
        _gable(random, solid, plain, _Gable(width, depth, end, roof, fin))
    else:
        solid.face(((end, -w, d), (end, w, d), (end, w, 0), (end, -w, 0)), plain)
        if random.random() < 0.6:
            solid.disc((end * 1.0, 0.0, d * 0.5), (1, 0, 0), width * 0.16, _cap_color(random))
    surface = solid.surface()
    creases = canvas.noise(random, grain=0.09, octaves=2)
    depth_of = random.uniform(0.002, 0.014)
    down = cv2.Sobel(creases, cv2.CV_32F, 0, 1, scale=depth_of / (8 * canvas.pixel))
    right = cv2.Sobel(creases, cv2.CV_32F, 1, 0, scale=depth_of / (8 * canvas.pixel))
    surface.normal = surface.normal[0] - cast(Field, right), surface.normal[1] - cast(Field, down)
    return shade(canvas, surface)


class _Gable(NamedTuple):
    """The roof of a drinks carton, all lengths as shares of the picture."""

    width: float
    depth: float
    end: float
    """The position at which the box ends and the roof begins."""
    roof: float
    """The length of the slopes, along the carton."""
    fin: float
    """The length of the sealed edge beyond the slopes."""


def _gable(
    random: np.random.Generator,
    solid: _Solid,
    plain: Field,
    gable: _Gable,
) -> None:
    width, end, roof, fin = gable.width, gable.end, gable.roof, gable.fin
    w, d = width / 2, gable.depth
    tip, top = end + roof, end + roof + fin
    slope = plain * np.float32(0.96)
    if random.random() < 0.55:  # lies so that one of the two slopes is up
        ridge = d / 2
        solid.face(((end, -w, d), (end, w, d), (tip, w, ridge), (tip, -w, ridge)), slope)
        solid.face(((end, w, d), (end, w, 0), (tip, w, ridge), (tip, w, ridge)), slope)
        solid.face(((end, -w, 0), (end, -w, d), (tip, -w, ridge), (tip, -w, ridge)), slope)
        solid.face(((tip, -w, ridge), (tip, w, ridge), (top, w, ridge), (top, -w, ridge)), plain)
        if random.random() < 0.65:
            out = (d / 2, 0.0, roof)
            middle = ((end + tip) / 2, 0.0, (d + ridge) / 2)
            solid.disc(middle, out, width * 0.17, _cap_color(random))
        return
    # One of the folded ends is up: the roof runs together from both sides to the ridge.
    solid.face(((end, -w, d), (end, w, d), (tip, 0, d), (tip, 0, d)), slope * np.float32(0.9))
    solid.face(((end, w, d), (end, w, 0), (tip, 0, 0), (tip, 0, d)), slope)
    solid.face(((end, -w, 0), (end, -w, d), (tip, 0, d), (tip, 0, 0)), slope)
    solid.face(((tip, 0.012, d), (tip, 0.012, 0), (top, 0.012, 0), (top, 0.012, d)), plain)
    solid.face(((tip, -0.012, d), (tip, 0.012, d), (top, 0.012, d), (top, -0.012, d)), plain)


class _Solid:
    """Flat faces in space, drawn from the furthest to the nearest."""

    def __init__(self, canvas: Canvas, pose: npt.NDArray[np.float64], middle: Corner) -> None:
        self._canvas, self._pose, self._middle = canvas, pose, np.array(middle)
        self._faces: list[
            tuple[float, npt.NDArray[np.float64], Field, npt.NDArray[np.float64]]
        ] = []
        self._discs: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float, art.Color]]
        self._discs = []

    def face(self, corners: tuple[Corner, Corner, Corner, Corner], texture: Field) -> None:
        """Adds a face, seen from the side from which its corners run clockwise in the picture."""
        turned = (np.array(corners) - self._middle) @ self._pose.T
        across, along = turned[1] - turned[0], turned[2] - turned[1]
        normal = np.cross(along, across)
        normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
        self._faces.append((float(turned[:, 2].mean()), turned, texture, normal))

    def disc(self, middle: Corner, out: Corner, radius: float, color: art.Color) -> None:
        """Adds a screw cap that stands on a face whose normal is `out`."""
        normal = self._pose @ (np.array(out) / np.linalg.norm(out))
        self._discs.append((self._pose @ (np.array(middle) - self._middle), normal, radius, color))

    def surface(self) -> Surface:
        """Draws the visible faces of the solid."""
        surface = self._canvas.empty()
        for depth, corners, texture, normal in sorted(self._faces, key=lambda face: face[0]):
            if normal[2] <= 0.02:
                continue
            seen = self._seen(corners)
            # Board is a little lighter along its edges, where light catches the fold.
            rows, columns = texture.shape[:2]
            source = np.array(((columns, 0), (0, 0), (0, rows), (columns, rows)), np.float32)
            if len(np.unique(np.round(seen, 3), axis=0)) < 4:
                seen[3] = seen[2] + np.float32(0.5)
            x, y = (int(least) for least in np.floor(seen.min(0)) - 6)
            wide, tall = (int(most) for most in np.ceil(seen.max(0)) + 6 - (x, y))
            seen -= np.array((x, y), np.float32)
            matrix = cv2.getPerspectiveTransform(source, seen)
            warped = cv2.warpPerspective(
                texture, matrix, (wide, tall), borderMode=cv2.BORDER_REPLICATE
            )
            inside = _polygon((tall, wide), seen)
            fold = cv2.GaussianBlur(inside, (0, 0), 2.2)
            edges = 0.10 * (1 - smooth(cast(Field, fold), 0.5, 0.95))
            colors = np.clip(cast(Field, warped) + edges[..., None], 0, 1)
            part = (slice(y, y + tall), slice(x, x + wide))
            surface.part(part).put(
                inside,
                colors,
                normal=(float(normal[0]), float(normal[1])),
                gloss=0.28,
                height=max(depth + float(self._middle[2]), 0.02),
            )
        for middle, normal, radius, color in self._discs:
            if normal[2] > 0.12:
                self._draw_cap(surface, middle, normal, radius, color)
        return surface

    def _draw_cap(
        self,
        surface: Surface,
        middle: npt.NDArray[np.float64],
        normal: npt.NDArray[np.float64],
        radius: float,
        color: art.Color,
    ) -> None:
        """A low cylinder: its wall from bottom to top, then its top."""
        side = np.cross(normal, (0.0, 0.0, 1.0))
        side = side / max(float(np.linalg.norm(side)), 1e-9) if abs(normal[2]) < 0.999 else side
        if not side.any():
            side = np.array((1.0, 0.0, 0.0))
        other = np.cross(normal, side)
        turn = np.linspace(0, 2 * math.pi, 40, endpoint=False)[:, None]
        ring = radius * (np.cos(turn) * side + np.sin(turn) * other)
        rise = normal * radius * 0.55
        for level in np.linspace(0, 1, 9):
            seen = self._seen(middle + rise * level + ring)
            inside = _polygon(surface.cover.shape, seen)
            top = level == 1
            tone = color if top else art.mix(color, (0, 0, 0), 0.35)
            lean = (float(normal[0]), float(normal[1]))
            surface.put(inside, tone, normal=lean, gloss=0.5)

    def _seen(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """The positions of points in space on the canvas, in pixels."""
        shrink = _DISTANCE / (_DISTANCE - points[:, 2:3])
        seen = points[:, :2] * shrink / self._canvas.pixel + self._canvas.shape[0] / 2 - 0.5
        return cast(npt.NDArray[np.float32], seen.astype(np.float32))


def _polygon(shape: tuple[int, ...], corners: npt.NDArray[np.float32]) -> Field:
    """1 inside a polygon, 0 outside, smooth in between; its corners are (x, y) in pixels."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return inside.astype(np.float32) / 255


def _pose(random: np.random.Generator) -> npt.NDArray[np.float64]:
    """A random rotation on the belt, tilted as if the camera is not exactly above the item."""
    roll, pitch = random.normal(0, 0.30), random.normal(0, 0.22)
    roll, pitch = float(np.clip(roll, -0.5, 0.5)), float(np.clip(pitch, -0.4, 0.4))
    turn = random.uniform(0, 2 * math.pi)
    about_x = np.array(
        ((1, 0, 0), (0, math.cos(roll), -math.sin(roll)), (0, math.sin(roll), math.cos(roll)))
    )
    about_y = np.array(
        ((math.cos(pitch), 0, math.sin(pitch)), (0, 1, 0), (-math.sin(pitch), 0, math.cos(pitch)))
    )
    about_z = np.array(
        ((math.cos(turn), -math.sin(turn), 0), (math.sin(turn), math.cos(turn), 0), (0, 0, 1))
    )
    return cast(npt.NDArray[np.float64], about_z @ about_y @ about_x)


def _panel(random: np.random.Generator, base: art.Color, *, along: float, across: float) -> Field:
    """A printed side with words across the carton or along it."""
    rows, columns = round(along * 900), round(across * 900)
    if random.random() < 0.7:
        art_ = art.label(random, height=rows, width=2 * columns, base=base)
        return np.ascontiguousarray(art_[:, :columns])
    art_ = art.label(random, height=columns, width=2 * rows, base=base)
    return np.ascontiguousarray(art_[:, :rows].transpose(1, 0, 2)[::-1])


def _cap_color(random: np.random.Generator) -> art.Color:
    return art.color(random, saturation=(0.0, 0.95), value=(0.4, 0.97))
