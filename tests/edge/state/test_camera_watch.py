"""A camera that hangs, in the states of a station."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from edge.events import CameraBack, CameraLost
from edge.flow import Frame, UnreadableFrame
from edge.ledger.reports.reading import microseconds
from tests.edge.state.test_watch import watch


def test_a_camera_that_hangs_is_lost_until_its_next_picture() -> None:
    time = [0.0]
    found, sink = watch(lambda: time[0], None)
    image = np.zeros((2, 2, 3), np.uint8)

    def looked(*moments: float) -> list[tuple[str, ...]]:
        for moment in moments:
            time[0] = moment
            found.look(quiet=True)
        return [found.signs.incidents, (str(found.signs.state),)]

    with found:
        found.frame(Frame(image, 0.0, 1))
        assert found.next_at == 1.5
        assert looked(0.5, 1.0, 1.49) == [(), ("Execute",)]
        assert looked(1.5) == [("camera_lost",), ("Held",)]
        since = found.signs.since
        time[0] = 1.9
        found.frame(UnreadableFrame(1.9, 2, "", "cut off"))  # it lives, though it is damaged
        assert looked(1.9) == [(), ("Execute",)]
    changes = [event for event in sink.told if isinstance(event, CameraLost | CameraBack)]
    assert [type(event).__name__ for event in changes] == ["CameraLost", "CameraBack"]
    assert isinstance(changes[1], CameraBack)
    assert changes[1].lost_seconds == pytest.approx(1.9), "since its last picture"
    assert since == changes[0].time < changes[1].time
    assert microseconds(changes[1].time) - microseconds(since) == pytest.approx(1.9e6, abs=2)


def test_a_camera_that_may_pause_is_not_lost() -> None:
    time = [0.0]
    camera = SimpleNamespace(locked=None, watched_name=None)
    found, _ = watch(lambda: time[0], None, camera=camera)
    with found:
        found.frame(Frame(np.zeros((2, 2, 3), np.uint8), 0.0, 1, source="a.png"))
        assert found.next_at is None
        for second in range(100):
            time[0] = float(second)
            found.look(quiet=True)
        assert found.sorts
