"""A few changes of a list, chosen at random for each picture.

Source: Cubuk et al., RandAugment: practical automated data augmentation with a reduced search
space, NeurIPS 2020. Solarising and posterising go only as far as a photograph stays one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.augment.chance import Chance, generator
from trainer.augment.geometry import about_the_middle, warped
from trainer.augment.light import looked_up, rounded_levels, saturated
from trainer.recipes.plan import AugmentPlan

_LEVEL: npt.NDArray[np.float64] = np.arange(256, dtype=np.float64)
_STRONGEST = 10
"""The magnitude at which a change is as strong as it gets."""


def change_at_random(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Does `plan.randaugment.layers` changes to each picture, each at most of its magnitude."""
    wanted = plan.randaugment
    if not (wanted.layers and wanted.magnitude):
        return
    names = [name for name in OPERATIONS if name not in wanted.leave_out]
    for tensor, (seed,) in zip(tensors, chance.of("randaugment"), strict=True):
        rng = generator(seed)
        for number in rng.integers(0, len(names), wanted.layers):
            strength = rng.uniform(-1, 1) * wanted.magnitude / _STRONGEST
            tensor[:] = OPERATIONS[names[number]](tensor, strength)


def _moved(tensor: Tensor, linear: list[list[float]], across: float = 0, down: float = 0) -> Tensor:
    height, width = tensor.shape[:2]
    matrix = about_the_middle(np.array([linear]), height, width)[0]
    matrix[:, 2] += (across * width, down * height)
    return warped(tensor, matrix)


def _rotate(tensor: Tensor, strength: float) -> Tensor:
    cos, sin = math.cos(math.radians(30 * strength)), math.sin(math.radians(30 * strength))
    return _moved(tensor, [[cos, -sin], [sin, cos]])


def _shear_x(tensor: Tensor, strength: float) -> Tensor:
    return _moved(tensor, [[1, 0.3 * strength], [0, 1]])


def _shear_y(tensor: Tensor, strength: float) -> Tensor:
    return _moved(tensor, [[1, 0], [0.3 * strength, 1]])


def _translate_x(tensor: Tensor, strength: float) -> Tensor:
    return _moved(tensor, [[1, 0], [0, 1]], across=0.3 * strength)


def _translate_y(tensor: Tensor, strength: float) -> Tensor:
    return _moved(tensor, [[1, 0], [0, 1]], down=0.3 * strength)


def _auto_contrast(tensor: Tensor, strength: float) -> Tensor:
    low, high = (find(tensor, axis=(0, 1)).astype(np.float64) for find in (np.min, np.max))
    return looked_up(
        tensor, rounded_levels((_LEVEL[:, None] - low) * 255 / np.maximum(high - low, 1))
    )


def _equalise(tensor: Tensor, strength: float) -> Tensor:
    if tensor.shape[2] == 1:
        return cv2.equalizeHist(tensor).reshape(tensor.shape)  # type: ignore[return-value]
    return cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(tensor)])  # type: ignore[return-value]


def _posterise(tensor: Tensor, strength: float) -> Tensor:
    dropped = 2 ** round(4 * abs(strength))
    return looked_up(tensor, rounded_levels(_LEVEL // dropped * dropped))


def _solarise(tensor: Tensor, strength: float) -> Tensor:
    bright = 256 - 128 * abs(strength) <= _LEVEL
    return looked_up(tensor, rounded_levels(np.where(bright, 255 - _LEVEL, _LEVEL)))


def _colour(tensor: Tensor, strength: float) -> Tensor:
    return saturated(tensor, 1 + 0.9 * strength)


def _contrast(tensor: Tensor, strength: float) -> Tensor:
    mean = float(tensor.mean())
    return looked_up(tensor, rounded_levels((_LEVEL - mean) * (1 + 0.9 * strength) + mean))


def _brightness(tensor: Tensor, strength: float) -> Tensor:
    return looked_up(tensor, rounded_levels(_LEVEL * (1 + 0.9 * strength)))


def _sharpness(tensor: Tensor, strength: float) -> Tensor:
    soft = cv2.GaussianBlur(tensor, (3, 3), 0).reshape(tensor.shape)
    sharp = cv2.addWeighted(tensor, 1 + 0.9 * strength, soft, -0.9 * strength, 0)
    return sharp.reshape(tensor.shape)  # type: ignore[return-value]


OPERATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "rotate": _rotate,
    "shear_x": _shear_x,
    "shear_y": _shear_y,
    "translate_x": _translate_x,
    "translate_y": _translate_y,
    "auto_contrast": _auto_contrast,
    "equalise": _equalise,
    "posterise": _posterise,
    "solarise": _solarise,
    "colour": _colour,
    "contrast": _contrast,
    "brightness": _brightness,
    "sharpness": _sharpness,
}
"""Name -> the change of a tensor by a strength between -1 and 1; two of them have none."""
