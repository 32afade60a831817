from __future__ import annotations

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edge.core.errors import CameraError
from edge.core.yaml_file import YamlFile
from edge.flow import Frame, UnreadableFrame
from edge.vision.camera import Camera
from edge.vision.camera.stream import Settings
from tests.edge.vision.camera.mjpeg_server import MjpegServer, time_in
from tests.ports import free_port

SECRET = "s3cret"
PATIENT = {"open_timeout_seconds": 120.0, "read_timeout_seconds": 120.0}
"""Beyond what a station may have: a busy machine can hold up the server of a test for longer."""


class Watch:
    """A stream being watched: its camera, what was said, and what happens in a pause."""

    def __init__(
        self, url: str, *, clock: Callable[[], float] = time.monotonic, **settings: Any
    ) -> None:
        self.said: list[str] = []
        self.pauses: list[float] = []
        self.in_pause: Callable[[int], None] = lambda number: None
        self.stopped = False
        checked = Settings.model_validate({"kind": "stream", "url": url, **settings})
        patient = {key: value for key, value in PATIENT.items() if key not in settings}
        self.camera: Camera = checked.model_copy(update=patient).open(
            clock=clock, pause=self._pause, tell=lambda level, text: self.said.append(text)
        )

    def frames(self, count: int) -> list[Frame]:
        found = [self.camera.read() for _ in range(count)]
        return [frame for frame in found if isinstance(frame, Frame)]

    def _pause(self, seconds: float) -> bool:
        """A pause takes no time, but for what the test does in it."""
        if seconds:
            self.pauses.append(seconds)
            self.in_pause(len(self.pauses))
        return self.stopped


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    with MjpegServer() as server:
        yield server


