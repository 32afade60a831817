"""Effects of lens, movement, sensor and file compression on a picture."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.augment.chance import Chance
from trainer.recipes.plan import AugmentPlan

_SPREAD = 32
"""Standard deviation of the stored noise, in levels about 128."""


def blur(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Blurs by each kind of blur half of the pictures."""
    if plan.defocus:
        for tensor, (share,) in zip(tensors, chance.of("defocus"), strict=True):
            if share > 0:
                tensor[:] = defocused(tensor, plan.defocus * share)
    if plan.motion:
        for tensor, (share, direction) in zip(tensors, chance.of("motion"), strict=True):
            if share > 0:
                tensor[:] = motion_blurred(tensor, plan.motion * share, math.pi * direction)
    if plan.blur:
        for tensor, (share,) in zip(tensors, chance.of("blur"), strict=True):
            if share > 0:
                tensor[:] = gaussian_blurred(tensor, 0.1 + plan.blur * share)


def make_noise(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Adds noise to half of the pictures, and saves half of them as JPEG."""
    if plan.noise:
        for tensor, (share, row, column) in zip(tensors, chance.of("noise"), strict=True):
            if share > 0:
                tensor[:] = noisy(tensor, plan.noise * share, row=row, column=column)
    if plan.jpeg:
        for tensor, (share,) in zip(tensors, chance.of("jpeg"), strict=True):
            if share > 0:
                tensor[:] = through_jpeg(tensor, round(100 * (1 - plan.jpeg * share)))


def gaussian_blurred(tensor: Tensor, sigma: float) -> Tensor:
    """The picture as a soft lens shows it; `sigma` in pixels."""
    return cv2.GaussianBlur(tensor, (0, 0), sigma).reshape(tensor.shape)  # type: ignore[return-value]


def defocused(tensor: Tensor, radius: float) -> Tensor:
    """The picture out of focus: each point becomes a disc of `radius` pixels."""
    reach = math.ceil(radius)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    # Half a pixel of slope at the rim, so that the radius need not be whole.
    disc = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)
    return _filtered(tensor, disc)


def motion_blurred(tensor: Tensor, length: float, direction: float) -> Tensor:
    """The picture of a thing that moved on by `length` pixels; `direction` in radians."""
    reach = math.ceil(length / 2)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    cos, sin = math.cos(direction), math.sin(direction)
    across = np.clip(1 - np.abs(columns * sin - rows * cos), 0, 1)
    along = np.clip(length / 2 + 0.5 - np.abs(columns * cos + rows * sin), 0, 1)
    return _filtered(tensor, across * along)


def noisy(tensor: Tensor, sigma: float, *, row: float = 0, column: float = 0) -> Tensor:
    """The picture with Gaussian noise of `sigma` levels.

    Args:
        row, column: -1..1; which part of the stored noise it is. Drawing it anew for each picture
            would take longer than all else.
    """
    height, width, channels = tensor.shape
    stored = _stored_noise(height, width, channels)
    top, left = int((row + 1) / 2 * height), int((column + 1) / 2 * width)
    part = stored[top : top + height, left : left + width]
    share = sigma / _SPREAD
    added = cv2.addWeighted(tensor, 1, part, share, -128 * share)
    return added.reshape(tensor.shape)  # type: ignore[return-value]


def through_jpeg(tensor: Tensor, quality: int) -> Tensor:
    """The picture as a JPEG file of `quality` 1..100 keeps it."""
    colour = tensor.shape[2] == 3
    picture = cv2.cvtColor(tensor, cv2.COLOR_RGB2BGR) if colour else tensor
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, max(1, quality)])[1]
    back = cv2.imdecode(coded, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    assert back is not None
    kept = cv2.cvtColor(back, cv2.COLOR_BGR2RGB) if colour else back
    return kept.reshape(tensor.shape)  # type: ignore[return-value]


def _filtered(tensor: Tensor, kernel: npt.NDArray[np.float64]) -> Tensor:
    weights = (kernel / kernel.sum()).astype(np.float32)
    return cv2.filter2D(tensor, -1, weights).reshape(tensor.shape)  # type: ignore[return-value]


@functools.lru_cache(maxsize=2)
def _stored_noise(height: int, width: int, channels: int) -> Tensor:
    """uint8 (2 * height + 1, 2 * width + 1, channels), about 128."""
    values = np.random.default_rng(0).normal(
        128, _SPREAD, (2 * height + 1, 2 * width + 1, channels)
    )
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
