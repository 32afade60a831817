"""OpenCV's VideoCapture: opened without its chatter, and read as colour pictures."""

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
"""So many frames in a row may be damaged, as a JPEG that lost a byte is, before it is given up."""

_opening = threading.Lock()
"""Its options come from the environment, and that belongs to the whole process."""


class Capture:
    """A VideoCapture that is open; `grab` moves on to the next frame, `picture` decodes it."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        """Takes over `capture`."""
        self._capture = capture
        self._gives_jpegs = False
        self.damage = ""
        """What was wrong with the last frame that `picture` could not decode."""

    def take_jpegs(self, prop: int, value: int) -> None:
        """Has the frames of an MJPEG source handed out as they come, to be decoded here.

        Decoders of video conceal what is damaged: half a frame is painted from the one before.

        Args:
            prop, value: what the backend is told for it, before the first frame.
        """
        mjpeg = cv2.VideoWriter.fourcc(*"MJPG")
        if int(self.get(cv2.CAP_PROP_FOURCC)) == mjpeg:
            self._gives_jpegs = self.set(prop, value)

    def grab(self) -> bool:
        """Waits for the next frame; False: none came in time, or there are no more."""
        try:
            return bool(self._capture.grab())
        except cv2.error:  # an assertion about buffers, when a device was pulled out
            return False

    def picture(self) -> Image | None:
        """The frame that was grabbed, uint8 (height, width, 3) BGR; None: it is damaged."""
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
        """(the next frame that is not damaged, when it arrived); None: there is none."""
        for _ in range(BROKEN_IN_A_ROW):
            if not self.grab():
                return None
            arrived = clock()
            image = self.picture()
            if image is not None:
                return image, arrived
        return None

    def get(self, prop: int) -> float:
        """What the backend answers for a property; 0 or -1 where it does not know it."""
        return float(self._capture.get(prop))

    def set(self, prop: int, value: float) -> bool:
        """Asks for a property; False: it was not taken. True alone does not prove that it was."""
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
    """The capture of `source`, or None: OpenCV does not say why it cannot be opened.

    Args:
        source: a device, a file or a URL.
        backend: one of `cv2.CAP_...`.
        parameters: properties that count from the opening on.
        environment: variables that OpenCV reads while it opens.
    """
    options = [number for pair in (parameters or {}).items() for number in pair]
    # FFmpeg would write to stderr what its servers answer, with the URL and its password.
    variables = {"OPENCV_FFMPEG_LOGLEVEL": "-8", **(environment or {})}
    with _opening, _environment(variables), _quiet():
        capture = cv2.VideoCapture(source, backend, options)
        if capture.isOpened():
            return Capture(capture)
        capture.release()
        return None


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """`variables` set for the time of the block, but for those that are set already."""
    new = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV writes nothing to stderr: what went wrong is told by those who open."""
    # OpenCV 4 and 5 have it in two places.
    module = cv2.utils.logging if hasattr(cv2, "utils") and hasattr(cv2.utils, "logging") else cv2
    before = module.getLogLevel()
    module.setLogLevel(0)
    try:
        yield
    finally:
        module.setLogLevel(before)
