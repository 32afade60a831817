"""An item that fills the region, or more, is one item, and so is one that is seen in parts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.edge.vision.trigger.scenes import (
    HEIGHT,
    WHITE,
    WIDTH,
    Scene,
    Thing,
    look_at,
    lying,
    travelling,
)

SIZES = (0.7, 0.85, 0.95, 1.0, 1.15, 1.3)


def large(size: float, *, start: float = 2, pace: float = 150, **more: object) -> Thing:
    """A thing so many times as wide and high as the region, that passes."""
    width, height = round(size * WIDTH), round(size * HEIGHT)
    way = travelling(start=start, pace=pace, x=-width / 2)
    return replace(Thing(way, width=width, height=height), **more)


@pytest.mark.parametrize("pace", [100, 250])
@pytest.mark.parametrize("size", SIZES)
def test_what_comes_in_is_one_item_however_large_it_is(size: float, pace: float) -> None:
    (item,) = look_at(Scene(3.5 + 2.3 * WIDTH / pace, (large(size, pace=pace),)))
    assert item.last is not None
    assert item.last.passed is not None
    middle = 102 + WIDTH * (1 + size) / 2 / pace
    assert (item.last.passed - middle) * pace == pytest.approx(0, abs=5)


def test_the_belt_behind_a_large_item_is_known_as_before() -> None:
    small = Thing(travelling(start=7.5, pace=150), WHITE)
    first, second = look_at(Scene(12, (large(1.0), small)))
    assert first.gone_at is not None
    assert first.gone_at < second.times[0]
    assert max(box.width for box in second.boxes) <= 54


@pytest.mark.parametrize("size", [0.6, 1.0])
def test_a_drifting_light_makes_no_items_of_a_large_one(size: float) -> None:
    scene = Scene(12, (large(size, pace=100),), light=lambda at: 1 + 0.15 * math.sin(at / 1.5))
    assert len(look_at(scene)) == 1


@pytest.mark.parametrize("size", [0.9, 1.2])
def test_what_suddenly_fills_the_view_is_no_item(size: float) -> None:
    width, height = round(size * WIDTH), round(size * HEIGHT)
    thing = Thing(lying(start=3, end=6), width=width, height=height)
    assert look_at(Scene(9, (thing,))) == []


def test_a_hand_that_covers_a_bin_is_no_item() -> None:
    scene = Scene(9, (large(1.2, pace=400),), settings={"still_seconds": 0.4})
    assert look_at(scene) == []


def parts(*boxes: tuple[float, float, int, int], start: float = 2, pace: float = 150) -> Scene:
    """Things that travel as one, each with its middle's place, width and height."""
    ways = [travelling(start=start, pace=pace, x=x, y=y) for x, y, _, _ in boxes]
    things = [
        Thing(way, width=width, height=height, plain=True)
        for way, (_, _, width, height) in zip(ways, boxes, strict=True)
    ]
    return Scene(9, tuple(things))


def test_two_prongs_that_come_in_before_their_body_are_one_item() -> None:
    fork = parts((-60, 50, 120, 40), (-60, 190, 120, 40), (-150, 120, 80, 180))
    (item,) = look_at(fork)
    assert max(box.height for box in item.boxes) == pytest.approx(180, abs=6)


def test_two_prongs_that_leave_after_their_body_are_one_item() -> None:
    fork = parts((-140, 50, 120, 40), (-140, 190, 120, 40), (-40, 120, 80, 180))
    (item,) = look_at(fork)
    assert item.gone_at == pytest.approx(2 + (WIDTH + 200) / 150, abs=0.3)


def test_two_that_come_in_beside_one_another_and_stay_apart_are_two() -> None:
    pair = parts((-60, 50, 120, 40), (-60, 190, 120, 40))
    upper, lower = look_at(pair)
    assert upper.last is not None
    assert lower.last is not None
    assert lower.last.passed == pytest.approx(upper.last.passed, abs=0.1)
