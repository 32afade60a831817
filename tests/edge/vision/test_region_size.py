from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from edge.core.images.preprocess import InputSpec, preprocess, resize_steps
from edge.vision.region import Region
from edge.vision.region_size import one_step_region

Geometry = Literal["letterbox", "center_crop", "squash"]
VGA, HD = (640, 480), (1920, 1080)


@pytest.mark.parametrize(
    ("geometry", "side", "picture", "size"),
    [
        ("letterbox", 288, VGA, (576, 480)),  # the shorter side needs whole blocks only
        ("letterbox", 224, VGA, (448, 448)),
        ("letterbox", 96, HD, (1920, 1080)),
        ("letterbox", 224, HD, (1792, 1080)),
        ("squash", 224, VGA, (448, 448)),
        ("squash", 96, HD, (1920, 1056)),
        ("center_crop", 224, HD, (896, 896)),
    ],
)
def test_the_most_like_the_whole_picture(
    geometry: Geometry, side: int, picture: tuple[int, int], size: tuple[int, int]
) -> None:
    spec = InputSpec(height=side, width=side, geometry=geometry)
    whole = Region(width=picture[0], height=picture[1])
    found = one_step_region(spec, whole, picture=picture)
    assert found is not None
    assert (found.width, found.height) == size


@pytest.mark.parametrize("geometry", ["letterbox", "center_crop", "squash"])
@pytest.mark.parametrize("picture", [VGA, HD, (300, 900)])
@pytest.mark.parametrize("shape", [(224, 224), (160, 96), (96, 160)])
@pytest.mark.parametrize(
    "place", [(0.0, 0.0, 0.5, 0.9), (0.3, 0.2, 0.7, 0.5), (0.0, 0.0, 1.0, 1.0)]
)
def test_whatever_is_proposed_lies_in_the_picture_and_is_resized_once(
    geometry: Geometry,
    picture: tuple[int, int],
    shape: tuple[int, int],
    place: tuple[float, float, float, float],
) -> None:
    spec = InputSpec(height=shape[0], width=shape[1], geometry=geometry)
    left, top, width, height = (int(share * picture[n % 2]) for n, share in enumerate(place))
    found = one_step_region(
        spec, Region(left=left, top=top, width=width, height=height), picture=picture
    )
    assert found is not None
    assert resize_steps(spec, width=found.width, height=found.height) <= 1
    assert found.left + found.width <= picture[0]
    assert found.top + found.height <= picture[1]


def test_a_region_that_needs_one_step_stays_as_it_is() -> None:
    spec = InputSpec(height=240, width=320)
    region = Region(left=3, top=5, width=320, height=240)
    assert one_step_region(spec, region, picture=VGA) is region


def test_for_a_model_that_looks_at_items_there_is_nothing_to_propose() -> None:
    whole = Region(width=640, height=480)
    assert one_step_region(InputSpec(crop="item"), whole, picture=VGA) is None


def test_where_the_picture_is_smaller_than_the_input_one_step_enlarges_it() -> None:
    small = Region(width=90, height=60)
    assert one_step_region(InputSpec(), small, picture=(90, 60)) is small


def test_no_multiple_lies_in_a_picture_that_is_hardly_larger_than_the_input() -> None:
    spec = InputSpec(height=224, width=224, geometry="squash")
    assert one_step_region(spec, Region(width=500, height=220), picture=(500, 220)) is None


def test_one_step_averages_whole_blocks() -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    spec = InputSpec(height=48, width=48)
    blocks = image[:, :, ::-1].reshape(48, 2, 48, 2, 3).mean(axis=(1, 3))
    assert np.abs(preprocess(image, spec) - blocks).max() <= 0.5
