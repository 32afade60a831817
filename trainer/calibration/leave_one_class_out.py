"""How well a novelty score finds things of no class: leave-one-class-out, for each class in turn.

A class is left out, and a small classifier of the other classes is fitted to features of the frozen
network, which has never seen any of them as classes. That takes seconds, where training the whole
network again would take an hour.
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
"""Classes that are left out at most."""
_PICTURES = 4000
"""Pictures that this is measured on at most."""
_FOLDS = 3
_COMPONENTS = 128
"""Principal components that the small classifier uses."""


@dataclass(frozen=True, slots=True)
class LeaveOneClassOut:
    """How a score did on a class that was left out of the training, as on frozen features."""

    found: Figure
    """Share of its pictures whose score is above that of the wanted share of the known ones."""
    auroc: float
    """Area under the ROC curve: how often a picture of it scores higher than a known one."""
    pictures: int


def leave_classes_out(
    frozen: Floats, pictures: Sequence[LabelledPicture], *, keep: float, seed: int
) -> dict[Kind, dict[str, LeaveOneClassOut]]:
    """How each kind tells a class that it does not know, for up to eight classes in turn.

    The classifier of the other classes is a linear discriminant, in closed form. Known pictures are
    scored by one that has not seen their group; the class left out by all of them.
    """
    from threadpoolctl import threadpool_limits

    # Small matrices: threads that wait for each other took 29 seconds where one took one.
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
    """A function from features to logits: Fisher's linear discriminant with Gaussian classes.

    Args:
        rows: (pictures, depth) to fit it to.
        truth: (pictures,) class indices, of two classes at least.
    """
    from sklearn.covariance import ledoit_wolf
    from sklearn.utils.extmath import randomized_svd

    wide = rows.astype(np.float32)
    mean = wide.mean(axis=0)
    classes, of = np.unique(truth, return_inverse=True)
    components = min(_COMPONENTS, *wide.shape)
    # All of them, exactly, would take a second each time.
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
