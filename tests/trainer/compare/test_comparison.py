"""A winner is named where one surely is, and else it is said that no difference shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from trainer.compare.comparison import (
    Pair,
    WayComparison,
    WayFigures,
    WayOutcome,
    compare_outcomes,
)
from trainer.compare.comparison_page import frontier, frontier_chart, table, to_json
from trainer.compare.speed import InferenceTime
from trainer.errors import RunError
from trainer.evaluation.predictions import TestPrediction
from trainer.statistics.paired_runs import Difference


def outcome(
    right: Sequence[bool],
    seed: int,
    *,
    first: int = 0,
    series: int = 1,
    disturbed: float | None = 0.6,
    trained_on: int = 10**9,
) -> WayOutcome:
    """The predictions of a training; pictures of one group are `series`."""
    predictions = {
        str(first + i): TestPrediction(
            str(first + i),
            f"g{(first + i) // series}",
            "can",
            "can" if good else "jar",
            0.9,
            disturbed,
        )
        for i, good in enumerate(right)
    }
    return WayOutcome(str(seed), predictions, trained_on, 2.0, False, 1000)


def timing(milliseconds: float, spread: float = 0.1) -> InferenceTime:
    return InferenceTime(milliseconds, milliseconds - spread, milliseconds + spread)


def compared(
    accuracies: dict[str, float],
    *,
    rng: np.random.Generator,
    seeds: int = 3,
    pictures: int = 150,
    folds: int | None = None,
) -> WayComparison:
    """Ways of these accuracies; how hard a picture is, is the same for all of them."""
    outcomes: dict[str, list[WayOutcome]] = {name: [] for name in accuracies}
    for seed in range(seeds):
        hard = rng.uniform(size=pictures)
        for name, accuracy in accuracies.items():
            own = np.where(rng.uniform(size=pictures) < 0.5, rng.uniform(size=pictures), hard)
            right = (own < accuracy).tolist()
            trained_on = pictures * ((folds or 9) - 1)
            outcomes[name].append(outcome(right, seed, first=1000 * seed, trained_on=trained_on))
    speeds = {name: timing(place + 1) for place, name in enumerate(accuracies)}
    return compare_outcomes(outcomes, speeds, folds=folds)


@pytest.mark.parametrize("folds", [None, 5])
def test_a_comparison_of_a_way_with_itself_names_no_winner_95_times_in_100(
    folds: int | None,
) -> None:
    rng = np.random.default_rng(0)
    same = {"a": 0.9, "b": 0.9, "c": 0.9, "d": 0.9}
    drawn: dict[str, Any] = {
        "rng": rng,
        "folds": folds,
        "seeds": folds or 3,
        "pictures": 70 if folds else 150,
    }
    found = [compared(same, **drawn) for _ in range(100)]
    assert sum(any(pair.sure for pair in each.pairs) for each in found) <= 7
    assert "no difference shows between" in next(e for e in found if not e.winner).verdict()


def test_a_better_way_wins_and_the_reason_is_told() -> None:
    found = compared({"plain": 0.8, "better": 0.95}, rng=np.random.default_rng(1))
    assert found.winner is not None
    assert found.winner.name == "better"
    assert found.verdict().startswith("better wins: 9")
    assert "more than plain, the next" in found.verdict()
    assert "A picture takes 2.0 ms, 2.0 times as long as with plain, the fastest (1.0 ms)"
    turned = found.between("plain", "better").difference
    straight = found.between("better", "plain").difference
    assert turned.value == -straight.value
    assert turned.interval == (-straight.interval[1], -straight.interval[0])


def test_of_folds_it_is_said_how_many_there_are() -> None:
    found = compared(
        {"plain": 0.8, "better": 0.95}, rng=np.random.default_rng(1), seeds=10, folds=5
    )
    assert found.splits == "5 folds, 2 repeats"
    assert found.winner is not None
    told = to_json(found)
    assert told["folds"] == 5
    assert len(told["ways"]["better"]["splits"]) == 10
    same = compared({"a": 0.9, "b": 0.9}, rng=np.random.default_rng(1), seeds=5, folds=5)
    assert "More repeats or more pictures may tell them apart" in same.verdict()


def test_two_good_ways_are_not_told_apart_but_surely_from_a_bad_one() -> None:
    found = compared({"a": 0.93, "b": 0.93, "bad": 0.5}, rng=np.random.default_rng(2))
    assert found.winner is None
    assert found.as_good == (found.ways[1].name,)
    assert "bad" not in found.verdict()
    assert "take the fastest of them, a (1.0 ms)" in found.verdict()


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_or_two_seeds_name_no_winner(seeds: int) -> None:
    found = compared({"plain": 0.5, "better": 0.95}, rng=np.random.default_rng(1), seeds=seeds)
    assert found.winner is None
    assert "wins" not in found.verdict()
    if seeds == 1:
        assert found.verdict().startswith("no winner with 1 seed: better has 4")


def test_what_chance_explains_is_told_of_those_that_it_explains() -> None:
    """The next is surely worse, the third is not: its pictures differ more from the best's."""
    ways = tuple(WayFigures(name, (outcome([True] * 9, 0),) * 3) for name in ("a", "b", "c"))
    sure = Difference(0.02, (0.01, 0.05), 0.001, 0.003)
    unsure = Difference(0.02, (-0.01, 0.05), 0.3, 0.9)
    pairs = [Pair("a", "b", sure), Pair("a", "c", unsure), Pair("b", "c", unsure)]
    verdict = WayComparison(ways, tuple(pairs)).verdict()
    assert "else take the fastest of them" in verdict, "none was timed"
    assert verdict.startswith("no difference shows between a and c: a has 2.0 points")
    assert "more than c, which chance explains" in verdict


