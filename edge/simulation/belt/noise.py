"""Smooth random noise, from which textures and uneven light are made."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.floating[Any]]
"""Real numbers, mostly float32, (height, width), or (height, width, 3) for colours."""


def noise(
    random: np.random.Generator, shape: tuple[int, int], *, grain: float, octaves: int = 1
) -> Field:
    """Smooth noise, float32 of `shape`, about -1..1.

    Args:
        grain: the size of its largest spots, in pixels.
    """
    rows, columns = shape
    total = np.zeros(shape, np.float32)
    weight, height = 1.0, 0.0
    for _ in range(octaves):
        cells = max(2, round(rows / grain) + 1), max(2, round(columns / grain) + 1)
        coarse = random.uniform(-1, 1, cells).astype(np.float32)
        finer = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
        total += np.float32(weight) * cast(Field, finer)
        height += weight
        weight, grain = weight / 2, grain / 2
    return total / np.float32(height)
