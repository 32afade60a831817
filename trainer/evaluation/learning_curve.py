"""What more pictures would bring: accuracy over pictures per class, and where it leads.

The network is not trained again for every size, which would take hours: a logistic regression on
the frozen network's pooled features stands in for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000)
"""Pictures per class that are tried, as far as there are so many."""
MORE = 50
"""Pictures per class that the forecast adds."""

_FOLDS, _REPEATS = 5, 5
_COMPONENTS = 128
_REGULARISATION = 0.03
"""scikit-learn's C on components scaled to a mean square of 1: the best on TrashNet's blocks, and
flat about there."""
_MOST = 6000
"""Pictures used in all; of more, whole groups by chance."""
_LEAST_SIZES = 4
"""Sizes below which three numbers are not fitted."""
_FURTHEST = 3.0
"""How many times the pictures there are a forecast may reach."""
_DRAWS = 400
_EXPONENTS = np.linspace(0.05, 2.0, 79)
_CONFIDENT = (0.025, 0.975)

Features = npt.NDArray[np.float32]
Truth = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The accuracy of trainings with a number of pictures per class."""

    pictures: float
    """The mean number of pictures per class; a class that has fewer gives all it has."""
    accuracy: float
    """The accuracy on pictures of other groups than the training's, as the mean over the
    repeats."""
    lowest: float
    """The lowest accuracy of the repeats, each of which has other pictures."""
    highest: float


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """error = floor + scale * pictures ** -exponent."""

    floor: float
    scale: float
    exponent: float

    def accuracy(self, pictures: float) -> float:
        """The accuracy at so many pictures per class."""
        return float(1 - self.floor - self.scale * pictures**-self.exponent)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The gain in accuracy that is expected from `MORE` pictures per class."""

    pictures: float
    """Per class there are now, the mean."""
    gain: float
    """0..1, by the fitted curve."""
    interval: tuple[float, float]
    """95 %, from the fits to resampled groups and repeats."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Accuracy of the head on frozen features, over pictures per class."""

    points: tuple[CurvePoint, ...]
    fit: PowerLaw | None
    forecast: Forecast | None
    note: str
    """Empty, or why there is no curve or no forecast."""

    def to_json(self) -> dict[str, object]:
        """The object for `metrics.json`."""
        return {
            "points": [
                {"pictures_per_class": round(p.pictures, 1), "accuracy": p.accuracy,
                 "lowest": p.lowest, "highest": p.highest}
                for p in self.points
            ],
            "fit": self.fit
            and {"floor": self.fit.floor, "scale": self.fit.scale, "exponent": self.fit.exponent},
            "forecast": self.forecast
            and {"more": MORE, "gain": self.forecast.gain, "interval": self.forecast.interval},
            "note": self.note,
        }  # fmt: skip


def learning_curve(
    features: Features, truth: Truth, groups: Sequence[str], *, seed: int
) -> LearningCurve:
    """How accuracy grows with pictures per class, and a forecast for `MORE` of each.

    Every picture is scored by regressions that saw no picture of its group. Pictures are added
    group by group, as one collects them. The fitted curve is the inverse power law of Cortes et
    al., Learning curves: asymptotic values and rate of convergence, NIPS 6 (1994), its points
    weighted by size as in Figueroa et al., Predicting sample size required for classification
    performance, BMC Medical Informatics and Decision Making 12 (2012).

    Args:
        features: float32 (pictures, depth), pooled, of pictures not in the test split, from a
            network that trained on none of them: else the curve flatters and is too flat.
        truth: (pictures,) class indices.
        groups: of each picture; pictures of one group are alike.
        seed: of folds, order and resampling.
    """
    rng = np.random.default_rng(seed)
    group = np.unique(list(groups), return_inverse=True)[1]
    each = len(truth) / max(1, len(np.unique(truth)))
    used = _some_groups(group, rng)
    features, truth, group = features[used], truth[used], group[used]
    classes = np.unique(truth)
    if len(classes) < 2:
        return LearningCurve((), None, None, "a learning curve needs two classes")
    folds = min(_FOLDS, *(len(np.unique(group[truth == label])) for label in classes))
    if folds < 2:
        return LearningCurve(
            (), None, None, "a class has pictures of one group only: nothing to score it on"
        )
    if not np.isfinite(features).all() or np.ptp(features, axis=0).max() == 0:
        return LearningCurve((), None, None, "the network's features tell no pictures apart")
    with _one_thread(), _quiet():
        right, sizes = _scored(_components(features, seed), truth, group, folds, rng)
    points = tuple(
        CurvePoint(size, float(repeats.mean()), float(repeats.min()), float(repeats.max()))
        for size, repeats in zip(sizes, right.mean(axis=2), strict=True)
    )
    if len(points) < _LEAST_SIZES:
        return LearningCurve(points, None, None, "too few pictures to fit a curve to")
    fits = _fit(np.array(sizes), 1 - right.mean(axis=(1, 2))[None, :])
    law = PowerLaw(*(float(value[0]) for value in fits))
    if each + MORE > _FURTHEST * each:
        note = f"{MORE} more per class is too far beyond {each:.0f} to be forecast"
        return LearningCurve(points, law, None, note)
    drawn = _fit(np.array(sizes), 1 - _resampled(right, group, rng))
    low, high = np.quantile(_gain(*drawn, each), _CONFIDENT)
    gain = law.accuracy(each + MORE) - law.accuracy(each)
    interval = min(float(low), gain), max(float(high), gain)
    return LearningCurve(points, law, Forecast(each, gain, interval), "")


