"""Cans, bottles and cups."""

from __future__ import annotations

import math

import numpy as np

from edge.simulation.belt.drawing import art
from edge.simulation.belt.drawing.revolved import Body, dented, revolve, wrapped, zone
from edge.simulation.belt.drawing.surface import Canvas, Surface, shade, smooth
from edge.simulation.belt.sprite import Sprite

_ALUMINIUM = (0.80, 0.80, 0.79)


def can(random: np.random.Generator, *, height: int) -> Sprite:
    """A drinks can, printed or bare, sometimes crushed."""
    radius = random.uniform(0.125, 0.165)
    length = radius * random.uniform(3.1, 4.2)
    tilt = random.uniform(0.06, 0.30)
    squash = random.uniform(0.0, 1.0) if random.random() < 0.35 else 0.0
    canvas = Canvas(
        reach=length / 2 + 0.02, across=radius * 1.1, angle=_any_angle(random), height=height
    )
    waist = 1 - 0.22 * squash
    profile = (
        (0, radius * 0.82),
        (length * 0.02, radius * 0.84),
        (length * 0.09, radius),
        (length * 0.35, radius),
        (length * random.uniform(0.45, 0.6), radius * waist),
        (length * 0.75, radius),
        (length * 0.94, radius),
        (length, radius * 0.80),
    )
    body = revolve(canvas, profile, tilt=tilt, rounding=0.008)
    surface = canvas.empty()
    crumple = canvas.noise(random, grain=0.06, octaves=3)
    normal = dented(body, crumple, depth=0.002 + 0.035 * squash, pixel=canvas.pixel)
    surface.put(body.cover, _ALUMINIUM, normal=normal, gloss=0.5, metal=0.9, height=body.height)
    base = art.color(random) if random.random() < 0.75 else (0.86, 0.86, 0.85)
    print_ = art.label(random, height=220, width=512, base=base)
    # Words run along the can about as often as around it.
    if random.random() < 0.5:
        print_ = art.label(random, height=512, width=320, base=base).transpose(1, 0, 2)[:, ::-1]
        print_ = np.ascontiguousarray(print_)
    colors = wrapped(body, print_, begin=0.08, end=0.93, turn=random.random())
    printed = body.cover * zone(body, 0.085, 0.925)
    surface.put(printed, colors, gloss=0.75, metal=random.uniform(0.35, 0.6))
    for at in (0.035, 0.965):
        surface.put(
            body.cover * zone(body, at - 0.012, at + 0.012) * 0.5, (0.45, 0.45, 0.45), metal=0.9
        )
    _lid(canvas, surface, body, random)
    return shade(canvas, surface)


def _lid(canvas: Canvas, surface: Surface, body: Body, random: np.random.Generator) -> None:
    """The flat end of a can: rim, sunk panel, tab or the drawn bottom."""
    across, up = body.cap_at[1], body.cap_at[0]
    far = np.hypot(across, up)
    # Its normal points along the axis, away from the body.
    surface.put(
        body.cap,
        (0.70, 0.70, 0.70),
        normal=(-0.55, across * 0.1),
        gloss=0.4,
        metal=0.85,
        height=body.radius,
    )
    groove = smooth(-np.abs(far - np.float32(0.84)), -0.09, -0.02)
    surface.put(body.cap * groove * 0.7, (0.36, 0.36, 0.37), metal=0.8)
    if random.random() < 0.6:
        tab = smooth(-np.hypot(across * 2.6, (up - 0.1) * 1.4), -0.75, -0.6)
        hole = smooth(-np.hypot(across * 3.2, (up - 0.2) * 3), -0.55, -0.45)
        surface.put(body.cap * tab, (0.84, 0.84, 0.84), metal=0.7, gloss=0.6)
        surface.put(body.cap * hole, (0.22, 0.22, 0.23), metal=0.4)


