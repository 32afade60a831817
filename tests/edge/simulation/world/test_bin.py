"""A bin as a station's world: an item lies there until a lane or a hand has taken it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.core.images.preprocess import Box
from edge.simulation.belt.camera import Settings
from edge.simulation.virtual_clock import VirtualClock
from edge.simulation.world import Shots, TrueItem
from edge.simulation.world.bin import BinWorld
from edge.vision.region import Region

ALL = Box(0, 0, 160, 120)


class Looking:
    """A camera over a bin: what is in it after each picture."""

    def __init__(self, **changed: Any) -> None:
        settings = Settings.model_validate(
            {"kind": "belt", "width": 160, "height": 120, "frames_per_second": 10, "items": 3}
        )
        options: dict[str, Any] = {"region": None, "rate": 0.5, "holds": {"warm": 0.4}} | changed
        self.world = BinWorld(settings.order(), **options)
        self.shots: Shots = self.world.open(VirtualClock())
        self.items: list[TrueItem] = []
        self.now = 0.0

    def until(self, moment: float) -> int | None:
        """Takes the pictures up to a moment; returns the item that is there then."""
        while self.now < moment - 1e-6:
            shot = self.shots.take()
            if shot is None:
                break
            self.now = shot.captured
            assert shot.draw().shape == (120, 160, 3)
            self.items += self.world.appeared()
        return self.world.item_at(self.now, ALL)


def test_an_item_is_gone_when_its_lane_has_been_out_for_half_its_time() -> None:
    looking = Looking()
    assert looking.until(1.9) is None
    assert looking.until(2.5) == 1
    looking.world.lane_moved("warm", 2.5)
    assert looking.until(2.6) == 1
    assert looking.until(2.8) is None
    # The next one comes two seconds after the first, and not before the bin was empty for one.
    assert looking.until(3.7) is None
    assert looking.until(4.1) == 2
    assert [item.number for item in looking.items] == [1, 2]
    assert [item.passes for item in looking.items] == [None, None]


def test_where_nothing_moves_a_hand_takes_it_after_its_verdict_and_at_last_without_one() -> None:
    looking = Looking()
    assert looking.until(2.5) == 1
    looking.world.judged(1, 2.5)
    assert looking.until(3.4) == 1
    assert looking.until(3.6) is None
    assert looking.until(4.7) == 2
    looking.world.judged(1, 4.7)  # a verdict for another item takes nothing out
    looking.world.judged(None, 4.7)
    assert looking.until(14.0) == 2
    assert looking.until(15.0) is None


def test_it_is_over_after_the_last_item() -> None:
    looking = Looking(rate=5.0)
    for number in (1, 2, 3):
        while looking.until(looking.now + 0.1) != number:
            assert looking.now < 20
        looking.world.lane_moved("warm", looking.now)
    looking.until(60)
    assert looking.shots.take() is None
    assert looking.now < 10
    assert len(looking.items) == 3


def test_a_box_beside_the_item_is_not_its_own() -> None:
    looking = Looking(region=Region(left=0, top=0, width=80, height=120))
    assert looking.until(2.5) == 1
    assert looking.world.item_at(2.5, Box(38, 58, 4, 4)) == 1  # in the middle of the region
    assert looking.world.item_at(2.5, Box(150, 0, 10, 5)) is None
    assert looking.world.item_at(2.5, None) == 1
    assert looking.world.item_at(1.0, None) is None


def test_where_every_frame_is_an_item_each_shows_another_one() -> None:
    looking = Looking(each_frame=True, rate=4.0)
    assert looking.until(0.25) is None  # a camera's first picture is none
    assert [looking.until(moment) for moment in (0.5, 0.75, 1.0)] == [1, 2, 3]
    assert looking.shots.take() is None
    assert [item.entered for item in looking.items] == pytest.approx([0.5, 0.75, 1.0])


def test_the_same_seed_gives_the_same_pictures() -> None:
    pictures = []
    for _ in range(2):
        shots = Looking(each_frame=True, rate=4.0).shots
        drawn = []
        while shot := shots.take():
            drawn.append(shot.draw())
        pictures.append(drawn)
    assert len(pictures[0]) == 4
    assert all(np.array_equal(*pair) for pair in zip(*pictures, strict=True))
