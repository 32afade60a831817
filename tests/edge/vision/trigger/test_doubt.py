"""What is seen at the picture's edge beside another object may be a part of it, for a while."""

from __future__ import annotations

import pytest

from edge.core.images.preprocess import Box
from edge.vision.trigger.doubt import Doubt
from edge.vision.trigger.track import Track


def track(left: float, width: int, *, pace: float | None = None, top: int = 20) -> Track:
    """A track in a picture of 160x120, and of its height; with a `pace`, seen twice."""
    size = (160.0, 120.0)

    def box(at: float) -> Box:
        begin, end = max(0, left + at), min(160, left + at + width)
        return Box(round(begin), top, round(end - begin), 30)

    seen = Track(box(0), box(0), 1.0, size=size)
    if pace is not None:
        seen.move(box(pace), box(pace), 2.0)
    return seen


@pytest.mark.parametrize(
    ("whole", "sides"),
    [
        (track(-10, 40), (0,)),  # comes in, as far as is known
        (track(-30, 40, pace=20), (0,)),  # comes in
        (track(10, 40, pace=-20), (0,)),  # leaves there
        (track(20, 40), None),  # is whole
        (track(140, 40), None),  # is at another edge
    ],
)
def test_there_is_a_doubt_where_both_reach_over_the_same_edge(
    whole: Track, sides: tuple[int, ...] | None
) -> None:
    part = track(-5, 20, top=80)
    doubt = Doubt.about(part, [whole])
    assert (None if doubt is None else doubt.sides) == sides


def test_a_doubt_ends_once_either_is_seen_whole_or_the_other_was_lost() -> None:
    part, whole = track(-5, 20, top=80), track(-30, 40, pace=20)
    doubt = Doubt.about(part, [whole])
    assert doubt is not None
    assert doubt.still(part, [whole]) == doubt
    assert doubt.still(part, []) is None
    whole.move(Box(5, 20, 40, 30), Box(5, 20, 40, 30), 3.0)
    assert doubt.still(part, [whole]) is None


def test_what_came_off_one_that_left_is_doubted_also_when_that_is_gone() -> None:
    part, whole = track(-5, 20, top=80), track(10, 40, pace=-20)
    doubt = Doubt.about(part, [whole])
    assert doubt is not None
    assert doubt.still(part, []) == doubt
    part.move(Box(5, 80, 20, 30), Box(5, 80, 20, 30), 2.0)
    assert doubt.still(part, []) is None
