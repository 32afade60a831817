"""Accept thresholds, against known answers."""

import numpy as np
import pytest

from trainer.calibration.accept_thresholds import (
    UNPROMISED,
    choose_thresholds,
    flawless_needed,
    is_promised,
)
from trainer.recipes.plan import AcceptPlan

PLAN = AcceptPlan(purity=0.95, confidence=0.95)


@pytest.mark.parametrize(
    ("right", "accepted", "bound"),
    [
        # One-sided Clopper-Pearson: scipy.stats.beta.ppf(0.05, x, n - x + 1).
        (59, 59, 0.95049),
        (98, 100, 0.93838),
        (9, 10, 0.60584),
        (1, 1, 0.05),
    ],
)
def test_a_promise_goes_as_far_as_clopper_and_pearsons_bound(
    right: int, accepted: int, bound: float
) -> None:
    assert is_promised(right, accepted, bound - 2e-5, 0.95)
    assert not is_promised(right, accepted, bound + 2e-5, 0.95)


@pytest.mark.parametrize(
    ("purity", "confidence", "needed"), [(0.95, 0.95, 59), (0.97, 0.95, 99), (0.99, 0.95, 299)]
)
def test_how_many_flawless_pictures_a_promise_needs(
    purity: float, confidence: float, needed: int
) -> None:
    assert flawless_needed(purity, confidence) == needed
    assert is_promised(needed, needed, purity, confidence)
    assert not is_promised(needed - 1, needed - 1, purity, confidence)


def scores_of(right: int, wrong: int, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores for class 0 of two, so many right and so many wrong, all equally confident."""
    scores = np.tile([confidence, 1 - confidence], (right + wrong, 1))
    return scores, np.array([0] * right + [1] * wrong)


def test_enough_faultless_pictures_get_a_promise() -> None:
    scores, truth = scores_of(59, 0, 0.8)
    threshold = choose_thresholds(scores, truth, ["can", "jar"], PLAN)["can"]
    assert (threshold.note, threshold.accepted, threshold.right) == ("", 59, 59)
    assert threshold.value <= 0.8


def test_too_few_pictures_promise_nothing_and_say_how_many_more() -> None:
    scores, truth = scores_of(40, 0, 0.8)
    threshold = choose_thresholds(scores, truth, ["can", "jar"], PLAN)["can"]
    assert "it takes about 19 more pictures, all right" in threshold.note


def test_a_label_that_is_often_wrong_promises_nothing() -> None:
    scores, truth = scores_of(60, 40, 0.95)
    threshold = choose_thresholds(scores, truth, ["can", "jar"], PLAN)["can"]
    assert threshold.value == UNPROMISED
    assert "40 of 100 accepted were wrong" in threshold.note


def test_the_threshold_lies_above_the_wrong_ones() -> None:
    sure, sure_truth = scores_of(100, 0, 0.9)
    unsure, unsure_truth = scores_of(10, 30, 0.6)
    threshold = choose_thresholds(
        np.concatenate([sure, unsure]),
        np.concatenate([sure_truth, unsure_truth]),
        ["can", "jar"],
        PLAN,
    )["can"]
    assert 0.6 < threshold.value <= 0.9
    assert threshold.note == ""


def test_a_label_never_seen_gets_a_careful_threshold() -> None:
    scores, truth = scores_of(80, 0, 0.9)
    threshold = choose_thresholds(scores, truth, ["can", "jar"], PLAN)["jar"]
    assert threshold.value == UNPROMISED
    assert threshold.note


def test_a_promise_is_kept_as_often_as_its_confidence_says() -> None:
    """Over 300 draws from a model whose confidence is honest, promises break at most as often."""
    rng = np.random.default_rng(5)
    promised = broken = 0
    for _ in range(300):
        confidence = 1 - 0.5 * rng.uniform(size=400) ** 3
        truth = (rng.uniform(size=400) > confidence).astype(np.int64)
        scores = np.stack([confidence, 1 - confidence], axis=1)
        threshold = choose_thresholds(scores, truth, ["can", "jar"], PLAN)["can"]
        if not threshold.note:
            promised += 1
            # The mean of 1 - u³/2 over all above t is 1 - (1 - t) / 4.
            broken += 1 - (1 - threshold.value) / 4 < PLAN.purity
    assert promised > 100
    # 5 % of the promises, and three standard deviations.
    assert broken <= 0.05 * promised + 3 * np.sqrt(0.05 * 0.95 * promised)
