from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.benchmark.drawn_belt import LEARNING_FRAMES, PASSING_FRAMES, DrawnBelt, plain_belt
from edge.vision.trigger.motion import MotionTrigger, Settings


def test_the_belt_is_the_same_each_time() -> None:
    belt = plain_belt(64, 48)
    assert belt.shape == (48, 64, 3)
    assert np.array_equal(belt, plain_belt(64, 48))


def test_no_frame_is_that_before_it() -> None:
    frames = list(DrawnBelt(plain_belt(64, 48)).passing())
    assert len(frames) == PASSING_FRAMES
    for before, after in itertools.pairwise(frames):
        assert not np.array_equal(before.image, after.image)
        assert after.captured > before.captured


@pytest.mark.parametrize("size", [(640, 480), (90, 200)])
@pytest.mark.parametrize("level", [0, 120, 255])
def test_the_trigger_finds_one_item_on_any_belt(size: tuple[int, int], level: int) -> None:
    belt = plain_belt(*size) if level == 120 else np.full((size[1], size[0], 3), level, np.uint8)
    drawn, trigger = DrawnBelt(belt), MotionTrigger(Settings(kind="motion"))
    empty = list(drawn.empty())
    assert len(empty) == LEARNING_FRAMES
    assert [seen for frame in empty for seen in trigger.look(frame)] == []
    items = {seen.item for frame in drawn.passing() for seen in trigger.look(frame)}
    assert items == {1}
