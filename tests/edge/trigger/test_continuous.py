from __future__ import annotations

import numpy as np

from edge.flow import Frame
from edge.trigger.continuous import ContinuousTrigger


def test_every_frame_is_an_item() -> None:
    frames = [Frame(np.zeros((2, 2, 3), np.uint8), float(n), n) for n in range(3)]
    items = list(ContinuousTrigger().items(iter(frames)))
    assert [item.frames for item in items] == [(frame,) for frame in frames]
    assert [item.captured for item in items] == [0.0, 1.0, 2.0]
