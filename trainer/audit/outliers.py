"""Pictures that differ from all others of their class: of something else, or just rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NEIGHBOURS = 5
OUTLIER_FROM = 4.0
"""How far from its class, in robust standard deviations, an outlier is at least."""
_FEWEST = 20
"""Pictures that a class must have before outliers are looked for in it."""
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Outlier:
    """A picture that differs much from the others of its class."""

    index: int
    score: float
    """Its distance beyond the median of its class, in robust standard deviations."""
    nearest: int
    """The number of the picture of its class that is most like it."""


def find_outliers(
    features: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
) -> tuple[Outlier, ...]:
    """The outliers, the furthest first.

    A picture's distance is the mean of those (one less the cosine of the features) to the five
    most like it of its class but of other groups, so that a copy does not make it usual.

    Args:
        features: float32 (pictures, depth).
        truth: int (pictures,), the class index of each.
        groups: int (pictures,), the same number for pictures that belong together.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    found: list[Outlier] = []
    for label in np.unique(truth):
        mine = np.flatnonzero(truth == label)
        if len(mine) < _FEWEST:
            continue
        distances, nearest = _distances(unit[mine], groups[mine])
        usual = np.isfinite(distances)
        if usual.sum() < _FEWEST:
            continue
        middle = np.median(distances[usual])
        # 1.4826 makes the median deviation that of a normal distribution.
        spread = 1.4826 * np.median(np.abs(distances[usual] - middle)) + 1e-6
        scores = np.where(usual, (distances - middle) / spread, 0)
        found += [
            Outlier(int(mine[i]), round(float(scores[i]), 2), int(mine[nearest[i]]))
            for i in np.flatnonzero(scores >= OUTLIER_FROM)
        ]
    return tuple(sorted(found, key=lambda outlier: (-outlier.score, outlier.index)))


def _distances(
    unit: npt.NDArray[np.float32], groups: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Each picture's distance, infinite where too few are of other groups; and its nearest."""
    distances = np.full(len(unit), np.inf)
    nearest = np.zeros(len(unit), np.int64)
    for start in range(0, len(unit), _CHUNK):
        some = slice(start, start + _CHUNK)
        alike = (unit[some] @ unit.T).astype(np.float64)
        alike[groups[some, None] == groups[None]] = -np.inf
        nearest[some] = alike.argmax(axis=1)
        if len(unit) > NEIGHBOURS:
            best = np.sort(alike, axis=1)[:, -NEIGHBOURS:]
            distances[some] = 1 - best.mean(axis=1)
    return distances, nearest
