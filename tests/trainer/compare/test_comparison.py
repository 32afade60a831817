"""A winner is named where one surely is, and else it is said that no difference shows."""

from __future__ import annotations

from collections.abc import Sequence
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
from trainer.errors import RunError
from trainer.report.predictions_csv import TestPrediction
from trainer.statistics.paired_runs import Difference


def outcome(right: Sequence[bool], seed: int, *, first: int = 0) -> WayOutcome:
    predictions = {
        str(first + i): TestPrediction(
            str(first + i), f"g{first + i}", "can", "can" if good else "jar", 0.9
        )
        for i, good in enumerate(right)
    }
    return WayOutcome(str(seed), predictions, 0.6, 2.0, False, 1000)


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
            outcomes[name].append(outcome((own < accuracy).tolist(), seed, first=1000 * seed))
    speeds = {name: float(place + 1) for place, name in enumerate(accuracies)}
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
    assert found.verdict().endswith(
        "A picture takes 2.0 ms, 2.0 times as long as with plain, the fastest (1.0 ms)"
    )
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
    assert found.verdict().endswith("take the fastest of them, a (1.0 ms)")


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
    sure, unsure = (Difference(0.02, (low, 0.05), p) for low, p in ((0.01, 0.001), (-0.01, 0.3)))
    pairs = [Pair("a", "b", sure, 0.003), Pair("a", "c", unsure, 0.3), Pair("b", "c", unsure, 0.3)]
    verdict = WayComparison(ways, tuple(pairs)).verdict()
    assert verdict.endswith("take the fastest of them"), "none was timed"
    assert verdict.startswith("no difference shows between a and c: a has 2.0 points")
    assert "more than c, which chance explains" in verdict


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
    assert [way.name for way in frontier(found.ways)] == ["fast", "good"]
    chart = str(frontier_chart(found))
    assert "good: 9" in chart
    assert "3.0 ms" in chart
    # Names are there without a pointer, too: on paper and on a telephone.
    assert all(f">{name}</text>" in chart for name in accuracies)
    one = compared({"fast": 0.7}, rng=np.random.default_rng(3))
    assert frontier_chart(one) is None
    assert "nothing to compare it with" in one.verdict()


def test_other_test_pictures_with_the_same_seed_are_refused() -> None:
    rights = [True] * 20
    with pytest.raises(RunError, match="not tested on the same pictures on split 0"):
        compare_outcomes({"a": [outcome(rights, 0)], "b": [outcome(rights, 0, first=5)]}, {})
