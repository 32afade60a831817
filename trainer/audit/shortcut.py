"""Whether the background, or the file itself, says which class a picture is of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.model.metrics import Share
from edge.core.terminal.progress import Progress
from trainer.audit.file_facts import FileFacts
from trainer.data.stratified_split import fold_pictures

FRAME = 0.08
"""The width of the outer frame as a share of each side. In most pictures it shows background."""
_MOST = 4000
"""Pictures used at most: more do not make the result more certain."""
_FOLDS = 5
_TREES = 150
_CHUNK = 128

Table = npt.NDArray[np.float32]
"""float32 (pictures, statistics)."""


@dataclass(frozen=True, slots=True)
class ClassShortcut:
    """How well a classifier predicts one class from something that should not reveal it."""

    label: str
    recall: Share
    precision: Share
    middle_f1: float = 0.0
    """The F1 with the same statistics of the middle of the picture."""

    @property
    def f1(self) -> float:
        """The harmonic mean of recall and precision, 0 where none is right."""
        return _f1(self.recall.value, self.precision.value)

    @property
    def surely(self) -> float:
        """The F1 of the lower ends of the intervals of recall and precision."""
        return _f1(
            *(
                share.interval[0] if share.interval else 0.0
                for share in (self.recall, self.precision)
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class ShortcutResult:
    """How well a classifier predicts labels from something that should not reveal them."""

    accuracy: float
    """The mean over the labels of the share that was predicted correctly."""
    chance: float
    """The accuracy of guessing."""
    classes: tuple[ClassShortcut, ...]
    """The classes, the best predicted first."""
    right: npt.NDArray[np.int64]
    """Indices of the correctly predicted pictures, the most certain first."""


def frame_and_middle(tensors: Any) -> tuple[Table, Table]:
    """Colours and unevenness along the four sides and corners, and the same of the middle.

    Args:
        tensors: uint8 (pictures, height, width, 3).
    """
    frame, middle = [], []
    with Progress("backgrounds", total=len(tensors)) as progress:
        for start in range(0, len(tensors), _CHUNK):
            some = tensors[np.arange(start, min(start + _CHUNK, len(tensors)))]
            height, width = some.shape[1:3]
            frame.append(_strips(some, max(2, round(FRAME * min(height, width)))))
            inner = some[:, 2 * height // 7 : 5 * height // 7, 2 * width // 7 : 5 * width // 7]
            middle.append(_strips(inner, max(2, round(2 * FRAME * min(height, width)))))
            progress.advance(len(some))
    return np.concatenate(frame), np.concatenate(middle)


def file_table(facts: Sequence[FileFacts]) -> Table:
    """The properties of each picture's file: size, shape, format and compression."""
    common = [name for name, _ in Counter(fact.tables for fact in facts).most_common(12)]
    return np.array(
        [
            [
                fact.width,
                fact.height,
                math.log(fact.width / fact.height),
                *(fact.kind == kind for kind in ("JPEG", "PNG", "WebP")),
                *(fact.tables == name for name in common),
            ]
            for fact in facts
        ],
        np.float32,
    )


def measure_shortcut(
    table: Table, pictures: Sequence[LabelledPicture], *, middle: Table | None = None
) -> ShortcutResult:
    """How well a random forest predicts the labels of pictures it was not trained on from `table`.

    Args:
        table: a row for each picture.
        pictures: each with its label and group; groups are never torn apart.
        middle: the same statistics of the middle of the pictures, to compare with.
    """
    some = _some(pictures)
    names, truth = np.unique([pictures[i].label for i in some], return_inverse=True)
    folds = np.array(fold_pictures([pictures[i] for i in some], _FOLDS, seed=0))
    chosen = table[some]
    scores = _cross_fitted(chosen, truth, folds, len(names))
    best = scores.argmax(axis=1)
    inner = (
        _cross_fitted(middle[some], truth, folds, len(names)).argmax(axis=1)
        if middle is not None
        else np.full(len(some), -1)
    )
    classes = [
        ClassShortcut(
            str(name),
            *_shares(truth == at, best == at),
            middle_f1=_f1(*(share.value for share in _shares(truth == at, inner == at))),
        )
        for at, name in enumerate(names)
    ]
    right = np.flatnonzero(best == truth)
    order = np.argsort(-scores[right, truth[right]], kind="stable")
    return ShortcutResult(
        accuracy=float(np.mean([told.recall.value or 0.0 for told in classes])),
        chance=1 / len(names),
        classes=tuple(sorted(classes, key=lambda told: (-told.f1, told.label))),
        right=some[right[order]],
    )


def _some(pictures: Sequence[LabelledPicture]) -> npt.NDArray[np.int64]:
    if len(pictures) <= _MOST:
        return np.arange(len(pictures))
    return np.sort(np.random.default_rng(0).choice(len(pictures), _MOST, replace=False))


def _cross_fitted(
    table: Table, truth: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.float64]:
    from sklearn.ensemble import ExtraTreesClassifier

    scores = np.zeros((len(truth), classes))
    for fold in range(_FOLDS):
        held = folds == fold
        if not held.any() or len(set(truth[~held])) < 2:
            continue
        forest = ExtraTreesClassifier(
            _TREES, min_samples_leaf=2, class_weight="balanced", random_state=fold
        ).fit(table[~held], truth[~held])
        scores[np.ix_(held, forest.classes_)] = forest.predict_proba(table[held])
    return scores


def _shares(is_so: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_]) -> tuple[Share, Share]:
    right = int((is_so & said).sum())
    return Share(right, int(is_so.sum())), Share(right, int(said.sum()))


def _f1(recall: float | None, precision: float | None) -> float:
    if not recall or not precision:
        return 0.0
    return 2 * recall * precision / (recall + precision)


def _strips(some: npt.NDArray[np.uint8], wide: int) -> Table:
    sides = (some[:, :wide], some[:, -wide:], some[:, :, :wide], some[:, :, -wide:])
    corners = (
        some[:, y, x]
        for y in (slice(wide), slice(-wide, None))
        for x in (slice(wide), slice(-wide, None))
    )
    columns: list[Any] = []
    for strip in sides:
        levels = strip.astype(np.float32)
        columns += [levels.mean(axis=(1, 2)), levels.std(axis=(1, 2))]
        grey = levels.mean(axis=3)
        columns += [np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2))[:, None] for axis in (1, 2)]
    columns += [corner.mean(axis=(1, 2), dtype=np.float32) for corner in corners]
    return np.concatenate(columns, axis=1).astype(np.float32)
