"""A USB camera, or any other that Linux shows as a V4L2 device."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
from pydantic import Field, field_validator

from edge.core.errors import CameraError
from edge.core.yaml_messages import advised, shown
from edge.flow import CameraChange, Exposure
from edge.vision.camera import Camera, DeviceSettings, Tell, log, unheeded
from edge.vision.camera.opencv import Capture, open_capture
from edge.vision.camera.reopening import CapturedPicture, ReopeningCamera

_LINKS = Path("/dev/v4l/by-id")
_NODES = Path("/dev")
_SELECT_SECONDS = 3
_BUFFERS = 2
"""One buffer is read while the driver fills the other. With a single buffer the driver could not
fill one while a frame is decoded, and would lose every second frame; more would only add delay."""
_JITTER_SECONDS = 0.05
"""How far in the future a frame's time may be: some drivers compute it from the frame rate."""
_V4L2_MICROSECONDS = 100
"""V4L2 counts exposures in steps of so many microseconds."""
_ASK_SECONDS = 1.0
"""How often the camera is asked for what it should have fixed. Asking may take a millisecond."""
_OLDEST_SECONDS = 5.0
"""A frame that looks older than this has its time from another clock."""


class Settings(DeviceSettings):
    """`camera: {kind: usb, ...}`."""

    kind: Annotated[Literal["usb"], Field(description="the kind of camera")]
    device: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern="^/dev/")],
        Field(
            description="the number of the camera (0 is /dev/video0) or, better, its link in "
            "/dev/v4l/by-id, which stays the same when others are plugged in"
        ),
    ] = 0
    width: Annotated[int, Field(ge=16, le=8192, description="pixels of the picture's width")] = 640
    height: Annotated[int, Field(ge=16, le=8192, description="pixels of the picture's height")] = (
        480
    )
    frames_per_second: Annotated[
        int, Field(ge=1, le=240, description="the frame rate that the camera is asked for")
    ] = 30
    fourcc: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Z0-9]{3}[A-Z0-9 ]$",
            description="the pixel format on the USB cable, such as MJPG or YUYV; without it, "
            "OpenCV chooses, often YUYV, which is slow above 640x480",
        ),
    ] = None
    exposure_microseconds: Annotated[
        int | None, Field(ge=100, le=1_000_000, description="fixed exposure; without it, automatic")
    ] = None
    gain: Annotated[
        int | None, Field(ge=0, description="fixed gain, in the camera's own steps")
    ] = None
    white_balance_kelvin: Annotated[
        int | None,
        Field(ge=1000, le=15000, description="fixed white balance; without it, automatic"),
    ] = None
    focus: Annotated[
        int | None,
        Field(ge=0, description="fixed focus, in the camera's own steps; without it, automatic"),
    ] = None

    @field_validator("device", mode="before")
    @classmethod
    def _number_or_path(cls, received: Any) -> Any:
        number = isinstance(received, int) and not isinstance(received, bool) and received >= 0
        if not number and not (isinstance(received, str) and received.startswith("/dev/")):
            advice = ""
            if isinstance(received, str) and "://" in received:
                advice = ". A network camera is `{kind: stream, url: ...}`"
            raise advised(
                "must be a number from 0, or a path such as /dev/v4l/by-id/NAME. "
                f"Received: {shown(received)}{advice}"
            )
        return received

    @property
    def path(self) -> str:
        """The path of the device's file."""
        return f"/dev/video{self.device}" if isinstance(self.device, int) else self.device

    @property
    def device_name(self) -> str:
        """The device that one program alone can open, whatever link it is named by."""
        return str(Path(self.path).resolve())

    @property
    def watched_name(self) -> str:
        """Its name for the operator: the path of its file."""
        return self.path

    @property
    def locked(self) -> Exposure | None:
        """What the station file fixes of how pictures are taken; None: nothing."""
        found = Exposure(
            self.exposure_microseconds, self.gain, white_balance_kelvin=self.white_balance_kelvin
        )
        return None if found == Exposure() else found

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def seconds_per_frame(self) -> float | None:
        """The seconds from one frame to the next."""
        return 1 / self.frames_per_second

    def open(
        self,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        tell: Tell = log,
        report: Callable[[CameraChange], None] = unheeded,
    ) -> Camera:
        """Opens the camera; it reopens by itself after it was unplugged and plugged in again.

        Raises:
            CameraError: the camera is not there, or gives no pictures.
        """
        return ReopeningCamera(
            lambda: UsbSource(self, clock=clock),
            name=self.watched_name,
            clock=clock,
            pause=pause,
            tell=tell,
            report=report,
            frozen_seconds=self.frozen_seconds,
        )


