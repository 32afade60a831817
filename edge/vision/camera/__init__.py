"""The cameras, from which frames come: one module for each kind."""

from __future__ import annotations

import logging
import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Protocol

from pydantic import Field

from edge.core.yaml_file import Section
from edge.flow import CameraChange, Exposure, Frame, UnreadableFrame

KINDS = {
    "usb": "edge.vision.camera.usb",
    "picamera": "edge.vision.camera.picamera",
    "stream": "edge.vision.camera.stream",
    "video": "edge.vision.camera.video",
    "folder": "edge.vision.camera.folder",
    "belt": "edge.simulation.belt.camera",
}
"""The module of each `kind`; its `Settings` is a CameraSettings."""

SYNONYMS = {
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
"""Other words that people use for a kind of camera, with the kind that each means."""


FROZEN_SECONDS = 1.5
"""A picture that repeats for so long is frozen, unless the station file sets another time."""

_OLDEST_SECONDS, _OLDEST_FRAMES = 1.0, 3
"""A frame may be as old, by default. A camera may give a frame two or three later, and a Raspberry
Pi that writes to a slow card may not look for some tenths of a second."""


def unheeded(change: CameraChange) -> None:
    """Ignores a change of the camera's state."""


Tell = Callable[[int, str], None]
"""A function that takes a message for the operator: its level of `logging` and one line of text."""

log: Tell = logging.getLogger(__name__).log
"""The default for a camera's messages to the operator: they are logged."""


class Camera(Protocol):
    """A source of frames, read by one thread.

    Attributes:
        live: True if it shows the present, so that a frame that is not taken in time is dropped for
            a newer one; False if it reads stored pictures, and waits until each is taken.
    """

    live: bool

    def read(self) -> Frame | UnreadableFrame | None:
        """The next frame, as soon as it is there; None if there are no more or it was stopped.

        Raises:
            CameraError: the camera gives no pictures.
        """
        ...

    def close(self) -> None:
        """Frees the camera's device or file; may be called twice."""
        ...


class CameraSettings(Section):
    """The section `camera` of a station file."""

    kind: str

    @property
    def size(self) -> tuple[int, int] | None:
        """The requested (width, height) in pixels; None if unknown before the camera is open."""
        return None

    @property
    def device_name(self) -> str | None:
        """The device that one program alone can open; None: it is none."""
        return None

    @property
    def watched_name(self) -> str | None:
        """Its name, if it should give pictures all the time; None: it may pause."""
        return None

    @property
    def locked(self) -> Exposure | None:
        """What the station file fixes of how pictures are taken; None: nothing."""
        return None

    @property
    def seconds_per_frame(self) -> float | None:
        """The seconds from one frame to the next; None if unknown before the camera is open."""
        return None

    @property
    def oldest(self) -> float:
        """The age in seconds, when it is to be looked at, above which a frame is left out."""
        return math.inf

    @property
    def seconds_per_item(self) -> float | None:
        """The seconds from one item to the next, if the camera simulates them; else None."""
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
        """Opens the camera, ready to be read.

        Args:
            clock: seconds, monotonic.
            pause: waits the given number of seconds and returns False, or returns True at once if
                the camera is stopped. A camera must wait by this function only, because it also
                gives the heartbeat for the watchdog.
            tell: called with messages for the operator, each of one line with its level of
                `logging`; must not wait.
            report: called in the camera's thread when the camera is lost or back; must not wait.

        Raises:
            CameraError: the camera cannot be opened.
        """


class DeviceSettings(CameraSettings):
    """The section `camera` of a real camera, whose pictures are never the same twice."""

    frozen_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=3600,
            description="seconds after which a picture that stays exactly the same counts as "
            "frozen, so that items are rejected; 0: never, for a stream that repeats pictures when "
            "nothing moves",
        ),
    ] = FROZEN_SECONDS
    oldest_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=60,
            description="a frame that is older than this when it is to be looked at, in seconds "
            "since its exposure, is left out; where that lasts, items are rejected. Without it, 1 "
            "second and the time of three frames, and for a stream its lag_seconds besides",
        ),
    ] = None

    @property
    def oldest(self) -> float:
        """See CameraSettings."""
        if self.oldest_seconds is not None:
            return self.oldest_seconds
        return _OLDEST_SECONDS + _OLDEST_FRAMES * (self.seconds_per_frame or 0.0)
