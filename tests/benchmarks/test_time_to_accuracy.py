from __future__ import annotations

from tests.benchmarks.time_to_accuracy import spread


def test_the_spread_over_seeds_is_told_and_a_best_that_was_never_reached_counts() -> None:
    assert spread([0.2, None, 0.4]) == {
        "reached": "2 of 3 seeds",
        "ratio_mean": 0.30000000000000004,
        "ratio_range": [0.2, 0.4],
    }
    assert spread([None])["ratio_mean"] is None
