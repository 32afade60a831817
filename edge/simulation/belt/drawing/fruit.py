"""Fruit: apples, oranges, lemons, pears and bananas."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edge.simulation.belt.drawing import art
from edge.simulation.belt.drawing.revolved import Body, dented, revolve
from edge.simulation.belt.drawing.surface import Canvas, Surface, shade, smooth, soft
from edge.simulation.belt.noise import Field, noise
from edge.simulation.belt.sprite import Sprite


def fruit(random: np.random.Generator, *, height: int) -> Sprite:
    """One of five kinds of fruit."""
    kinds: tuple[Callable[..., Sprite], ...] = (_apple, _orange, _lemon, _pear, _banana)
    return kinds[random.integers(len(kinds))](random, height=height)


def _apple(random: np.random.Generator, *, height: int) -> Sprite:
    radius = random.uniform(0.155, 0.21)
    canvas = _canvas(random, radius * 1.2, height)
    body = _round(canvas, random, radius, squash=random.uniform(0.9, 1.0), lumps=0.05)
    surface = canvas.empty()
    ground = art.color(random, hue=(0.13, 0.24), saturation=(0.6, 0.85), value=(0.65, 0.85))
    blush = art.color(random, hue=(-0.03, 0.03), saturation=(0.8, 0.95), value=(0.45, 0.75))
    # The stem is at a random place on the visible side.
    at_u, at_v = (float(a) for a in random.uniform(-0.45, 0.45, 2) * radius)
    du, dv = canvas.u - np.float32(at_u), canvas.v - np.float32(at_v)
    away, turn = np.hypot(du, dv), np.arctan2(dv, du)
    streaks = noise(random, (2, 256), grain=3)[0]
    streak = np.interp(turn, np.linspace(-math.pi, math.pi, 256), streaks).astype(np.float32)
    share = random.choice((random.uniform(-0.9, -0.5), random.uniform(0.2, 0.9)))
    patch = canvas.noise(random, grain=0.2) * 0.7 + streak * 0.35 + np.float32(share)
    skin = _between(ground, blush, smooth(patch, -0.35, 0.45))
    dots = smooth(canvas.noise(random, grain=0.006), 0.62, 0.8) * 0.25
    skin = skin * (1 - dots[..., None]) + dots[..., None] * np.float32(0.9)
    dip = smooth(-away, -0.36 * radius, -0.04 * radius)
    skin = skin * (1 - 0.45 * dip[..., None]) + dip[..., None] * np.array(
        (0.05, 0.16, 0.14), np.float32
    )
    slope = dip * (1 - dip) * 2.6
    normal = (
        body.normal[0] * (1 - 0.4 * dip) - slope * np.cos(turn) * 0.9,
        body.normal[1] * (1 - 0.4 * dip) - slope * np.sin(turn) * 0.9,
    )
    surface.put(body.cover, skin, normal=normal, gloss=0.65, height=body.height)
    _stem(canvas, surface, random, at=(at_u, at_v), length=radius * random.uniform(0.35, 0.6))
    return shade(canvas, surface)


def _orange(random: np.random.Generator, *, height: int) -> Sprite:
    radius = random.uniform(0.15, 0.205)
    canvas = _canvas(random, radius * 1.15, height)
    body = _round(canvas, random, radius, squash=random.uniform(0.92, 1.0), lumps=0.03)
    surface = canvas.empty()
    skin = art.color(random, hue=(0.055, 0.11), saturation=(0.85, 1), value=(0.85, 1))
    pores = canvas.noise(random, grain=0.008, octaves=2)
    normal = dented(body, pores, depth=0.0016, pixel=canvas.pixel)
    pitted = np.array(skin, np.float32) * (1 + 0.07 * pores)[..., None]
    surface.put(body.cover, pitted, normal=normal, gloss=0.45, height=body.height)
    at = random.uniform(-0.6, 0.6, 2) * radius
    star = np.hypot(canvas.u - np.float32(at[0]), canvas.v - np.float32(at[1])) / radius
    surface.put(body.cover * smooth(-star, -0.16, -0.05) * 0.6, art.mix(skin, (0, 0.1, 0), 0.45))
    surface.put(body.cover * smooth(-star, -0.08, -0.05), (0.16, 0.42, 0.36), gloss=0.0)
    return shade(canvas, surface)


def _lemon(random: np.random.Generator, *, height: int) -> Sprite:
    radius = random.uniform(0.12, 0.16)
    length = radius * random.uniform(2.6, 3.1)
    canvas = _canvas(random, length / 2 + 0.03, height, across=radius * 1.1)
    t = np.linspace(0, 1, 33)
    rounded = np.sqrt(np.clip(1 - (2 * np.clip((t - 0.07) / 0.86, 0, 1) - 1) ** 2, 0, 1))
    tips = 0.17 * np.sqrt(np.clip(1 - (2 * t - 1) ** 6, 0, 1))
    radii = np.maximum(rounded, tips)
    profile = [(float(a) * length, float(r) * radius) for a, r in zip(t, radii, strict=True)]
    body = revolve(canvas, profile, tilt=0.0, rounding=0.02)
    surface = canvas.empty()
    lime = random.random() < 0.25
    hue = (0.2, 0.27) if lime else (0.135, 0.165)
    skin = art.color(
        random, hue=hue, saturation=(0.75, 0.95), value=(0.55, 0.7) if lime else (0.9, 1)
    )
    pores = canvas.noise(random, grain=0.01, octaves=2)
    normal = dented(body, pores, depth=0.0014, pixel=canvas.pixel)
    shaded = np.array(skin, np.float32) * (1 + 0.06 * pores)[..., None]
    ends = smooth(np.abs(body.along - 0.5), 0.40, 0.5) * 0.35
    shaded = _between_field(shaded, (0.15, 0.55, 0.50), ends)
    surface.put(body.cover, shaded, normal=normal, gloss=0.5, height=body.height)
    return shade(canvas, surface)


def _pear(random: np.random.Generator, *, height: int) -> Sprite:
    radius = random.uniform(0.135, 0.175)
    length = radius * random.uniform(2.6, 3.2)
    canvas = _canvas(random, length * 0.72, height, across=radius * 1.1)
    shape = (
        (0.0, 0.02), (0.008, 0.26), (0.03, 0.50), (0.10, 0.77), (0.20, 0.95), (0.30, 1.0),
        (0.42, 0.95), (0.54, 0.80), (0.66, 0.60), (0.78, 0.48), (0.88, 0.42),
        (0.95, 0.32), (0.985, 0.18), (1.0, 0.05),
    )  # fmt: skip
    body = revolve(canvas, [(a * length, r * radius) for a, r in shape], tilt=0.0, rounding=0.012)
    surface = canvas.empty()
    skin = art.color(random, hue=(0.12, 0.22), saturation=(0.55, 0.85), value=(0.6, 0.85))
    blush = art.color(random, hue=(0.0, 0.08), saturation=(0.6, 0.8), value=(0.5, 0.75))
    patch = canvas.noise(random, grain=0.2) + np.float32(random.uniform(-0.7, 0.4))
    colors = _between(skin, blush, smooth(patch, -0.2, 0.8) * 0.8)
    dots = smooth(canvas.noise(random, grain=0.0045), 0.5, 0.7) * 0.3
    colors = _between_field(colors, (0.18, 0.32, 0.42), dots)
    bumps = canvas.noise(random, grain=0.075, octaves=2)
    normal = dented(body, bumps, depth=0.008, pixel=canvas.pixel)
    surface.put(body.cover, colors, normal=normal, gloss=0.35, height=body.height)
    _stem(canvas, surface, random, at=(length * 0.47, 0.0), length=radius * 0.5, ahead=True)
    return shade(canvas, surface)


def _banana(random: np.random.Generator, *, height: int) -> Sprite:
    radius = random.uniform(0.052, 0.068)
    length = radius * random.uniform(9, 11)
    canvas = _canvas(random, length * 0.56, height, across=length * 0.3)
    bend = length * random.uniform(0.55, 0.85)
    canvas.v = canvas.v - np.float32(length * length / (16 * bend))  # middles the arc
    canvas.bend(bend)
    shape = (
        (0.0, 0.16), (0.02, 0.22), (0.05, 0.34), (0.12, 0.72), (0.24, 0.96), (0.5, 1.0),
        (0.74, 0.94), (0.86, 0.66), (0.91, 0.36), (0.95, 0.26), (1.0, 0.25),
    )  # fmt: skip
    body = revolve(canvas, [(a * length, r * radius) for a, r in shape], tilt=0.0, rounding=0.025)
    surface = canvas.empty()
    ripe = random.uniform(0, 1)
    green, yellow = (0.20, 0.68, 0.55), (0.14, 0.78, 0.95)
    skin = art.mix(green, yellow, min(1.0, 0.3 + ripe))
    # Five flat sides instead of a round one.
    facets = (body.around / (math.pi / 2.6) + np.float32(random.random())) % 1 - np.float32(0.5)
    normal = body.normal[0], body.normal[1] - facets * np.float32(0.35)
    lines = smooth(np.abs(facets), 0.42, 0.5) * 0.16
    colors = _between_field(
        np.broadcast_to(np.array(skin, np.float32), (*canvas.u.shape, 3)), (0.05, 0.4, 0.5), lines
    )
    spots = smooth(canvas.noise(random, grain=0.015, octaves=2), 0.75 - 0.4 * ripe, 0.9)
    colors = _between_field(colors, (0.08, 0.16, 0.25), spots * 0.75)
    ends = 1 - smooth(body.along, 0.015, 0.05)
    stalk = smooth(body.along, 0.90, 0.96) * 0.45
    colors = _between_field(
        colors, (0.08, 0.14, 0.18), np.maximum(ends * 0.85, stalk * (0.5 + ripe))
    )
    surface.put(body.cover, colors, normal=normal, gloss=0.25, height=body.height)
    return shade(canvas, surface)


def _canvas(
    random: np.random.Generator, reach: float, height: int, *, across: float | None = None
) -> Canvas:
    angle = float(random.uniform(0, 2 * math.pi))
    return Canvas(reach=reach, across=across or reach, angle=angle, height=height)


def _round(
    canvas: Canvas, random: np.random.Generator, radius: float, *, squash: float, lumps: float
) -> Body:
    """A ball that is not quite round: its radius varies with the direction."""
    turn = np.arctan2(canvas.v, canvas.u)
    edge = np.ones_like(turn)
    for order in (2, 3, 5):
        size = random.normal(0, lumps / order)
        edge += np.float32(size) * np.cos(order * turn + np.float32(random.uniform(0, 6.28)))
    u, v = canvas.u / (edge * np.float32(radius)), canvas.v / (edge * np.float32(radius * squash))
    far = u * u + v * v
    z = np.sqrt(np.maximum(1 - far, 0))
    return Body(
        cover=soft((1 - np.sqrt(far)) * np.float32(radius), canvas.pixel * 1.5),
        along=(u + 1) / 2,
        around=np.arcsin(np.clip(v, -1, 1)),
        radius=np.full_like(u, radius),
        normal=(u, v),
        height=(1 + z) * np.float32(radius),
        cap=np.zeros_like(u),
        cap_at=(u, v),
    )


def _stem(
    canvas: Canvas,
    surface: Surface,
    random: np.random.Generator,
    *,
    at: tuple[float, float],
    length: float,
    ahead: bool = False,
) -> None:
    """A short curved stalk from `at`; with `ahead`, it runs along the axis."""
    angle = random.uniform(-0.5, 0.5) if ahead else random.uniform(0, 2 * math.pi)
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    du, dv = canvas.u - np.float32(at[0]), canvas.v - np.float32(at[1])
    along = (du * cos + dv * sin) / np.float32(length)
    across = dv * cos - du * sin - np.float32(random.uniform(-0.25, 0.25) * length) * along**2
    thick = 0.008 + 0.006 * smooth(along, 0.6, 1.0)
    cover = soft(thick - np.abs(across), canvas.pixel * 1.5)
    cover *= soft(np.minimum(along, 1 - along) * np.float32(length), canvas.pixel * 2)
    bark = art.color(random, hue=(0.07, 0.12), saturation=(0.4, 0.6), value=(0.22, 0.4))
    side = np.clip(across / thick, -0.9, 0.9)
    surface.put(cover, bark, normal=(-side * sin, side * cos), gloss=0.1)


def _between(one: art.Color, other: art.Color, share: Field) -> Field:
    first, second = np.array(one, np.float32), np.array(other, np.float32)
    return first + (second - first) * share[..., None]


def _between_field(colors: Field, other: art.Color, share: Field) -> Field:
    return colors + (np.array(other, np.float32) - colors) * share[..., None]
