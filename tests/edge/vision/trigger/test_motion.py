from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from edge.flow import Frame
from edge.vision.trigger.motion import Settings
from tests.edge.vision.trigger.scenes import (
    BIN,
    HAND,
    HEIGHT,
    PER_SECOND,
    WHITE,
    WIDTH,
    Scene,
    Thing,
    along,
    drift,
    lamp,
    look_at,
    lying,
    travelling,
    watch,
)


def test_an_item_is_boxed_in_every_frame_and_whole_only_while_all_of_it_is_in_view() -> None:
    start, pace, width, height = 2.0, 150.0, 50, 40
    (item,) = look_at(Scene(6, (Thing(travelling(start=start, pace=pace)),)))
    for at, observation in zip(item.times, item.observations, strict=True):
        left = -40 + (at - start) * pace - width / 2
        right = left + width
        assert observation.box is not None
        found = observation.box
        # A pixel of the small picture is two of the region's; the blur adds one on each side.
        assert abs(found.left - max(left, 0)) <= 6
        assert abs(found.left + found.width - min(right, WIDTH)) <= 6
        assert abs(found.height - height) <= 9
        if left > 8 and right < WIDTH - 8:
            assert observation.whole
        if left < -2 or right > WIDTH + 2:
            assert not observation.whole
    seen = [-40 + (at - start) * pace for at in item.times]
    assert min(seen) < 0, "it is seen as soon as a part of it is in view"
    assert max(seen) > WIDTH, "it is seen until the last part of it has left"
    assert len(item.times) == round((item.times[-1] - item.times[0]) * PER_SECOND) + 1
    assert item.gone_at is not None
    assert item.gone_at == pytest.approx(item.times[-1] + 1 / PER_SECOND)
    assert item.last is not None
    assert item.last.box == item.boxes[-1]


@pytest.mark.parametrize(
    ("x", "y", "angle"),
    [
        pytest.param(-40, 120, 0.0, id="to the right"),
        pytest.param(360, 120, math.pi, id="to the left"),
        pytest.param(160, -40, math.pi / 2, id="down"),
        pytest.param(160, 280, -math.pi / 2, id="up"),
        pytest.param(-40, -30, math.atan2(150, 200), id="across a corner"),
        pytest.param(-40, 50, 0.0, id="to the right, above the middle"),
    ],
)
@pytest.mark.parametrize("pace", [60.0, 240.0, 1200.0])
def test_an_item_passes_when_its_centre_is_at_the_middle_along_its_way(
    x: float, y: float, angle: float, pace: float
) -> None:
    way = travelling(start=2, pace=pace, x=x, y=y, angle=angle)
    (item,) = look_at(Scene(2.2 + 420 / pace, (Thing(way),)))
    assert item.last is not None
    towards = math.cos(angle), math.sin(angle)
    distance = (WIDTH / 2 - x) * towards[0] + (HEIGHT / 2 - y) * towards[1]
    assert item.last.passed is not None
    assert (item.last.passed - 100 - 2) * pace == pytest.approx(distance, abs=6)


def test_when_an_item_will_pass_is_known_long_before() -> None:
    (item,) = look_at(Scene(6, (Thing(travelling(start=2, pace=100)),)))
    assert item.observations[0].passed is None
    whole = [observation.passed for observation in item.observations if observation.whole]
    assert whole[4] == pytest.approx(104.0, abs=0.15)
    after = [s.passed for at, s in zip(item.times, item.observations, strict=True) if at > 4.3]
    assert len(set(after)) == 1, "once it has passed, that does not change"


def test_an_item_that_stops_before_the_middle_passes_when_it_has_gone_on() -> None:
    way = along((2, -40, 120), (3, 100, 120), (8, 100, 120), (10, 380, 120))
    (item,) = look_at(Scene(11, (Thing(way),)))
    resting = [s.passed for at, s in zip(item.times, item.observations, strict=True) if 6 < at < 8]
    assert set(resting) == {None}
    assert item.last is not None
    assert item.last.passed == pytest.approx(108 + 60 / 140, abs=0.15)


@pytest.mark.parametrize("settings", [{}, BIN], ids=["as it comes", "once it lies still"])
def test_an_item_that_does_not_travel_passes_at_no_time(settings: dict[str, float]) -> None:
    scene = Scene(8, (Thing(lying(start=2, end=6)),), settings=settings)
    (item,) = look_at(scene)
    assert {observation.passed for observation in item.observations} == {None}
    assert item.last is not None
    assert item.last.passed is None


