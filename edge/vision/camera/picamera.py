"""A camera on the Raspberry Pi's own connector, through picamera2."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from edge.core.errors import CameraError
from edge.core.terminal.hints import install_command
from edge.core.yaml_messages import advised
from edge.flow import CameraChange, Exposure
from edge.vision.camera import Camera, DeviceSettings, Tell, log, unheeded
from edge.vision.camera.reopening import CapturedPicture, ReopeningCamera

_SILENT_SECONDS = 3.0
"""A camera that gives no frame for so long is lost; longer than the longest allowed exposure."""
_OLDEST_SECONDS = 5.0
"""A frame that looks older than this has its time from another clock."""

Gain = Annotated[float, Field(gt=0, le=32)]


class Settings(DeviceSettings):
    """`camera: {kind: picamera, ...}`."""

    kind: Annotated[Literal["picamera"], Field(description="the kind of camera")]
    camera: Annotated[
        int,
        Field(ge=0, le=3, description="the camera's number in `rpicam-hello --list-cameras`"),
    ] = 0
    width: Annotated[
        int, Field(ge=64, le=8192, multiple_of=2, description="pixels of the picture's width")
    ] = 640
    height: Annotated[
        int, Field(ge=64, le=8192, multiple_of=2, description="pixels of the picture's height")
    ] = 480
    frames_per_second: Annotated[float, Field(ge=0.5, le=240, description="the frame rate")] = 30.0
    buffer_count: Annotated[
        int, Field(ge=2, le=12, description="number of buffers for pictures in progress")
    ] = 4
    exposure_microseconds: Annotated[
        int | None,
        Field(ge=10, le=1_000_000, description="fixed exposure; without it, automatic"),
    ] = None
    analogue_gain: Annotated[
        float | None, Field(ge=1, le=64, description="fixed gain; without it, automatic")
    ] = None
    white_balance: Annotated[
        Literal["auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy"],
        Field(description="the kind of light that automatic white balance assumes"),
    ] = "auto"
    white_balance_gains: Annotated[
        list[Gain] | None,
        Field(
            min_length=2,
            max_length=2,
            description="fixed gains of red and blue, such as [1.8, 1.6]; without them, automatic",
        ),
    ] = None
    focus_dioptres: Annotated[
        float | None,
        Field(ge=0, le=32, description="fixed focus of a motorised lens: 1 / distance in metres"),
    ] = None
    autofocus: Annotated[
        bool, Field(description="whether a motorised lens focuses continuously")
    ] = False
    flip_horizontal: Annotated[bool, Field(description="whether left and right are swapped")] = (
        False
    )
    flip_vertical: Annotated[bool, Field(description="whether top and bottom are swapped")] = False

    @field_validator("exposure_microseconds")
    @classmethod
    def _within_a_frame(cls, exposure: int | None, info: ValidationInfo) -> int | None:
        rate = info.data.get("frames_per_second")
        if exposure is not None and rate is not None and exposure * rate > 1_000_000:
            raise advised(
                f"{exposure} microseconds are longer than a frame at {rate:g} frames a second "
                f"({1_000_000 / rate:.0f}): lower exposure_microseconds or frames_per_second"
            )
        return exposure

    @field_validator("autofocus")
    @classmethod
    def _one_focus(cls, autofocus: bool, info: ValidationInfo) -> bool:
        if autofocus and info.data.get("focus_dioptres") is not None:
            raise advised("focus_dioptres fixes the focus already: remove one of the two")
        return autofocus

    @property
    def device_name(self) -> str:
        """The camera, which one program alone can open."""
        return f"{self.camera} of the Raspberry Pi"

    @property
    def watched_name(self) -> str:
        """Its name for the operator."""
        return f"Pi camera {self.camera}"

    @property
    def locked(self) -> Exposure | None:
        """What the station file fixes of how pictures are taken; None: nothing."""
        gains = self.white_balance_gains
        found = Exposure(
            self.exposure_microseconds,
            self.analogue_gain,
            None if gains is None else (gains[0], gains[1]),
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
        """Opens the camera; it reopens by itself when it stops giving frames.

        Raises:
            CameraError: picamera2 is not installed, or there is no such camera.
        """
        return ReopeningCamera(
            lambda: PicameraSource(self, clock=clock),
            name=self.watched_name,
            clock=clock,
            pause=pause,
            tell=tell,
            report=report,
            frozen_seconds=self.frozen_seconds,
        )


class PicameraSource:
    """A started picamera2 camera.

    Its format "RGB888" names the bytes from the highest to the lowest: in memory they are B, G, R,
    so its arrays are BGR as they come (picamera2's manual, "Image formats").

    The capture time is `SensorTimestamp`, when the first row of the sensor began to be exposed. It
    is documented to be on CLOCK_BOOTTIME. The monotonic clock differs from it by the time in which
    the machine was suspended, and both run at the same rate. So the frame's age is measured on
    CLOCK_BOOTTIME and subtracted from the monotonic time.

    Attributes:
        device: the `picamera2.Picamera2`.
        title: the camera and its picture, for the operator.
        notes: a line for each setting that the camera does not support.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float],
        boot_clock: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    ) -> None:
        """Starts the camera and takes a first picture.

        Args:
            clock: seconds, monotonic.
            boot_clock: nanoseconds since the machine started.

        Raises:
            CameraError: picamera2 is not installed, or there is no such camera.
        """
        self._clock, self._boot_clock = clock, boot_clock
        self.device = _opened(settings.camera)
        try:
            controls, self.notes = _controls(settings, self.device.camera_controls)
            self._start(settings, controls)
            first = self.shoot()
        except BaseException:
            self.close()
            raise
        if first is None:
            self.close()
            raise CameraError(
                f"Pi camera {settings.camera}: starts, but gives no picture within "
                f"{_SILENT_SECONDS:g} seconds. Is its cable pushed in straight, at both ends?"
            )
        assert first.image is not None  # frames are not compressed, so none can be damaged
        height, width = first.image.shape[:2]
        self.title = f"Pi camera {settings.camera}, {width}x{height} pixels, times from the sensor"

    def shoot(self) -> CapturedPicture | None:
        """The next picture; None if none came within 3 seconds."""
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # Waiting for the job itself would never end if the cable is loose.
        self.device.capture_request(wait=False, signal_function=done.put)
        try:
            job = done.get(timeout=_SILENT_SECONDS)
        except queue.Empty:
            return None
        request = self.device.wait(job)
        try:
            image = request.make_array("main")
            metadata = request.get_metadata()
        finally:
            request.release()
        now, stamp = self._clock(), metadata.get("SensorTimestamp")
        age = 0.0 if stamp is None else (self._boot_clock() - stamp) / 1e9
        captured = now - age if 0 <= age < _OLDEST_SECONDS else now
        picture = np.ascontiguousarray(image[:, :, :3])
        return CapturedPicture(picture, captured, exposure=_exposure(metadata))

    def close(self) -> None:
        """Stops the camera and frees it; may be called twice."""
        self.device.stop()
        self.device.close()

    def _start(self, settings: Settings, controls: Mapping[str, Any]) -> None:
        from libcamera import Transform

        number = settings.camera
        try:
            self.device.configure(
                self.device.create_video_configuration(
                    main={"size": (settings.width, settings.height), "format": "RGB888"},
                    transform=Transform(
                        hflip=settings.flip_horizontal, vflip=settings.flip_vertical
                    ),
                    buffer_count=settings.buffer_count,
                    queue=False,  # the next frame, not one that waited
                    controls=dict(controls),
                )
            )
            self.device.start()
        except (RuntimeError, ValueError) as error:
            raise CameraError(
                f"Pi camera {number}: cannot be started at {settings.width}x{settings.height} "
                f"pixels: {error}. Try another width and height, and see that no other "
                "program uses it"
            ) from error


