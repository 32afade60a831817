"""A video or GIF file, played at its own speed or as fast as its frames are taken."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import cv2
from pydantic import AfterValidator, Field

from edge.core.errors import CameraError
from edge.core.suggestions import similar_path
from edge.core.yaml_file import FilePath, looking_at
from edge.core.yaml_messages import advised
from edge.flow import CameraChange, Frame
from edge.vision.camera import Camera, CameraSettings, Tell, log, unheeded
from edge.vision.camera.opencv import Capture, open_capture

_USUAL_RATE = 25.0


def _is_there(path: Path) -> Path:
    with looking_at(path):
        is_there = path.is_file()
    if not is_there:
        raise advised(f"no such video: {path}{similar_path(path)}")
    return path


class Settings(CameraSettings):
    """`camera: {kind: video, ...}`."""

    kind: Annotated[Literal["video"], Field(description="the kind of camera")]
    path: Annotated[FilePath, AfterValidator(_is_there), Field(description="a video or GIF file")]
    paced: Annotated[
        bool,
        Field(
            description="true: the clip plays at its own speed, and frames are dropped if sorting "
            "is slower; false: every frame is sorted, as fast as possible, with the clip's times"
        ),
    ] = True
    loop: Annotated[bool, Field(description="begin again after the last frame")] = False

    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
    ) -> Camera:
        """Opens the clip as a camera.

        Raises:
            CameraError: the file cannot be read as a video.
        """
        return VideoCamera(self.path, paced=self.paced, loop=self.loop, clock=clock, pause=pause)


class VideoCamera:
    """The frames of a clip, each at its time in the file, counted from the first read.

    Each frame of a GIF has its own duration.
    """

    def __init__(
        self,
        path: Path,
        *,
        paced: bool,
        loop: bool,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
    ) -> None:
        """Opens the clip.

        Raises:
            CameraError: the file cannot be read as a video.
        """
        self.live = paced
        self._path, self._loop = path, loop
        self._clock, self._pause = clock, pause
        self._capture: Capture | None = _opened(path)
        self._sequence = 0
        self._due: float | None = None
        """When the last frame was shown; None if there was none."""
        self._position = 0.0
        """The time of the last frame in the clip, in seconds."""
        self._length = 1 / _rate(self._capture)
        """The duration of the last frame but one, in seconds, which is also used for the last."""

    def read(self) -> Frame | None:
        """The next frame when its time has come; None after the last one or when stopped.

        Raises:
            CameraError: the clip is to start again, and its file is gone.
        """
        capture = self._capture
        if capture is None:
            return None
        found = capture.next_picture(self._clock)
        if found is None:
            self.close()
            if not self._loop or self._sequence == 0:
                return None
            self._capture = capture = _opened(self._path)
            self._position = -self._length
            found = capture.next_picture(self._clock)
            if found is None:
                return None
        captured = self._time_of_frame(capture)
        if self.live:
            # After a late read or a pause the next frames are not sent faster.
            now = self._clock()
            captured = max(captured, now)
            if captured > now and self._pause(captured - now):
                return None
        self._due = captured
        self._sequence += 1
        return Frame(found[0], captured, self._sequence, self._path.name)

    def close(self) -> None:
        """Closes the file; may be called twice."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _time_of_frame(self, capture: Capture) -> float:
        """When the frame that was just grabbed is due, on the station's clock."""
        position = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._due is None:
            self._position = position if math.isfinite(position) else 0.0
            return self._clock()
        length = position - self._position
        if not (math.isfinite(length) and 0 < length < 3600):
            length = self._length  # a format without times
            position = self._position + length
        self._position, self._length = position, length
        return self._due + length


def _opened(path: Path) -> Capture:
    capture = open_capture(str(path), cv2.CAP_FFMPEG) if path.is_file() else None
    if capture is None:
        raise CameraError(
            f"{path}: cannot be read as a video. Does it play in a video player? "
            "`ffmpeg -i FILE new.mp4` converts most videos to a common format"
        )
    return capture


def _rate(capture: Capture) -> float:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if math.isfinite(rate) and 0.1 <= rate <= 1000 else _USUAL_RATE