def test_side_by_side_each_item_keeps_its_number() -> None:
    upper, lower = travelling(start=2, pace=150, y=70), travelling(start=2, pace=150, y=170)
    items = look_at(Scene(6, (Thing(upper), Thing(lower, WHITE))))
    heights = sorted({round(box.top, -1) for box in item.boxes} for item in items)
    assert [max(seen) - min(seen) <= 10 for seen in heights] == [True, True]
    # While the first one is coming in, the other may be a part of it.
    assert [len(item.times) for item in items] == pytest.approx([38, 31], abs=3)


def test_when_one_item_hides_another_both_keep_their_numbers_and_their_size() -> None:
    slow = Thing(travelling(start=2, pace=60))
    quick = Thing(travelling(start=3.7, pace=150, y=130, x=-60), WHITE)
    first, second = look_at(Scene(9, (slow, quick)))
    assert (first.times[-1], second.times[-1]) == (
        pytest.approx(2 + 385 / 60, abs=0.2),
        pytest.approx(3.7 + 405 / 150, abs=0.2),
    )
    for box in first.boxes + second.boxes:
        assert box.width <= 70


def test_a_soft_shadow_is_hardly_in_the_box() -> None:
    bare, shaded = (
        look_at(Scene(6, (Thing(travelling(start=2, pace=150), WHITE, shadow=reach),)))[0]
        for reach in (0, 20)
    )
    without, within = (
        {at: s.box for at, s in zip(item.times, item.observations, strict=True) if s.whole}
        for item in (bare, shaded)
    )
    both = without.keys() & within.keys()
    assert len(both) > 15
    for at in both:
        assert within[at].width <= without[at].width + 8
        assert within[at].height <= without[at].height + 8


def test_a_piece_that_comes_off_a_travelling_item_is_no_item_of_its_own() -> None:
    """Such as the cap of a bottle whose neck has the belt's colour: apart in some pictures only."""
    bottle, way = travelling(start=2, pace=150), travelling(start=2, pace=150, x=2, y=167)

    def cap(at: float) -> tuple[float, float] | None:
        """It lies beside the front of the bottle, and is seen from some moment on."""
        return way(at) if at > 2.7 else None

    things = (Thing(bottle, height=60), Thing(cap, WHITE, width=20, height=20, plain=True))
    (item,) = look_at(Scene(6, things))
    assert max(box.width for box in item.boxes) > 70, "it is in the item's box"


def test_a_dark_shadow_to_one_side_does_not_change_when_an_item_passes() -> None:
    """It is so dark that it is in the box; but what is to be met is the item."""
    thing = Thing(travelling(start=2, pace=150), WHITE, shadow=16, dim=0.35)
    (item,) = look_at(Scene(5.5, (thing,)))
    assert item.last is not None
    assert item.last.passed is not None
    aside = [
        seen.box.left + seen.box.width / 2 - ((at - 2) * 150 - 40)
        for at, seen in zip(item.times, item.observations, strict=True)
        if seen.whole and seen.box is not None
    ]
    assert min(aside) > 4, "the middle of its box is further on than that of the item"
    assert (item.last.passed - 102) * 150 == pytest.approx(WIDTH / 2 + 40, abs=1.5)


def test_in_a_bin_the_item_is_seen_at_rest_and_without_the_hand() -> None:
    item_way = along((2, 160, -40), (3, 160, 110), (6, 160, 110), (6.2, 160, 300))
    hand_way = along((2, 160, -90), (3, 160, 60), (4, 160, -90))
    (item,) = look_at(Scene(9, (Thing(item_way), Thing(hand_way, **HAND)), settings=BIN))
    assert 3.8 < item.times[0] < 4.6, "0.4 seconds after the hand has left it"
    assert 5.9 < item.times[-1] <= 6.1
    for box in item.boxes:
        assert abs(box.left - 135) <= 5
        assert abs(box.width - 50) <= 8
        assert abs(box.top - 90) <= 5
        assert abs(box.height - 40) <= 8
    assert item.gone_at is not None
    assert item.gone_at < 6.6


