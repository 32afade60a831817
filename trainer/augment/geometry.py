"""Another place, angle and distance."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.augment.chance import Chance
from trainer.recipes.plan import AugmentPlan


def warp(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Turns, mirrors, moves, shears and scales each picture, in one go."""
    if not (
        plan.rotate
        or plan.zoom
        or plan.shear
        or plan.shift
        or plan.flip_horizontal
        or plan.flip_vertical
    ):
        return
    height, width = tensors.shape[1:3]
    for tensor, matrix in zip(tensors, _matrices(plan, chance, height, width), strict=True):
        tensor[:] = warped(tensor, matrix)


def warped(tensor: Tensor, matrix: npt.NDArray[np.float64]) -> Tensor:
    """The picture moved by an affine 2x3 matrix, mirrored at its border where nothing is left."""
    height, width = tensor.shape[:2]
    moved = cv2.warpAffine(
        tensor,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return moved.reshape(tensor.shape)  # type: ignore[return-value]


def about_the_middle(
    linear: npt.NDArray[np.float64], height: int, width: int
) -> npt.NDArray[np.float64]:
    """float64 (pictures, 2, 3): the affine matrices that do `linear` and leave the middle there."""
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    moved = middle - linear @ middle
    return np.concatenate([linear, moved[:, :, None]], axis=2)


def _matrices(
    plan: AugmentPlan, chance: Chance, height: int, width: int
) -> npt.NDArray[np.float64]:
    """float64 (pictures, 2, 3): from the source to the result."""
    angle = np.radians(plan.rotate) * chance.of("rotate")[:, 0]
    scale = 1 + plan.zoom * chance.of("zoom")[:, 0]
    shear = plan.shear * chance.of("shear")
    wanted = np.array([plan.flip_horizontal, plan.flip_vertical])
    mirror = np.where(wanted & (chance.of("flip") > 0), -1.0, 1.0)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turned = np.stack([cos, -sin, sin, cos], axis=1).reshape(-1, 2, 2)
    sheared = np.tile(np.eye(2), (len(angle), 1, 1))
    sheared[:, 0, 1], sheared[:, 1, 0] = shear[:, 0], shear[:, 1]
    matrices = about_the_middle(turned @ sheared * mirror[:, None, :], height, width)
    # By whole pixels: a picture that is only mirrored and moved stays as sharp as it was.
    matrices[:, :, 2] += np.rint(plan.shift * chance.of("shift") * (width, height))
    return matrices
