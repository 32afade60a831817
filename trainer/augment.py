"""Augmented training pictures: another angle, distance, light. Never part of the exported graph."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.model.preprocess import Tensor
from trainer.recipe import AugmentPlan


def augmented(tensor: Tensor, plan: AugmentPlan, rng: np.random.Generator) -> Tensor:
    """A new uint8 tensor of the same shape, changed at random as far as `plan` allows.

    Args:
        tensor: uint8 (height, width, channels).
        rng: where the chance comes from; one call draws the same number of values whatever the
            plan, so that switching one change off leaves the others as they were.
    """
    draw = rng.uniform(-1, 1, 16)
    height, width = tensor.shape[:2]
    warped = cv2.warpAffine(
        tensor,
        _transform(plan, draw, height, width),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    if plan.blur > 0 and draw[8] > 0:
        warped = cv2.GaussianBlur(warped, (0, 0), 0.1 + plan.blur * draw[8])
    result: Tensor = np.asarray(warped, np.uint8).reshape(tensor.shape)
    levels = _levels(plan, draw, tensor.shape[2])
    for channel in range(tensor.shape[2]):
        result[:, :, channel] = levels[channel][result[:, :, channel]]
    if plan.occlude > 0 and draw[12] > 0:
        _cover(result, plan.occlude * draw[12], draw[13:16])
    return result


def _transform(plan: AugmentPlan, draw: np.ndarray, height: int, width: int) -> np.ndarray:
    """The affine 2x3 matrix from the source to the result, about the middle of the picture."""
    angle = math.radians(plan.rotate) * draw[0]
    scale = 1 + plan.zoom * draw[1]
    mirror_x = -1 if plan.flip_horizontal and draw[2] > 0 else 1
    mirror_y = -1 if plan.flip_vertical and draw[3] > 0 else 1
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[cos * mirror_x, -sin * mirror_y], [sin * mirror_x, cos * mirror_y]])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    moved = middle - linear @ middle + plan.shift * draw[4:6] * (width, height)
    return np.hstack([linear, moved[:, None]])


def _levels(plan: AugmentPlan, draw: np.ndarray, channels: int) -> np.ndarray:
    """uint8 (channels, 256): what becomes of each level."""
    level = np.arange(256, dtype=np.float64)[None, :]
    gain = (1 + plan.brightness * draw[6]) * (1 + plan.color * draw[9 : 9 + channels, None])
    changed = ((level - 128) * (1 + plan.contrast * draw[7]) + 128) * gain
    return np.asarray(np.clip(np.rint(changed), 0, 255), np.uint8)


def _cover(tensor: Tensor, share: float, draw: np.ndarray) -> None:
    """Lays a grey square over `share` of the picture, as a hand or another item would."""
    height, width = tensor.shape[:2]
    rows, columns = round(height * math.sqrt(share)), round(width * math.sqrt(share))
    top = round((draw[0] + 1) / 2 * (height - rows))
    left = round((draw[1] + 1) / 2 * (width - columns))
    tensor[top : top + rows, left : left + columns] = round((draw[2] + 1) / 2 * 255)