def test_what_lies_there_for_too_long_is_background_but_no_second_item() -> None:
    way = along((2, -40, 120), (3, 160, 120), (12, 160, 120), (14, 440, 120))
    scene = Scene(16, (Thing(way),), settings={"stuck_seconds": 5})
    (item,) = look_at(scene)
    assert item.gone_at == pytest.approx(3 + 5, abs=0.4)


@pytest.mark.parametrize("light", [lamp, drift])
def test_an_item_stays_in_view_when_the_light_changes(light: Callable[[float], float]) -> None:
    (item,) = look_at(Scene(9, (Thing(lying(start=2, end=8)),), light=light))
    assert len(item.times) == pytest.approx(6 * PER_SECOND, abs=2)


def test_an_item_out_of_sight_for_a_moment_is_the_same_one() -> None:
    def flickering(at: float) -> tuple[float, float] | None:
        return None if 3 <= at < 3.2 else (160, 120) if 2 <= at < 5 else None

    scene = Scene(7, (Thing(flickering),))
    (item,) = look_at(scene)
    assert item.gone_at == pytest.approx(5 + 0.3, abs=0.1)
    assert len(watch(scene.frames(), Settings(kind="motion", lost_seconds=0.1))) == 2


@pytest.mark.parametrize(("min_gap", "count"), [(0.0, 2), (0.1, 2), (0.3, 1)])
def test_what_is_nearer_than_min_gap_is_one_item(min_gap: float, count: int) -> None:
    # The two ends of something clear, 60 of 320 pixels apart.
    ends = (
        Thing(along((2, -80, 120), (7, 320, 120)), width=30, height=60),
        Thing(along((2, 10, 120), (7, 410, 120)), width=30, height=60),
    )
    seen = look_at(Scene(8, ends, settings={"min_gap": min_gap}))
    assert len(seen) == count


def test_items_below_min_area_are_ignored() -> None:
    scene = Scene(6, (Thing(travelling(start=2, pace=150), WHITE, 12, 12),))
    assert look_at(scene) == []
    assert len(watch(scene.frames(), Settings(kind="motion", min_area=0.002))) == 1


def test_another_picture_size_ends_what_is_in_view_and_begins_anew() -> None:
    trigger = Settings(kind="motion").open()
    scene = Scene(3, (Thing(lying(start=2, end=3)),))
    items = [observation for frame in scene.frames() for observation in trigger.look(frame)]
    assert {observation.item for observation in items} == {1}
    observations = [
        observation
        for sequence in range(30)
        for observation in trigger.look(
            Frame(np.full((120, 160, 3), 90, np.uint8), 104 + sequence / 15, sequence)
        )
    ]
    assert [(observation.item, observation.gone) for observation in observations] == [(1, True)]
    assert list(trigger.end()) == []


def test_the_end_of_the_frames_ends_every_item() -> None:
    trigger = Settings(kind="motion").open()
    for frame in Scene(3, (Thing(lying(start=2, end=9)),)).frames():
        trigger.look(frame)
    (last,) = trigger.end()
    assert (last.item, last.gone) == (1, True)
    assert list(trigger.end()) == []


@pytest.mark.parametrize(
    ("width", "height"), [(8, 8), (8, 300), (40, 40), (60, 400), (161, 119), (1921, 1081)]
)
def test_boxes_lie_within_a_region_of_any_size(width: int, height: int) -> None:
    trigger = Settings(kind="motion").open()
    boxes = []
    for sequence in range(40):
        picture = np.full((height, width, 3), 90, np.uint8)
        if sequence > 20:
            picture[height // 4 :, width // 4 : width * 3 // 4] = (40, 60, 220)
        boxes += [s.box for s in trigger.look(Frame(picture, sequence / 15, sequence))]
    assert len(boxes) == 19 or min(width, height) == 8, "eight pixels are too few to see with"
    for box in boxes:
        assert box is not None
        assert min(box.left, box.top) >= 0
        assert box.left + box.width <= width
        assert box.top + box.height == height


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"min_area": 0.3, "max_area": 0.2}, "must be above min_area (0.3). Received: 0.2"),
        (
            {"still_seconds": 20, "stuck_seconds": 10},
            "must be above still_seconds (20). Received: 10",
        ),
        ({"contrast": 0}, "greater than or equal to 4"),
        ({"lost_seconds": -1}, "greater than or equal to 0"),
        ({"threshold": 20}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_make_no_sense_are_refused(keys: dict[str, float], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Settings(kind="motion", **keys)