def test_the_figure_that_ranks_is_the_one_that_is_told_and_paired() -> None:
    """Tests of other sizes: by the mean of the splits `b` would be best, by pictures it is `a`."""
    sizes = (220, 161, 200)
    rights = {"a": (215, 130, 190), "b": (205, 140, 189)}
    outcomes = {
        name: [
            outcome([i < right for i in range(size)], seed, first=1000 * seed)
            for seed, (right, size) in enumerate(zip(found, sizes, strict=True))
        ]
        for name, found in rights.items()
    }
    found = compare_outcomes(outcomes, {})
    by_split = {way.name: sum(each.accuracy for each in way.outcomes) for way in found.ways}
    assert by_split["b"] > by_split["a"]
    assert [way.name for way in found.ways] == ["a", "b"]
    assert found.ways[0].accuracy == found.ways[0].figure.value == 535 / 581
    assert found.between("a", "b").difference.value == pytest.approx(1 / 581)


@pytest.mark.parametrize(("wrong", "series"), [(0, 1), (1, 20), (4, 1), (0, 30)])
def test_an_interval_is_within_what_a_share_can_be(wrong: int, series: int) -> None:
    outcomes = [
        outcome([i >= wrong for i in range(60)], seed, series=series, first=60 * seed)
        for seed in range(3)
    ]
    (way,) = compare_outcomes({"a": outcomes}, {}).ways
    assert way.figure.interval is not None
    low, high = way.figure.interval
    assert low < 1 - wrong / 60 <= high <= 1
    assert low < 0.985


def test_random_splits_are_corrected_for_the_pictures_that_they_share() -> None:
    """Each training tests on one picture for eight that it trains on, as with 80/10/10."""

    def found(trained_on: int) -> Difference:
        outcomes = {
            name: [
                outcome(
                    [i < right for i in range(100)], seed, first=100 * seed, trained_on=trained_on
                )
                for seed, right in enumerate(rights)
            ]
            for name, rights in {"a": (90, 97, 100), "b": (60, 77, 90)}.items()
        }
        return compare_outcomes(outcomes, {}).pairs[0].difference

    (low, high), (alone_low, alone_high) = found(800).interval, found(10**9).interval
    assert (high - low) / (alone_high - alone_low) == pytest.approx((1 + 3 / 8) ** 0.5, rel=1e-3)


def test_what_chance_explains_has_an_interval_with_0() -> None:
    """Four ways, six pairs: alone the difference would be sure."""
    rights = {"a": 288, "b": 277, "c": 276, "d": 275}
    outcomes = {
        name: [outcome([i < right for i in range(300)], 0)] * 3 for name, right in rights.items()
    }
    alone = compare_outcomes({name: outcomes[name] for name in ("a", "b")}, {})
    assert alone.winner is not None
    found = compare_outcomes(outcomes, {}).between("a", "b").difference
    assert found.interval[0] < alone.pairs[0].difference.interval[0]
    assert found.sure == (found.interval[0] > 0)


