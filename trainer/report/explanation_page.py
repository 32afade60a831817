"""The page that shows why a model answers as it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from edge.core.files import write_file
from edge.core.images.preprocess import Tensor
from trainer.evaluation.explanation import Explanation
from trainer.report.report_page import breakable, source, with_words
from trainer.report.thumbnails import Thumbnails

_SIDE = 224
_HEAT = 0.5
"""The share of the colours in a picture that shows where the model looks."""
_SCORES = 3


def write_page(file: Path, found: Sequence[Explanation], *, run: str, notes: Sequence[str]) -> None:
    """Writes the page to `file`; it needs no other file and has no scripts.

    Raises:
        StorageError: the place cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("trainer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable}
    thumbnails = Thumbnails(None, budget=8_000_000)
    page = environment.get_template("explanation.html").render(
        run=run,
        notes=notes,
        pictures=[
            {
                "name": f"{each.path.parent.name}/{each.path.name}",
                "plain": thumbnails.of_tensor(each.tensor, side=_SIDE),
                "heat": ""
                if each.heat is None
                else thumbnails.of_tensor(heated(each.tensor, each.heat), side=_SIDE),
                "scores": list(each.scores.items())[:_SCORES],
                "unknown": each.unknown,
                "alike": [
                    (thumbnails.of_tensor(one.tensor, side=_SIDE // 2), one) for one in each.alike
                ],
            }
            for each in found
        ],
        style=source("style.css"),
        symbols=source("symbols.html"),
    )
    write_file(file, with_words(page).encode("utf-8", "backslashreplace"))


def heated(tensor: Tensor, heat: np.ndarray) -> Tensor:
    """The picture, uint8 (height, width, 3) RGB, coloured where `heat` (height, width) is high."""
    colours = cv2.applyColorMap(np.asarray(255 * heat, np.uint8), cv2.COLORMAP_VIRIDIS)
    share = _HEAT * heat[:, :, None]
    picture = np.repeat(tensor, 3, axis=2) if tensor.shape[2] == 1 else tensor
    mixed = (1 - share) * picture + share * colours[:, :, ::-1]
    return np.asarray(mixed.round(), np.uint8)
