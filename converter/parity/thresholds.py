"""Adjusts the accept and unknown thresholds of the float model to the scores of the int8 model.

The trainer chose them on scores of models that had not been trained on the scored pictures. The
converter does not have these models, so it cannot choose thresholds again. But the int8 model's
scores are those of the float model with a small error. The part of that error that is the same for
all pictures of a label is added to the label's threshold. It is measured near the threshold, on
pictures that are used neither for the test nor for calibration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from converter.parity.predictions import Predictions

_NEAREST = 50
"""The number of pictures of a label, nearest to its threshold, that the shift is measured on."""
_FEWEST = 10
"""The smallest number of pictures for which a threshold is adjusted."""
_LEAST_ODDS = 1e-9
"""Scores are limited to this and to 1 minus this before their log-odds are computed."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of a model."""

    accept: Mapping[str, float]
    """The score, 0..1, from which each label is accepted."""
    unknown: float | None
    """The novelty score, 0..1, above which a picture is rejected as unknown; None rejects none."""


def move_thresholds(
    float32: Predictions,
    int8: Predictions,
    usable: npt.NDArray[np.bool_],
    labels: Sequence[str],
    accept: Mapping[str, float],
    unknown: float | None,
) -> Thresholds:
    """The thresholds with which the int8 model accepts what the float model accepts.

    Args:
        float32, int8: the predictions of the two models for the same pictures.
        usable: bool (pictures,): True for the pictures that thresholds may be chosen on, which are
            not of the test split.
        labels: the label of each class.
        accept, unknown: the thresholds of the float model.
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
