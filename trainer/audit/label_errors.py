"""Probable label errors, by confident learning on features of a frozen network.

Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal of
Artificial Intelligence Research 70 (2021). Measured by tests/benchmarks/label_errors.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.terminal.progress import Progress
from trainer.audit.label_noise import WrongShare, wrong_share
from trainer.data.stratified_split import fold_pictures

_FOLDS = 5
_COMPONENTS = 300
_INVERSE_PENALTY = 5.0
"""Inverse, of the logistic regression. Over 20 draws 2 to 5 found the same, 12 a little less. A
second round without the surest errors, a vote of several layers, and neighbours in place of a model
were within a point or two."""
_ENOUGH = 5000
"""The number of pictures from which the principal components are computed, at most."""
_FEWEST = 10
"""Pictures that a class must have before a model can learn it."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelErrors:
    """How probable each picture's label is."""

    ranking: npt.NDArray[np.int64]
    """Numbers of all pictures, the most probable error first."""
    given: npt.NDArray[np.float64]
    """The probability of each picture's own label."""
    suggested: npt.NDArray[np.int64]
    """The class index of each picture's most probable other label."""
    probability: npt.NDArray[np.float64]
    """The probability of that other label, of each picture."""
    probable: npt.NDArray[np.bool_]
    """True for each picture that confident learning calls an error: the probability of another
    class is as high as is usual for pictures of that class. In a small set, most of these are
    errors of the model, not of the labels."""
    wrong: WrongShare
    """The share of wrong labels beyond what the model's own errors explain."""
    agreement: float
    """The share of the pictures whose most probable label is the given one."""


def find_label_errors(
    features: npt.NDArray[np.float32],
    pictures: Sequence[LabelledPicture],
    labels: Sequence[str],
    *,
    repeats: int = 3,
) -> LabelErrors:
    """How probable the label of every picture is to a model that has not seen the picture.

    Args:
        features: float32 (pictures, depth).
        pictures: each with its label and group; groups are never torn apart.
        labels: every label, sorted.
        repeats: how many times other folds are drawn, of less than 10,000 pictures; the
            probabilities are averaged.
    """
    truth = np.array([labels.index(picture.label) for picture in pictures])
    if len(truth) > 2 * _ENOUGH:
        repeats = 1  # so many pictures vote more steadily, and take long
    scores = _cross_fitted(_components(features), pictures, truth, len(labels), repeats)
    at = np.arange(len(truth))
    given = scores[at, truth]
    others = scores.copy()
    others[at, truth] = -1
    # A class with too few pictures accuses none and is not accused.
    small = np.bincount(truth, minlength=len(labels)) < _FEWEST
    others[:, small] = -1
    suggested = others.argmax(axis=1)
    return LabelErrors(
        ranking=np.argsort(np.where(small[truth], 1 + given, given), kind="stable"),
        given=given,
        suggested=suggested,
        probability=np.maximum(others[at, suggested], 0),
        probable=_confident(scores, truth, small),
        wrong=_wrong(scores, pictures, truth, small),
        agreement=float((scores.argmax(axis=1) == truth).mean()),
    )


def _components(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The main components of the standardised roots, float32 (pictures, at most 300)."""
    from sklearn.utils.extmath import randomized_svd

    x = np.sqrt(np.abs(features))
    np.copysign(x, features, out=x)
    x -= x.mean(axis=0)
    x /= (x.std(axis=0) + 1e-3) * np.sqrt(x.shape[1])
    some = x[:: max(1, len(x) // _ENOUGH)]
    _, _, axes = randomized_svd(some, min(_COMPONENTS, *some.shape), random_state=0)
    return np.asarray(x @ axes.T, np.float32)


def _cross_fitted(
    x: npt.NDArray[np.float32],
    pictures: Sequence[LabelledPicture],
    truth: npt.NDArray[np.int64],
    classes: int,
    repeats: int,
) -> npt.NDArray[np.float64]:
    """Probabilities (pictures, classes) by models that were not trained on the picture's group."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    logs = np.zeros((len(x), classes))
    with (
        Progress("label errors", total=_FOLDS * repeats) as progress,
        # Of products as small as these two threads take ten times as long as one.
        threadpool_limits(1),
    ):
        for repeat in range(repeats):
            folds = np.array(fold_pictures(pictures, _FOLDS, seed=repeat))
            for fold in range(_FOLDS):
                held = folds == fold
                known = np.unique(truth[~held])
                scores = np.full((int(held.sum()), classes), 1e-6)
                if held.any() and len(known) > 1:
                    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=300, tol=1e-3)
                    model.fit(x[~held], truth[~held])
                    scores[:, known] = np.maximum(model.predict_proba(x[held]), 1e-6)
                logs[held] += np.log(scores)
                progress.advance()
    scores = np.exp(logs / repeats)
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def _wrong(
    scores: npt.NDArray[np.float64],
    pictures: Sequence[LabelledPicture],
    truth: npt.NDArray[np.int64],
    small: npt.NDArray[np.bool_],
) -> WrongShare:
    """The share of wrong labels among the classes that are not too small."""
    judged = np.flatnonzero(~small[truth])
    number = np.cumsum(~small) - 1
    return wrong_share(
        scores[np.ix_(judged, np.flatnonzero(~small))],
        number[truth[judged]],
        [pictures[i].group or str(pictures[i].path) for i in judged.tolist()],
    )


def _confident(
    scores: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], small: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Off the diagonal of the paper's confident joint (equation 1)."""
    usual = np.array(
        [
            scores[truth == label, label].mean()
            if (truth == label).any() and not small[label]
            else np.inf
            for label in range(scores.shape[1])
        ]
    )
    above = np.where(scores >= usual, scores, -1)
    best = above.argmax(axis=1)
    return np.asarray((above.max(axis=1) >= 0) & (best != truth) & ~small[truth])
