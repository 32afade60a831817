from __future__ import annotations

import pytest

from edge.model.preprocess import Box
from edge.trigger.track import Track

SIZE = (160, 120)


def test_the_pace_of_what_comes_in_is_that_of_its_leading_edge() -> None:
    track = Track(Box(0, 50, 10, 20), Box(0, 50, 10, 20), 5.0, size=SIZE)
    assert track.velocity is None
    track.move(Box(0, 50, 20, 20), Box(0, 50, 20, 20), 5.1)
    assert track.velocity == pytest.approx((100, 0))
    assert track.expected(5.2, None) == pytest.approx((0, 50, 30, 70))


def test_the_pace_of_what_leaves_is_that_of_its_trailing_edge() -> None:
    track = Track(Box(120, 50, 40, 20), Box(120, 50, 40, 20), 5.0, size=SIZE)
    track.move(Box(140, 50, 20, 20), Box(140, 50, 20, 20), 5.1)
    assert track.velocity == pytest.approx((200, 0))
    assert track.is_leaving(5.2)


def test_what_lies_at_the_edge_is_not_leaving() -> None:
    track = Track(Box(120, 50, 40, 20), Box(120, 50, 40, 20), 5.0, size=SIZE)
    for step in range(1, 9):
        track.move(Box(120, 50, 40, 20), Box(120, 50, 40, 20), 5.0 + step / 10)
    assert not track.is_leaving(6.0)
    assert track.still_since == 5.0
    assert track.passed is None
