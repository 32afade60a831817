"""A region can be read off the picture that it is drawn on."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.vision.region import Region
from edge.vision.region_picture import _FRAME, _INK, _RULER, draw_region

HEIGHT, WIDTH = 240, 320


def picture() -> Image:
    return np.full((HEIGHT, WIDTH, 3), (90, 140, 200), np.uint8)


def part(drawn: Image) -> Image:
    """The picture without its rulers."""
    return drawn[_RULER:, _RULER:]


def test_inside_is_as_it_was_and_outside_is_dim() -> None:
    drawn = part(draw_region(picture(), Region(left=100, top=60, width=120, height=100)))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert tuple(drawn[80, 120]) == (90, 140, 200)
    for row, column in ((30, 30), (80, 90), (50, 120), (80, 230), (170, 120)):
        assert drawn[row, column].max() < 90, (row, column)


def test_the_frame_stands_on_the_first_and_last_pixels_of_the_region() -> None:
    drawn = part(draw_region(picture(), Region(left=100, top=60, width=120, height=100)))
    rows, columns = np.nonzero((drawn == _FRAME).all(axis=2))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (100, 219, 60, 159)


def test_the_lines_through_the_middle_cross_it() -> None:
    drawn = part(draw_region(picture(), Region(left=100, top=60, width=120, height=100)))
    changed = (drawn != picture()).any(axis=2)
    assert changed[64:70, 160].any(), "the upright one"
    assert changed[110, 104:112].any(), "the level one"


def test_without_a_region_nothing_is_dimmed() -> None:
    assert (part(draw_region(picture(), None)) == picture()).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_the_rulers_count_pixels_of_the_picture(axis: int) -> None:
    sheet = draw_region(picture(), None)
    strip = sheet[_RULER - 1, _RULER:] if axis == 0 else sheet[_RULER:, _RULER - 1]
    ticks = np.flatnonzero((strip == _INK).all(axis=1))
    assert ticks.tolist() == list(range(0, WIDTH if axis == 0 else HEIGHT, 10))
    far = sheet[_RULER - 12, _RULER:] if axis == 0 else sheet[_RULER:, _RULER - 12]
    assert np.flatnonzero((far == _INK).all(axis=1)).tolist() == [0, 100, 200, 300][: 4 - axis]


@pytest.mark.parametrize(
    "region",
    [
        Region(left=200, top=100, width=400, height=400),
        Region(left=1000, top=1000, width=50, height=50),
        Region(width=WIDTH, height=HEIGHT),
    ],
)
def test_a_region_is_drawn_as_far_as_the_picture_goes(region: Region) -> None:
    drawn = part(draw_region(picture(), region))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert (drawn[220, 310] == (90, 140, 200)).all() == (region.left < 310)
