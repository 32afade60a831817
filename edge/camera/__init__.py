"""Where frames come from: one module for each kind of camera."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

from edge.flow import Frame, UnreadableFrame
from edge.yaml_file import Section

KINDS = {
    "usb": "edge.camera.usb",
    "picamera": "edge.camera.picamera",
    "stream": "edge.camera.stream",
    "video": "edge.camera.video",
    "folder": "edge.camera.folder",
    "belt": "edge.camera.belt.camera",
}
"""The module of each `kind`; its `Settings` is a CameraSettings."""


class Camera(Protocol):
    """A source of frames, read by one thread.

    Attributes:
        live: it shows the present, so that a frame nobody took in time is dropped for a newer one;
            False: it reads stored pictures, and waits until each was taken.
    """

    live: bool

    def read(self) -> Frame | UnreadableFrame | None:
        """The next frame, as soon as it is there; None: there are no more, or it was stopped.

        Raises:
            CameraError: it gives no pictures.
        """
        ...

    def close(self) -> None:
        """Frees what it holds; may be called twice."""
        ...


class CameraSettings(Section):
    """The section `camera` of a station file."""

    kind: str

    @abstractmethod
    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        say: Callable[[str], None],
    ) -> Camera:
        """The camera, ready to be read.

        Args:
            clock: seconds, monotonic.
            pause: waits so many seconds and returns False, or returns True at once when stopped.
                Whatever waits uses it: it is also a sign of life for the watchdog.
            say: tells the operator something, in one line.

        Raises:
            CameraError: it cannot be opened.
        """
