"""Measures the accuracy on disturbed pictures: bad light, a dirty lens, another background."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import Box, Tensor
from edge.core.model.metrics import Share
from edge.core.terminal.progress import Progress
from trainer.augment.background_swap import find_board, on_backdrop
from trainer.augment.light import rounded_levels
from trainer.statistics.intervals import Figure, Resampling

LIMIT = 100
"""Pictures that are disturbed at most, drawn at random: each is computed 19 times."""
_CHUNK = 64
_FRAME = 0.08
"""The width of the frame around a picture on which no board is found, as a share of its side."""

Predict = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.floating]]
"""uint8 (pictures, height, width, channels) -> scores or logits (pictures, classes)."""
Change = Callable[[Tensor, float, np.random.Generator], Tensor]


@dataclass(frozen=True, slots=True)
class Disturbed:
    """Accuracy under one disturbance."""

    name: str
    severity: str
    """mild or strong."""
    detail: str
    """The disturbance with its amount."""
    accuracy: Share
    undisturbed: Share
    """The accuracy on the same pictures without the disturbance."""
    change: Figure
    """The accuracy minus that without the disturbance, with its paired interval."""
    applied: int | None = None
    """Of another background: pictures whose background was found; the others got a frame."""
    right: Mapping[int, bool] = field(default_factory=dict)
    """By the row of its tensor, whether a picture is classified correctly."""

    def to_json(self) -> dict[str, object]:
        """The object for `metrics.json`."""
        return {
            "name": self.name, "severity": self.severity, "detail": self.detail,
            "images": self.accuracy.total, "accuracy": self.accuracy.value,
            "undisturbed": self.undisturbed.value, "change": self.change.to_json(),
            "applied": self.applied,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One way in which pictures get worse, mildly and strongly."""

    name: str
    details: tuple[str, str]
    amounts: tuple[float, float]
    change: Change


