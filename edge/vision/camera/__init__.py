"""Where frames come from: one module for each kind of camera."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Protocol

from pydantic import Field

from edge.core.yaml_file import Section
from edge.flow import CameraChange, Frame, UnreadableFrame

KINDS = {
    "usb": "edge.vision.camera.usb",
    "picamera": "edge.vision.camera.picamera",
    "stream": "edge.vision.camera.stream",
    "video": "edge.vision.camera.video",
    "folder": "edge.vision.camera.folder",
    "belt": "edge.simulation.belt.camera",
}
"""The module of each `kind`; its `Settings` is a CameraSettings."""

ALSO = {
    **dict.fromkeys(
        ("csi", "pi", "picam", "pi_camera", "raspberry", "raspberrypi", "raspberry_pi", "libcamera",
         "rpicam", "raspicam", "picamera2", "mipi", "hq", "camera_module", "module"),
        "picamera",
    ),
    **dict.fromkeys(
        ("webcam", "web_camera", "v4l", "v4l2", "uvc", "device", "cam", "camera", "opencv"), "usb"
    ),
    **dict.fromkeys(
        ("rtsp", "rtsps", "ip", "ip_camera", "ipcam", "network", "net", "http", "https", "mjpeg",
         "mjpg", "onvif", "url", "wifi", "ethernet", "lan", "cctv", "rtmp", "hls"),
        "stream",
    ),
    **dict.fromkeys(("file", "movie", "clip", "mp4", "avi", "mov", "mkv", "gif", "film"), "video"),
    **dict.fromkeys(
        ("images", "image", "pictures", "picture", "photos", "photo", "photographs", "directory",
         "dir", "jpg", "files"),
        "folder",
    ),
    **dict.fromkeys(("simulated", "simulation", "simulator", "fake", "demo", "conveyor"), "belt"),
}  # fmt: skip
"""What people call a kind of camera otherwise."""


FROZEN_SECONDS = 2.0
"""The same picture for so long is a frozen one, where a station file does not say otherwise."""


def unheeded(change: CameraChange) -> None:
    """Nobody asks what becomes of the camera."""


Tell = Callable[[int, str], None]

log: Tell = logging.getLogger(__name__).log
"""How a camera tells what happens to it where nobody else wants to know."""


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

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels of the picture asked for; None: not known before it is open."""
        return None

    @property
    def seconds_per_frame(self) -> float | None:
        """From one frame to the next; None: not known before it is open."""
        return None

    @property
    def seconds_per_item(self) -> float | None:
        """From one thing in view to the next, where the camera makes them; None: nobody knows."""
        return None

    @abstractmethod
    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
    ) -> Camera:
        """The camera, ready to be read.

        Args:
            clock: seconds, monotonic.
            pause: waits so many seconds and returns False, or returns True at once when stopped.
                Whatever waits uses it: it is also a sign of life for the watchdog.
            tell: takes what the operator has to know, with its level of `logging`, in one line;
                must not wait.
            report: takes each change of a camera that is lost and comes back, in the camera's
                thread; must not wait.

        Raises:
            CameraError: it cannot be opened.
        """


class DeviceSettings(CameraSettings):
    """The section `camera` of a real camera, whose pictures are never the same twice."""

    frozen_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=3600,
            description="exactly the same picture for so long is a frozen one, and items are "
            "rejected; 0: never, for a stream that repeats pictures when nothing moves",
        ),
    ] = FROZEN_SECONDS
