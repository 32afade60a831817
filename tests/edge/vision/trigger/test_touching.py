"""Two things that touch are told from one by their outline, unless they lie flush."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.vision.trigger.blobs import Mask
from edge.vision.trigger.touching import is_twofold
from tests.edge.vision.trigger.scenes import WHITE, Scene, Thing, look_at, travelling

Draw = Callable[[Mask], object]


def disc(x: float, y: float, radius: float) -> Draw:
    return lambda shape: cv2.circle(shape, (round(x), round(y)), round(radius), 1, cv2.FILLED)


def oblong(x: int, y: int, width: int, height: int, angle: float = 0) -> Draw:
    def draw(shape: Mask) -> object:
        corners = cv2.boxPoints(((x, y), (width, height), angle)).astype(np.int32)
        return cv2.fillPoly(shape, [corners], 1)

    return draw


def ring(x: int, y: int, radius: int) -> Draw:
    return lambda shape: cv2.circle(shape, (x, y), radius, 1, 2)


@pytest.mark.parametrize(
    ("things", "twofold"),
    [
        ([disc(60, 60, 30)], False),
        ([oblong(60, 60, 90, 30, 20)], False),
        ([oblong(60, 60, 40, 60), oblong(60, 15, 14, 40)], False),  # a bottle
        ([disc(60, 70, 30), disc(95, 70, 9)], False),  # a cup with a handle
        ([ring(60, 60, 30)], False),  # glass, of which the rim alone is seen
        ([oblong(60, 40, 90, 20), oblong(30, 60, 20, 60)], False),  # an L
        ([disc(40, 60, 25), disc(90, 60, 25)], True),
        ([disc(40, 60, 25), disc(80, 60, 14)], True),
        ([ring(40, 60, 25), ring(91, 60, 25)], True),
        ([oblong(40, 60, 40, 40), oblong(85, 95, 40, 40, 45)], True),
        ([disc(35, 60, 20), disc(75, 60, 20), disc(115, 60, 20)], True),
        ([oblong(40, 60, 40, 40), oblong(80, 60, 40, 40)], False),  # flush: one larger box
    ],
)
@pytest.mark.parametrize("size", [1, 0.4])
def test_a_neck_tells_two_things_from_one(things: list[Draw], twofold: bool, size: float) -> None:
    shape = np.zeros((140, 150), np.uint8)
    for draw in things:
        draw(shape)
    small = cv2.resize(shape, None, fx=size, fy=size, interpolation=cv2.INTER_NEAREST)
    assert is_twofold(np.pad(small, 3)) is twofold


def test_nothing_is_no_two_things() -> None:
    assert is_twofold(np.zeros((8, 8), np.uint8)) is False


@pytest.mark.parametrize(("ahead", "lower"), [(46, 36), (42, 39)])
def test_of_things_that_touch_on_a_belt_the_trigger_says_so(ahead: int, lower: int) -> None:
    """One of them is ahead of the other and to its side, so that their corners touch."""
    one = Thing(travelling(start=1, pace=90, y=100), plain=True)
    other = Thing(travelling(start=1, pace=90, y=100 + lower, x=-40 - ahead), WHITE, plain=True)
    (both,) = look_at(Scene(7, (one, other)))
    told = [observation.too_close for observation in both.observations]
    assert told[-1]
    assert told == sorted(told), "once told, it stays"
    for thing in (one, other):
        (alone,) = look_at(Scene(7, (thing,)))
        assert not any(observation.too_close for observation in alone.observations)
