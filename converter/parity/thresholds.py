"""Accept and unknown thresholds moved from the float model's scores to the int8 model's.

They were promised on scores that no model gave to pictures it had trained on, and only the trainer
has such models. The int8 model's scores are the float model's with a small error; what of it is the
same for all pictures of a label is put into the threshold, measured on pictures that were neither
tested nor calibrated on, near the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from converter.parity.predictions import Predictions

_NEAREST = 50
"""Pictures of a label, those whose score lies nearest to its threshold, that tell of the shift."""
_FEWEST = 10
"""With fewer, a threshold stays as it is."""
_LEAST_ODDS = 1e-9


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which scores on a model's predictions count."""

    accept: Mapping[str, float]
    """The score, 0..1, from which each label is accepted."""
    unknown: float | None
    """A novelty score above it, 0..1, is rejected as `unknown`; None: none is."""


def move_thresholds(
    float32: Predictions,
    int8: Predictions,
    usable: npt.NDArray[np.bool_],
    labels: Sequence[str],
    accept: Mapping[str, float],
    unknown: float | None,
) -> Thresholds:
    """The thresholds at which int8 accepts what float accepts.

    Args:
        float32, int8: predictions for the same pictures.
        usable: bool (pictures,): those that thresholds may be chosen on, none of the test part.
        accept, unknown: of the float model.
    """
    best = float32.scores.argmax(axis=1)
    same = usable & (best == int8.scores.argmax(axis=1))
    rows = np.arange(len(best))
    one, other = float32.scores[rows, best], int8.scores[rows, best]
    moved = {}
    for index, label in enumerate(labels):
        mine = same & (best == index)
        moved[label] = _moved(accept[label], one[mine], other[mine])
    moved_unknown = unknown
    if unknown is not None and float32.novelty is not None and int8.novelty is not None:
        moved_unknown = _moved(unknown, float32.novelty[usable], int8.novelty[usable])
    return Thresholds(moved, moved_unknown)


def _moved(
    threshold: float, one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
) -> float:
    if len(one) < _FEWEST or not 0 < threshold < 1:
        return threshold
    here, odds, odds_other = _odds(np.array(threshold)), _odds(one), _odds(other)
    near = np.argsort(np.abs(odds - here), kind="stable")[:_NEAREST]
    shift = float(np.median(odds_other[near] - odds[near]))
    return round(1 / (1 + math.exp(-(float(here) + shift))), 4)


def _odds(share: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    kept = np.clip(share.astype(np.float64), _LEAST_ODDS, 1 - _LEAST_ODDS)
    return np.asarray(np.log(kept) - np.log1p(-kept))
