"""A threshold that keeps what it says, or says why it cannot."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.trainer.calibration.test_leave_one_class_out import features
from trainer.calibration.novelty import RawScores
from trainer.calibration.unknown import (
    FoldPredictions,
    Known,
    UnknownScore,
    _kept,
    _lacking,
    _limit,
    _rank,
    choose_unknown,
    set_limit,
)
from trainer.recipes.plan import UnknownPlan
from trainer.run import UnknownFacts
from trainer.statistics.intervals import NOTHING

PLAN = UnknownPlan()
THREE = {"can": 0, "glass": 8, "paper": 16}


def chosen(
    plan: UnknownPlan = PLAN,
    *,
    frozen: bool = True,
    labels: dict[str, int] = THREE,
    series: int = 1,
    validated: int = 3,
    folds: int = 2,
    final_scale: float = 1.0,
    chose_epoch: bool = False,
    seed: int = 0,
) -> UnknownScore | None:
    """The score of clouds of features.

    Args:
        validated: one in so many pictures is one to validate on.
        folds: cross-fitted models.
        final_scale: how many times the logits of these the final network's are.
        chose_epoch: whether the pictures to validate on chose the epoch, too.
    """
    rows, pictures = features(labels, series=series, seed=seed)
    truth = np.array([sorted(labels).index(picture.label) for picture in pictures])
    logits = 12 * rows[:, list(labels.values())]
    number = np.arange(len(rows)) // series

    def outputs(held: npt.NDArray[np.bool_], scale: float) -> FoldPredictions:
        return FoldPredictions(
            trained=rows[~held],
            trained_truth=truth[~held],
            held=rows[held],
            held_logits=scale * logits[held],
            held_groups=[str(pictures[i].group) for i in np.flatnonzero(held)],
        )

    return choose_unknown(
        plan,
        pictures,
        frozen=rows if frozen else None,
        final=replace(outputs(number % validated == 0, final_scale), chose_epoch=chose_epoch),
        folds=[outputs(number % folds == fold, 1.0) for fold in range(folds)],
        seed=0,
    )


def called_unknown(score: UnknownScore, scale: float, *, seed: int = 9) -> float:
    """The share of 180 fresh pictures of known classes that the final network's score rejects."""
    fresh, _ = features(THREE, seed=seed)
    logits = scale * 12 * fresh[:, list(THREE.values())]
    return float((score.novelty.of(logits, fresh) > 0.5).mean())


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("validated", [2, 6], ids=["enough", "too few"])
def test_the_limit_is_one_of_the_final_network_and_not_of_the_cross_fitted_models(
    validated: int, scale: float
) -> None:
    score = chosen(UnknownPlan(score="energy"), validated=validated, final_scale=scale)
    assert score is not None
    assert score.threshold == 0.5
    assert called_unknown(score, scale) <= 0.07
    assert ("the limit is a rough one" in score.note) == (validated == 6)
    # Nor is it so high that it finds nothing: things that no class speaks for are rejected.
    nothing = np.zeros((1, len(THREE)))
    assert score.novelty.of(nothing, np.ones((1, 24)))[0] > 0.5


def test_pictures_that_chose_the_epoch_set_no_limit_that_is_promised() -> None:
    score = chosen(validated=2, chose_epoch=True)
    assert score is not None
    assert score.chose_epoch
    assert score.threshold == 0.5
    assert "the limit is a rough one" in score.note
    assert (
        "it takes 28 more validation pictures, of which half choose no epoch, about 56 more in all"
        in score.note
    )
    assert called_unknown(score, 1.0) <= 0.07
    # Nor do they where nothing else is there.
    alone = chosen(validated=2, chose_epoch=True, folds=0)
    assert alone is not None
    assert "the limit is a rough one" in alone.note
    many = Known(RawScores(np.arange(180.0), np.zeros(180)), list(map(str, range(180))), True)
    assert not set_limit(many, (), "energy", PLAN).enough
    assert _lacking(many, 200, PLAN).startswith("the 180 validation pictures chose the epoch too")
    assert "surely keeps 99.5% of known" in _lacking(many, 200, UnknownPlan(keep=0.995))


