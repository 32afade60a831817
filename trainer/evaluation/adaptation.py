"""What a few new pictures of another place would bring to a network that has learned already.

The layers stay as the run left them, and only a new head is fitted to their outputs for the run's
training pictures and some of the new ones. It takes seconds, where `train --from` would take
minutes for each size and each draw, of which there are dozens; and a few pictures of each class
teach the lower layers little. So it says what the network's features can tell in the other place;
a training with `--from` may bring more.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from edge.core.dataset import LabelledPicture
from trainer.data.stratified_split import fold_pictures
from trainer.statistics.intervals import NOTHING, Figure, Resampling
from trainer.statistics.paired_runs import paired_difference
from trainer.statistics.several_trainings import share_of_trainings

SIZES = (1, 2, 5, 10, 20, 50)
"""New pictures per class that are tried, as far as half of the classes have so many in each half of
the pictures; of a class with fewer, all in its half are taken."""

_REPEATS = 5
_COMPONENTS = 128
_REGULARISATION = 0.03
"""scikit-learn's C, on components scaled to a mean square of 1, as of `learning_curve.py`."""

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AdaptedPoint:
    """The accuracy with some new pictures of each class."""

    new: int
    """New pictures of each class, at most."""
    drawn: float
    """New pictures of all classes together, on average."""
    accuracy: Figure
    gain: Figure
    """The accuracy less that of the head without new pictures, of the same pictures."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """Accuracy over the number of new pictures per class; the first point has none."""

    run: Figure
    """The accuracy of the run's own head, which is not fitted again."""
    points: tuple[AdaptedPoint, ...]
    note: str = ""
    """Why there are no points with new pictures, or fewer pictures of a class; else empty."""


def adaptation(
    trained: Rows,
    trained_truth: Indices,
    new: Rows,
    truth: Indices,
    groups: Sequence[str],
    *,
    right: npt.NDArray[np.bool_],
) -> Adaptation:
    """Measures a head that is fitted to the training pictures and some of the new ones.

    In each of five repeats the new pictures are divided in halves, whole groups together. From one
    half pictures are drawn, the other one is scored, and the other way round: so each size is
    measured on all of them, by heads that have seen none of their group.

    Args:
        trained: (pictures, depth), the outputs of `pooled` for the run's training pictures.
        trained_truth: (pictures,) class indices.
        new: (pictures, depth), those of the other place.
        truth: (pictures,) class indices.
        groups: the group of each picture of the other place.
        right: (pictures,), whether the run classifies each of them correctly.
    """
    with threadpool_limits(1):
        rows, fresh = _components(trained, new)
        pictures = [
            LabelledPicture(Path(str(i)), str(label), group)
            for i, (label, group) in enumerate(zip(truth, groups, strict=True))
        ]
        half = [np.array(fold_pictures(pictures, 2, seed=repeat)) for repeat in range(_REPEATS)]
        present = np.unique(truth)
        fewest = [
            min(int((truth[of == side] == label).sum()) for of in half for side in (0, 1))
            for label in present
        ]
        sizes = [size for size in SIZES if size <= np.median(fewest)]
        # By repeat, because each draws other new pictures.
        hits = {size: np.zeros((_REPEATS, len(truth)), bool) for size in (0, *sizes)}
        count = dict.fromkeys(hits, 0)
        for repeat, of in enumerate(half):
            for side in (0, 1):
                pool, scored = np.flatnonzero(of == side), np.flatnonzero(of != side)
                if not len(scored):
                    continue
                order = np.random.default_rng((repeat, side)).permutation(pool)
                for size in hits:
                    drawn = _drawn(order, truth, size)
                    head = _head(
                        np.concatenate([rows, fresh[drawn]]),
                        np.concatenate([trained_truth, truth[drawn]]),
                    )
                    hits[size][repeat, scored] = head.predict(fresh[scored]) == truth[scored]
                    count[size] += len(drawn)
    note = ""
    if not sizes:
        note = (
            "too few pictures to try any: half of the classes must have one in each half of the "
            "pictures, in other groups than the rest"
        )
    elif min(fewest) < max(sizes):
        note = (
            f"some classes have fewer than {max(sizes)} pictures in a half: of them, all that are "
            "there are taken"
        )
    points = []
    # What a repeat draws is to its heads what its fold is to a training.
    of, several = np.repeat(range(_REPEATS), len(truth)), list(groups) * _REPEATS
    for size, each in hits.items():
        drawn_on_average = count[size] / (2 * _REPEATS)
        overlap = len(truth) / 2 / (len(rows) + drawn_on_average)
        accuracy = share_of_trainings(each.ravel(), several, of, overlap=overlap)
        gain = NOTHING
        if len(truth):
            changes = each.astype(float) - hits[0]
            found = paired_difference(changes.ravel(), several, of.tolist(), overlap=overlap)
            gain = Figure(found.value, found.interval)
        points.append(AdaptedPoint(size, drawn_on_average, accuracy, gain))
    own = Resampling(groups, len(truth)).share(right)
    return Adaptation(own, tuple(points), note)


def _drawn(order: Indices, truth: Indices, size: int) -> Indices:
    """The first `size` pictures of each class."""
    chosen = [order[truth[order] == label][:size] for label in np.unique(truth[order])]
    return np.concatenate([np.zeros(0, np.int64), *chosen])


def _components(trained: Rows, new: Rows) -> tuple[Rows, Rows]:
    """Both on the principal components of the first, at one scale."""
    from sklearn.decomposition import PCA

    count = min(_COMPONENTS, *trained.shape)
    found = PCA(count, svd_solver="randomized", random_state=0).fit(trained)
    rows, fresh = found.transform(trained), found.transform(new)
    scale = float(np.sqrt((rows**2).sum(axis=1).mean() / count)) or 1.0
    return np.asarray(rows / scale, np.float32), np.asarray(fresh / scale, np.float32)


def _head(rows: Rows, truth: Indices) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=_REGULARISATION, max_iter=100, tol=1e-2).fit(rows, truth)