class UsbSource:
    """An open V4L2 device.

    The capture time is the driver's: OpenCV's V4L2 backend gives the buffer's timestamp as
    CAP_PROP_POS_MSEC, which drivers take from CLOCK_MONOTONIC (uvcvideo: when the camera began to
    send the frame, or the camera's own clock converted). If it is 0, in the future or far in the
    past, the frame's arrival is taken instead.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float]) -> None:
        """Opens the device with these settings and takes a first picture.

        Raises:
            CameraError: the device is not there, or gives no pictures.
        """
        self._clock = clock
        self._locked, self._ask_at = settings.locked, float("-inf")
        self._exposure: Exposure | None = None
        path = settings.path
        _check_device(path)
        self._capture = _opened(path)
        try:
            self.notes: Sequence[str] = _set_up(self._capture, settings)
            self._switches = _switches(self._capture, settings.locked)
            self._capture.take_jpegs(cv2.CAP_PROP_CONVERT_RGB, 0)
            first = self._capture.next_picture(clock)
            if first is None:
                raise CameraError(
                    f"{path}: opens, but gives no picture that can be read within "
                    f"{_SELECT_SECONDS} seconds. Try fourcc: MJPG or fourcc: YUYV, a smaller width "
                    "and height, or another USB port"
                )
        except BaseException:
            self.close()
            raise
        height, width = first[0].shape[:2]
        self.title = _title(self._capture, settings, width=width, height=height)
        self.title += (
            ", times from the driver" if self._driver_time() else ", times of their arrival"
        )

    def shoot(self) -> CapturedPicture | None:
        """The next picture; None if none came within 3 seconds, or the camera is gone."""
        if not self._capture.grab():
            return None
        arrived = self._clock()
        image = self._capture.picture()
        captured = self._driver_time() or arrived
        if self._locked is not None and captured >= self._ask_at:
            self._ask_at = captured + _ASK_SECONDS
            now = _switches(self._capture, self._locked)
            automatic = tuple(name for name, value in self._switches.items() if now[name] != value)
            self._exposure = _exposure(self._capture, self._locked)._replace(automatic=automatic)
        return CapturedPicture(image, captured, self._capture.damage, self._exposure)

    def close(self) -> None:
        """Frees the device; may be called twice."""
        self._capture.release()

    def _driver_time(self) -> float | None:
        now, captured = self._clock(), self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return min(captured, now) if -_JITTER_SECONDS < now - captured < _OLDEST_SECONDS else None


def _check_device(path: str) -> None:
    if not Path(path).exists():
        cameras = _cameras()
        raise CameraError(
            f"{path}: there is no such camera. "
            + (f"Found: {', '.join(cameras)}" if cameras else "No camera is plugged in")
            + ". A camera on the Raspberry Pi's own connector needs kind: picamera"
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(
            f"{path}: no permission. Add the user to the group video, `sudo usermod -aG video "
            f"{os.environ.get('USER', 'USER')}`, and log in again"
        )


def _opened(path: str) -> Capture:
    # Without it, each read of a hanging camera takes ten seconds. OpenCV reads it once.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(_SELECT_SECONDS))
    capture = open_capture(path, cv2.CAP_V4L2)
    if capture is None:
        raise CameraError(
            f"{path}: cannot be opened as a camera. Does another program use it (`fuser {path}`)? "
            "Most cameras have several devices: the one with the picture ends in index0 in "
            f"{_LINKS}"
        )
    return capture


def _cameras() -> list[str]:
    """The cameras' files: their permanent links, or, if there are none, the devices themselves."""
    links = sorted(map(str, _LINKS.glob("*"))) if _LINKS.is_dir() else []
    nodes = [str(node) for node in _NODES.glob("video*") if re.fullmatch(r"video\d+", node.name)]
    return links or sorted(nodes, key=lambda node: (len(node), node))


