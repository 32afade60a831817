"""Augmented training pictures: another place, light, lens. Never part of the exported graph.

Changes come in the order in which they would in front of a camera: what lies behind the item, where
it lies, what lies over it, its light, the lens, the sensor, the file.
"""

from __future__ import annotations

import numpy as np

from edge.core.images.preprocess import Tensor
from trainer.augment.background_swap import change_backgrounds
from trainer.augment.camera_effects import blur, make_noise
from trainer.augment.chance import Chance
from trainer.augment.geometry import warp
from trainer.augment.light import cast_shadows, change_levels
from trainer.augment.occlusion import cover
from trainer.augment.randaugment import change_at_random
from trainer.recipes.plan import AugmentPlan

_CHANGES = (
    change_backgrounds,
    warp,
    cover,
    change_at_random,
    change_levels,
    cast_shadows,
    blur,
    make_noise,
)


def augmented(tensor: Tensor, plan: AugmentPlan, rng: np.random.Generator) -> Tensor:
    """A new uint8 tensor of the same shape, changed at random within the limits of `plan`.

    Args:
        tensor: uint8 (height, width, channels).
        rng: where the chance comes from; see `augment_batch`.
    """
    result: Tensor = augment_batch(tensor[None], plan, rng)[0]
    return result


def augment_batch(tensors: Tensor, plan: AugmentPlan, rng: np.random.Generator) -> Tensor:
    """New uint8 tensors, each as `augmented` would give it, one after the other; much faster.

    Args:
        tensors: uint8 (pictures, height, width, channels).
        rng: where the chance comes from. Each picture draws the same number of values whatever the
            plan, so that switching one change off leaves the others as they were.
    """
    chance = Chance(rng, len(tensors))
    result: Tensor = np.array(tensors, order="C")
    for change in _CHANGES:
        change(result, plan, chance)
    return result
