"""Which of an item's frames show it well, and which of the others show it best."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.images.preprocess import Box
from edge.core.verdict import Framing
from edge.flow import Frame, Observation
from edge.sorting.framing import Framed, framed_by

FRAME = Frame(np.zeros((100, 200, 3), np.uint8), 0.0, 1)


def framed(
    box: Box | None,
    *,
    whole: bool = True,
    whole_region: bool = True,
    passed: float | None = 1.0,
    in_view_seconds: float = 0.0,
) -> Framed:
    seen = Observation(1, box, whole=whole, passed=passed)
    return framed_by(seen, FRAME, whole_region=whole_region, in_view_seconds=in_view_seconds)


@pytest.mark.parametrize(
    ("box", "facts", "framing"),
    [
        (Box(80, 30, 40, 40), {}, Framing.GOOD),
        (Box(50, 30, 40, 40), {}, Framing.GOOD),  # 0.15 of the width to the left
        (Box(48, 30, 40, 40), {}, Framing.ASIDE),
        (Box(80, 10, 40, 40), {}, Framing.ASIDE),  # 0.2 of the height above
        (Box(0, 30, 40, 40), {"whole": False}, Framing.CUT),
        (Box(20, 30, 40, 40), {"whole_region": False}, Framing.GOOD),  # its box is cut out
        (Box(20, 30, 40, 40), {"passed": None, "in_view_seconds": 0.4}, Framing.ASIDE),
        (Box(20, 30, 40, 40), {"passed": None, "in_view_seconds": 0.5}, Framing.GOOD),  # it rests
        (None, {}, Framing.GOOD),  # it is the region
        (None, {"whole": False}, Framing.CUT),
    ],
)
def test_a_frame_shows_an_item_well_where_the_model_expects_it(
    box: Box | None, facts: dict[str, float], framing: Framing
) -> None:
    assert framed(box, **facts).framing is framing  # type: ignore[arg-type]


@pytest.mark.parametrize("whole_region", [True, False])
@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Box(0, 0, 200, 100), Box(0, 0, 160, 100)),  # larger than the region: it fills it
        (Box(0, 0, 160, 100), Box(0, 0, 100, 100)),
        (Box(70, 0, 60, 80), Box(0, 0, 40, 80)),  # it reaches over the top: all of its width
        (Box(70, 0, 60, 80), Box(20, 0, 60, 80)),  # the same part of it, in the middle
    ],
)
def test_of_an_item_that_is_cut_off_everywhere_the_frames_differ(
    better: Box, worse: Box, whole_region: bool
) -> None:
    assert framed(better, whole=False, whole_region=whole_region) > framed(
        worse, whole=False, whole_region=whole_region
    )


def test_an_item_at_the_rim_is_shown_best_where_it_is_nearest_to_the_middle() -> None:
    rows = [framed(Box(left, 0, 40, 40)) for left in (20, 50, 80, 110)]
    assert {each.framing for each in rows} == {Framing.ASIDE}
    assert max(rows) == rows[2]
