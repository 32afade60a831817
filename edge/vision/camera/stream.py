"""A network camera: an RTSP stream, or MJPEG over HTTP."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

import cv2
from pydantic import Field, field_validator, model_validator

from edge.core.errors import CameraError
from edge.core.yaml_messages import advised
from edge.flow import CameraChange
from edge.vision.camera import Camera, DeviceSettings, Tell, log, unheeded
from edge.vision.camera.opencv import Capture, open_capture
from edge.vision.camera.reopening import CapturedPicture, ReopeningCamera

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_HOST = re.compile(r"[\w.:%~-]+")
"""A host name or an address, of IPv4 or IPv6."""
_KNOCK_SECONDS = 1.0
_CATCH_UP_SECONDS = 1.0
_SLOWEST, _FASTEST = 5.0, 60.0
"""The plausible frame rates of a stream; many report 90000, or a guess."""


class Settings(DeviceSettings):
    """`camera: {kind: stream, ...}`."""

    kind: Annotated[Literal["stream"], Field(description="the kind of camera")]
    url: Annotated[
        str,
        Field(
            repr=False,  # it may hold a password
            description="rtsp://USER:PASSWORD@HOST:PORT/PATH, or http://... of an MJPEG stream; "
            "choose a small picture in the camera's settings: 640x480 is enough",
        ),
    ]
    transport: Annotated[
        Literal["tcp", "udp"],
        Field(
            description="how RTSP data is sent: tcp loses no data; udp has less delay, but needs a "
            "reliable network"
        ),
    ] = "tcp"
    lag_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="seconds from the exposure of a frame to its arrival, which are subtracted "
            "from the capture times; a stream does not report them, so they must be measured",
        ),
    ] = 0.0
    open_timeout_seconds: Annotated[
        float, Field(gt=0, le=10, description="seconds that the server may take to answer")
    ] = 5.0
    # Less than a station waits for its threads when it is stopped.
    read_timeout_seconds: Annotated[
        float,
        Field(gt=0, le=4, description="seconds without a frame after which it is reopened"),
    ] = 3.0

    @field_validator("url", mode="before")
    @classmethod
    def _of_a_camera(cls, received: Any) -> Any:
        # These messages do not repeat what they were given: it may hold a password.
        usable = False
        with suppress(ValueError):  # raised for a port that is not a number
            if isinstance(received, str):
                parts = urlsplit(received)
                host = _HOST.fullmatch(parts.hostname or "")
                usable = parts.scheme in _PORTS and host is not None and parts.port != 0
        if not usable:
            raise advised(
                "must be rtsp://HOST/PATH or http://HOST/PATH, with USER:PASSWORD@ before the host "
                "where it needs them (a @, : or / in the password is written %40, %3A or %2F)"
            )
        return received

    @model_validator(mode="after")
    def _some_frame_is_young_enough(self) -> Self:
        if self.oldest_seconds is not None and self.oldest_seconds <= self.lag_seconds:
            raise advised(
                f"oldest_seconds ({self.oldest_seconds:g}) is not above lag_seconds "
                f"({self.lag_seconds:g}): every frame would be left out. Raise oldest_seconds"
            )
        return self

    @property
    def oldest(self) -> float:
        """See CameraSettings."""
        lag = self.lag_seconds if self.oldest_seconds is None else 0.0
        return super().oldest + lag

    @property
    def shown_url(self) -> str:
        """The URL for messages, without the user, the password and the query after a `?`."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    @property
    def watched_name(self) -> str:
        """Its name for the operator: its URL without what is secret in it."""
        return self.shown_url

    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
    ) -> Camera:
        """Opens the camera; it reopens by itself when its stream breaks off.

        Raises:
            CameraError: the camera gives no pictures.
        """
        return ReopeningCamera(
            lambda: StreamSource(self, clock=clock),
            name=self.watched_name,
            clock=clock,
            pause=pause,
            tell=tell,
            report=report,
            frozen_seconds=self.frozen_seconds,
        )


class StreamSource:
    """An open stream without a backlog of frames.

    The capture time is the frame's arrival less `lag_seconds`, because the times in a stream are on
    the server's clock.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float]) -> None:
        """Connects, and drops the frames that are waiting already.

        Raises:
            CameraError: the stream gives no pictures.
        """
        self._clock, self._lag = clock, settings.lag_seconds
        self.notes: Sequence[str] = ()
        self._capture = _opened(settings)
        try:
            self._capture.take_jpegs(cv2.CAP_PROP_FORMAT, -1)
            first = self._capture.next_picture(clock)
            if first is None:
                raise CameraError(
                    f"{settings.shown_url}: opens, but gives no picture within "
                    f"{settings.read_timeout_seconds:g} seconds. Check it with a video player"
                )
            self._catch_up()
        except BaseException:
            self.close()
            raise
        height, width = first[0].shape[:2]
        self.title = f"{settings.shown_url}, {width}x{height} pixels, times of arrival"
        if self._lag:
            self.title += f" less {self._lag:g} s"

    def shoot(self) -> CapturedPicture | None:
        """The next picture; None if none came in time, or the connection is lost."""
        if not self._capture.grab():
            return None
        arrived = self._clock()
        image = self._capture.picture()
        return CapturedPicture(image, arrived - self._lag, self._capture.damage)

    def close(self) -> None:
        """Ends the connection; may be called twice."""
        self._capture.release()

    def _catch_up(self) -> None:
        """Drops the frames that arrived while FFmpeg detected the format: up to a second."""
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        rate = min(max(rate, _SLOWEST), _FASTEST) if rate > 0 else _SLOWEST
        waits = 0
        began = now = self._clock()
        # One slow read may be a delay of this machine; two in a row show that none was waiting.
        while waits < 2 and now - began < _CATCH_UP_SECONDS and self._capture.grab():
            before, now = now, self._clock()
            waits = waits + 1 if now - before > 0.5 / rate else 0


def _opened(settings: Settings) -> Capture:
    options = {
        "rtsp_transport": settings.transport,
        "fflags": "nobuffer",  # frames that were read to detect the format are dropped
        "flags": "low_delay",
    }
    capture = open_capture(
        settings.url,
        cv2.CAP_FFMPEG,
        parameters={
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: round(1000 * settings.open_timeout_seconds),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC: round(1000 * settings.read_timeout_seconds),
            # Each further decoder thread delays by one frame, and slows down the inference.
            cv2.CAP_PROP_N_THREADS: 1,
        },
        environment={
            "OPENCV_FFMPEG_CAPTURE_OPTIONS": "|".join(f"{k};{v}" for k, v in options.items())
        },
    )
    if capture is None:
        raise CameraError(f"{settings.shown_url}: {_why_not(urlsplit(settings.url))}")
    return capture


def _why_not(parts: SplitResult) -> str:
    """The reason why a stream does not open, as far as it can be found, and what to do."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        socket.create_connection((host, port), timeout=_KNOCK_SECONDS).close()
    except socket.gaierror:
        return f"the host name {host} is unknown: correct it, or give the host's IP address"
    except OSError as error:
        return (
            f"nothing answers at {host}, port {port} ({error.strerror or 'it takes too long'}): is "
            "the camera switched on, and in this network?"
        )
    return (
        f"{host} answers, but gives no video: check the path, user and password of the URL with a "
        "video player"
    )
