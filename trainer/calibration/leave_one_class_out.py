"""Measures by leave-one-class-out how well a novelty score finds things that belong to no class.

One class after another is left out, and a small classifier of the other classes is fitted to
features of the frozen network, which was not trained on any of these classes. That takes seconds;
training the whole network again would take an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from trainer.calibration.novelty import Floats, Kind, RawScores, choose_prototypes, distance, energy
from trainer.data.stratified_split import fold_pictures
from trainer.statistics.intervals import Figure, Resampling

KINDS: tuple[Kind, ...] = ("energy", "distance", "both")
Doubles = npt.NDArray[np.float64]

_LEFT_OUT = 8
"""The most classes that are left out, one at a time."""
_PICTURES = 4000
"""The most pictures that are used."""
_FOLDS = 3
_COMPONENTS = 128
"""The number of principal components that the small classifier uses."""


@dataclass(frozen=True, slots=True)
class LeaveOneClassOut:
    """The performance of a novelty score on a class that was left out, on frozen features."""

    found: Figure
    """The share of the class's pictures whose score is above that of the wanted share of known
    pictures."""
    auroc: float
    """The area under the ROC curve: how often a picture of the class scores higher than a known
    one."""
    pictures: int


def leave_classes_out(
    frozen: Floats, pictures: Sequence[LabelledPicture], *, keep: float, seed: int
) -> dict[Kind, dict[str, LeaveOneClassOut]]:
    """Measures how well each kind of score finds an unknown class, for up to eight classes.

    The classifier of the other classes is a linear discriminant, in closed form. Known pictures are
    scored by a classifier that was not fitted to their group, the class left out by all of them.

    Args:
        frozen: (pictures, depth), features of the frozen network.
        pictures: the pictures, with their labels and groups.
        keep: the share of known pictures that must stay below the limit.
        seed: the seed of folds and prototypes.
    """
    from threadpoolctl import threadpool_limits

    # The matrices are small: several threads took 29 seconds, waiting for each other; one took one.
    with threadpool_limits(1):
        return _leave_classes_out(frozen, pictures, keep, seed)


def _leave_classes_out(
    frozen: Floats, pictures: Sequence[LabelledPicture], keep: float, seed: int
) -> dict[Kind, dict[str, LeaveOneClassOut]]:
    some = np.arange(0, len(pictures), -(-len(pictures) // _PICTURES))
    frozen, chosen = frozen[some], [pictures[int(i)] for i in some]
    labels = sorted({picture.label for picture in chosen})
    truth = np.array([labels.index(picture.label) for picture in chosen])
    fold = np.array(fold_pictures(chosen, _FOLDS, seed=seed))
    figures: dict[Kind, dict[str, LeaveOneClassOut]] = {kind: {} for kind in KINDS}
    for index in np.linspace(0, len(labels) - 1, min(len(labels), _LEFT_OUT)).round().astype(int):
        label = labels[index]
        unseen = truth == index
        groups = [str(chosen[i].group or chosen[i].path) for i in np.flatnonzero(unseen)]
        folds: list[tuple[RawScores, RawScores]] = []
        for number in range(_FOLDS):
            train, known = ~unseen & (fold != number), ~unseen & (fold == number)
            if len(np.unique(truth[train])) < 2 or not known.any():
                continue  # fewer groups than folds
            logits = _discriminant(frozen[train], truth[train])
            prototypes = choose_prototypes(frozen[train], truth[train], seed=seed)
            one, other = (
                RawScores(energy(logits(frozen[these])), distance(frozen[these], prototypes))
                for these in (known, unseen)
            )
            folds.append((one, other))
        for kind in KINDS if folds else ():
            figures[kind][label] = _left_out(kind, folds, groups, keep, seed)
    return figures


def _left_out(
    kind: Kind,
    folds: Sequence[tuple[RawScores, RawScores]],
    groups: Sequence[str],
    keep: float,
    seed: int,
) -> LeaveOneClassOut:
    from sklearn.metrics import roc_auc_score

    over, above = [], []
    for known, unseen in folds:
        weights = known.weights(kind, keep)
        one, other = known.weighted(weights), unseen.weighted(weights)
        over.append(other > np.quantile(one, keep))
        above.append(roc_auc_score(np.repeat([0, 1], [len(one), len(other)]), [*one, *other]))
    return LeaveOneClassOut(
        found=Resampling(groups, len(groups), seed=seed).share(np.mean(over, axis=0) > 0.5),
        auroc=float(np.mean(above)),
        pictures=len(groups),
    )


def _discriminant(rows: Floats, truth: npt.NDArray[np.int64]) -> Callable[[Floats], Doubles]:
    """Fits Fisher's linear discriminant with Gaussian classes: a function from features to logits.

    Args:
        rows: (pictures, depth), the features to fit it to.
        truth: (pictures,) class indices, of at least two classes.
    """
    from sklearn.covariance import ledoit_wolf
    from sklearn.utils.extmath import randomized_svd

    wide = rows.astype(np.float32)
    mean = wide.mean(axis=0)
    classes, of = np.unique(truth, return_inverse=True)
    components = min(_COMPONENTS, *wide.shape)
    # Computing all components exactly would take a second each time.
    axes = randomized_svd(wide - mean, components, n_iter=2, random_state=0)[2].T
    inner = (wide - mean) @ axes
    centres = np.stack([inner[of == i].mean(axis=0) for i in range(len(classes))])
    spread, turned = np.linalg.eigh(ledoit_wolf(inner - centres[of], assume_centered=True)[0])
    turned = turned / np.sqrt(np.maximum(spread, 1e-9))
    whitened, centres = axes @ turned, centres @ turned
    offset = np.log(np.bincount(of) / len(of)) - (centres**2).sum(axis=1) / 2

    def logits(others: Floats) -> Doubles:
        return np.asarray((others.astype(np.float32) - mean) @ whitened @ centres.T + offset)

    return logits
