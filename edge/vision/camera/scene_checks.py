"""Whether a live camera still sees the scene that it saw at the start. Pure.

A picture that shows something may still be of no use: the lens is covered, dirty or out of focus,
or somebody has moved the camera. The scene of the first seconds, or that of a reference picture
which was taken at set-up, is remembered, in blocks. Those in which something moved then, such as a
belt with a pattern, or in which there is nothing to be recognised, such as a plain belt, are not
asked later. Where too few are left, a picture that is much darker everywhere is all that is
noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image
from edge.vision.structure import (
    FEWEST,
    MOST,
    OTHER,
    SAME,
    STRUCTURE,
    Blocks,
    alike,
    cut,
    in_grey,
    is_another_scene,
)

EVERY_SECONDS = 0.25
"""How often a picture is looked at."""
LEARNT = 16
"""So many of them are the scene of the start."""
_TOGETHER = 3
"""So many are averaged, against the noise of the sensor."""
LASTING_SECONDS = 0.8
"""A change must last for so long."""
SIZE = 240, 180
"""Width and height, to which pictures are reduced first."""
_BLOCKS = 6, 8
"""Down and across: 30 x 30 pixels each."""
_STEADY = 3.0
"""Levels by which a block may have changed while the scene was learnt."""
_STILL = 0.9
"""The share of a block's pixels that must be steady."""
_DARK, _LIT = 0.45, 30.0
"""A block is dark where so little is left of its light, if that was so many levels at least."""
_FLAT = 0.25
"""Of the contrast that a block had, so little is left where it is covered."""
_SOFT = 0.35
"""Of the energy of its edges, so little is left where the picture is blurred."""


class SceneChange(StrEnum):
    """What became of the scene."""

    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    blocks: Blocks
    """(blocks, pixels): grey levels."""
    contrast: npt.NDArray[np.float32]
    """(blocks,): the standard deviation of each."""
    edges: npt.NDArray[np.float32]
    """(blocks,): the energy of its edges."""
    level: npt.NDArray[np.float32]
    """(blocks,): the mean grey level of each."""
    asked: npt.NDArray[np.bool_]
    """(blocks,): those that can be recognised, and were steady."""


class SceneChecker:
    """Tells what became of a camera's scene, from its pictures.

    Attributes:
        suspected: what the latest pictures tell, which counts only once it has lasted.
        since: the capture time of the picture that first told it.
        well: that of the middle one of the last pictures in which nothing was wrong; None: there
            were none.
    """

    def __init__(self, reference: Image | None = None) -> None:
        """Knows the scene of a reference picture, or none yet.

        Args:
            reference: uint8 (180, 240, 4) BGRA of `reference_of`; None: the first pictures are the
                scene.
        """
        self._next = -np.inf
        self._learning: list[Blocks] = []
        self._recent: deque[Blocks] = deque(maxlen=_TOGETHER)
        self._looked: deque[float] = deque(maxlen=_TOGETHER)
        self._scene = None if reference is None else _referred(reference)
        self.suspected: SceneChange | None = None
        self.since = 0.0
        self.well: float | None = None
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
        grey = in_grey(reduced(image))
        if self._scene is None:
            self._learning.append(grey)
            if len(self._learning) == LEARNT:
                self._scene = _learnt(np.stack(self._learning))
                self._learning.clear()
            return None
        self._recent.append(grey)
        self._looked.append(captured)
        if len(self._recent) < _TOGETHER:
            return None
        candidate = _change(self._scene, np.mean(self._recent, axis=0, dtype=np.float32))
        if candidate is not self.suspected:
            self.suspected, self.since = candidate, captured
        if candidate is None:
            self.well = self._looked[-2]
        if captured - self.since >= LASTING_SECONDS:
            self._found = candidate
        return self._found


def reduced(image: Image) -> Image:
    """A picture, uint8 (height, width, 3) BGR, as (180, 240, 3)."""
    return np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def reference_of(pictures: Sequence[Image]) -> Image:
    """The reference picture of several reduced ones: uint8 (180, 240, 4) BGRA, the median of each
    pixel, which is transparent where it changed from picture to picture."""
    scene = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    steady = _spread(np.stack([in_grey(picture) for picture in pictures])) <= _STEADY
    return np.dstack([scene, np.where(steady, np.uint8(255), np.uint8(0))])


def recognisable(reference: Image) -> float:
    """The share of a reference picture, 0 to 1, that can be recognised; 0: too little, so that
    neither a moved nor a blurred camera is noticed."""
    asked = _referred(reference).asked
    return _share(asked) if np.count_nonzero(asked) >= FEWEST else 0.0


def _referred(reference: Image) -> _Scene:
    return _scene_of(in_grey(reference[:, :, :3]), reference[:, :, 3] == 255)


def _spread(pictures: Blocks) -> Blocks:
    """How much each pixel differs from its median, as the median of that."""
    scene = np.median(pictures, axis=0)
    return np.asarray(np.median(np.abs(pictures - scene), axis=0), np.float32)


def _learnt(pictures: Blocks) -> _Scene:
    """The scene of several pictures: the median of each pixel, so that what passes is not in it."""
    return _scene_of(np.median(pictures, axis=0).astype(np.float32), _spread(pictures) <= _STEADY)


def _scene_of(scene: Blocks, still: npt.NDArray[np.bool_]) -> _Scene:
    """The scene of a picture in grey levels, of which the pixels in `still` did not change."""
    blocks = cut(scene, *_BLOCKS)
    contrast = blocks.std(axis=1)
    steady = cut(still.astype(np.float32), *_BLOCKS).mean(axis=1) >= _STILL
    return _Scene(
        blocks,
        contrast,
        _edges(scene),
        blocks.mean(axis=1),
        steady & (contrast >= STRUCTURE),
    )


def _change(scene: _Scene, grey: Blocks) -> SceneChange | None:
    every, lit = cut(grey, *_BLOCKS), scene.level >= _LIT
    dark = every.mean(axis=1) < _DARK * scene.level
    if _share(lit) >= MOST and _share(dark) >= MOST:
        return SceneChange.COVERED
    asked = scene.asked
    if np.count_nonzero(asked) < FEWEST:
        return None
    now = every[asked]
    contrast = np.maximum(now.std(axis=1), 1e-3)
    if _share(contrast < _FLAT * scene.contrast[asked]) >= MOST:
        return SceneChange.COVERED
    correlations = alike(now, scene.blocks[asked])
    if is_another_scene(correlations):
        return SceneChange.MOVED
    # Less light has weaker edges, too: they are compared with the contrast.
    edges = _edges(grey)[asked] / contrast**2
    soft = edges < _SOFT * scene.edges[asked] / scene.contrast[asked] ** 2
    recognised = _share(correlations >= SAME) >= 0.5
    if recognised and _share(soft & (correlations >= OTHER)) >= MOST:
        return SceneChange.BLURRED
    return None


def _edges(grey: Blocks) -> npt.NDArray[np.float32]:
    """The energy of the edges in each block."""
    laplacian = cv2.Laplacian(grey, cv2.CV_32F)
    return np.asarray(
        (cut(np.asarray(laplacian, np.float32), *_BLOCKS) ** 2).mean(axis=1), np.float32
    )


def _share(flags: npt.NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(flags)) / len(flags)
