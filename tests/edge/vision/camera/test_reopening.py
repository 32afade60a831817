from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from edge.core.errors import CameraError
from edge.flow import CameraChange, Frame
from edge.vision.camera import unheeded
from edge.vision.camera.reopening import CameraSource, CapturedPicture, ReopeningCamera
from tests.edge.vision.camera.fake_time import FakeTime


class FakeSource:
    """A camera that gives `pictures` pictures, one each 0.1 s, and then no more."""

    def __init__(
        self, time: FakeTime, *, pictures: int, title: str = "usb, 640x480 pixels"
    ) -> None:
        self.title = title
        self.notes = ["does not know focus: 3 has no effect"]
        self.closed = threading.Event()
        self._time, self._left = time, pictures

    def shoot(self) -> CapturedPicture | None:
        assert not self.closed.is_set()
        if not self._left:
            return None
        self._left -= 1
        self._time.now += 0.1
        return CapturedPicture(np.zeros((2, 2, 3), np.uint8), self._time.now)

    def close(self) -> None:
        self.closed.set()


class Cameras:
    """Openings that come out as listed: a source, or an error."""

    def __init__(self, *outcomes: CameraSource | Exception) -> None:
        self.outcomes = list(outcomes)

    def __call__(self) -> CameraSource:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def open_camera(
    cameras: Callable[[], CameraSource],
    time: FakeTime,
    said: list[str] | None = None,
    report: Callable[[CameraChange], None] = unheeded,
) -> ReopeningCamera:
    said = [] if said is None else said
    return ReopeningCamera(
        cameras,
        name="the camera",
        clock=time.clock,
        pause=time.pause,
        tell=lambda level, text: said.append(text),
        report=report,
    )


def sequences(camera: ReopeningCamera, count: int) -> list[int]:
    frames = [camera.read() for _ in range(count)]
    return [frame.sequence for frame in frames if isinstance(frame, Frame)]


def test_a_camera_that_cannot_be_opened_at_first_is_an_error() -> None:
    with pytest.raises(CameraError, match="unplugged"):
        open_camera(Cameras(CameraError("unplugged")), FakeTime())


def test_it_says_what_it_gives_and_what_it_does_not_take() -> None:
    said: list[str] = []
    time = FakeTime()
    open_camera(Cameras(FakeSource(time, pictures=1)), time, said)
    assert said == [
        "camera     usb, 640x480 pixels",
        "camera     does not know focus: 3 has no effect",
    ]


def test_a_camera_that_is_lost_is_opened_until_it_is_back_and_frames_count_on() -> None:
    time, said = FakeTime(), list[str]()
    first, second = FakeSource(time, pictures=2), FakeSource(time, pictures=2)
    gone = [CameraError("unplugged") for _ in range(7)]
    changes: list[CameraChange] = []
    camera = open_camera(Cameras(first, *gone, second), time, said, changes.append)
    said.clear()
    assert sequences(camera, 4) == [1, 2, 3, 4]
    assert first.closed.is_set()
    # ever longer, but never longer than 10 seconds
    assert [pause for pause in time.pauses if pause] == [0.5, 1, 2, 4, 8, 10, 10, 10]
    assert said == [
        "camera     the camera gives no more frames: it is being reopened until it does",
        "camera     the camera is back after 45.5 s",
    ]
    assert changes == [("the camera", None), ("the camera", 45.5)]


def test_another_size_is_told_when_it_is_back() -> None:
    time, said = FakeTime(), list[str]()
    small = FakeSource(time, pictures=1, title="usb, 320x240 pixels")
    camera = open_camera(Cameras(FakeSource(time, pictures=0), small), time, said)
    assert camera.read() is not None
    assert said[-1].endswith("is back after 0.5 s, and is now usb, 320x240 pixels")


@pytest.mark.parametrize(
    ("pictures", "pauses"),
    [
        (5, [0.5, 1, 2]),  # it comes for half a second and goes
        (200, [0.5, 0.5, 0.5]),  # it was well for twenty seconds
    ],
)
def test_one_that_comes_and_goes_is_opened_less_and_less(
    pictures: int, pauses: list[float]
) -> None:
    time = FakeTime()
    camera = open_camera(Cameras(*(FakeSource(time, pictures=pictures) for _ in range(4))), time)
    sequences(camera, 3 * pictures + 1)
    assert [pause for pause in time.pauses if pause] == pauses


def test_a_stop_ends_the_waiting_for_it() -> None:
    time = FakeTime()
    camera = open_camera(Cameras(FakeSource(time, pictures=0)), time)
    time.stopped = True
    assert camera.read() is None
    assert time.pauses == [0.5]


def test_a_stop_does_not_wait_for_an_opening_that_hangs() -> None:
    time = FakeTime()
    may_open, late = threading.Event(), FakeSource(time, pictures=1)
    openings = iter([FakeSource(time, pictures=0)])

    def hang() -> CameraSource:
        first = next(openings, None)
        if first is not None:
            return first
        assert may_open.wait(60)
        return late

    camera = ReopeningCamera(
        hang,
        name="the camera",
        clock=time.clock,
        pause=lambda seconds: seconds == 0,  # stopped while the opening is waited for
    )
    assert camera.read() is None
    assert not late.closed.is_set()
    may_open.set()  # what it opens after all is not kept
    assert late.closed.wait(60)


def test_a_bug_in_the_opening_is_not_taken_for_a_lost_camera() -> None:
    time = FakeTime()
    camera = open_camera(Cameras(FakeSource(time, pictures=0), KeyError("bug")), time)
    with pytest.raises(KeyError, match="bug"):
        camera.read()


def test_close_frees_the_camera_and_may_be_called_twice() -> None:
    time = FakeTime()
    source = FakeSource(time, pictures=9)
    camera = open_camera(Cameras(source), time)
    camera.close()
    camera.close()
    assert source.closed.is_set()
    assert camera.read() is None


def test_close_leaves_a_camera_that_is_being_read_to_its_reader() -> None:
    time = FakeTime()
    reading, go_on = threading.Event(), threading.Event()

    class Slow(FakeSource):
        def shoot(self) -> CapturedPicture | None:
            reading.set()
            assert go_on.wait(60)
            assert not self.closed.is_set()
            return None

    source, said = Slow(time, pictures=1), list[str]()
    camera = open_camera(Cameras(source), time, said)
    frames: list[Frame | None] = []
    reader = threading.Thread(target=lambda: frames.append(camera.read()))
    reader.start()
    assert reading.wait(60)
    camera.close()
    assert not source.closed.is_set()
    go_on.set()
    reader.join(60)
    assert frames == [None]
    assert source.closed.is_set()
    assert not any("no more frames" in line for line in said)
