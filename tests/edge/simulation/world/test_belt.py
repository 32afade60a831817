"""A belt as a station's world: which item is in a box of a picture."""

from __future__ import annotations

from contextlib import closing

import pytest

from edge.core.images.preprocess import Box
from edge.runtime.clock import Flag
from edge.simulation.belt.camera import Settings
from edge.simulation.belt.wire import SpeedChanges
from edge.simulation.virtual_clock import VirtualClock
from edge.simulation.world.belt import BeltWorld
from edge.vision.region import Region


def world(region: Region | None = None, **keys: object) -> BeltWorld:
    settings = Settings.model_validate(
        {"kind": "belt", "width": 160, "height": 120, "views_per_second": 1, "items": 3,
         "frames_per_second": 10, "spacing_views": 0.7, "jitter": 0} | keys
    )  # fmt: skip
    return BeltWorld(settings.order(), region=region, view_metres=0.5)


def test_an_item_is_found_where_its_pixels_are_and_nowhere_else() -> None:
    with closing(world()) as belt:
        shots = belt.open(VirtualClock())
        items = []
        while shot := shots.take():
            items += belt.appeared()
            # All of a row of the picture belongs to whatever item is in view.
            found = belt.item_at(shot.captured, Box(0, 0, 160, 120))
            there = [i for i in items if i.entered <= shot.captured]
            assert found in [None, *(item.number for item in there)]
        shots.close()
        assert [item.number for item in items] == [1, 2, 3]
        for item in items:
            assert item.passes is not None
            middle = Box(79, 0, 2, 120)
            assert belt.item_at(item.passes, middle) == item.number
            assert belt.item_at(item.passes, None) == item.number
            assert belt.item_at(item.passes, Box(79, 0, 2, 1)) is None  # above it
            box = belt._there[item.number].box
            for beside in (box.left - 12, box.left + box.width + 10):  # its shadow
                assert belt.item_at(item.passes, Box(beside, 0, 2, 120)) == item.number
            for away in (box.left - 18, box.left + box.width + 16):
                assert belt.item_at(item.passes, Box(away, 0, 2, 120)) is None
        assert belt.metres_per_second == pytest.approx(0.5)


def test_an_item_passes_at_the_middle_of_the_region() -> None:
    passes = []
    for region in (None, Region(left=80, top=0, width=80, height=120)):
        with closing(world(region)) as belt:
            shots = belt.open(VirtualClock())
            while shots.take():
                pass
            shots.close()
            passes.append([item.passes for item in belt.appeared()])
    assert passes[1] == [pytest.approx(p + 40 / 160) for p in passes[0] if p is not None]


def passed(*speeds: SpeedChanges) -> tuple[float, list[float]]:
    """(when the last picture was taken, when items passed) of a belt that began at 2 s."""
    clock = VirtualClock()
    Flag(clock).wait(2.0)
    with closing(world(items=8)) as plain:
        order = plain.order.model_copy(update={"speeds": speeds})
    with closing(BeltWorld(order, region=None, view_metres=0.5)) as belt:
        shots, last = belt.open(clock), 0.0
        while shot := shots.take():
            last = shot.captured
        shots.close()
        items = list(belt.appeared())
        for item in items:
            assert item.passes is not None
            assert belt.item_at(item.passes, Box(79, 0, 2, 120)) == item.number
        return last, [item.passes or 0 for item in items]


def test_a_belt_stands_from_its_second_of_the_run_whenever_it_began() -> None:
    last, usual = passed()
    later, passes = passed(SpeedChanges(factor=0, every=9, seconds=5, seed=(1,), at=4.0))
    assert later == pytest.approx(last + 5)
    assert usual[0] < 4 < usual[-1]
    assert passes == [pytest.approx(at if at <= 4 else at + 5) for at in usual]