def bottle(random: np.random.Generator, *, height: int) -> Sprite:
    """A bottle of plastic or glass, clear or coloured, with or without label and cap."""
    radius = random.uniform(0.088, 0.118)
    length = radius * random.uniform(5.4, 6.9)
    neck = radius * random.uniform(0.30, 0.42)
    shoulder = random.uniform(0.52, 0.66)
    slope = random.uniform(0.12, 0.24)
    tilt = random.uniform(0.0, 0.22)
    plastic = random.random() < 0.6
    canvas = Canvas(
        reach=length / 2 + 0.02, across=radius * 1.1, angle=_any_angle(random), height=height
    )
    waist = random.uniform(0.84, 1.0) if plastic else 1.0
    profile = [
        (0, radius * 0.80),
        (length * 0.025, radius * 0.97),
        (length * 0.12, radius),
        (length * 0.30, radius * waist),
        (length * 0.44, radius),
        (length * shoulder, radius * 0.98),
        (length * (shoulder + slope * 0.45), radius * 0.76),
        (length * min(shoulder + slope, 0.86), neck * 1.05),
        (length * 0.905, neck),
        (length, neck),
    ]
    body = revolve(canvas, profile, tilt=tilt, rounding=0.02)
    surface = canvas.empty()
    tint, opacity = _bottle_material(random, plastic=plastic)
    normal = body.normal
    if plastic:
        ribs = np.sin(body.along * np.float32(2 * math.pi * random.integers(14, 26)))
        share = zone(body, 0.05, shoulder - 0.02, edge=0.03) * np.float32(random.uniform(0.05, 0.3))
        dents = canvas.noise(random, grain=0.1, octaves=2)
        normal = dented(body, dents, depth=random.uniform(0.0, 0.012), pixel=canvas.pixel)
        normal = normal[0] + ribs * share, normal[1]
    # Light that shines through is weakest where it has the longest way: at the edges.
    rim = smooth(np.abs(np.sin(body.around)), 0.5, 1.0)
    see_through = opacity + (1 - opacity) * 0.75 * rim
    clear = np.array(tint, np.float32) * (1 - 0.45 * rim * (1 - opacity))[..., None]
    surface.put(
        body.cover, clear, normal=normal, gloss=1.0, height=body.height, opacity=see_through
    )
    fill = random.uniform(0.0, 0.7)
    if random.random() < 0.5 and opacity < 0.9:
        liquid = art.color(random, saturation=(0.1, 0.9), value=(0.25, 0.9))
        wet = body.cover * zone(body, 0.02, fill + 0.05) * 0.55
        surface.put(wet, liquid, gloss=1.0, opacity=0.9)
    if random.random() < 0.8:
        begin = random.uniform(0.10, 0.28)
        end = begin + random.uniform(0.16, shoulder - begin - 0.03)
        paper = art.color(random, saturation=(0.0, 0.9), value=(0.4, 1))
        print_ = art.label(random, height=200, width=512, base=paper)
        colors = wrapped(body, print_, begin=begin, end=end, turn=random.random())
        surface.put(body.cover * zone(body, begin, end), colors, gloss=0.35)
    if random.random() < 0.85:
        _closure(surface, body, random)
    base = body.cap * 1.0
    surface.put(
        base,
        art.mix(tint, (0, 0, 0), 0.35),
        normal=(-0.5, body.cap_at[1] * 0.3),
        gloss=0.7,
        height=body.radius,
        opacity=min(1.0, opacity + 0.25),
    )
    return shade(canvas, surface)


def _bottle_material(random: np.random.Generator, *, plastic: bool) -> tuple[art.Color, float]:
    """(its colour, how much of the belt it hides)."""
    kind = random.random()
    if plastic and kind < 0.55:
        return art.mix((0.95, 0.92, 0.88), art.color(random, hue=(0.5, 0.6)), 0.15), 0.30
    if plastic and kind < 0.8:
        return art.color(random, saturation=(0.5, 0.9), value=(0.3, 0.8)), 0.72
    if plastic:
        return art.color(random, saturation=(0.0, 0.9), value=(0.6, 0.95)), 1.0
    if kind < 0.35:
        return art.color(random, hue=(0.25, 0.4), saturation=(0.6, 0.9), value=(0.18, 0.4)), 0.90
    if kind < 0.7:
        return art.color(random, hue=(0.04, 0.09), saturation=(0.7, 0.9), value=(0.2, 0.38)), 0.92
    return (0.86, 0.90, 0.84), 0.34


def _closure(surface: Surface, body: Body, random: np.random.Generator) -> None:
    """A screw cap, ridged, in any colour."""
    begin = random.uniform(0.915, 0.94)
    color = art.color(random, saturation=(0.0, 1.0), value=(0.25, 0.95))
    ridges = 1 + 0.16 * np.sign(np.sin(body.around * 22))
    surface.put(
        body.cover * zone(body, begin, 1.2),
        np.array(color, np.float32) * ridges[..., None],
        gloss=0.4,
    )
    ring = body.cover * zone(body, begin - 0.012, begin - 0.004, edge=0.003)
    surface.put(ring, art.mix(color, (0, 0, 0), 0.3), gloss=0.4)