def test_an_mjpeg_stream_gives_frames_with_the_times_of_their_arrival(server: MjpegServer) -> None:
    watch = Watch(server.url)
    assert watch.camera.live
    assert watch.said == [f"camera     {server.url}, 320x240 pixels, times of arrival"]
    found = []
    for _ in range(20):
        (frame,) = watch.frames(1)
        # After it was made, and before it was given, however long the machine took for that.
        assert time_in(frame.image) <= frame.captured <= time.monotonic()
        found.append(frame)
    assert [frame.sequence for frame in found] == list(range(1, 21))
    assert {(frame.image.shape, frame.image.dtype) for frame in found} == {
        ((240, 320, 3), np.dtype(np.uint8))
    }
    assert found[0].image[100:].mean((0, 1)) == pytest.approx(server.bgr, abs=8)
    watch.camera.close()
    watch.camera.close()
    assert watch.camera.read() is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda jpeg: jpeg[: len(jpeg) // 2],
        lambda jpeg: jpeg[:800] + jpeg[1100:],
        lambda jpeg: jpeg[:800] + bytes(400) + jpeg[1200:],
        lambda jpeg: jpeg[:800] + bytes(range(1, 201)) + jpeg[1000:],
    ],
    ids=["cut", "hole", "zeros", "swap"],
)
def test_damaged_frames_of_an_mjpeg_stream_are_told_apart(
    damage: Callable[[bytes], bytes], server: MjpegServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.damage = damage
    moments = itertools.count(step=0.2)  # or, after a while without one, the fault would be over
    watch = Watch(server.url, clock=lambda: next(moments))
    found = [watch.camera.read() for _ in range(10)]
    damaged = [frame for frame in found if isinstance(frame, UnreadableFrame)]
    assert len(damaged) == 5
    assert {frame.source for frame in damaged} == {""}
    for frame in found:
        if isinstance(frame, Frame):
            assert frame.image[100:].mean((0, 1)) == pytest.approx(server.bgr, abs=8)
    assert [
        line for line in watch.said if "damaged frames, which are left out" in line
    ] == watch.said[1:]
    assert capfd.readouterr() == ("", ""), "no decoder has anything to say without a name"
    watch.camera.close()


def test_a_known_lag_is_taken_off_the_capture_times(server: MjpegServer) -> None:
    watch = Watch(server.url, lag_seconds=2.0)
    (frame,) = watch.frames(1)
    assert time_in(frame.image) <= frame.captured + 2.0 <= time.monotonic()
    assert watch.said == [f"camera     {server.url}, 320x240 pixels, times of arrival less 2 s"]
    watch.camera.close()


@pytest.mark.parametrize(
    ("keys", "oldest"),
    [({}, 1.0), ({"lag_seconds": 2.5}, 3.5), ({"lag_seconds": 2.5, "oldest_seconds": 4}, 4.0)],
)
def test_its_frames_may_be_older_by_its_lag(keys: dict[str, float], oldest: float) -> None:
    found = Settings.model_validate({"kind": "stream", "url": "rtsp://camera/1", **keys})
    assert found.oldest == oldest


def test_a_limit_that_every_frame_is_beyond_is_refused() -> None:
    keys = {"kind": "stream", "url": "rtsp://camera/1", "lag_seconds": 2, "oldest_seconds": 2}
    with pytest.raises(ValidationError, match="every frame would be left out"):
        Settings.model_validate(keys)


def test_what_waited_in_the_stream_when_it_was_opened_is_dropped() -> None:
    found = []
    while len(found) < 10 and "new" not in found:  # by time, which a busy machine may take itself
        with MjpegServer(backlog=25) as server:
            watch = Watch(server.url)
            (frame,) = watch.frames(1)
            assert frame.sequence == 1
            is_new = frame.image[100:].mean((0, 1)) == pytest.approx(server.bgr, abs=8)
            found.append("new" if is_new else "old")
            watch.camera.close()
    assert found[-1] == "new"


def test_a_server_that_was_restarted_is_opened_again(server: MjpegServer) -> None:
    watch = Watch(server.url)
    assert len(watch.frames(3)) == 3
    watch.said.clear()
    server.stop()
    server.bgr = (200, 60, 40)

    def restart_in_the_fourth(number: int) -> None:
        if number == 4:
            server.start()

    watch.in_pause = restart_in_the_fourth
    while watch.frames(1)[0].image[100:, :, 0].mean() < 150:
        pass  # what was sent before the stop
    (frame,) = watch.frames(1)
    assert frame.sequence > 4
    assert watch.pauses == [0.5, 1, 2, 4]
    lost, back = watch.said
    assert (
        lost == f"camera     {server.url} gives no more frames: it is being reopened until it does"
    )
    assert back.startswith(f"camera     {server.url} is back after ")
    watch.camera.close()


def test_a_server_that_falls_silent_is_opened_again(server: MjpegServer) -> None:
    watch = None
    while watch is None:  # a busy machine may not answer within these limits
        with suppress(CameraError):
            watch = Watch(server.url, read_timeout_seconds=0.5, open_timeout_seconds=0.5)
    assert len(watch.frames(3)) == 3
    server.silent.set()
    watch.said.clear()
    watch.pauses.clear()
    watch.in_pause = lambda number: server.silent.clear() if number == 2 else None
    while not watch.pauses:
        assert len(watch.frames(1)) == 1
    assert len(watch.pauses) >= 2
    assert f"camera     {server.url} gives no more frames: it is being reopened" in watch.said[0]
    assert len(watch.frames(3)) == 3
    watch.camera.close()


def test_a_stop_ends_the_waiting_for_a_lost_server(server: MjpegServer) -> None:
    watch = Watch(server.url)
    server.stop()
    watch.stopped = True
    while watch.camera.read() is not None:
        pass
    assert watch.pauses == [0.5]


def with_password(url: str) -> str:
    return url.replace("://", f"://user:{SECRET}@") + f"?token={SECRET}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:{closed}/stream", "nothing answers at 127.0.0.1, port {closed} (Conn"),
        ("http://127.0.0.1:{open}/elsewhere", "127.0.0.1 answers, but gives no video: check the"),
        ("http://camera.invalid/stream", "the host name camera.invalid is unknown"),
    ],
)
def test_a_stream_that_does_not_open_is_an_error_that_tells_no_password(
    url: str, said: str, server: MjpegServer, capfd: pytest.CaptureFixture[str]
) -> None:
    ports = {"open": server.port, "closed": free_port()}
    with pytest.raises(CameraError) as caught:
        Watch(with_password(url.format(**ports)), open_timeout_seconds=2)
    assert said.format(**ports) in str(caught.value)
    assert str(caught.value).startswith(url.format(**ports))
    assert SECRET not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_user_and_password_reach_the_camera_and_nobody_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with MjpegServer(password="dXNlcjpzM2NyZXQ=") as server:  # user:s3cret
        url = server.url.replace("://", f"://user:{SECRET}@")
        watch = Watch(url)
        assert len(watch.frames(2)) == 2
        server.stop()
        watch.in_pause = lambda number: setattr(watch, "stopped", True)
        while watch.camera.read() is not None:
            pass
        assert len(watch.said) == 2
        assert SECRET not in " ".join(watch.said)
        assert capfd.readouterr() == ("", "")
        with pytest.raises(CameraError, match="user and password"):
            Watch(server_again(server).replace("://", "://user:wrong@"), open_timeout_seconds=2)
    assert SECRET not in repr(Settings.model_validate({"kind": "stream", "url": url}))


