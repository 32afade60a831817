"""Pictures that are copies of one another, even if their files differ in every byte."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from edge.core.images.preprocess import InputSpec
from edge.core.terminal.progress import Progress
from trainer.data.duplicates.near_alignment import (
    FINE,
    ROUGH,
    ROUGH_ALIKE,
    Likeness,
    align,
    compare,
    rough_likeness,
)
from trainer.data.duplicates.near_candidates import SIDE, Candidates, averaging, find_candidates

_CHUNK = 256


class Tensors(Protocol):
    """Pictures that can be indexed: a NumPy array, or an array in a file."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> npt.NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two pictures of which one is a copy of the other, or both of a third."""

    first: int
    second: int
    similarity: float
    """The correlation of the two pictures after alignment, at most 1."""
    how: str
    """The change between them, such as "mirrored, cropped"; "identical" if there is none."""


def find_near_duplicates(
    tensors: Tensors, spec: InputSpec | None = None, *, since: int = 0
) -> tuple[NearPair, ...]:
    """The pairs of copies among the pictures, first before second, sorted.

    Found are copies that were resized, saved again with loss, cropped (up to a quarter of the
    area), mirrored left to right, made lighter, darker or of another contrast, and two of these
    together. Another photograph of the same thing is no copy, unless nothing moved between the two.
    Of many copies of one picture not every pair need be named, but they hang together. A picture
    that shows next to nothing (a plain wall) is a copy only of one that is the same to the byte.

    Args:
        tensors: uint8 (pictures, height, width, channels); read a few hundred at a time.
        spec: what made them of photographs: tells how to take the bars of a letterbox away.
        since: only pairs of which at least the second is of this number or later.
    """
    # OpenCV's own threads fight those of NumPy, and many small products are slower with threads:
    # on a busy machine fifty times.
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        small = _small(tensors, spec)
        if len(small) < 2:
            return ()
        found = _rough(small, find_candidates(small), since)
        return _compared(tensors, spec, found)


def _compared(tensors: Tensors, spec: InputSpec | None, found: Candidates) -> tuple[NearPair, ...]:
    pairs = []
    picture = functools.lru_cache(maxsize=512)(lambda i: _fine(tensors[int(i)], spec))
    with Progress("looking closer", total=len(found)) as progress:
        for whole, part, mirrored, box in zip(
            found.whole.tolist(), found.part.tolist(), found.mirrored, found.boxes, strict=True
        ):
            pair = _pair(whole, part, picture(whole), picture(part), bool(mirrored), box)
            pairs += [pair] if pair else []
            progress.advance()
    return tuple(sorted(pairs, key=lambda pair: (pair.first, pair.second)))


def _pair(
    whole: int,
    part: int,
    whole_levels: npt.NDArray[np.float32],
    part_levels: npt.NDArray[np.float32],
    mirrored: bool,
    box: npt.NDArray[np.float32],
) -> NearPair | None:
    first, second = min(whole, part), max(whole, part)
    if np.array_equal(whole_levels, part_levels):
        return NearPair(first, second, 1.0, "identical")
    if mirrored:
        part_levels = np.ascontiguousarray(part_levels[:, ::-1])
    likeness, box = compare(whole_levels, part_levels, box)
    if not likeness.is_copy:
        return None
    return NearPair(first, second, round(likeness.structure, 4), _how(likeness, mirrored, box))


def _how(likeness: Likeness, mirrored: bool, box: npt.NDArray[np.float32]) -> str:
    left, right, top, bottom = box.tolist()
    done = ["mirrored"] if mirrored else []
    if (right - left) * (bottom - top) < 0.96:
        done.append("cropped")
    if abs(likeness.lighter) > 6:
        done.append("in another light")
    return ", ".join(done) or "resized or saved again"


def _rough(small: npt.NDArray[np.uint8], found: Candidates, since: int) -> Candidates:
    """The candidates that can be roughly aligned, with their boxes aligned."""
    kept, boxes = [], []
    shrink = averaging(0, 1, ROUGH, SIDE)
    late = np.flatnonzero(np.maximum(found.whole, found.part) >= since)
    with Progress("laying upon one another", total=len(late)) as progress:
        for some in _chunks(late):
            wholes, parts = (
                shrink @ small[index[some]].astype(np.float32) @ shrink.T
                for index in (found.whole, found.part)
            )
            flips = found.mirrored[some]
            parts[flips] = parts[flips][:, :, ::-1]
            places = align(wholes, parts, found.boxes[some], steps=8)
            alike = rough_likeness(wholes, parts, places) >= ROUGH_ALIKE
            kept.append(some[alike])
            boxes.append(places[alike])
            progress.advance(len(some))
    index = np.concatenate([np.zeros(0, np.intp), *kept])
    return Candidates(
        found.whole[index],
        found.part[index],
        found.mirrored[index],
        np.concatenate([np.zeros((0, 4), np.float32), *boxes]),
    )


def _small(tensors: Tensors, spec: InputSpec | None) -> npt.NDArray[np.uint8]:
    small = np.empty((len(tensors), SIDE, SIDE), np.uint8)
    with Progress("making thumbnails", total=len(tensors)) as progress:
        for some in _chunks(np.arange(len(tensors))):
            for index, tensor in zip(some, tensors[some], strict=True):
                content = _without_bars(tensor, spec)
                grey = (
                    cv2.cvtColor(content, cv2.COLOR_RGB2GRAY) if content.shape[2] == 3 else content
                )
                small[index] = _resized(grey, SIDE)
            progress.advance(len(some))
    return small


def _fine(tensor: npt.NDArray[np.uint8], spec: InputSpec | None) -> npt.NDArray[np.float32]:
    levels = _resized(_without_bars(tensor, spec), FINE).astype(np.float32)
    return levels.reshape(FINE, FINE, -1)


def _resized(picture: npt.NDArray[Any], side: int) -> npt.NDArray[np.uint8]:
    shrinks = min(picture.shape[:2]) >= side
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=way), np.uint8)


def _without_bars(tensor: npt.NDArray[np.uint8], spec: InputSpec | None) -> npt.NDArray[np.uint8]:
    """The tensor without what `preprocess` put around the picture; never less than its middle."""
    if spec is None or spec.geometry != "letterbox":
        return tensor
    height, width = tensor.shape[:2]
    filled = (tensor == spec.fill).all(axis=2)
    above, below = _run(filled.all(axis=1)), _run(filled.all(axis=1)[::-1])
    left, right = _run(filled.all(axis=0)), _run(filled.all(axis=0)[::-1])
    # Bars are alike on both sides; else they are a plain background of the same grey.
    if above and below and abs(above - below) <= 1 and above + below < height // 2:
        return tensor[above : height - below]
    if left and right and abs(left - right) <= 1 and left + right < width // 2:
        return np.ascontiguousarray(tensor[:, left : width - right])
    return tensor


def _run(lines: npt.NDArray[np.bool_]) -> int:
    """How many of the first lines are true."""
    return len(lines) if lines.all() else int(lines.argmin())


def _chunks(index: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for start in range(0, len(index), _CHUNK):
        yield index[start : start + _CHUNK]