def _exposure(metadata: Mapping[str, Any]) -> Exposure | None:
    """How a picture was taken, by libcamera's names."""
    gains = metadata.get("ColourGains")
    found = Exposure(
        metadata.get("ExposureTime"),
        metadata.get("AnalogueGain"),
        None if gains is None else (float(gains[0]), float(gains[1])),
    )
    return None if found == Exposure() else found


def _opened(number: int) -> Any:
    """Opens the picamera2 camera of the given number.

    Raises:
        CameraError: picamera2 is not installed, or there is no such camera.
    """
    try:
        from picamera2 import Picamera2
    except (ImportError, ValueError) as error:  # ValueError: a part built for another NumPy
        raise CameraError(
            f"a Pi camera needs picamera2 ({error}). On a Raspberry Pi: `sudo apt install "
            "python3-picamera2`, an environment that sees it, made with `python3 -m venv "
            f"--system-site-packages`, and in it: {install_command('pi')}"
        ) from error
    found = Picamera2.global_camera_info()
    if number >= len(found):
        names = ", ".join(f"{i}: {info.get('Model', '?')}" for i, info in enumerate(found))
        raise CameraError(
            f"Pi camera {number}: there is none. Found: {names or 'no camera at all'}. Is its "
            "cable pushed in straight, at both ends, and does `rpicam-hello` show a picture?"
        )
    try:
        return Picamera2(number)
    except (RuntimeError, IndexError) as error:
        raise CameraError(
            f"Pi camera {number}: cannot be opened ({error}). Does another program use it?"
        ) from error


def _controls(settings: Settings, known: Mapping[str, Any]) -> tuple[dict[str, Any], Sequence[str]]:
    """Translates the settings into libcamera's controls.

    Args:
        known: the controls that the camera has, by name.

    Returns:
        The controls, and a line for each setting that the camera does not support.
    """
    frame = round(1_000_000 / settings.frames_per_second)
    wanted: dict[str, dict[str, Any]] = {
        "frames_per_second": {"FrameDurationLimits": (frame, frame)},
    }
    if settings.exposure_microseconds is not None:
        wanted["exposure_microseconds"] = {"ExposureTime": settings.exposure_microseconds}
    if settings.analogue_gain is not None:
        wanted["analogue_gain"] = {"AnalogueGain": settings.analogue_gain}
    if settings.white_balance_gains is not None:
        # Setting the gains switches automatic white balance off.
        wanted["white_balance_gains"] = {"ColourGains": tuple(settings.white_balance_gains)}
    elif settings.white_balance != "auto":
        wanted["white_balance"] = {"AwbMode": _AWB_MODES[settings.white_balance]}
    if settings.focus_dioptres is not None:
        wanted["focus_dioptres"] = {"AfMode": 0, "LensPosition": settings.focus_dioptres}
    elif settings.autofocus:
        wanted["autofocus"] = {"AfMode": 2}
    controls: dict[str, Any] = {}
    notes = []
    for key, values in wanted.items():
        if all(name in known for name in values):
            controls.update(values)
        else:
            notes.append(f"does not support {key}: the setting has no effect")
    return controls, notes


_AWB_MODES = {  # libcamera's AwbModeEnum
    "incandescent": 1,
    "tungsten": 2,
    "fluorescent": 3,
    "indoor": 4,
    "daylight": 5,
    "cloudy": 6,
}
