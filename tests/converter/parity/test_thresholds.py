"""Thresholds are adjusted such that the int8 model accepts what the float model accepts."""

from __future__ import annotations

import numpy as np
import pytest

from converter.parity.predictions import Predictions
from converter.parity.thresholds import move_thresholds

LABELS = ("a", "b")
ACCEPT = {"a": 0.8, "b": 0.9}


def predictions(odds: np.ndarray, novelty: np.ndarray | None = None) -> Predictions:
    """The predictions for pictures whose first label has these log-odds."""
    first = 1 / (1 + np.exp(-odds))
    return Predictions(np.stack([first, 1 - first], axis=1).astype(np.float32), novelty)


ODDS = np.linspace(-6, 6, 401)
EVERY = np.ones(len(ODDS), bool)


@pytest.mark.parametrize("shift", [-0.4, 0.0, 0.7])
def test_a_threshold_moves_by_what_int8_adds_to_all_scores(shift: float) -> None:
    float32, int8 = predictions(ODDS), predictions(ODDS + shift)
    moved = move_thresholds(float32, int8, EVERY, LABELS, ACCEPT, None)
    assert moved.unknown is None
    for label, column in (("a", 0), ("b", 1)):
        accepted = float32.scores[:, column] >= ACCEPT[label]
        accepted_now = int8.scores[:, column] >= moved.accept[label]
        assert (accepted != accepted_now).sum() <= 1


def test_noise_without_a_direction_moves_nothing_much() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, len(ODDS))
    moved = move_thresholds(
        predictions(ODDS), predictions(ODDS + noise), EVERY, LABELS, ACCEPT, None
    )
    for label, threshold in ACCEPT.items():
        assert moved.accept[label] == pytest.approx(threshold, abs=0.03)


def test_only_usable_pictures_tell() -> None:
    # On the others int8 is far off; they are the test split.
    usable = np.arange(len(ODDS)) % 2 == 0
    int8 = predictions(np.where(usable, ODDS, ODDS + 2))
    assert move_thresholds(predictions(ODDS), int8, usable, LABELS, ACCEPT, None).accept == ACCEPT


def test_of_few_pictures_a_threshold_stays() -> None:
    few = np.arange(len(ODDS)) >= len(ODDS) - 9
    moved = move_thresholds(predictions(ODDS), predictions(ODDS + 1), few, LABELS, ACCEPT, None)
    assert moved.accept == ACCEPT


def test_the_threshold_of_novelty_score_moves_as_well() -> None:
    novelty = 1 / (1 + np.exp(-ODDS))
    moved_novelty = 1 / (1 + np.exp(-(ODDS + 0.5)))
    moved = move_thresholds(
        predictions(ODDS, novelty), predictions(ODDS, moved_novelty), EVERY, LABELS, ACCEPT, 0.7
    )
    assert moved.unknown is not None
    assert ((novelty > 0.7) != (moved_novelty > moved.unknown)).sum() <= 1