def cup(random: np.random.Generator, *, height: int) -> Sprite:
    """A paper or plastic cup: open, with its inside to be seen, or under a lid."""
    wide = random.uniform(0.14, 0.185)
    narrow = wide * random.uniform(0.66, 0.78)
    length = wide * random.uniform(2.1, 2.9)
    tilt = random.uniform(0.15, 0.55)
    canvas = Canvas(
        reach=length / 2 + wide * 0.6, across=wide * 1.1, angle=_any_angle(random), height=height
    )
    lidded = random.random() < 0.4
    profile = [(0.0, wide), (length, narrow)]
    if lidded:
        profile = [
            (-0.035, wide * 0.80), (-0.012, wide * 0.86), (-0.008, wide * 1.05),
            (0.012, wide * 1.05), (0.016, wide), (length, narrow),
        ]  # fmt: skip
    body = revolve(canvas, profile, tilt=tilt, rounding=0.003)
    surface = canvas.empty()
    dents = canvas.noise(random, grain=0.125, octaves=2)
    normal = dented(body, dents, depth=random.uniform(0, 0.01), pixel=canvas.pixel)
    paper = random.random() < 0.75
    base = art.color(random, saturation=(0.0, 0.75), value=(0.55, 0.97))
    surface.put(body.cover, base, normal=normal, gloss=0.15 if paper else 0.8, height=body.height)
    print_ = art.label(random, height=220, width=512, base=base)
    colors = wrapped(body, print_, begin=0.1, end=0.95, turn=random.random())
    surface.put(body.cover, colors, gloss=0.15 if paper else 0.8)
    if random.random() < 0.4:  # a sleeve of brown card
        card = art.color(random, hue=(0.06, 0.1), saturation=(0.35, 0.55), value=(0.5, 0.75))
        flutes = 1 + 0.05 * np.sin(body.around * 60)
        sleeve = np.array(card, np.float32) * flutes[..., None]
        surface.put(body.cover * zone(body, 0.3, 0.75), sleeve, gloss=0.05)
    surface.put(body.cover * zone(body, 0.965, 1.2) * 0.35, art.mix(base, (0, 0, 0), 0.5))
    if lidded:
        _cup_lid(surface, body, random, length=length)
    else:
        _inside(surface, body, random, base=base)
    return shade(canvas, surface)


def _cup_lid(surface: Surface, body: Body, random: np.random.Generator, *, length: float) -> None:
    dark = random.random() < 0.4
    color = (0.12, 0.12, 0.13) if dark else (0.93, 0.94, 0.95)
    share = (0.035 + 0.016) / (length + 0.035)
    surface.put(body.cover * zone(body, -1, share, edge=0.004), color, gloss=0.6)
    up, across = body.cap_at
    surface.put(body.cap, color, normal=(-0.6, across * 0.15), gloss=0.5, height=body.radius)
    ring = smooth(-np.abs(np.hypot(up, across) - np.float32(0.78)), -0.12, -0.03)
    surface.put(body.cap * ring * 0.4, art.mix(color, (0, 0, 0), 0.6), gloss=0.5)
    hole = smooth(-np.hypot((up - 0.45) * 2.2, across * 4), -0.5, -0.36)
    surface.put(body.cap * hole, (0.05, 0.05, 0.05))


def _inside(surface: Surface, body: Body, random: np.random.Generator, *, base: art.Color) -> None:
    """What one sees through the mouth of an open cup: the far wall, its shade, the rolled rim."""
    up, across = body.cap_at
    far = np.hypot(up, across)
    white = art.mix((0.93, 0.95, 0.96), base, 0.15)
    wall = np.array(white, np.float32) * (0.62 - 0.30 * up + 0.12 * across)[..., None]
    surface.put(body.cap, wall, normal=(0.25, -across * 0.6), gloss=0.1, height=body.radius)
    floor = smooth(-np.hypot(up + 0.12, across), -0.62, -0.5)
    wet = art.color(random, hue=(0.05, 0.1), saturation=(0.5, 0.8), value=(0.15, 0.4))
    bottom = wet if random.random() < 0.5 else art.mix(white, (0, 0, 0), 0.55)
    surface.put(body.cap * floor, bottom, normal=(-0.3, 0.0), gloss=0.2)
    rim = body.cap * smooth(far, 0.88, 0.93)
    surface.put(rim, (0.96, 0.97, 0.98), normal=(-0.2, across * 0.4), gloss=0.3)


def _any_angle(random: np.random.Generator) -> float:
    return float(random.uniform(0, 2 * math.pi))
