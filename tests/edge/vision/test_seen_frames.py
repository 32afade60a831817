from __future__ import annotations

import numpy as np

from edge.flow import Frame, Observation
from edge.vision.seen_frames import SeenFrames

FRAME = Frame(np.zeros((8, 8, 3), np.uint8), 1.0, 1)


def test_a_frame_is_held_only_while_somebody_wants_it() -> None:
    seen = SeenFrames()
    seen.put(FRAME, ())
    assert seen.newest() is None
    with seen.wanted():
        seen.put(FRAME, (Observation(1, None),))
        with seen.wanted():
            found = seen.newest()
            assert found is not None
            assert found.frame is FRAME
            assert [each.item for each in found.observations] == [1]
        assert seen.newest() is not None
    assert seen.newest() is None
