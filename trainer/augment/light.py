"""Another light: exposure, colour temperature, shadows."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.augment.chance import Chance
from trainer.recipes.plan import AugmentPlan


def change_levels(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Changes what depends on a pixel's own level alone, all by one table for each picture."""
    if not (plan.brightness or plan.contrast or plan.color or plan.gamma or plan.white_balance):
        return
    tables = _tables(plan, chance, tensors.shape[3])
    for tensor, table in zip(tensors, tables, strict=True):
        tensor[:] = looked_up(tensor, table)


def looked_up(tensor: Tensor, table: Tensor) -> Tensor:
    """The picture with each level replaced by `table`, uint8 (256,) or (256, channels)."""
    if table.ndim == 2 and table.shape[1] == 1:
        table = table[:, 0]
    return cv2.LUT(tensor, table[None]).reshape(tensor.shape)  # type: ignore[return-value]


def _tables(plan: AugmentPlan, chance: Chance, channels: int) -> Tensor:
    """uint8 (pictures, 256, channels): the new value of each level."""
    level = np.arange(256, dtype=np.float64)[None, :, None]
    gain = (1 + plan.brightness * chance.of("brightness")) * (
        1 + plan.color * chance.of("color")[:, :channels]
    )
    if channels == 3:
        # A warm light has more red and less blue, a cold one the other way.
        gain *= 1 + plan.white_balance * chance.of("white_balance") * (1, 0, -1)
    contrast = 1 + plan.contrast * chance.of("contrast")[:, :, None]
    changed = ((level - 128) * contrast + 128) * gain[:, None, :]
    if plan.gamma:
        power = (1 + plan.gamma) ** chance.of("gamma")[:, :, None]
        changed = 255 * (np.clip(changed, 0, 255) / 255) ** power
    return rounded_levels(changed)


def cast_shadows(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Lights half of the pictures from one side, or lets a shadow fall across them."""
    if not plan.light:
        return
    for tensor, (share, direction, place, edge) in zip(tensors, chance.of("light"), strict=True):
        if share > 0:
            tensor[:] = shaded(
                tensor, plan.light * share, math.pi * direction, place=place, edge=edge
            )


def shaded(tensor: Tensor, share: float, direction: float, *, place: float, edge: float) -> Tensor:
    """The picture with one side up to `share` darker.

    Args:
        direction: radians, towards the dark.
        place: -1..1, where the middle of the slope lies on the way there.
        edge: -1..1; below 0 the light falls off across the whole picture, above it within a strip,
            the narrower the nearer to 1, as at the edge of a shadow.
    """
    height, width, channels = tensor.shape
    steep = 1.0 if edge < 0 else 1 + 15 * edge
    across = np.linspace(-1, 1, width, dtype=np.float32) * math.cos(direction)
    down = np.linspace(-1, 1, height, dtype=np.float32) * math.sin(direction)
    along = np.add.outer(down * steep, (across - 0.7 * place) * steep)
    # In 128ths: a product of bytes is one pass of SIMD.
    dark = np.clip(along, -1, 1, out=along)
    gain = (128.5 - 64 * share * (1 + dark)).astype(np.uint8)
    factors = gain if channels == 1 else cv2.merge([gain] * channels)
    lit = cv2.multiply(tensor, factors.reshape(tensor.shape), scale=1 / 128)
    return lit.reshape(tensor.shape)  # type: ignore[return-value]


def saturated(tensor: Tensor, factor: float) -> Tensor:
    """The picture with its colours `factor` times as far from grey; a grey one unchanged."""
    if tensor.shape[2] == 1:
        return tensor
    grey = cv2.cvtColor(cv2.cvtColor(tensor, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(tensor, factor, grey, 1 - factor, 0)  # type: ignore[return-value]


def rounded_levels(levels: npt.NDArray[np.floating]) -> Tensor:
    """The levels of pixels, or of a table for `looked_up`, rounded and clipped to 0..255; uint8."""
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
