"""The comparison of two pictures, aligned and with equal lighting: whether one is a copy.

A copy that was cropped, mirrored, saved again or made brighter lies on its original by a shift and
a scale along each axis, to a fraction of a pixel, everywhere. Another photograph of the same thing
does not: it is turned a little, or its perspective is another.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from trainer.data.duplicates.near_candidates import averaging

Floats = npt.NDArray[np.float32]

ROUGH = 32
"""The side in pixels of the pictures that are aligned first."""
FINE = 96
"""The side in pixels of the pictures in the final comparison."""
ROUGH_ALIKE = 0.62
"""The least correlation of copies at ROUGH: 999 of 1,000 planted ones have more."""

_NOISE = 4.0
"""The approximate effect of a low-quality JPEG on the compared structure, in levels squared."""
_BLOCKS = 7
_PALE = 25.0
"""Chroma in levels below which a pixel counts as grey, so that noise does not matter."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How similar two aligned pictures are."""

    structure: float
    """The correlation of edges and texture in the fifth of them where it is lowest, at most 1."""
    worst: float
    """The same correlation in the worst of the blocks that have any structure."""
    moved: float
    """The largest misalignment of all blocks but one, in pixels of FINE."""
    shade: float
    """The difference in light, in levels, in the fiftieth of the picture where it is largest."""
    colour: float
    """The relative difference of chroma, 0 for the same colours."""
    detail: float
    """The root mean square of the structure that could be compared, in levels."""
    lighter: float
    """The mean difference in light, in levels, positive if the part is lighter than the whole."""

    @property
    def is_copy(self) -> bool:
        return (
            self.structure >= 0.8
            and self.worst >= 0.35
            and self.moved <= 0.25
            and self.shade <= 6.5
            and self.colour <= 0.6
            and self.detail >= 1.2
        )


def align(wholes: Floats, parts: Floats, boxes: Floats, *, steps: int) -> Floats:
    """The boxes moved to where the wholes show what the parts show; (pairs, 4).

    Gauss-Newton on shift and scale along each axis together with gain and offset of the light
    (Lucas and Kanade, 1981; with gain and offset, Bartoli, 2008).

    Args:
        wholes, parts: float32 (pairs, side, side), grey levels.
        boxes: (pairs, 4): left, right, top, bottom in shares of the whole's sides.
    """
    side = wholes.shape[1]
    across, down = _slopes(wholes)
    at = (np.arange(side, dtype=np.float32) + 0.5) / side
    boxes = boxes.copy()
    for _ in range(steps):
        rows, columns = _sampling(boxes[:, 2:], side), _sampling(boxes[:, :2], side)
        seen, slope_x, slope_y = (
            rows @ levels @ columns.transpose(0, 2, 1) for levels in (wholes, across, down)
        )
        # Where either is cut off at white or black, its levels say nothing of the light.
        usable: npt.NDArray[np.bool_] = np.minimum(seen, parts) > 5
        usable &= np.maximum(seen, parts) < 250
        few = np.mean(usable, axis=(1, 2)) < 0.15
        usable[few] = True
        slope_x, slope_y = slope_x * side, slope_y * side
        terms = np.stack(
            [
                slope_x * (1 - at), slope_x * at,
                slope_y * (1 - at)[:, None], slope_y * at[:, None],
                seen, np.ones_like(seen),
            ], axis=1,
        ).reshape(len(wholes), 6, -1)  # fmt: skip
        weighted = terms * usable.reshape(len(wholes), 1, -1)
        normal = (weighted @ terms.transpose(0, 2, 1)).astype(np.float64)
        damping = np.einsum("bii->b", normal[:, :4, :4]) / 4 * 1e-3
        normal[:, range(4), range(4)] += damping[:, None]
        normal[:, range(6), range(6)] += 1e-3
        target = (weighted @ parts.reshape(len(parts), -1, 1)).astype(np.float64)
        solved = np.linalg.solve(normal, target)[:, :, 0]
        gain = solved[:, 4]
        moves = solved[:, :4] / np.where(np.abs(gain) < 0.1, np.inf, gain)[:, None]
        moved = boxes + moves.clip(-0.06, 0.06).astype(np.float32)
        sizes = np.stack([moved[:, 1] - moved[:, 0], moved[:, 3] - moved[:, 2]])
        sane = ((sizes > 0.5) & (sizes < 1.3)).all(axis=0)
        boxes[sane] = moved[sane]
    return boxes


