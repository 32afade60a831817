"""Occlusion: something covers a part of the picture, such as a hand or another item."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.augment.chance import Chance
from trainer.recipes.plan import AugmentPlan

SHAPES = ("rectangle", "ellipse", "triangle", "bar", "cut_out")


def cover(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Covers up to `plan.occlude` of half of the pictures."""
    if not plan.occlude:
        return
    for tensor, values in zip(tensors, chance.of("occlude"), strict=True):
        if values[0] > 0:
            shape = SHAPES[int((values[1] + 1) / 2 * len(SHAPES)) % len(SHAPES)]
            lay_over(tensor, plan.occlude * values[0], shape, values[2:])


def lay_over(tensor: Tensor, share: float, shape: str, draw: npt.NDArray[np.float64]) -> None:
    """Lays one of `SHAPES` of one colour over at most `share` of the picture, in place.

    A `cut_out` is an upright square of the picture's mean colour (DeVries and Taylor, Improved
    regularization of convolutional neural networks with cutout, 2017); the others are of any
    colour, and turned.

    Args:
        draw: seven values between -1 and 1: where (across, down), its angle, its proportions, its
            colour (three).
    """
    height, width, channels = tensor.shape
    middle = ((draw[0] + 1) / 2 * (width - 1), (draw[1] + 1) / 2 * (height - 1))
    area, angle = share * height * width, math.pi * draw[2]
    longer = 2 ** draw[3]  # of the two sides, as a multiple of the shorter
    colour = [round((value + 1) / 2 * 255) for value in draw[4 : 4 + channels]]
    if shape == "cut_out":
        side = round(math.sqrt(area))
        # Whole within the picture, so that it covers what it is to cover.
        top = round((draw[1] + 1) / 2 * (height - min(side, height)))
        left = round((draw[0] + 1) / 2 * (width - min(side, width)))
        part = tensor[top : top + side, left : left + side]
        part[:] = np.rint(cv2.mean(tensor)[:channels]).astype(np.uint8)
    elif shape == "ellipse":
        axes = (math.sqrt(area * longer / math.pi), math.sqrt(area / longer / math.pi))
        whole = (round(axes[0]), round(axes[1]))
        at = (round(middle[0]), round(middle[1]))
        cv2.ellipse(tensor, at, whole, math.degrees(angle), 0, 360, colour, cv2.FILLED)
    else:
        corners = _corners(shape, area, longer, max(height, width))
        cos, sin = math.cos(angle), math.sin(angle)
        turned = corners @ np.array([[cos, sin], [-sin, cos]]) + middle
        cv2.fillConvexPoly(tensor, np.rint(turned).astype(np.int32), colour)


def _corners(shape: str, area: float, longer: float, side: int) -> npt.NDArray[np.float64]:
    """float64 (corners, 2): x and y about the middle, before it is turned."""
    if shape == "triangle":
        half, high = math.sqrt(area * longer), math.sqrt(area / longer)
        return np.array([[-half, -high / 2], [half, -high / 2], [0, high / 2]])
    if shape == "bar":
        # From one side of the picture to the other, wherever it lies.
        half, thick = 1.5 * side, area / side / 2
    else:
        half, thick = math.sqrt(area * longer) / 2, math.sqrt(area / longer) / 2
    return np.array([[-half, -thick], [half, -thick], [half, thick], [-half, thick]])
