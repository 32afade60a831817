"""The pairs of pictures that may be copies: the most similar few of each, by thumbnails.

Every picture's thumbnail, as it is and mirrored, is held against the thumbnails of some canonical
crops of every other picture. Thumbnails are whitened by what the set has in common: on a thousand
shoes before white, only what tells them apart counts.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.terminal.progress import Progress

Floats = npt.NDArray[np.float32]

SIDE = 48
"""The side in pixels of the grey thumbnails."""
_CELLS = 8
"""Cells along a thumbnail's side. Fewer lose detail; more are less tolerant of a crop between two
of the canonical crops."""
_STEP, _MOST, _SMALLEST = 0.08, 0.24, 0.72
"""Canonical crops: steps of a border, the most off one axis, the smallest area, as shares."""
_NEIGHBOURS = 8
"""Candidates for each picture, both as the whole and as the part of another."""
_LIKELY = 0.65
"""Correlation of whitened thumbnails: 99 of 100 planted copies had more than 0.85."""
_RIDGE = 0.02
"""Share of the mean variance added to every direction, so that no noise is whitened."""
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs that may be copies, with the box of the one in the other; all arrays have one length.

    In each row, `part` may be a copy of the box of `whole`, mirrored if `mirrored` is True.
    """

    whole: npt.NDArray[np.intp]
    part: npt.NDArray[np.intp]
    mirrored: npt.NDArray[np.bool_]
    boxes: Floats
    """(pairs, 4): left, right, top, bottom in shares of the whole's sides."""

    def __len__(self) -> int:
        return len(self.whole)


def find_candidates(pictures: npt.NDArray[np.uint8]) -> Candidates:
    """The pairs worth a closer look, each once, sorted.

    Args:
        pictures: uint8 (pictures, SIDE, SIDE), grey.
    """
    whitening = _whitening(pictures)
    straight, mirrored = _queries(pictures, whitening)
    found: dict[tuple[int, int], tuple[float, int, int]] = {}
    with Progress("comparing pictures", total=len(pictures)) as progress:
        rows = _TopOfRows(len(pictures))
        for start in range(0, len(pictures), _CHUNK):
            keys = _crop_thumbnails(pictures[start : start + _CHUNK], whitening)
            best = np.full((len(pictures), keys.shape[1]), -1, np.float32)
            for crop in keys:
                np.maximum(best, straight @ crop.T, out=best)
                np.maximum(best, mirrored @ crop.T, out=best)
            own = np.arange(keys.shape[1])
            best[start + own, own] = -1
            rows.take(best, start)
            _take(found, *_top_of_columns(best, start))
            progress.advance(keys.shape[1])
    _take(found, *rows.pairs())
    pairs = [found[pair] for pair in sorted(found)]
    if not pairs:
        nothing = np.zeros(0, np.intp)
        return Candidates(nothing, nothing, nothing > 0, np.zeros((0, 4), np.float32))
    whole = np.array([pair[1] for pair in pairs], np.intp)
    part = np.array([pair[2] for pair in pairs], np.intp)
    flips, boxes = _placed(pictures, whitening, straight, mirrored, whole, part)
    return Candidates(whole, part, flips, boxes)


def averaging(low: float, high: float, cells: int, side: int) -> Floats:
    """(cells, side): averages that part, `low` to `high` as shares, of `side` pixels to cells."""
    edges = np.linspace(low * side, high * side, cells + 1)
    pixels = np.arange(side)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    covered = covered.clip(0)
    means: Floats = (covered / covered.sum(axis=1, keepdims=True)).astype(np.float32)
    return means


class _TopOfRows:
    """For each picture as the part, the likeliest wholes of all chunks so far."""

    def __init__(self, pictures: int) -> None:
        self._scores = np.full((pictures, _NEIGHBOURS), -1, np.float32)
        self._wholes = np.zeros((pictures, _NEIGHBOURS), np.intp)

    def take(self, best: Floats, start: int) -> None:
        scores = np.concatenate([self._scores, best], axis=1)
        wholes = np.concatenate(
            [self._wholes, np.broadcast_to(start + np.arange(best.shape[1]), best.shape)], axis=1
        )
        top = np.argpartition(-scores, _NEIGHBOURS - 1, axis=1)[:, :_NEIGHBOURS]
        self._scores = np.take_along_axis(scores, top, axis=1)
        self._wholes = np.take_along_axis(wholes, top, axis=1)

    def pairs(self) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        part, place = np.nonzero(self._scores > _LIKELY)
        return self._scores[part, place], self._wholes[part, place], part