def rough_likeness(wholes: Floats, parts: Floats, boxes: Floats) -> Floats:
    """The correlation of edges and texture of each aligned pair, (pairs,)."""
    side = wholes.shape[1]
    seen = _laid_on(wholes, boxes)
    a, b = (_structure(levels, side) for levels in (seen, parts))
    a, b = (levels.reshape(len(levels), -1) for levels in (a, b))
    noise = _NOISE * a.shape[1]
    together = np.einsum("bp,bp->b", a, b) + noise
    apart = np.sqrt((np.einsum("bp,bp->b", a, a) + noise) * (np.einsum("bp,bp->b", b, b) + noise))
    likeness: Floats = together / apart
    return likeness


def compare(whole: Floats, part: Floats, box: Floats) -> tuple[Likeness, Floats]:
    """The similarity of `part` to the best-aligned box of `whole`, and that box.

    Args:
        whole, part: float32 (FINE, FINE, channels), levels, RGB or grey.
        box: (4,): left, right, top, bottom, from a rough alignment.
    """
    whole_grey, part_grey = _grey(whole), _grey(part)
    box = align(whole_grey[None], part_grey[None], box[None], steps=6)[0]
    rows, columns = _sampling(box[None, 2:], FINE)[0], _sampling(box[None, :2], FINE)[0]
    seen = np.stack([rows @ whole[:, :, c] @ columns.T for c in range(whole.shape[2])], axis=-1)
    seen_grey = _grey(seen)
    # Light that was cut off at white can be followed in one direction only.
    ways = [
        (_in_the_light_of(a, b), b) for a, b in ((seen_grey, part_grey), (part_grey, seen_grey))
    ]
    structure, worst, moved, detail = max(_structure_alike(a, b) for a, b in ways)
    return Likeness(
        structure=structure,
        worst=worst,
        moved=-moved,
        shade=min(float(np.quantile(np.abs(_blurred(a - b, FINE / 24)), 0.98)) for a, b in ways),
        colour=_colour_difference(seen, part),
        detail=detail,
        lighter=float(part_grey.mean() - seen_grey.mean()),
    ), box