def robustness(
    predict: Predict,
    tensors: Any,
    truth: npt.NDArray[np.int64],
    *,
    groups: Sequence[str] | None,
    seed: int,
    rows: npt.NDArray[np.int64] | None = None,
    fill: int = 128,
) -> tuple[Disturbed, ...]:
    """Measures the accuracy under every disturbance, mild and strong.

    The same seed disturbs the same pictures in the same way. What is disturbed is the picture
    within its letterbox bars, which no camera sees.

    Args:
        predict: of a batch of tensors, what the model answers.
        tensors: uint8 (pictures, height, width, channels), or what reads such rows from disk.
        truth: (pictures,) class indices of `rows`.
        groups: of each of `rows`; None: each is its own.
        rows: of `tensors`, which to disturb; None: all.
        fill: grey level of letterbox bars, as in the input spec.
    """
    rows = np.arange(len(tensors)) if rows is None else rows
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:LIMIT])
    rows, truth = rows[chosen], truth[chosen]
    groups = None if groups is None else [groups[i] for i in chosen]
    work = [(None, 0), *((each, level) for each in DISTURBANCES for level in (0, 1))]
    right = {key: np.zeros(len(rows), bool) for key in work}
    found = np.zeros(len(rows), bool)
    with Progress("disturbed pictures", total=len(rows) * len(work)) as progress:
        for start in range(0, len(rows), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            images = np.asarray(tensors[rows[chunk]], np.uint8)
            boxes = [without_bars(image, fill) for image in images]
            found[chunk] = [_has_background(i, box) for i, box in zip(images, boxes, strict=True)]
            for key in work:
                changed = _disturbed(key, images, boxes, rows[chunk], seed)
                right[key][chunk] = predict(changed).argmax(axis=1) == truth[chunk]
                progress.advance(len(images))
    sampling = Resampling(groups, len(rows), seed=seed)
    before = right[None, 0]
    return tuple(
        Disturbed(
            name=each.name,
            severity=("mild", "strong")[level],
            detail=each.details[level],
            accuracy=Share(int(right[each, level].sum()), len(rows)),
            undisturbed=Share(int(before.sum()), len(rows)),
            change=sampling.change(before, right[each, level]),
            applied=int(found.sum()) if each.change is _on_another_board else None,
            right=dict(zip(rows.tolist(), right[each, level].tolist(), strict=True)),
        )
        for each in DISTURBANCES
        for level in (0, 1)
    )


def disturb(
    tensor: Tensor, disturbance: Disturbance, level: int, rng: np.random.Generator, box: Box
) -> Tensor:
    """A new tensor, disturbed within `box`.

    Args:
        tensor: uint8 (height, width, channels).
        level: 0 for mild, 1 for strong.
    """
    inside = np.s_[box.top : box.top + box.height, box.left : box.left + box.width]
    result = tensor.copy()
    changed = disturbance.change(
        np.ascontiguousarray(tensor[inside]), disturbance.amounts[level], rng
    )
    result[inside] = changed.reshape(tensor[inside].shape)
    return result


def without_bars(tensor: Tensor, fill: int) -> Box:
    """The picture in `tensor` without its letterbox bars: even rows and columns at the edges."""
    bar = (tensor == fill).all(axis=2)
    rows, columns = np.flatnonzero(~bar.all(axis=1)), np.flatnonzero(~bar.all(axis=0))
    height, width = bar.shape
    if not len(rows):
        return Box(0, 0, width, height)
    top, left = int(rows[0]), int(columns[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def _disturbed(
    key: tuple[Disturbance | None, int],
    images: npt.NDArray[np.uint8],
    boxes: Sequence[Box],
    rows: npt.NDArray[np.int64],
    seed: int,
) -> npt.NDArray[np.uint8]:
    disturbance, level = key
    if disturbance is None:
        return images
    number = DISTURBANCES.index(disturbance)
    return np.stack(
        [
            # Mild and strong draw the same chances: the same place, only more of it.
            disturb(image, disturbance, level, np.random.default_rng((seed, int(row), number)), box)
            for image, box, row in zip(images, boxes, rows, strict=True)
        ]
    )


def _has_background(image: Tensor, box: Box) -> bool:
    inside = image[box.top : box.top + box.height, box.left : box.left + box.width]
    return find_board(np.ascontiguousarray(inside)) is not None


def _side(tensor: Tensor) -> int:
    return int(max(tensor.shape[:2]))


def _blur(tensor: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    return _uint8(cv2.GaussianBlur(tensor, (0, 0), 0.3 + share * _side(tensor)))


def _motion(tensor: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    length = 1 + math.ceil(share * _side(tensor))
    along = np.zeros((length, length), np.float32)
    along[length // 2] = 1
    upright = rng.random() < 0.5
    return _uint8(cv2.filter2D(tensor, -1, (along.T if upright else along) / length))


def _gain(tensor: Tensor, factor: float, rng: np.random.Generator) -> Tensor:
    return rounded_levels(tensor * np.float32(factor))


def _jpeg(tensor: Tensor, quality: float, rng: np.random.Generator) -> Tensor:
    colour = tensor.shape[2] == 3
    _, content = cv2.imencode(
        ".jpg", tensor[:, :, ::-1] if colour else tensor, (cv2.IMWRITE_JPEG_QUALITY, int(quality))
    )
    read = cv2.imdecode(content, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    return _uint8(read)[:, :, ::-1] if colour else _uint8(read)


def _rotate(tensor: Tensor, degrees: float, rng: np.random.Generator) -> Tensor:
    height, width = tensor.shape[:2]
    turn = degrees if rng.random() < 0.5 else -degrees
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1)
    return _uint8(
        cv2.warpAffine(tensor, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    )


def _cover(tensor: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    height, width = tensor.shape[:2]
    rows, columns = round(height * share**0.5), round(width * share**0.5)
    place = rng.random(2)
    top, left = round(place[0] * (height - rows)), round(place[1] * (width - columns))
    result = tensor.copy()
    result[top : top + rows, left : left + columns] = rng.integers(0, 256)
    return result


def _noise(tensor: Tensor, levels: float, rng: np.random.Generator) -> Tensor:
    return rounded_levels(tensor + rng.normal(0, levels, tensor.shape))


def _on_another_board(tensor: Tensor, bands: float, rng: np.random.Generator) -> Tensor:
    """The picture on a board of colour bands; where no board is found, within a frame of them.

    Bands, because the training's own augmentation knows even and mottled boards.
    """
    height, width, channels = tensor.shape
    colours = rng.uniform(30, 225, (2, channels))
    band = np.arange(width) * int(bands) // width % 2
    backdrop = rounded_levels(np.broadcast_to(colours[band], tensor.shape))
    board = find_board(tensor)
    if board is None:
        edge = max(1, round(_FRAME * _side(tensor)))
        board = np.full((height, width), 255, np.uint8)
        board[edge:-edge, edge:-edge] = 0
        return np.where(board[:, :, None] > 0, backdrop, tensor)
    return on_backdrop(tensor, board, backdrop)


def _uint8(image: Any) -> Tensor:
    return np.asarray(image, np.uint8)


DISTURBANCES = (
    Disturbance("blur", ("sigma 0.6% of the side", "sigma 1.5% of the side"), (0.006, 0.015),
                _blur),
    Disturbance("motion blur", ("over 3% of the side", "over 8% of the side"), (0.03, 0.08),
                _motion),
    Disturbance("dark", ("60% of the light", "30% of the light"), (0.6, 0.3), _gain),
    Disturbance("bright", ("1.4 times the light", "2 times the light"), (1.4, 2.0), _gain),
    Disturbance("JPEG", ("quality 30", "quality 10"), (30, 10), _jpeg),
    Disturbance("rotation", ("by 10 degrees", "by 30 degrees"), (10, 30), _rotate),
    Disturbance("occlusion", ("10% covered", "25% covered"), (0.1, 0.25), _cover),
    Disturbance("noise", ("sigma 10 levels", "sigma 30 levels"), (10, 30), _noise),
    Disturbance("other background", ("one colour", "eight colour bands"), (1, 8),
                _on_another_board),
)  # fmt: skip
"""Those of Hendrycks and Dietterich, Benchmarking neural network robustness, ICLR 2019, that a
sorting station meets, and three of its own."""