def test_known_things_are_kept_and_things_far_off_are_not() -> None:
    score = chosen(validated=2)
    assert score is not None
    assert score.threshold == 0.5
    assert (score.kept.value or 0) >= 0.95
    assert score.note == ""
    assert set(score.found) == set(THREE)
    fresh, _ = features(THREE, seed=9)
    axes = list(THREE.values())
    known = score.novelty.of(12 * fresh[:, axes], fresh)
    assert (known <= 0.5).mean() > 0.93
    assert np.median(known) == pytest.approx(0.05, abs=0.03)
    far, _ = features({"stone": 4})
    assert (score.novelty.of(12 * far[:, axes], far) > 0.5).mean() > 0.9


@pytest.mark.parametrize("score", ["energy", "distance", "both"])
def test_a_recipe_may_ask_for_a_kind(score: str) -> None:
    found = chosen(UnknownPlan.model_validate({"score": score}))
    assert found is not None
    assert found.novelty.kind == score


def test_what_is_kept_is_not_counted_on_the_pictures_that_set_the_limit() -> None:
    """On those the share is always the same; over many draws the count agrees with what the limit
    keeps of all things, of which the distribution is known."""
    plan = UnknownPlan(keep=0.6, confidence=0.6)
    within, counted, true = [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        raw = rng.normal(size=31)
        known = Known(RawScores(raw, np.zeros(31)), [str(i) for i in range(31)])
        limit = set_limit(known, (), "energy", plan)
        within.append(float((known.scores.weighted(limit.weights) <= limit.value).mean()))
        counted.append(_kept(known, (), "energy", plan, 0).value or 0.0)
        true.append((1 + math.erf(limit.value / limit.weights[0] / math.sqrt(2))) / 2)
    assert len(set(within)) == 1
    assert len(set(counted)) > 1
    assert np.mean(counted) == pytest.approx(np.mean(true), abs=0.02)


def test_of_one_series_nothing_is_known_of_what_is_kept() -> None:
    known = Known(RawScores(np.arange(80.0), np.zeros(80)), ["one"] * 80)
    assert _kept(known, (), "energy", PLAN, 0) == NOTHING


def test_a_recipe_may_want_none() -> None:
    assert chosen(UnknownPlan(score="none")) is None


def test_auto_takes_what_finds_most() -> None:
    found = chosen()
    assert found is not None
    means = {
        kind: np.mean([figure.found.value for figure in figures.values()])
        for kind, figures in found.leave_one_class_out.items()
    }
    assert means[found.novelty.kind] == max(means.values())


def test_a_network_without_pretrained_layers_is_not_measured_and_says_so() -> None:
    found = chosen(frozen=False)
    assert found is not None
    assert found.novelty.kind == "energy"
    assert found.threshold == 0.5
    assert not found.found
    assert found.note.startswith("not measured on classes left out: that takes layers that were")


def test_two_classes_are_too_few_to_leave_one_out() -> None:
    found = chosen(labels={"can": 0, "glass": 8})
    assert found is not None
    assert found.threshold == 0.5
    assert "that takes three classes or more" in found.note


def test_too_few_pictures_give_a_rough_limit_or_none_and_say_how_many_more() -> None:
    """45 validation pictures of 180, in three classes of as many."""
    with_folds, without = chosen(validated=4), chosen(validated=4, folds=0)
    assert with_folds is not None
    assert without is not None
    lacking = (
        "it takes 14 more validation pictures, about 56 more in all, to set one that surely keeps "
        "95% of known things"
    )
    assert with_folds.threshold == 0.5
    assert with_folds.note == f"the limit is a rough one: {lacking}"
    assert without.threshold is None
    assert without.note == f"nothing is rejected as unknown: {lacking}"


def test_a_rough_limit_keeps_the_wanted_share_of_the_final_networks_own_pictures() -> None:
    """Scores of the cross-fitted models end early; those of the final network do not."""
    rng = np.random.default_rng(4)
    validated = rng.standard_t(2, size=120)
    known = Known(RawScores(validated, np.zeros(120)), list(map(str, range(120))), True)
    fold = rng.uniform(-1, 1, size=500)
    others = [Known(RawScores(fold, np.zeros(500)), list(map(str, range(500))))]
    limit = set_limit(known, others, "energy", PLAN)
    assert not limit.enough
    assert (known.scores.weighted(limit.weights) <= limit.value).mean() >= PLAN.keep


def test_a_dozen_validation_pictures_give_no_scale_to_bring_other_scores_onto() -> None:
    found = chosen(validated=15)
    assert found is not None
    assert found.threshold is None


def test_classes_that_cannot_be_told_apart_are_named_as_such() -> None:
    found = chosen(labels={"a": 0, "b": 0, "c": 0})
    assert found is not None
    assert "the novelty score hardly finds classes that were left out" in found.note


def test_series_of_one_object_promise_nothing() -> None:
    found = chosen(series=20, folds=3)
    assert found is not None
    assert found.threshold == 0.5
    assert "rough one: the 60 validation pictures come in 3 groups of alike ones" in found.note
    assert "too few to set one that surely keeps 95% of known things" in found.note


def test_a_run_keeps_all_of_it() -> None:
    found = chosen()
    assert found is not None
    facts = UnknownFacts.model_validate(json.loads(json.dumps(found.to_json())))
    assert (facts.score, facts.threshold) == (found.novelty.kind, 0.5)
    assert facts.left_out[facts.score]["can"]["images"] == 60


@pytest.mark.parametrize(
    ("total", "keep", "rank"),
    # of tables of one-sided tolerance limits: all of 59, all but one of 93, all but two of 124
    [(59, 0.95, 58), (92, 0.95, 91), (93, 0.95, 91), (124, 0.95, 121), (29, 0.9, 28)],
)
def test_the_limit_is_that_of_the_tables(total: int, keep: float, rank: int) -> None:
    assert _rank(total, keep, 0.95) == rank


def test_the_wanted_share_is_kept_as_often_as_promised() -> None:
    """200 sets of 150 pictures whose true distribution is known."""
    rng = np.random.default_rng(2)
    plan = UnknownPlan(keep=0.9)
    kept = []
    for _ in range(200):
        limit, enough = _limit(rng.uniform(size=150), [str(n) for n in range(150)], plan)
        assert enough
        kept.append((limit or 0) >= plan.keep)  # of a uniform distribution the limit is the share
    assert 0.92 <= np.mean(kept) <= 0.99


def test_more_confidence_lifts_the_limit_of_series_too() -> None:
    rng = np.random.default_rng(2)
    raw = np.repeat(rng.uniform(size=200), 5) + rng.normal(0, 0.001, 1000)
    groups = [str(n // 5) for n in range(1000)]
    limits = [
        _limit(raw, groups, UnknownPlan(keep=0.8, confidence=confidence))[0] or 0.0
        for confidence in (0.6, 0.95, 0.999)
    ]
    assert limits[0] < limits[1] < limits[2]


def test_of_just_enough_pictures_it_is_not_known_what_they_keep() -> None:
    """59 set a limit; without a tenth of them another rule would."""
    raw = np.random.default_rng(0).normal(size=59)
    known = Known(RawScores(raw, np.zeros(59)), [str(i) for i in range(59)])
    assert set_limit(known, (), "energy", PLAN).enough
    assert _kept(known, (), "energy", PLAN, 0) == NOTHING


def test_series_lift_the_limit() -> None:
    rng = np.random.default_rng(2)
    plan = UnknownPlan(keep=0.9)
    raw = np.repeat(rng.uniform(size=100), 5) + rng.normal(0, 0.001, 500)
    alone, _ = _limit(raw, [str(n) for n in range(500)], plan)
    series, enough = _limit(raw, [str(n // 5) for n in range(500)], plan)
    assert enough
    assert (series or 0) > (alone or 0)
