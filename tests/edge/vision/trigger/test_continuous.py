from __future__ import annotations

import numpy as np

from edge.flow import Frame, Observation
from edge.vision.trigger.continuous import ContinuousTrigger


def test_every_frame_is_an_item_that_is_gone_at_once() -> None:
    trigger = ContinuousTrigger()
    for number, captured in enumerate((5.0, 6.0, 7.0), start=1):
        frame = Frame(np.zeros((2, 2, 3), np.uint8), captured, number)
        assert list(trigger.look(frame)) == [
            Observation(number, None, passed=captured),
            Observation(number, None, gone=True, passed=captured),
        ]
    assert trigger.end() == ()
