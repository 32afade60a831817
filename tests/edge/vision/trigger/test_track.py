from __future__ import annotations

import pytest

from edge.core.images.preprocess import Box
from edge.vision.trigger.track import Track

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


@pytest.mark.parametrize("per_second", [10, 30, 90])
@pytest.mark.parametrize("pace", [8.0, 40.0, 120.0])  # pixels a second
@pytest.mark.parametrize(
    ("where", "within"),
    [("third whole observation", 2.0), ("half in", 16.0)],  # a half of what is hidden, at most
)
def test_when_it_passes_is_known_as_it_comes_in_on_any_belt_with_any_camera(
    per_second: int, pace: float, where: str, within: float
) -> None:
    length, width = 32, SIZE[0]
    track: Track | None = None
    whole = 0
    for number in range(10_000):
        at, right = number / per_second, (number + 1) * pace / per_second
        left = max(0.0, right - length)
        box = Box(left, 50, right - left, 20)
        if track is None:
            track = Track(box, box, at, size=SIZE)
        else:
            track.move(box, box, at)
        whole += not any(track.cut)
        if whole == 3 or (where == "half in" and right >= length / 2):
            break
    assert track is not None
    assert track.passed is not None
    middle = (width / 2 + length / 2) / pace - 1 / per_second
    assert abs(track.passed - middle) * pace < within


def test_what_has_passed_and_lies_there_for_long_has_passed_when_it_did() -> None:
    box = Box(10, 50, 20, 20)
    track = Track(box, box, 0.0, size=SIZE)
    for number in range(1, 400):  # the belt stops after 30 frames
        box = Box(10 + 4 * min(number, 29), 50, 20, 20)
        track.move(box, box, number / 30)
    assert track.passed == pytest.approx(0.5, abs=0.02)  # 60 pixels at 120 a second
