"""Why a model answers as it does to a picture, as the pages show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.report.thumbnails import Thumbnails

if TYPE_CHECKING:  # it loads TensorFlow
    from trainer.evaluation.explanation import Explanation

_HEAT = 0.5
"""The share of the colours in a picture that shows where the model looks."""
_SCORES = 3


def shown_explanation(found: Explanation, thumbnails: Thumbnails, *, side: int) -> dict[str, Any]:
    """What `templates/explained.html` shows of a picture.

    Args:
        thumbnails: makes the pictures, as long as the page has room for them.
        side: the longer side of the picture, in pixels; those of alike ones are half as long.
    """
    return {
        "name": f"{found.path.parent.name}/{found.path.name}",
        "label": found.label,
        "plain": thumbnails.of_tensor(found.tensor, side=side),
        "heat": ""
        if found.heat is None
        else thumbnails.of_tensor(heated(found.tensor, found.heat), side=side),
        "scores": list(found.scores.items())[:_SCORES],
        "unknown": found.unknown,
        "outcome": found.outcome,
        "note": found.note,
        "speaks": None if found.heat is None else float(found.heat.max()),
        "alike": [(thumbnails.of_tensor(one.tensor, side=side // 2), one) for one in found.alike],
    }


def heated(tensor: Tensor, heat: npt.NDArray[np.float32]) -> Tensor:
    """The picture, uint8 (height, width, 3) RGB, coloured where `heat` (height, width) is high."""
    colours = cv2.applyColorMap(np.asarray(255 * heat, np.uint8), cv2.COLORMAP_VIRIDIS)
    share = _HEAT * heat[:, :, None]
    picture = np.repeat(tensor, 3, axis=2) if tensor.shape[2] == 1 else tensor
    mixed = (1 - share) * picture + share * colours[:, :, ::-1]
    return np.asarray(mixed.round(), np.uint8)