def _some_groups(group: Truth, rng: np.random.Generator) -> Truth:
    if len(group) <= _MOST:
        return np.arange(len(group))
    rank = rng.permutation(int(group.max()) + 1)[group]
    return np.sort(np.argsort(rank, kind="stable")[:_MOST])


def _components(features: Features, seed: int) -> Features:
    """The features' principal components, which do not look at the truth."""
    from sklearn.decomposition import PCA

    most = min(_COMPONENTS, *features.shape)
    reduction = PCA(most, svd_solver="randomized", random_state=seed)
    found = reduction.fit_transform(np.asarray(features, np.float32))
    scale = float(np.sqrt((found**2).sum(axis=1).mean() / most))
    return np.asarray(found / (scale or 1.0), np.float32)


def _scored(
    features: Features, truth: Truth, group: Truth, folds: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], list[float]]:
    """(sizes, repeats, pictures) 1 where right; and the mean pictures per class of each size."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    counts = np.bincount(truth)
    wanted = [size for size in SIZES if size < np.median(counts[counts > 0]) * (1 - 1 / folds)]
    wanted.append(len(truth))  # all there are
    right = np.zeros((len(wanted), _REPEATS, len(truth)))
    used = np.zeros(len(wanted))
    for repeat in range(_REPEATS):
        split = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(1 << 31)))
        for rest, held in split.split(features, truth, group):
            rank = _collected(truth[rest], group[rest], rng)
            for row, size in enumerate(wanted):
                chosen = rest[rank < size]
                used[row] += len(chosen) / len(np.unique(truth)) / folds / _REPEATS
                if len(np.unique(truth[chosen])) < 2:
                    right[row, repeat, held] = truth[held] == truth[chosen[0]]
                    continue
                head = LogisticRegression(C=_REGULARISATION, max_iter=100, tol=1e-2)
                head.fit(features[chosen], truth[chosen])
                right[row, repeat, held] = head.predict(features[held]) == truth[held]
    return right, [float(size) for size in used]


def _collected(truth: Truth, group: Truth, rng: np.random.Generator) -> Truth:
    """Each picture's place in its class, 0 first, as if they were collected group by group."""
    order = np.lexsort((rng.random(len(truth)), rng.permutation(int(group.max()) + 1)[group]))
    rank = np.zeros(len(truth), np.int64)
    for label in np.unique(truth):
        mine = order[truth[order] == label]
        rank[mine] = np.arange(len(mine))
    return rank


def _resampled(
    right: npt.NDArray[np.float64], group: Truth, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(draws, sizes): accuracies over groups and repeats drawn with replacement."""
    sizes, repeats, _ = right.shape
    number = int(group.max()) + 1
    sums = np.zeros((number, sizes * repeats))
    np.add.at(sums, group, right.reshape(sizes * repeats, -1).T)
    present = np.bincount(group, minlength=number)
    weights = rng.multinomial(number, np.full(number, 1 / number), _DRAWS).astype(np.float64)
    shares = ((weights @ sums) / (weights @ present)[:, None]).reshape(_DRAWS, sizes, repeats)
    drawn = rng.multinomial(repeats, np.full(repeats, 1 / repeats), (_DRAWS, sizes)) / repeats
    return np.asarray((shares * drawn).sum(axis=2))


def _fit(
    sizes: npt.NDArray[np.float64], errors: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Floors, scales and exponents of the power laws nearest to each row of `errors`.

    For every exponent of a grid the best floor and scale, neither below zero, follow from least
    squares; the exponent with the smallest residue is taken.
    """
    weight = sizes / sizes.sum()
    best = np.full(len(errors), np.inf)
    found = np.zeros((3, len(errors)))
    mean = errors @ weight
    for exponent in _EXPONENTS:
        falling = sizes**-exponent
        middle = float(falling @ weight)
        spread = float((weight * (falling - middle) ** 2).sum())
        scale = ((errors - mean[:, None]) * (falling - middle)) @ weight / spread
        floor = mean - scale * middle
        # A floor below zero: the best curve down to no error at all.
        through = errors @ (weight * falling) / float((weight * falling**2).sum())
        scale, floor = np.where(floor < 0, through, scale), np.maximum(floor, 0.0)
        # A scale below zero: more pictures seem to harm; then they make no difference.
        floor, scale = np.where(scale < 0, mean, floor), np.maximum(scale, 0.0)
        residue = ((errors - floor[:, None] - scale[:, None] * falling) ** 2) @ weight
        better = residue < best - 1e-12
        best = np.where(better, residue, best)
        found[:, better] = np.array([floor, scale, np.full(len(errors), exponent)])[:, better]
    return found[0], found[1], found[2]


def _gain(
    floor: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    exponent: npt.NDArray[np.float64],
    pictures: float,
) -> npt.NDArray[np.float64]:
    return np.asarray(scale * (pictures**-exponent - (pictures + MORE) ** -exponent))


@contextmanager
def _one_thread() -> Iterator[None]:
    """BLAS on one thread: for matrices this small several only wait for one another."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning that 100 steps were not enough: the rest changes no figure here."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