def _structure_alike(a: Floats, b: Floats) -> tuple[float, float, float, float]:
    """Structure, worst, moved (negative, so that more is better) and detail of a Likeness."""
    edge = 6
    one, other = (_structure(levels[None], FINE)[0] for levels in (a, b))
    sums = [_block_sums(x[edge:-edge, edge:-edge], _BLOCKS).ravel() for x in
            (one * other, one * one, other * other)]  # fmt: skip
    together, own, others = sums
    pixels = ((FINE - 2 * edge) // _BLOCKS) ** 2
    weights = np.maximum(own, others)
    detail = float(np.sqrt(weights.sum() / (pixels * _BLOCKS**2)))
    alike = (together + _NOISE * pixels) / (weights + _NOISE * pixels)
    order = np.argsort(alike, kind="stable")
    share = np.cumsum(weights[order]) / max(float(weights.sum()), 1e-6)
    structure = float(alike[order][min(int(np.searchsorted(share, 0.2)), len(order) - 1)])
    return structure, float(alike.min()), -_shift(a, b), detail


def _shift(a: Floats, b: Floats) -> float:
    """Pixels: the largest but one shift of nine parts of `b` from where they are in `a`."""
    across, down = (slope[0, 4:-4, 4:-4] for slope in _slopes(_blurred(a, 1.0)[None]))
    difference = _blurred(b, 1.0) - _blurred(a, 1.0)
    difference = (difference - _blurred(difference, 4.0))[4:-4, 4:-4]
    xx, yy, xy, xd, yd = (
        _block_sums(product, 3).ravel()
        for product in (
            across * across, down * down, across * down, across * difference, down * difference,
        )
    )  # fmt: skip
    little = float((across.shape[0] // 3) ** 2)  # a slope of one level a pixel: all else is noise
    xx, yy = xx + little, yy + little
    scale = xx * yy - xy * xy
    shifts = np.hypot(yy * xd - xy * yd, xx * yd - xy * xd) / scale
    return float(np.sort(shifts)[-2])


def _in_the_light_of(a: Floats, b: Floats) -> Floats:
    """The levels of `a` through the rising curve that brings them nearest to those of `b`."""
    low, high = float(a.min()), float(a.max())
    if high - low < 1:
        return a
    bins = np.minimum((a - low) / (high - low) * 16, 15).astype(np.intp).ravel()
    counts = np.bincount(bins, minlength=16)
    known = counts >= max(3.0, 0.002 * a.size)
    levels = np.bincount(bins, a.ravel(), 16)[known] / counts[known]
    means = np.bincount(bins, b.ravel(), 16)[known] / counts[known]
    rising = (np.maximum.accumulate(means) + np.minimum.accumulate(means[::-1])[::-1]) / 2
    return np.interp(a, levels, rising).astype(np.float32)


def _colour_difference(a: Floats, b: Floats) -> float:
    if a.shape[2] == 1:
        return 0.0
    one, other = (_chroma(levels) for levels in (a, b))
    gain = float((one * other).sum() / max(float((one * one).sum()), 1e-3))
    one = (one * min(max(gain, 0.5), 1.8)).astype(np.float32)
    strength = max(_root_mean_square(one), _root_mean_square(other), _PALE)
    return _root_mean_square(other - one) / strength


def _chroma(levels: Floats) -> Floats:
    red, green, blue = levels[:, :, 0], levels[:, :, 1], levels[:, :, 2]
    cells = averaging(0, 1, 24, FINE)
    opposed = np.stack([red - green, (red + green) / 2 - blue])
    chroma: Floats = (cells @ opposed @ cells.T).astype(np.float32)
    return chroma


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt((values * values).mean()))


def _laid_on(wholes: Floats, boxes: Floats) -> Floats:
    side = wholes.shape[1]
    rows, columns = _sampling(boxes[:, 2:], side), _sampling(boxes[:, :2], side)
    seen: Floats = (rows @ wholes @ columns.transpose(0, 2, 1)).astype(np.float32)
    return seen


def _sampling(spans: Floats, side: int) -> Floats:
    """(pairs, side, side): the matrices that sample `side` pixels of each span, linearly."""
    at = (np.arange(side, dtype=np.float32) + 0.5) / side
    shares = spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * at
    places = (shares * side - 0.5).clip(0, side - 1).astype(np.float32)
    pixels = np.arange(side, dtype=np.float32)
    matrix: Floats = (1 - np.abs(places[:, :, None] - pixels)).clip(0).astype(np.float32)
    return matrix


def _slopes(pictures: Floats) -> tuple[Floats, Floats]:
    """Levels a pixel, to the right and downwards."""
    padded: Floats = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across: Floats = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down: Floats = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    return across * np.float32(0.5), down * np.float32(0.5)


def _structure(pictures: Floats, side: int) -> Floats:
    """What is finer than a tenth of the side and coarser than what a poor JPEG keeps."""
    return np.stack([_blurred(p, side / 80) - _blurred(p, side / 27) for p in pictures])


def _blurred(picture: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def _block_sums(values: Floats, blocks: int) -> Floats:
    size = values.shape[0] // blocks
    cut = values[: size * blocks, : size * blocks]
    sums: Floats = cut.reshape(blocks, size, blocks, size).sum(axis=(1, 3))
    return sums


def _grey(levels: Floats) -> Floats:
    return levels[:, :, 0] if levels.shape[2] == 1 else np.ascontiguousarray(levels @ _GREY)
