"""The short form of a measurement: many items pass, and nothing grows."""

from __future__ import annotations

import pytest

from tests.benchmarks.simulated_items import is_right, measure

RIGHT = {
    "items": 9, "one_verdict": 9, "purity": 0.999, "recovery": 0.998,
    "planted": {"purity": 0.999, "recovery": 0.998},
    "resident_bytes": [1e8, 1.1e8], "threads": [1, 1], "descriptors": [5, 5],
}  # fmt: skip


@pytest.mark.parametrize("count", [600, pytest.param(20_000, marks=pytest.mark.slow)])
def test_each_of_many_items_has_its_verdict_and_nothing_grows(count: int) -> None:
    found = measure(count)
    assert is_right(found, count), found


@pytest.mark.parametrize(
    "changed",
    [
        {"one_verdict": 8},
        {"purity": 0.9991},
        {"recovery": 0.98, "planted": {"purity": 0.999, "recovery": 0.98}},
        {"resident_bytes": [1e8, 2e8]},
        {"resident_bytes": [], "threads": [], "descriptors": []},  # hardly any was told apart
        {"threads": [1, 2]},
        {"descriptors": [5, 6]},
        {"landing_ms": {"p99": 76.0}, "half_hold_ms": 75.0},
    ],
)
def test_a_run_that_is_not_as_it_must_be_is_told(changed: dict[str, object]) -> None:
    assert is_right(RIGHT, 9)
    assert is_right(RIGHT | {"landing_ms": {"p99": 41.0}, "half_hold_ms": 75.0}, 9)
    assert not is_right(RIGHT | changed, 9)