def test_corrupted_pictures_are_paired_and_decided_on() -> None:
    """Augmentation that changes nothing on clean pictures helps on corrupted ones."""
    right = [i % 10 != 0 for i in range(100)]
    outcomes = {
        name: [
            outcome(right, seed, first=100 * seed, disturbed=share + 0.01 * seed)
            for seed in range(3)
        ]
        for name, share in {"plain": 0.4, "tough": 0.6}.items()
    }
    found = compare_outcomes(outcomes, {})
    assert found.winner is None
    assert "On corrupted pictures tough has 20.0 points (" in found.verdict()
    assert found.verdict().endswith("more than plain")
    told = to_json(found)
    assert told["ways"]["tough"]["corrupted"]["value"] == pytest.approx(0.61)
    low, high = told["pairs"][0]["corrupted"]["interval"]
    assert low <= -0.2 <= high < 0
    same = compare_outcomes({"a": outcomes["plain"], "b": outcomes["plain"]}, {})
    assert same.verdict().endswith("On corrupted pictures no difference shows")


def test_where_there_was_no_time_for_corrupted_pictures_it_is_said() -> None:
    right = [True] * 30
    outcomes = {
        name: [
            outcome(right, seed, first=100 * seed, disturbed=None if seed == 1 else 0.5)
            for seed in range(3)
        ]
        for name in ("a", "b")
    }
    found = compare_outcomes(outcomes, {})
    assert ", on 2 of 3" in table(found)
    never = [outcome(right, seed, first=100 * seed, disturbed=None) for seed in range(3)]
    without = compare_outcomes({"a": never, "b": never}, {})
    assert "corrupted pictures" not in without.verdict()
    assert to_json(without)["pairs"][0]["corrupted"] is None


def test_the_table_and_the_json_have_all_of_it() -> None:
    found = compared({"plain": 0.8, "better": 0.95}, rng=np.random.default_rng(1))
    head, best, other, verdict = table(found).splitlines()
    assert head.split()[:3] == ["way", "right", "spread"]
    assert best.startswith("better")
    assert "60.0%" in best
    assert "2.0 ms" in best
    assert other.startswith("plain")
    assert verdict == found.verdict()
    told = to_json(found)
    assert told["winner"] == "better"
    assert told["ways"]["better"]["seeds"]["0"]["images"] == 150
    assert told["pairs"][0]["p_corrected"] == told["pairs"][0]["p"]


def test_the_frontier_has_what_nothing_beats() -> None:
    accuracies = {"fast": 0.7, "useless": 0.6, "good": 0.95}
    found = compared(accuracies, rng=np.random.default_rng(3))
    assert [way.name for way in frontier(found)] == ["fast", "good"]
    chart = str(frontier_chart(found))
    assert "good: 9" in chart
    assert "3.0 ms" in chart
    # Names are there without a pointer, too: on paper and on a telephone.
    assert all(f">{name}</text>" in chart for name in accuracies)
    one = compared({"fast": 0.7}, rng=np.random.default_rng(3))
    assert frontier_chart(one) is None
    assert "nothing to compare it with" in one.verdict()


def test_ways_of_one_model_are_not_told_apart_by_their_time() -> None:
    """Optimisers change no model: what differs between their times is other work of the machine."""
    right = [[i % 10 != 0 for i in range(200)], [i % 12 != 0 for i in range(200)]]
    outcomes = {
        name: [outcome(rights, seed, first=300 * seed) for seed in range(3)]
        for name, rights in zip(("adam", "sgd"), right, strict=True)
    }
    alike = compare_outcomes(outcomes, {"adam": timing(3.9), "sgd": timing(4.0)})
    assert "else take either, as no difference in time shows (3.9 ms)" in alike.verdict()
    assert [way.name for way in frontier(alike)] == ["sgd"]
    assert "sgd cannot" not in str(frontier_chart(alike))
    assert "dot alike" in str(frontier_chart(alike))
    apart = compare_outcomes(outcomes, {"adam": timing(3.9), "sgd": timing(4.5)})
    assert "else take the fastest of them, adam (3.9 ms)" in apart.verdict()
    assert [way.name for way in frontier(apart)] == ["adam"], "slower, and not surely better"
    assert "polyline" not in str(frontier_chart(apart))


def test_trainings_that_were_cut_short_are_told_in_the_verdict() -> None:
    whole = [
        outcome([i % 10 != 0 for i in range(100)], seed, first=100 * seed) for seed in range(3)
    ]
    short = [replace(each, cut_short=each.split != "0") for each in whole]
    verdict = compare_outcomes({"a": whole, "b": short}, {}).verdict()
    assert ". Cut short: 2 of 3 trainings with b. With all of its steps" in verdict
    assert "ut short" not in compare_outcomes({"a": whole, "b": whole}, {}).verdict()


def test_other_test_pictures_with_the_same_seed_are_refused() -> None:
    rights = [True] * 20
    with pytest.raises(RunError, match="not tested on the same pictures on split 0"):
        compare_outcomes({"a": [outcome(rights, 0)], "b": [outcome(rights, 0, first=5)]}, {})
