"""Wrong labels are counted beyond what a judge's own mistakes explain, whatever that judge is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from trainer.audit.label_noise import WrongShare, wrong_share

Drawn = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]


def judged(
    total: int, *, wrong: float = 0.0, skill: float = 2.0, trust: float = 1.0, seed: int = 0
) -> Drawn:
    """A judge's probabilities of four classes and the labels, a share of them wrong.

    Args:
        skill: of the judge, whose own mistakes are as many as its probabilities say.
        trust: what its logits are multiplied with: other than 1 it is too sure, or not enough.
    """
    rng = np.random.default_rng(seed)
    logits = skill * rng.normal(size=(total, 4))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in scores])
    changed = rng.permutation(total)[: round(wrong * total)]
    truth[changed] = (truth[changed] + rng.integers(1, 4, len(changed))) % 4
    spoken = np.exp(trust * logits)
    return spoken / spoken.sum(axis=1, keepdims=True), truth


@pytest.mark.parametrize("skill", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("trust", [0.4, 1.0, 2.5])
def test_of_right_labels_no_judge_says_that_some_are_surely_wrong(
    skill: float, trust: float
) -> None:
    """The bound is exceeded by chance once in a hundred sets: here in one of ten at most."""
    bounds = [
        wrong_share(*judged(300, skill=skill, trust=trust, seed=seed)).at_least
        for seed in range(10)
    ]
    assert sum(bound > 0.01 for bound in bounds) <= 1


@pytest.mark.parametrize("wrong", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("trust", [0.5, 2.0])
def test_the_share_of_wrong_labels_is_estimated(wrong: float, trust: float) -> None:
    found = wrong_share(*judged(2000, wrong=wrong, skill=5.0, trust=trust))
    assert found.low <= wrong <= found.high
    assert found.estimate == pytest.approx(wrong, abs=0.03)
    assert 0 < found.at_least < found.estimate


def test_the_95_percent_interval_covers_the_share_as_often_as_that() -> None:
    found = [wrong_share(*judged(200, wrong=0.1, skill=4.0, seed=seed)) for seed in range(60)]
    assert np.mean([each.low <= 0.1 <= each.high for each in found]) >= 0.88


def test_a_judge_that_knows_nothing_accuses_nobody() -> None:
    truth = np.random.default_rng(0).integers(0, 4, 400)
    assert wrong_share(np.full((400, 4), 0.25), truth).at_least == 0


def test_a_series_that_is_misjudged_as_a_whole_counts_for_little() -> None:
    """All pictures that the judge takes for something else are of one thing."""
    scores, truth = judged(300, wrong=0.1, skill=5.0)
    contradicted = scores.argmax(axis=1) != truth
    groups = ["one" if doubted else str(i) for i, doubted in enumerate(contradicted)]
    assert wrong_share(scores, truth).at_least > 0.03
    assert wrong_share(scores, truth, groups).at_least < 0.01


@pytest.mark.parametrize(("pictures", "classes"), [(0, 4), (5, 1)])
def test_where_there_is_nothing_to_judge_nothing_is_known(pictures: int, classes: int) -> None:
    nothing = wrong_share(np.ones((pictures, classes)), np.zeros(pictures, np.int64))
    assert nothing == WrongShare(0.0, 0.0, 0.5, 0.0)
