"""Another background, where the picture has a plain one that can be found."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Tensor
from trainer.augment.chance import Chance, generator
from trainer.augment.light import rounded_levels
from trainer.recipes.plan import AugmentPlan

_TOLERANCE = 28
"""Levels by which a pixel of the board may differ from its expected colour (texture, JPEG)."""
_PLAIN = 0.75
"""Share of the border that is as expected, if there is a board."""
_SHARES = (0.15, 0.9)
"""The share of the picture that a board may cover: less is no background; more leaves no item, or
an item of the board's own colour."""
_MOST_RAGGED = 150
"""The largest perimeter squared over area (a disc has 13) of the region that is not board. If it is
more, the item has the board's colour or fills the picture, and a part of it was taken for board."""
_DARKEST = 64
"""Mean level below which a board's own shading is mostly noise, and is not kept."""
_GRID = 32
"""Rows and columns of the small picture on whose rim the board's colour is measured."""


def change_backgrounds(tensors: Tensor, plan: AugmentPlan, chance: Chance) -> None:
    """Gives a share of `plan.background` of the pictures another background, where one is found."""
    if not plan.background:
        return
    for tensor, (wish, seed) in zip(tensors, chance.of("background"), strict=True):
        if (wish + 1) / 2 < plan.background and (board := find_board(tensor)) is not None:
            backdrop = draw_backdrop(tensor.shape, generator(seed))
            tensor[:] = on_backdrop(tensor, board, backdrop)


def find_board(tensor: Tensor) -> Tensor | None:
    """uint8 (height, width), 255 where a plain board reaches the border; None without a board."""
    expected = _empty_board(tensor)
    if expected is None:
        return None
    channels = tensor.shape[2]
    far = cv2.absdiff(tensor, expected)
    near = cv2.inRange(far, (0.0,) * channels, (float(_TOLERANCE),) * channels)
    # A rim of one pixel joins all parts of the board, so that one filling finds them.
    joined = cv2.copyMakeBorder(near, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(joined, None, (0, 0), 128)
    board: Tensor = cv2.inRange(joined[1:-1, 1:-1], 128, 128)  # type: ignore[assignment]
    item = board.size - cv2.countNonZero(board)
    if not _SHARES[0] <= 1 - item / board.size <= _SHARES[1]:
        return None
    outline = cv2.morphologyEx(board, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    perimeter = cv2.countNonZero(outline) / 2  # it has a pixel on either side
    return board if perimeter**2 <= _MOST_RAGGED * item else None


def _empty_board(tensor: Tensor) -> Tensor | None:
    """uint8, as `tensor`: the picture without its item, judged by its border; None: none is plain.

    A board is never lit evenly: its levels are a quadratic surface over the picture, fitted to the
    border twice, the second time without what lay far off.
    """
    height, width, channels = tensor.shape
    small = cv2.resize(tensor, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    levels = small.reshape(-1, channels).astype(np.float64)
    rim, terms = _rim_and_terms()
    used = np.ones(len(rim), bool)
    surface = np.repeat(np.median(levels[rim], axis=0)[None], len(levels), axis=0)
    for tolerance in (2 * _TOLERANCE, _TOLERANCE):
        used = np.abs(levels[rim] - surface[rim]).max(axis=1) <= tolerance
        if used.mean() < _PLAIN:
            return None
        surface = terms @ np.linalg.lstsq(terms[rim[used]], levels[rim[used]], rcond=None)[0]
    if (np.abs(levels[rim] - surface[rim]).max(axis=1) <= _TOLERANCE).mean() < _PLAIN:
        return None
    coarse = rounded_levels(surface).reshape(_GRID, _GRID, channels)
    expected = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return expected.reshape(tensor.shape)  # type: ignore[return-value]


@functools.cache
def _rim_and_terms() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Indices of the small picture's rim, and for each of its pixels 1, x, y, xx, xy, yy."""
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : _GRID * 1j, -1 : 1 : _GRID * 1j])
    rim = np.flatnonzero(np.maximum(np.abs(x), np.abs(y)) > 1 - 1 / _GRID)
    return rim, np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def draw_backdrop(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """uint8 `shape`: a board of one colour, of several that run into one another, or mottled."""
    height, width, channels = shape
    grid = (1, 2, 3, 14)[rng.integers(4)]
    colour = rng.uniform(20, 235) + rng.normal(0, 20, channels)
    mottled = rng.normal(0, 20, (grid, grid, 1)) + rng.normal(0, 5, (grid, grid, channels))
    coarse = rounded_levels(colour + mottled)
    backdrop = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return backdrop.reshape(shape)  # type: ignore[return-value]


def on_backdrop(tensor: Tensor, board: Tensor, backdrop: Tensor) -> Tensor:
    """The picture with `backdrop` where `board` is 255; shadows on the board stay.

    The edge is one pixel soft.
    """
    mean = cv2.mean(tensor, mask=board)[: tensor.shape[2]]
    level = sum(mean) / len(mean)
    if level >= _DARKEST:
        backdrop = cv2.multiply(backdrop, tensor, scale=1 / level)  # type: ignore[assignment]
    new = cv2.GaussianBlur(board, (3, 3), 0).astype(np.float32) / 255
    blended = cv2.blendLinear(backdrop.reshape(tensor.shape), tensor, new, 1 - new)
    return blended.reshape(tensor.shape)  # type: ignore[return-value]
