from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edge.core.errors import CameraError
from edge.flow import Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.runtime.clock import ClockedThread
from edge.runtime.heartbeat import BEAT_SECONDS
from edge.simulation.virtual_clock import VirtualClock
from edge.vision.frame_pump import FramePump
from edge.vision.latest_frame import LatestFrame
from tests.logged import listen


class Lens:
    """A camera that gives `frames`, and then raises `failure` or has no more."""

    def __init__(
        self,
        frames: Sequence[Frame | UnreadableFrame],
        *,
        live: bool = False,
        failure: Exception | None = None,
    ) -> None:
        self.live, self._frames, self._failure = live, list(frames), failure

    def read(self) -> Frame | UnreadableFrame | None:
        if self._frames:
            return self._frames.pop(0)
        if self._failure is not None:
            raise self._failure
        return None

    def close(self) -> None:
        pass


def frames(count: int, source: str = "picture.jpg") -> list[UnreadableFrame]:
    return [UnreadableFrame(0.0, number, source, f"{number} is broken") for number in range(count)]


def test_stored_pictures_wait_until_each_was_taken() -> None:
    clock, said = VirtualClock(), list[str]()
    latest = LatestFrame(clock)
    listen(said.append)
    pump = FramePump(latest, clock=clock)
    clock.enter()
    thread = ClockedThread("camera", lambda: pump.run(Lens(frames(20))), clock)
    thread.start()
    assert [frame.sequence for frame in latest.frames() if frame] == list(range(20))
    thread.join()
    clock.leave()
    assert latest.dropped == 0
    assert said == [f"unreadable: {number} is broken" for number in range(20)]
    assert pump.heartbeat.silent_seconds == 0


def test_of_a_live_camera_the_latest_frame_is_left() -> None:
    clock, said = VirtualClock(), list[str]()
    latest = LatestFrame(clock)
    listen(said.append)
    FramePump(latest, clock=clock).run(Lens(frames(3), live=True))
    assert [frame.sequence for frame in latest.frames() if frame] == [2]
    assert latest.dropped == 2


def test_a_frame_has_the_fault_that_was_seen_in_it() -> None:
    clock, image = VirtualClock(), np.zeros((2, 2, 3), np.uint8)
    covered = PictureFault(PictureFaultKind.COVERED, lasting=True)
    for found in (covered, None):
        latest = LatestFrame(clock)
        camera = Lens([Frame(image, 0.0, 1)], live=True)
        FramePump(latest, clock=clock, look=lambda frame, found=found: found).run(camera)
        (frame,) = latest.frames()
        assert isinstance(frame, Frame)
        assert frame.fault is found
        assert latest.faults == ({PictureFaultKind.COVERED: 1} if found else {})


def test_a_camera_that_fails_ends_the_frames_and_is_told() -> None:
    clock = VirtualClock()
    latest = LatestFrame(clock)
    pump = FramePump(latest, clock=clock)
    with pytest.raises(CameraError, match="unplugged"):
        pump.run(Lens([], failure=CameraError("unplugged")))
    assert list(latest.frames()) == []
    assert pump.heartbeat.silent_seconds == 0


def test_once_stopped_nothing_is_read_and_nothing_is_given() -> None:
    clock = VirtualClock()
    latest = LatestFrame(clock)
    pump = FramePump(latest, clock=clock)
    latest.put(frames(1)[0])
    pump.stop()
    lens = Lens(frames(1), live=True)
    pump.run(lens)
    assert lens.read() is not None
    assert list(latest.frames()) == []


def test_a_pause_is_a_sign_of_life_and_ends_when_it_is_stopped() -> None:
    clock = VirtualClock()
    pump = FramePump(LatestFrame(clock), clock=clock)
    clock.enter()
    silences = list[float]()

    def watch() -> None:
        condition = clock.condition()
        with condition:
            for _ in range(19):
                clock.wait(condition, clock.now() + 0.5)
                silences.append(pump.heartbeat.silent_seconds)

    watching = ClockedThread("watch", watch, clock)
    watching.start()
    assert not pump.pause(10)
    watching.join()
    assert clock.now() == 10
    assert max(silences) <= BEAT_SECONDS
    pump.stop()
    assert pump.pause(10)
    assert clock.now() == 10
    clock.leave()