def _top_of_columns(
    best: Floats, start: int
) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    count = min(_NEIGHBOURS, len(best))
    top = np.argpartition(-best, count - 1, axis=0)[:count]
    scores = np.take_along_axis(best, top, axis=0)
    place, column = np.nonzero(scores > _LIKELY)
    return scores[place, column], start + column, top[place, column]


def _take(
    found: dict[tuple[int, int], tuple[float, int, int]],
    scores: Floats,
    wholes: npt.NDArray[np.intp],
    parts: npt.NDArray[np.intp],
) -> None:
    for score, whole, part in zip(scores.tolist(), wholes.tolist(), parts.tolist(), strict=True):
        pair = min(whole, part), max(whole, part)
        # The score decides which of the two is the whole; the order of chunks must not.
        if pair not in found or (score, whole) > found[pair][:2]:
            found[pair] = score, whole, part


def _placed(
    pictures: npt.NDArray[np.uint8],
    whitening: Floats,
    straight: Floats,
    mirrored: Floats,
    whole: npt.NDArray[np.intp],
    part: npt.NDArray[np.intp],
) -> tuple[npt.NDArray[np.bool_], Floats]:
    boxes = np.array([(*across, *down) for across, down in _crops()], np.float32)
    flips, places = np.zeros(len(whole), np.bool_), np.zeros((len(whole), 4), np.float32)
    order = np.argsort(whole, kind="stable")
    for some in np.array_split(order, max(1, len(order) // _CHUNK)):
        wholes, which = np.unique(whole[some], return_inverse=True)
        keys = _crop_thumbnails(pictures[wholes], whitening)[:, which]
        scores = np.stack(
            [np.einsum("cpd,pd->pc", keys, query[part[some]]) for query in (straight, mirrored)]
        )
        flips[some] = scores[1].max(axis=1) > scores[0].max(axis=1)
        places[some] = boxes[scores.max(axis=0).argmax(axis=1)]
    return flips, places


@functools.cache
def _crops() -> tuple[tuple[tuple[float, float], tuple[float, float]], ...]:
    steps = [round(_STEP * n, 3) for n in range(round(_MOST / _STEP) + 1)]
    spans = [(a, 1 - b) for a in steps for b in steps if a + b <= _MOST + 1e-9]
    return tuple(
        (across, down)
        for across, down in itertools.product(spans, spans)
        if (across[1] - across[0]) * (down[1] - down[0]) >= _SMALLEST
    )


def _whitening(pictures: npt.NDArray[np.uint8]) -> Floats:
    total = np.zeros((_CELLS**2, _CELLS**2), np.float64)
    for chunk in _chunks(pictures):
        thumbnails = _normal(_thumbnails(chunk, (0, 1), (0, 1)))
        total += thumbnails.T @ thumbnails
    variances, directions = np.linalg.eigh(total / len(pictures))
    # Few pictures do not tell what is common: then little is taken away.
    ridge = (_RIDGE + len(variances) / len(pictures)) * float(variances.sum()) / len(variances)
    return (directions / np.sqrt(variances.clip(0) + ridge + 1e-9)).astype(np.float32)


def _queries(pictures: npt.NDArray[np.uint8], whitening: Floats) -> tuple[Floats, Floats]:
    straight = [
        _white(_thumbnails(chunk, (0, 1), (0, 1)), whitening) for chunk in _chunks(pictures)
    ]
    mirrored = [
        _white(_thumbnails(chunk[:, :, ::-1], (0, 1), (0, 1)), whitening)
        for chunk in _chunks(pictures)
    ]
    return np.concatenate(straight), np.concatenate(mirrored)


def _crop_thumbnails(pictures: npt.NDArray[np.uint8], whitening: Floats) -> Floats:
    """(crops, pictures, cells), of unit length."""
    return np.stack(
        [_white(_thumbnails(pictures, across, down), whitening) for across, down in _crops()]
    )


def _thumbnails(
    pictures: npt.NDArray[np.uint8], across: tuple[float, float], down: tuple[float, float]
) -> Floats:
    """(pictures, cells): the mean level in each cell of a grid over the crop."""
    rows, columns = (averaging(*span, _CELLS, SIDE) for span in (down, across))
    cells: Floats = rows @ pictures.astype(np.float32) @ columns.T
    return cells.reshape(len(pictures), -1)


def _white(cells: Floats, whitening: Floats) -> Floats:
    return _unit(_normal(cells) @ whitening)


def _normal(cells: Floats) -> Floats:
    return _unit(cells - cells.mean(axis=1, keepdims=True))


def _unit(rows: Floats) -> Floats:
    # A picture of one level has no direction: it stays near zero, and is like nothing.
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = rows / np.maximum(lengths, 1e-3)
    return unit


def _chunks(pictures: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.uint8]]:
    for start in range(0, len(pictures), _CHUNK):
        yield pictures[start : start + _CHUNK]
