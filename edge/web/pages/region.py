"""The region, drawn by hand on what the camera sees: it becomes the line for the station file.

The station file itself stays as it is: these pages may not write it, and its comments are its
owner's. What is drawn is checked as the station checks it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.responses import Response

from edge.web.visit import Visit

_PATIENCE_SECONDS = 1.5
"""How long a first picture is waited for."""
_LOOK_SECONDS = 0.1
SMALLEST = 8
"""Pixels of a side, as a station file has it at least."""


class Rectangle(NamedTuple):
    """A part of the camera's picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def line(self) -> str:
        """The line for the station file."""
        fields = ", ".join(f"{name}: {value}" for name, value in self._asdict().items())
        return f"region: {{{fields}}}"


class Shape(NamedTuple):
    """The width and the height of something, in pixels."""

    width: int
    height: int


def show(visit: Visit) -> Response:
    """The page, with what was drawn."""
    site, plan = visit.site, visit.site.plan
    silent = site.live.beat().is_silent
    found = _picture(visit) if plan.live and not silent else {}
    shape = Shape(found["width"], found["height"]) if found else None
    present = Rectangle(*found["region"]) if found and found["region"] else None
    drawn = _drawn(visit)
    mistake = drawn is None and any(visit.query.get(name) for name in Rectangle._fields)
    shown = drawn or present or (shape and Rectangle(0, 0, *shape))
    fits = drawn is not None and (shape is None or is_within(drawn, shape))
    model = visit.model
    wanted = None if model is None or model.crop != "region" else model.input_size
    proposed = None
    if drawn is not None and fits and shape is not None and wanted is not None:
        proposed = whole_multiple(drawn, Shape(*wanted), shape)
    return visit.page(
        "teach_region.html",
        shape=shape,
        present=present,
        drawn=drawn,
        shown=shown,
        mistake=mistake,
        fits=fits,
        crop=None if model is None else model.crop,
        wanted=wanted,
        proposed=proposed,
        times=0 if proposed is None or wanted is None else proposed.width // wanted[0],
        smallest=SMALLEST,
        silent=silent,
        live=plan.live,
    )


def _picture(visit: Visit) -> Mapping[str, Any]:
    """What the camera sees, which the station begins to show when it is asked."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (found := visit.site.control.picture(visit.who)) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return found


def is_within(rectangle: Rectangle, shape: Shape) -> bool:
    """Whether a rectangle lies in a picture of this shape."""
    right, bottom = rectangle.left + rectangle.width, rectangle.top + rectangle.height
    return right <= shape.width and bottom <= shape.height


def whole_multiple(drawn: Rectangle, wanted: Shape, picture: Shape) -> Rectangle | None:
    """The rectangle about the middle of `drawn` that is a whole multiple of a model's input.

    Each pixel of the input is then the mean of so many whole pixels of the camera, and nothing is
    stretched or framed by bars. Of the multiples that fit into the picture it is the one whose area
    is the nearest to the drawn one's; None: the picture is smaller than the input.
    """
    most = min(picture.width // wanted.width, picture.height // wanted.height)
    if most < 1:
        return None
    area, one = drawn.width * drawn.height, wanted.width * wanted.height
    times = min(range(1, most + 1), key=lambda number: abs(number * number * one - area))
    width, height = times * wanted.width, times * wanted.height
    left = drawn.left + (drawn.width - width) // 2
    top = drawn.top + (drawn.height - height) // 2
    return Rectangle(
        min(max(0, left), picture.width - width),
        min(max(0, top), picture.height - height), width, height,
    )  # fmt: skip


def _drawn(visit: Visit) -> Rectangle | None:
    """The rectangle that the address has; None: it has none that a station file could have."""
    texts = [visit.query.get(name, "").strip() for name in Rectangle._fields]
    if not all(text.isascii() and text.isdecimal() and len(text) < 6 for text in texts):
        return None
    found = Rectangle(*map(int, texts))
    return found if min(found.width, found.height) >= SMALLEST and max(found) <= 32768 else None