def server_again(server: MjpegServer) -> str:
    server.start()
    return server.url


@pytest.mark.parametrize(
    "url",
    [
        f"rtsp//user:{SECRET}@camera/stream",
        f"ftp://user:{SECRET}@camera/stream",
        f"rtsp://user:{SECRET}@/stream",
        f"rtsp://user:{SECRET}/x@camera/stream",
        f"rtsp://user:{SECRET}@camera:port/stream",
        f"rtsp://user:{SECRET}@front camera/stream",
        f"rtsp://user:{SECRET}@<address>/stream",
        7,
    ],
)
def test_a_url_that_cannot_be_one_is_refused_without_repeating_it(
    url: object, tmp_path: Path
) -> None:
    (tmp_path / "camera.yaml").write_text(f"kind: stream\nurl: {url}\n")
    settings, problems = YamlFile(tmp_path / "camera.yaml").check(Settings)
    assert settings is None
    assert [problem.location for problem in problems] == [("url",)]
    assert "must be rtsp://HOST/PATH" in problems[0].message
    assert SECRET not in problems[0].message


def test_the_options_for_ffmpeg_are_in_the_environment_only_while_it_opens(
    server: MjpegServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import edge.vision.camera.opencv as module

    seen: list[str | None] = []
    real = module.cv2.VideoCapture

    def capture(*words: Any) -> Any:
        seen.append(os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS"))
        return real(*words)

    monkeypatch.setattr(module.cv2, "VideoCapture", capture)
    before = dict(os.environ)
    Watch(server.url, transport="udp").camera.close()
    assert seen == ["rtsp_transport;udp|fflags;nobuffer|flags;low_delay"]
    assert dict(os.environ) == before


class RtspServer:
    """`rtsp_server.py` in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"rtsp://user:{SECRET}@127.0.0.1:{self.port}/camera"
        self.start()

    def start(self) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        self._process = subprocess.Popen(
            ["/usr/bin/python3", str(script), str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            said = self._process.communicate()[1].strip()
            assert self._process.returncode == 3, said
            pytest.skip(f"no RTSP server here: {said} (see {script.name})")

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def rtsp() -> Iterator[RtspServer]:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("no RTSP server here: there is no /usr/bin/python3 to run it")
    server = RtspServer()
    yield server
    server.kill()


@pytest.mark.parametrize("transport", ["tcp", pytest.param("udp", marks=pytest.mark.slow)])
def test_an_rtsp_stream_is_read_and_opened_again_after_its_server_was_killed(
    transport: str, rtsp: RtspServer, capfd: pytest.CaptureFixture[str]
) -> None:
    watch = Watch(rtsp.url, transport=transport, read_timeout_seconds=1)
    found = watch.frames(10)
    assert [frame.sequence for frame in found] == list(range(1, 11))
    assert found[0].image.shape == (240, 320, 3)
    assert np.argmax(found[0].image[100:].mean((0, 1))) == 0  # BGR
    assert all(time_in(frame.image) <= frame.captured <= time.monotonic() for frame in found)
    killed = time.monotonic()
    rtsp.kill()
    watch.in_pause = lambda number: rtsp.start() if number == 2 else None
    while time_in((frame := watch.frames(1)[0]).image) < killed:
        pass  # what was on the way when it was killed
    assert frame.sequence > 10
    assert watch.pauses == [0.5, 1]
    assert len(watch.said) == 3
    assert SECRET not in " ".join(watch.said)
    watch.camera.close()
    assert capfd.readouterr() == ("", "")
