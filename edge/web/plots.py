"""Plots as drawings: where the marks of a plot are, for a template that draws them as SVG. Pure.

They are drawn here and not by a script, so that they print, follow the colours that a person's
system forces, and need no more than the page. Beside each is a table of the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 12, 28
"""Room for the words at the sides, in the drawing's units."""
_MOST_WORDS = 8
"""Words below a plot at most."""


class PlotMark(NamedTuple):
    """A value with its range: `low` and `high` are the ends of an interval, or parts of a bar."""

    low: float
    value: float
    high: float


class Word(NamedTuple):
    """A word at an axis."""

    at: float
    text: str


class Drawn(NamedTuple):
    """A mark as it is drawn: the middle, half the width, and three heights."""

    x: float
    half: float
    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, ready to be drawn in WIDTH by HEIGHT units."""

    marks: tuple[Drawn, ...]
    across: tuple[Word, ...]
    up: tuple[Word, ...]
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    floor: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def plot(
    marks: Sequence[PlotMark | None],
    names: Sequence[str],
    *,
    least: float,
    most: float,
    written: Callable[[float, int], str],
    smallest_step: float = 0.0,
    hangs: bool = False,
) -> Plot:
    """Where marks are drawn, from left to right.

    Args:
        marks: None leaves a place empty.
        names: of all places.
        least: the value at the floor.
        most: one that the plot holds; its top is the next round value.
        written: a value as it is written at the axis, with so many decimals.
        smallest_step: between values at the axis.
        hangs: whether `most` is the top, and the floor is the next round value below `least`.
    """
    step = max(smallest_step, round_step((most - least) / 4))
    ups = max(1, math.ceil((most - least) / step - 1e-9))
    top = most if hangs else least + step * ups
    least = max(0.0, most - step * ups) if hangs else least
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    count = max(1, len(names))
    room = (WIDTH - _LEFT - _RIGHT) / count
    tall = HEIGHT - _TOP - _BOTTOM

    def height(value: float) -> float:
        share = (min(max(value, least), top) - least) / (top - least)
        return round(HEIGHT - _BOTTOM - share * tall, 2)

    def middle(place: int) -> float:
        return round(_LEFT + (place + 0.5) * room, 2)

    every = math.ceil(count / _MOST_WORDS)
    return Plot(
        marks=tuple(
            Drawn(middle(place), round(min(room * 0.36, 24), 2), *map(height, mark))
            for place, mark in enumerate(marks)
            if mark is not None
        ),
        across=tuple(
            Word(middle(place), name)
            for place, name in enumerate(names)
            if (count - 1 - place) % every == 0
        ),
        up=tuple(
            Word(height(least + number * step), written(least + number * step, digits))
            for number in range(ups + 1)
        ),
    )


def round_step(about: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) that is not below `about`."""
    if about <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(about))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= about * (1 - 1e-9))
