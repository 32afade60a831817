"""Draws the confusion matrix as an SVG picture."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

_MOST_WITH_COUNTS = 40
"""The most labels with which the cells are large enough for numbers."""
_CELL, _EDGE, _FONT = 44, 16, 13
_PALE, _DARK = (247, 251, 255), (8, 48, 107)
"""The colours of a share of 0 and of 1, RGB."""
_LEAN = 40
"""The angle by which the labels below the columns are turned, in degrees, so that long ones fit."""


def draw_confusion(
    confusion: npt.NDArray[np.int64], labels: Sequence[str], title: str, file: Path
) -> None:
    """Writes an SVG with a cell for each pair of labels: counts, shaded by the share of its row.

    A viewer explains a cell in words when the pointer is on it.

    Args:
        confusion: int64 (classes, classes), rows are true labels, columns are best labels.
        labels: the label of each class.
        title: the title above the matrix.
        file: the file to write.
    """
    totals = confusion.sum(axis=1)
    room = max(map(_length, labels)) + _EDGE
    left, top = room + 2 * _FONT, 3.0 * _FONT
    side = _CELL * len(labels)
    below = top + side
    # The title is centred over the picture and may be wider than the matrix.
    width = max(left + side + _EDGE, _length(title) + 2 * _EDGE)
    height = below + math.sin(math.radians(_LEAN)) * room + 4 * _FONT

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="{_FONT}">',
        f"<title>{_text(title)}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        _words(width / 2, 1.6 * _FONT, title),
        _words(left + side / 2, height - 0.6 * _FONT, "taken for"),
        _words(_FONT, top + side / 2, "is", turned=-90),
    ]
    for i, label in enumerate(labels):
        middle = _CELL * (i + 0.5)
        parts.append(_words(left - 6, top + middle + 0.35 * _FONT, label, anchor="end"))
        parts.append(_words(left + middle, below + _FONT, label, anchor="end", turned=-_LEAN))
    for row, true in enumerate(labels):
        for column, best in enumerate(labels):
            count, total = int(confusion[row, column]), int(totals[row])
            share = count / max(total, 1)
            x, y = left + _CELL * column, top + _CELL * row
            parts.append(
                f"<g><title>{_text(f'{count} of {total} {true} taken for {best}')}</title>"
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{_CELL}" height="{_CELL}" '
                f'fill="{_shade(share)}"/>'
            )
            if count and len(labels) <= _MOST_WITH_COUNTS:
                fill = "#fff" if share > 0.5 else "#000"
                parts.append(
                    _words(x + _CELL / 2, y + _CELL / 2 + 0.35 * _FONT, str(count), fill=fill)
                )
            parts.append("</g>")
    parts.append(
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{side}" height="{side}" fill="none" '
        'stroke="#000"/></svg>\n'
    )
    file.write_text("\n".join(parts), encoding="utf-8")


def _words(
    x: float, y: float, text: str, *, anchor: str = "middle", turned: int = 0, fill: str = "#000"
) -> str:
    turn = f' transform="rotate({turned} {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{turn}>'
        f"{_text(text)}</text>"
    )


def _length(text: str) -> float:
    """The width of `text` in pixels, at most; sans-serif fonts are a little narrower."""
    wide = sum(unicodedata.east_asian_width(character) in "FW" for character in text)
    return _FONT * (0.62 * (len(text) - wide) + wide)


def _shade(share: float) -> str:
    levels = (round(pale + share * (dark - pale)) for pale, dark in zip(_PALE, _DARK, strict=True))
    return "#" + "".join(f"{level:02x}" for level in levels)


def _text(text: str) -> str:
    return html.escape(text)
