"""The confusion matrix as a picture: what is taken for what."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

_MOST_WITH_COUNTS = 40
"""Labels above which the cells are too small for numbers."""


def draw_confusion(
    confusion: npt.NDArray[np.int64], labels: Sequence[str], title: str, file: Path
) -> None:
    """Writes a PNG with a cell for each pair of labels: counts, shaded by the share of its row.

    Args:
        confusion: (classes, classes), row the true label, column the best label.
    """
    # The object-oriented face, without pyplot: no display, no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = min(30.0, max(4.5, 1.8 + 0.62 * len(labels)))
    figure = Figure(figsize=(size, size), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    totals = confusion.sum(axis=1, keepdims=True)
    shares = confusion / np.maximum(totals, 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(labels)):
        for column in range(len(labels)):
            if confusion[row, column] and len(labels) <= _MOST_WITH_COUNTS:
                axes.text(
                    column,
                    row,
                    str(confusion[row, column]),
                    ha="center",
                    va="center",
                    color="white" if shares[row, column] > 0.5 else "black",
                    fontsize=11,
                )
    # A label may have dollar signs, which would else be read as mathematics.
    axes.set_xticks(
        range(len(labels)),
        labels,
        rotation=40,
        ha="right",
        rotation_mode="anchor",
        parse_math=False,
    )
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    axes.set_title(title, fontsize=11)
    with warnings.catch_warnings():
        # A script that the font lacks is drawn as boxes; the numbers are still right.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, dpi=110)
