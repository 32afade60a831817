"""The share of wrong labels, separated from the errors of the model that judges the labels.

A model that names 15 % of a set's pictures otherwise than their labels may have found 15 % of wrong
labels, or be wrong in 15 % of the pictures. What tells the two apart is how sure it is: its own
mistakes are mostly doubtful ones, as many as its calibrated probabilities say; a wrong label it
contradicts however sure it is. So the labels are taken for drawn from the judge's probabilities p,
calibrated by a temperature, and then, a share e of them, replaced by another of the K labels, drawn
evenly:

    P(label y) = (1 - e) p_y + e (1 - p_y) / (K - 1)

Temperature and e are fitted together by maximum likelihood; bounds of e are those of its profile
likelihood (Venzon and Moolgavkar, Applied Statistics 37, 1988). The model is that of Copas, "Binary
regression models for contaminated data", Journal of the Royal Statistical Society B 50 (1988), for
any number of classes; the temperature is that of Guo et al., "On calibration of modern neural
networks", ICML 2017. tests/benchmarks/clean_sets.py measures how often it cries wolf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.statistics.design_effect import cluster_design_effect

CERTAINTY = 0.99
"""The confidence of the bound `WrongShare.at_least`."""
_Z99, _Z95 = 2.3263, 1.9600
"""One-sided at 99 %, two-sided at 95 %."""
_TEMPERATURES = np.exp(np.linspace(np.log(0.1), np.log(10), 30))
_SHARES = np.concatenate([[0.0], np.geomspace(0.001, 0.5, 80)])
"""The shares tried, up to one half: where more labels are wrong, a model that was trained on them
is of no use."""
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class WrongShare:
    """The share of the labels that is wrong, 0..1, with its bounds."""

    estimate: float
    """The most likely share."""
    low: float
    high: float
    """The upper end of the 95 % interval; `low` is its lower end."""
    at_least: float
    """The share that is exceeded with a certainty of 99 %."""


def wrong_share(
    scores: npt.NDArray[np.float64],
    truth: npt.NDArray[np.int64],
    groups: Sequence[str] | None = None,
) -> WrongShare:
    """The share of wrong labels that the model's own errors do not explain.

    Args:
        scores: (pictures, classes) probabilities, of each picture by a judge that did not learn
            from it.
        truth: (pictures,) the class index that each picture's label says.
        groups: of each picture; pictures of one are judged alike, and count for fewer. None: each
            is its own.
    """
    if not len(truth) or scores.shape[1] < 2:
        return WrongShare(0.0, 0.0, 0.5, 0.0)
    logs = np.log(np.maximum(scores, _LEAST))
    likelihood = _peaks(np.array([_likelihood(logs, truth, t) for t in _TEMPERATURES]))
    # Pictures of a group tell less than as many single ones do: Rao and Scott, Annals of Statistics
    # 12 (1984), divide the deviance by the design effect.
    effect = (
        1.0 if groups is None else cluster_design_effect(scores.argmax(axis=1) != truth, groups)
    )
    deviance = 2 * (likelihood.max() - likelihood) / effect
    low, high = _SHARES[deviance <= _Z95**2][[0, -1]]
    return WrongShare(
        estimate=float(_SHARES[likelihood.argmax()]),
        low=float(low),
        high=float(high),
        at_least=float(_SHARES[deviance <= _Z99**2][0]),
    )


def _likelihood(
    logs: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], temperature: float
) -> npt.NDArray[np.float64]:
    """The log-likelihood of the labels for each of `_SHARES`."""
    sharp = logs / temperature
    sharp = np.exp(sharp - sharp.max(axis=1, keepdims=True))
    own = sharp[np.arange(len(truth)), truth] / sharp.sum(axis=1)
    other = (1 - own) / (logs.shape[1] - 1)
    mixed = own[:, None] + _SHARES * (other - own)[:, None]
    return np.asarray(np.log(np.maximum(mixed, _LEAST)).sum(axis=0))


def _peaks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each column's maximum, by a parabola through its largest value and the two beside it."""
    best = values.argmax(axis=0)
    at = best.clip(1, len(values) - 2)
    columns = np.arange(values.shape[1])
    before, middle, after = (values[at + step, columns] for step in (-1, 0, 1))
    bend = before - 2 * middle + after
    inside = (best == at) & (bend < 0)  # at either end there is nothing to lay it through
    gain = (before - after) ** 2 / (-8 * np.where(inside, bend, -1.0))
    return np.asarray(values[best, columns] + np.where(inside, gain, 0.0))
