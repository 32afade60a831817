"""The short form of a measurement: many items pass, and nothing grows."""

from __future__ import annotations

import pytest

from tests.benchmarks.simulated_items import is_right, measure


@pytest.mark.parametrize("count", [600, pytest.param(20_000, marks=pytest.mark.slow)])
def test_each_of_many_items_has_its_verdict_and_nothing_grows(count: int) -> None:
    found = measure(count)
    assert is_right(found, count), found
