"""Photographs lie in the station's region, as large as it, and have its shape, or it is told."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.config.reading import StationPlan, read_station
from edge.core.dataset import read_picture_set
from edge.core.images.preprocess import Box
from edge.simulation.options import SimulationOptions, world_for
from edge.simulation.photograph_place import region_of_shape, shape_warning
from edge.vision.region import Region
from tests.bundles import SPEC, make_bundle
from tests.edge.simulation.photographs import BIN, STATION, write_things


def plan_of(folder: Path, *lines: str, crop: str = "region", text: str = STATION) -> StationPlan:
    make_bundle(folder / "bundle", spec=SPEC.model_copy(update={"crop": crop}))
    write_things(folder / "things")
    file = folder / "station.yaml"
    file.write_text(text + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return read_station(file)


@pytest.mark.parametrize(
    ("lines", "region"),
    [((), Box(0, 0, 160, 120)),
     (("region: {left: 20, top: 10, width: 100, height: 90}",), Box(20, 10, 100, 90))],
    ids=["whole picture", "region"],
)  # fmt: skip
def test_photographs_lie_in_the_region(tmp_path: Path, lines: tuple[str, ...], region: Box) -> None:
    plan = plan_of(tmp_path, *lines)
    world, _ = world_for(plan, SimulationOptions(items=tmp_path / "things", count=1))
    with closing(world):
        assert (world.order.region, world.order.scale) == (region, 1)
        assert world.order.largest == 1


def test_where_items_appear_at_once_they_are_no_larger_than_the_trigger_takes(
    tmp_path: Path,
) -> None:
    plan = plan_of(tmp_path, text=BIN)
    world, _ = world_for(plan, SimulationOptions(items=tmp_path / "things", count=1))
    with closing(world):
        assert world.order.largest == pytest.approx(0.9 * 0.7)  # of the trigger's max_area


@pytest.mark.parametrize(
    ("shape", "region"),
    [(0.75, Region(left=140, top=0, width=360, height=480)),
     (1, Region(left=80, top=0, width=480, height=480)),
     (2, Region(left=0, top=80, width=640, height=320))],
)  # fmt: skip
def test_the_largest_region_of_a_shape_lies_in_the_middle(shape: float, region: Region) -> None:
    assert region_of_shape(shape, width=640, height=480) == region


@pytest.mark.parametrize(
    ("lines", "crop", "told"),
    [((), "region", "`region: {left: 20, top: 0, width: 120, height: 120}`"),
     (("region: {left: 0, top: 0, width: 100, height: 95}",), "region", None),
     ((), "item", None)],
    ids=["wide region", "nearly square", "model of item boxes"],
)  # fmt: skip
def test_a_region_of_another_shape_than_the_photographs_is_told_where_it_matters(
    tmp_path: Path, lines: tuple[str, ...], crop: str, told: str | None
) -> None:
    plan = plan_of(tmp_path, *lines, crop=crop)
    things = read_picture_set(tmp_path / "things")
    found = shape_warning(plan, things)
    assert (found is None) if told is None else (found is not None and told in found)


def test_photographs_that_cannot_be_read_have_no_shape(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    for file in (tmp_path / "things").rglob("*.png"):
        file.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert shape_warning(plan, read_picture_set(tmp_path / "things")) is None
    assert cv2.imwrite(str(tmp_path / "things/red/1.png"), np.zeros((90, 120, 3), np.uint8))
    things = read_picture_set(tmp_path / "things")
    assert shape_warning(plan, things) is None  # of the shape of the view