def _set_up(capture: Capture, settings: Settings) -> list[str]:
    """Applies all settings; returns a line for each one that the camera did not accept."""
    if settings.fourcc is not None:  # before the size: a camera offers other sizes in each format
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.fourcc))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    capture.set(cv2.CAP_PROP_FPS, settings.frames_per_second)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, _BUFFERS)
    notes = []
    manual, automatic = 1, 3  # V4L2_EXPOSURE_MANUAL, V4L2_EXPOSURE_APERTURE_PRIORITY
    # Automatic is set explicitly, because an earlier program may have fixed a value.
    exposure = settings.exposure_microseconds
    capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, automatic if exposure is None else manual)
    capture.set(cv2.CAP_PROP_AUTO_WB, 1 if settings.white_balance_kelvin is None else 0)
    capture.set(cv2.CAP_PROP_AUTOFOCUS, 1 if settings.focus is None else 0)
    for key, wanted, prop, unit in (
        ("exposure_microseconds", exposure, cv2.CAP_PROP_EXPOSURE, _V4L2_MICROSECONDS),
        ("gain", settings.gain, cv2.CAP_PROP_GAIN, 1),
        ("white_balance_kelvin", settings.white_balance_kelvin, cv2.CAP_PROP_WB_TEMPERATURE, 1),
        ("focus", settings.focus, cv2.CAP_PROP_FOCUS, 1),
    ):
        if wanted is None:
            continue
        capture.set(prop, round(wanted / unit))
        answered = capture.get(prop) * unit
        if answered < 0:
            notes.append(f"does not know {key}: {wanted} has no effect")
        elif abs(answered - wanted) > unit / 2:
            notes.append(f"does not accept {key}: {wanted}; the value stays at {answered:g}")
    return notes


def _switches(capture: Capture, locked: Exposure | None) -> dict[str, float]:
    """What the camera tells of the switches between automatic and fixed, of what is fixed.

    Whatever they are called by its driver: another value than after the setting up means that
    somebody, or the camera itself, has switched one.
    """
    found = {}
    if locked is not None and locked.microseconds is not None:
        found["exposure"] = capture.get(cv2.CAP_PROP_AUTO_EXPOSURE)
    if locked is not None and locked.white_balance_kelvin is not None:
        found["white balance"] = capture.get(cv2.CAP_PROP_AUTO_WB)
    return found


def _exposure(capture: Capture, locked: Exposure) -> Exposure:
    """What the camera tells of what is fixed; of what is automatic, V4L2 tells no true values."""

    def told(wanted: float | None, prop: int, unit: int = 1) -> float | None:
        answered = None if wanted is None else capture.get(prop) * unit
        return None if answered is None or answered < 0 else answered

    return Exposure(
        told(locked.microseconds, cv2.CAP_PROP_EXPOSURE, _V4L2_MICROSECONDS),
        told(locked.gain, cv2.CAP_PROP_GAIN),
        white_balance_kelvin=told(locked.white_balance_kelvin, cv2.CAP_PROP_WB_TEMPERATURE),
    )


def _title(capture: Capture, settings: Settings, *, width: int, height: int) -> str:
    number = int(capture.get(cv2.CAP_PROP_FOURCC))
    fourcc = number.to_bytes(4, "little", signed=number < 0).decode("latin-1").strip()
    rate = capture.get(cv2.CAP_PROP_FPS)
    asked = f"{settings.width}x{settings.height}"
    given = f"{width}x{height}"
    title = f"{settings.path}, {given} pixels"
    if given != asked:
        title += f" (asked for {asked})"
    if fourcc.isprintable() and fourcc:
        title += f", {fourcc}"
    if rate > 0:
        title += f", {rate:g} frames a second"
        if abs(rate - settings.frames_per_second) > 0.5:
            title += f" (asked for {settings.frames_per_second})"
    return title
