"""Whether a live camera still sees the scene that it saw at the start. Pure.

A picture that shows something may still be of no use: the lens is covered, dirty or out of focus,
or somebody has moved the camera. The scene of the first seconds is remembered, in blocks. Those in
which something moved then, such as a belt with a pattern, or in which there is nothing to be
recognised, such as a plain belt, are not asked later. Where too few are left, a picture that is
much darker everywhere is all that is noticed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image

EVERY_SECONDS = 0.25
"""How often a picture is looked at."""
_LEARNT = 16
"""So many of them are the scene of the start."""
_TOGETHER = 3
"""So many are averaged, against the noise of the sensor."""
LASTING_SECONDS = 0.8
"""A change must last for so long."""
_SIZE = 240, 180
_BLOCKS = 6, 8
"""Down and across: 30 x 30 pixels each."""
_STRUCTURE = 6.0
"""Levels of standard deviation within a block from which it can be recognised."""
_STEADY = 3.0
"""Levels by which a block may have changed while the scene was learnt."""
_FEWEST = 8
"""With fewer blocks than these their content is not asked."""
_DARK, _LIT = 0.45, 30.0
"""A block is dark where so little is left of its light, if that was so many levels at least."""
_MOST = 0.85
"""The share of blocks that must have changed. Items and hands change some."""
_SAME, _OTHER = 0.75, 0.35
"""The correlation from which a block shows the same as before, and below which it does not."""
_FLAT = 0.25
"""Of the contrast that a block had, so little is left where it is covered."""
_SOFT = 0.35
"""Of the energy of its edges, so little is left where the picture is blurred."""

_Blocks = npt.NDArray[np.float32]


class SceneChange(StrEnum):
    """What became of the scene."""

    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    blocks: _Blocks
    """(blocks, pixels): grey levels, without the mean of each block."""
    contrast: npt.NDArray[np.float32]
    """(blocks,): the standard deviation of each."""
    edges: npt.NDArray[np.float32]
    """(blocks,): the energy of its edges."""
    level: npt.NDArray[np.float32]
    """(blocks,): the mean grey level of each."""
    asked: npt.NDArray[np.bool_]
    """(blocks,): those that can be recognised, and were steady."""


class SceneChecker:
    """Tells what became of a camera's scene, from its pictures."""

    def __init__(self) -> None:
        """Knows no scene; the first pictures are it."""
        self._next = -np.inf
        self._learning: list[_Blocks] = []
        self._recent: deque[_Blocks] = deque(maxlen=_TOGETHER)
        self._scene: _Scene | None = None
        self._candidate: SceneChange | None = None
        self._since = 0.0
        self._found: SceneChange | None = None

    def look(self, image: Image, captured: float) -> SceneChange | None:
        """What is wrong with the scene now; None: nothing is, or it is not known.

        Args:
            image: uint8 (height, width, 3) BGR, with no other fault.
            captured: when it was taken, in seconds on any monotonic clock.
        """
        if captured < self._next:
            return self._found
        self._next = captured + EVERY_SECONDS
        small = cv2.cvtColor(
            cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
        )
        grey = np.asarray(small, np.float32)
        if self._scene is None:
            self._learning.append(grey)
            if len(self._learning) == _LEARNT:
                self._scene = _learnt(np.stack(self._learning))
                self._learning.clear()
            return None
        self._recent.append(grey)
        if len(self._recent) < _TOGETHER:
            return None
        candidate = _change(self._scene, np.mean(self._recent, axis=0, dtype=np.float32))
        if candidate is not self._candidate:
            self._candidate, self._since = candidate, captured
        if captured - self._since >= LASTING_SECONDS:
            self._found = candidate
        return self._found


def _learnt(pictures: _Blocks) -> _Scene:
    """The scene of several pictures: the median of each pixel, so that what passes is not in it."""
    scene = np.median(pictures, axis=0).astype(np.float32)
    spread = np.median(np.abs(pictures - scene), axis=0).astype(np.float32)
    blocks = _cut(scene)
    contrast = blocks.std(axis=1)
    steady = np.percentile(_cut(spread), 90, axis=1) <= _STEADY
    return _Scene(
        blocks - blocks.mean(axis=1, keepdims=True),
        contrast,
        _edges(scene),
        blocks.mean(axis=1),
        steady & (contrast >= _STRUCTURE),
    )


def _change(scene: _Scene, grey: _Blocks) -> SceneChange | None:
    every, lit = _cut(grey), scene.level >= _LIT
    dark = every.mean(axis=1) < _DARK * scene.level
    if _share(lit) >= _MOST and _share(dark) >= _MOST:
        return SceneChange.COVERED
    asked = scene.asked
    if np.count_nonzero(asked) < _FEWEST:
        return None
    now = every[asked]
    now = now - now.mean(axis=1, keepdims=True)
    before, contrast = scene.blocks[asked], np.maximum(now.std(axis=1), 1e-3)
    alike = (now * before).mean(axis=1) / (contrast * scene.contrast[asked])
    flat = contrast < _FLAT * scene.contrast[asked]
    if _share(flat) >= _MOST:
        return SceneChange.COVERED
    if _share(alike < _OTHER) >= _MOST:
        return SceneChange.MOVED
    # Less light has weaker edges, too: they are compared with the contrast.
    edges = _edges(grey)[asked] / contrast**2
    soft = edges < _SOFT * scene.edges[asked] / scene.contrast[asked] ** 2
    if _share(soft & (alike >= _OTHER)) >= _MOST and _share(alike >= _SAME) >= 0.5:
        return SceneChange.BLURRED
    return None


def _edges(grey: _Blocks) -> npt.NDArray[np.float32]:
    """The energy of the edges in each block."""
    laplacian = cv2.Laplacian(grey, cv2.CV_32F)
    return np.asarray((_cut(np.asarray(laplacian, np.float32)) ** 2).mean(axis=1), np.float32)


def _cut(grey: _Blocks) -> _Blocks:
    """A picture of 240 x 180 as (blocks, pixels)."""
    down, across = _BLOCKS
    height, width = grey.shape[0] // down, grey.shape[1] // across
    cut = grey.reshape(down, height, across, width).swapaxes(1, 2)
    return cut.reshape(down * across, height * width)


def _share(flags: npt.NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(flags)) / len(flags)
