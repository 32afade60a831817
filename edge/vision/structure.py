"""Whether a picture still shows the scene of another one, block by block. Pure.

Pictures are cut into blocks. Those that have some structure can be recognised by it, whatever the
light is: by the correlation of their grey levels. Where there are too few of them, as of a plain
belt, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.image_file import Image

Blocks = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
_Level = TypeVar("_Level", bound=np.generic)

STRUCTURE = 6.0
"""Levels of standard deviation within a block from which it can be recognised."""
FEWEST = 8
"""With fewer such blocks nothing is said."""
MOST = 0.85
"""The share of blocks that must have changed. Items and hands change some."""
SAME, OTHER = 0.75, 0.35
"""The correlation from which a block shows the same as before, and below which it does not."""
_ACROSS = 8
"""So many blocks lie along the longer side of a trigger's picture."""
_STEADY = 4.0
"""The spread in levels up to which a block shows the scene, and not a belt's passing pattern."""
_LEAST = 0.02
"""A smaller difference beside known objects, as a share of the picture, is none of the scene."""
_SPECK = np.ones((3, 3), np.uint8)
_FEWEST_SEEN = 3
"""With fewer blocks that no known object hides, nothing is said."""
_SOME = 0.25
"""The share of blocks from which on what is gone is more than the rim of an object."""


def cut(picture: npt.NDArray[_Level], down: int, across: int) -> npt.NDArray[_Level]:
    """A picture, (height, width), as (blocks, pixels); a remainder is left out.

    Args:
        down, across: the numbers of blocks.
    """
    height, width = picture.shape[0] // down, picture.shape[1] // across
    whole = picture[: down * height, : across * width]
    blocks = whole.reshape(down, height, across, width).swapaxes(1, 2)
    return blocks.reshape(down * across, height * width)


def alike(now: Blocks, before: Blocks) -> npt.NDArray[np.float32]:
    """(blocks,): the correlation of each block with what it was before, -1 to 1."""
    now = now - now.mean(axis=1, keepdims=True)
    before = before - before.mean(axis=1, keepdims=True)
    scale = np.maximum(now.std(axis=1), 1e-3) * np.maximum(before.std(axis=1), 1e-3)
    return np.asarray((now * before).mean(axis=1) / scale, np.float32)


def is_another_scene(correlations: npt.NDArray[np.float32]) -> bool:
    """Whether blocks that can be recognised show another scene.

    Blocks of two scenes correlate by chance, as where each has one edge: some of them by more than
    `OTHER`, few by more than `SAME`, and on average hardly at all. What has covered a part of the
    scene leaves all other blocks the same.

    Args:
        correlations: (blocks,), of `alike`.
    """
    same = np.count_nonzero(correlations >= SAME)
    return bool(same <= (1 - MOST) * len(correlations) and correlations.mean() < OTHER)


class SceneDoubt:
    """Whether a trigger's pictures still show the scene of its background, from one to the next.

    Much of another scene may have the colours of the one before, so that less of the picture
    differs than an item may cover. But the structure of the background is then gone everywhere, and
    not only within what is as large as an item.

    Attributes:
        lasts: whether parts of the scene are gone that are too far apart to be behind one object,
            so that what is in front may be none.
    """

    def __init__(self, largest: float) -> None:
        """Doubts nothing yet.

        Args:
            largest: the share of the picture that an unknown object may hide.
        """
        self._largest = largest
        self.lasts = False

    def is_another(
        self,
        picture: Image,
        levels: Image,
        spread: Blocks,
        *,
        front: cv2.typing.MatLike,
        known: Sequence[tuple[slice, slice]],
    ) -> bool:
        """Whether a picture shows another scene than a background with some structure.

        Args:
            picture, levels: the picture and the background, uint8 (height, width, 3) BGR.
            spread: float32 of the same shape, the background's standard deviation over time.
            front: uint8 (height, width), not 0 where they differ.
            known: the places of known objects, which hide the background. They are not heeded as
                long as there is a doubt: in another scene they may be anywhere.
        """
        doubted, self.lasts = self.lasts, False
        if cv2.countNonZero(front) <= _LEAST * front.size:
            return False
        height, width = picture.shape[:2]
        behind = np.zeros((height, width), np.uint8)
        for part in () if doubted else known:
            behind[part] = 1
        new = cv2.morphologyEx(
            cv2.bitwise_and(front, front, mask=1 - behind), cv2.MORPH_OPEN, _SPECK
        )
        if cv2.countNonZero(new) <= _LEAST * new.size:
            return False
        _, _, wide, tall = cv2.boundingRect(cv2.bitwise_or(new, behind))
        if wide * tall <= self._largest * new.size:
            return False
        side = max(height, width) / _ACROSS
        down, across = max(1, round(height / side)), max(1, round(width / side))
        before = cut(in_grey(levels), down, across)
        steady = cut(spread[..., 0], down, across).mean(axis=1) <= _STEADY
        able = steady & (before.std(axis=1) >= STRUCTURE)
        hidden = cut(behind, down, across).any(axis=1)
        asked = able & ~hidden
        count = np.count_nonzero(asked)
        if np.count_nonzero(able) < FEWEST or count < _FEWEST_SEEN:
            return False
        correlations = alike(cut(in_grey(picture), down, across)[asked], before[asked])
        gone = np.zeros_like(asked)
        gone[asked] = correlations < SAME
        another = is_another_scene(correlations) and (
            _extent(gone | hidden, down, across) > self._largest
        )
        many = bool(np.count_nonzero(gone) > _SOME * count)
        self.lasts = another or (many and _extent(gone, down, across) > self._largest)
        return another and bool(count >= FEWEST)


def _extent(flags: Flags, down: int, across: int) -> float:
    """The area of the box around the blocks that are true, as a share of the picture."""
    rows, columns = np.nonzero(flags.reshape(down, across))
    if not len(rows):
        return 0.0
    return float((np.ptp(rows) + 1) * (np.ptp(columns) + 1)) / (down * across)


def in_grey(image: Image) -> Blocks:
    """float32 (height, width): the grey levels of a BGR picture."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
