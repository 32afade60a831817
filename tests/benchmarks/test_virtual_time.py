"""The short form of a measurement: on virtual time a station is never late."""

from __future__ import annotations

import pytest

from tests.benchmarks.virtual_time import is_right, measure


@pytest.mark.slow
def test_each_of_two_thousand_items_moves_its_lane_at_its_moment() -> None:
    found = measure(2000)
    assert is_right(found, 2000), found
    assert found["virtual_seconds"] >= 2000 / 25 - 1
