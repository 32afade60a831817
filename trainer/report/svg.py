"""Draws charts as inline SVG: lines, dots and whiskers on two axes, with tooltips.

Colours come from the style of the page by CSS class, so that they follow its light and dark scheme;
each series also has its own dash or shape.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 20.0, 16.0, 38.0
_DOT = 3.6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a chart."""

    label: str
    """The text below the x axis; the text of a y axis is in the chart's caption."""
    low: float
    high: float
    ticks: tuple[float, ...]
    text: Callable[[float], str] = "{:g}".format
    logarithmic: bool = False

    def along(self, value: float) -> float:
        """The position of `value`, 0 at the low end of the axis and 1 at its high end."""
        if self.logarithmic:
            low, high = math.log(self.low), math.log(self.high)
            return (math.log(max(value, 1e-30)) - low) / (high - low)
        return (value - self.low) / (self.high - self.low)


def percent(value: float) -> str:
    """A share as the text of a tick, such as "90%"."""
    return f"{100 * value:.3g}%"


def share_axis(label: str, low: float = 0.0, high: float = 1.0) -> Axis:
    """An axis of shares that includes `low`..`high`, with round steps."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 6 or s == 0.2)
    low, high = max(0.0, math.floor(low / step + 1e-9) * step), min(1.0, high)
    if low >= high:
        low = high - step
    count = math.floor((high - low) / step + 1e-9)
    return Axis(label, low, high, tuple(low + i * step for i in range(count + 1)), percent)


def linear_axis(label: str, low: float, high: float, *, whole: bool = False) -> Axis:
    """An axis that includes `low`..`high`, with about five ticks, with `whole` at whole numbers."""
    high = high if high > low else low + 1
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough - 1e-12)
    step = max(1.0, step) if whole else step
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return Axis(label, low, high, tuple(i * step for i in range(first, last + 1)))


def log_axis(
    label: str, low: float, high: float, *, text: Callable[[float], str] = "{:g}".format
) -> Axis:
    """A logarithmic axis with ticks at 1, 2 and 5 times the powers of ten, or at fewer of these."""
    high = high if high > low else 2 * low
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 5), (1,)):
        ticks = tuple(
            tick for p in powers for s in steps if low * 0.999 <= (tick := s * 10.0**p) <= high
        )
        if len(ticks) <= 7:
            break
    return Axis(label, low, high, ticks or (low, high), text, logarithmic=True)


@dataclass(slots=True)
class Chart:
    """A chart that is drawn step by step; `kind` is a CSS class of the page's style."""

    title: str
    """The description of the chart for screen readers."""
    x: Axis
    y: Axis
    width: float = 440
    height: float = 260
    _parts: list[str] = field(default_factory=list)
    _marks: list[str] = field(default_factory=list)

    def line(self, points: Sequence[Point], kind: str) -> None:
        """Draws a line through the points that are finite."""
        known = [point for point in points if all(math.isfinite(value) for value in point)]
        if len(known) > 1:
            path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in known)
            self._parts.append(f'<polyline class="line {kind}" points="{path}"/>')

    def dot(self, x: float, y: float, kind: str, tip: str, *, size: float = 1.0) -> None:
        """Draws a mark with a tooltip: a disc, a square for kind `b`, a diamond for `mark`."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        left, top, r = self._x(x), self._y(y), _DOT * size
        if kind == "b":
            shape = f'x="{left - r:.1f}" y="{top - r:.1f}" width="{2 * r:.1f}" height="{2 * r:.1f}"'
            shape = f'<rect class="dot {kind}" {shape}>'
        elif kind == "mark":
            r *= 1.7
            corners = [(left, top - r), (left + r, top), (left, top + r), (left - r, top)]
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
            shape = f'<polygon class="dot {kind}" points="{path}">'
        else:
            shape = f'<circle class="dot {kind}" cx="{left:.1f}" cy="{top:.1f}" r="{r:.1f}">'
        tag = shape[1 : shape.index(" ")]
        self._marks.append(f"{shape}<title>{_text(tip)}</title></{tag}>")

    def name(self, x: float, y: float, text: str) -> None:
        """Writes the name of a mark beside it, on the side where there is more room.

        It is clear of a line that rises from left to right.
        """
        place, top = self._x(x), self._y(y)
        end = place > self.width / 2
        left, top = (place - 7, top - 5) if end else (place + 7, top + 13)
        self._parts.append(
            f'<text class="small" x="{left:.1f}" y="{top:.1f}" '
            f'text-anchor="{"end" if end else "start"}">{_text(text)}</text>'
        )

    def hover(self, x: float, tip: str, width: float) -> None:
        """Adds a tooltip over the whole height, centred at `x` and `width` wide on the axis."""
        left, right = (self._x(min(max(v, self.x.low), self.x.high))
                       for v in (x - width / 2, x + width / 2))  # fmt: skip
        self._marks.append(
            f'<rect class="hover" x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" '
            f'height="{self.height - _TOP - _BOTTOM:.1f}"><title>{_text(tip)}</title></rect>'
        )

    def whisker(self, x: float, low: float, high: float, kind: str) -> None:
        """Draws a vertical line from `low` to `high`."""
        self._parts.append(
            f'<line class="whisker {kind}" x1="{self._x(x):.1f}" x2="{self._x(x):.1f}" '
            f'y1="{self._y(self._held(low)):.1f}" y2="{self._y(self._held(high)):.1f}"/>'
        )

    def bar(self, low: float, high: float, share: float, tip: str) -> None:
        """Draws a pale bar on the x axis from `low` to `high`, as high as `share` of the chart."""
        top = self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)
        self._parts.append(
            f'<rect class="bar" x="{self._x(low) + 1:.1f}" y="{top:.1f}" '
            f'width="{max(1.0, self._x(high) - self._x(low) - 2):.1f}" '
            f'height="{self.height - _BOTTOM - top:.1f}"><title>{_text(tip)}</title></rect>'
        )

    def region(self, low: float, high: float, label: str, *, shaded: bool) -> None:
        """Marks a range of the x axis and writes its name above."""
        left, right = self._x(low), self._x(high)
        if shaded:
            self._parts.insert(
                0,
                f'<rect class="shade" x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" '
                f'height="{self.height - _TOP - _BOTTOM:.1f}"/>',
            )
        if right - left > 6.2 * len(label):
            self._parts.append(
                f'<text class="small" x="{(left + right) / 2:.1f}" y="{_TOP - 4}" '
                f'text-anchor="middle">{_text(label)}</text>'
            )

    def upright(self, x: float, label: str) -> None:
        """Draws a dashed vertical line, with its name at the bottom."""
        place = self._x(x)
        end = place > self.width / 2
        self._parts.append(
            f'<line class="rule" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" '
            f'y2="{self.height - _BOTTOM:.1f}"/>'
            f'<text class="small" x="{place + (-4 if end else 4):.1f}" '
            f'y="{self.height - _BOTTOM - 5:.1f}" text-anchor="{"end" if end else "start"}">'
            f"{_text(label)}</text>"
        )

    def level(self, y: float, label: str) -> None:
        """Draws a dashed horizontal line, with its name at the left."""
        if not self.y.low <= y <= self.y.high:
            return
        place = self._y(y)
        self._parts.append(
            f'<line class="rule" x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{place:.1f}" '
            f'y2="{place:.1f}"/><text class="small" x="{_LEFT + 5}" y="{place - 4:.1f}">'
            f"{_text(label)}</text>"
        )

    def svg(self) -> Markup:
        """The chart as SVG for a page."""
        parts = [
            f'<svg class="chart" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-label="{_text(self.title)}">',
            *self._grid(),
            *self._parts,
            *self._marks,
            "</svg>",
        ]
        return Markup("\n".join(parts))

    def _grid(self) -> list[str]:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        parts = [
            f'<text class="axis" x="{(_LEFT + right) / 2:.1f}" y="{self.height - 4:g}" '
            f'text-anchor="middle">{_text(self.x.label)}</text>',
        ]
        for tick in self.x.ticks:
            place = self._x(tick)
            parts.append(
                f'<line class="tick" x1="{place:.1f}" x2="{place:.1f}" y1="{bottom}" '
                f'y2="{bottom + 4}"/><text x="{place:.1f}" y="{bottom + 16}" '
                f'text-anchor="middle">{_text(self.x.text(tick))}</text>'
            )
        for tick in self.y.ticks:
            place = self._y(tick)
            parts.append(
                f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>'
                f'<text x="{_LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">'
                f"{_text(self.y.text(tick))}</text>"
            )
        parts.append(f'<line class="base" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
        return parts

    def _x(self, value: float) -> float:
        return _LEFT + self.x.along(value) * (self.width - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        bottom = self.height - _BOTTOM
        return bottom - self.y.along(self._held(value)) * (bottom - _TOP)

    def _held(self, value: float) -> float:
        return min(max(value, self.y.low), self.y.high)


def gauge(
    value: float | None, interval: tuple[float, float] | None, *, low: float = 0, high: float = 1
) -> Markup:
    """A small horizontal whisker with a dot, for a cell of a table; empty without a value."""
    if value is None or interval is None:
        return Markup("")
    left, right, middle = (
        100 * (min(max(each, low), high) - low) / (high - low) for each in (*interval, value)
    )
    zero = 100 * -low / (high - low)
    rule = f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="10"/>' if low < 0 else ""
    return Markup(
        f'<svg class="gauge" viewBox="-4 0 108 10" aria-hidden="true">{rule}'
        f'<line class="whisker a" x1="{left:.1f}" x2="{right:.1f}" y1="5" y2="5"/>'
        f'<circle class="dot a" cx="{middle:.1f}" cy="5" r="3.6"/></svg>'
    )


def _text(text: str) -> str:
    return html.escape(text)
