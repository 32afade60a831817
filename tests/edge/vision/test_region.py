from __future__ import annotations

import numpy as np
import pytest

from edge.core.errors import RegionError
from edge.flow import Frame
from edge.vision.region import Region, cut

IMAGE = np.arange(20 * 30 * 3, dtype=np.uint32).astype(np.uint8).reshape(20, 30, 3)
FRAME = Frame(IMAGE, 1.5, 7, "a.png")


def test_a_frame_is_cut_to_the_region_and_keeps_the_rest() -> None:
    found = cut(FRAME, Region(left=4, top=2, width=10, height=9))
    assert np.array_equal(found.image, IMAGE[2:11, 4:14])
    assert (found.captured, found.sequence, found.source) == (1.5, 7, "a.png")
    assert np.shares_memory(found.image, IMAGE)


def test_without_a_region_it_is_the_whole_picture() -> None:
    assert cut(FRAME, None) is FRAME


@pytest.mark.parametrize(
    ("region", "reach"),
    [
        (Region(left=21, top=0, width=10, height=20), "31, 20"),
        (Region(left=0, top=12, width=30, height=9), "30, 21"),
    ],
)
def test_a_region_beyond_the_picture_is_refused(region: Region, reach: str) -> None:
    with pytest.raises(RegionError, match=rf"reaches to {reach} .* is 30x20 pixels \(a\.png\)"):
        cut(FRAME, region)
