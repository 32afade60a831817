"""OpenCV's VideoCapture, opened without its messages and read as colour pictures."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import cv2
import numpy as np

from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import Image, decode_frame

BROKEN_IN_A_ROW = 10
"""After so many damaged frames in a row, such as incomplete JPEGs, the source is taken for lost."""

_opening = threading.Lock()
"""Only one source is opened at a time, because OpenCV takes options from the environment, which
belongs to the whole process."""


class Capture:
    """An open VideoCapture: `grab` moves on to the next frame, and `picture` decodes it.

    Attributes:
        damage: what was wrong with the last frame that `picture` could not decode.
    """

    def __init__(self, capture: cv2.VideoCapture) -> None:
        """Takes over `capture`."""
        self._capture = capture
        self._gives_jpegs = False
        self.damage = ""

    def take_jpegs(self, prop: int, value: int) -> None:
        """Makes the backend pass on the frames of an MJPEG source undecoded, to decode them here.

        Video decoders conceal damage: they fill a missing part of a frame from the one before.

        Args:
            prop, value: the property that switches decoding off, set before the first frame.
        """
        mjpeg = cv2.VideoWriter.fourcc(*"MJPG")
        if int(self.get(cv2.CAP_PROP_FOURCC)) == mjpeg:
            self._gives_jpegs = self.set(prop, value)

    def grab(self) -> bool:
        """Waits for the next frame; False if none came in time, or there are no more."""
        try:
            return bool(self._capture.grab())
        except cv2.error:  # an assertion about buffers, when a device was pulled out
            return False

    def picture(self) -> Image | None:
        """The frame that was grabbed, uint8 (height, width, 3) BGR; None if it is damaged."""
        self.damage = "it cannot be decoded"
        try:
            decoded, image = self._capture.retrieve()
        except cv2.error:
            return None
        if not decoded or image is None or image.dtype != np.uint8:
            return None
        if self._gives_jpegs and min(image.shape[:2]) == 1:
            try:
                return decode_frame(image.tobytes())
            except UnreadableImageError as error:
                self.damage = str(error)
                return None
        if image.ndim == 2 and min(image.shape) > 1:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if image.ndim != 3 or image.shape[2] != 3:
            return None
        return np.asarray(image, np.uint8)

    def next_picture(self, clock: Callable[[], float]) -> tuple[Image, float] | None:
        """The next undamaged frame and the time of its arrival; None if there is none."""
        for _ in range(BROKEN_IN_A_ROW):
            if not self.grab():
                return None
            arrived = clock()
            image = self.picture()
            if image is not None:
                return image, arrived
        return None

    def get(self, prop: int) -> float:
        """The backend's value of a property; 0 or -1 if it does not know the property."""
        return float(self._capture.get(prop))

    def set(self, prop: int, value: float) -> bool:
        """Sets a property; False if it was refused. True does not prove that it was accepted."""
        try:
            return bool(self._capture.set(prop, value))
        except cv2.error:
            return False

    def release(self) -> None:
        """Frees the device, connection or file; may be called twice."""
        self._capture.release()


def open_capture(
    source: str,
    backend: int,
    *,
    parameters: Mapping[int, int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Capture | None:
    """Opens `source`; None if that fails, for a reason that OpenCV does not give.

    Args:
        source: a device, a file or a URL.
        backend: one of `cv2.CAP_...`.
        parameters: properties that are set for the opening.
        environment: environment variables that OpenCV reads while it opens.
    """
    options = [number for pair in (parameters or {}).items() for number in pair]
    # FFmpeg would write its servers' answers to stderr, with the URL and its password.
    variables = {"OPENCV_FFMPEG_LOGLEVEL": "-8", **(environment or {})}
    with _opening, _environment(variables), _quiet():
        capture = cv2.VideoCapture(source, backend, options)
        if capture.isOpened():
            return Capture(capture)
        capture.release()
        return None


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """A context in which `variables` are set, except those that were set before."""
    new = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


@contextmanager
def _quiet() -> Iterator[None]:
    """A context in which OpenCV writes nothing to stderr; the callers report what went wrong."""
    # OpenCV 4 and 5 have it in two places.
    module = cv2.utils.logging if hasattr(cv2, "utils") and hasattr(cv2.utils, "logging") else cv2
    before = module.getLogLevel()
    module.setLogLevel(0)
    try:
        yield
    finally:
        module.setLogLevel(before)
