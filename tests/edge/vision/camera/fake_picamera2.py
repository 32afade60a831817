"""picamera2 and libcamera on a machine that has neither: the documented calls that pilah makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

CONTROLS = (
    *("FrameDurationLimits", "ExposureTime", "AnalogueGain", "ColourGains", "AwbMode"),
    *("AfMode", "LensPosition"),
)


@dataclass
class Transform:
    """`libcamera.Transform`."""

    hflip: bool = False
    vflip: bool = False


class Request:
    """`picamera2.request.CompletedRequest`."""

    def __init__(self, camera: Picamera2) -> None:
        self._camera = camera
        camera.held += 1

    def make_array(self, name: str) -> Any:
        assert name == "main"
        width, height = self._camera.configuration["main"]["size"]
        # "RGB888" in memory: blue, green, red. Two columns more, as where rows are padded.
        padded = np.full((height, width + 2, 3), (10, 20, 200), np.uint8)
        return padded[:, :width]

    def get_metadata(self) -> dict[str, Any]:
        return dict(self._camera.machine.metadata)

    def release(self) -> None:
        self._camera.held -= 1


class Machine:
    """A Raspberry Pi: its cameras, and what happens to them.

    Attributes:
        cameras: the model of each.
        controls: those that each camera knows.
        metadata: that of the next frames.
        silent: no frame is ever ready.
        busy: another program has the camera.
        opened: every camera that was opened.
    """

    def __init__(self) -> None:
        self.cameras = ["imx708"]
        self.controls: dict[str, tuple[Any, Any, Any]] = dict.fromkeys(CONTROLS, (0, 1, None))
        self.metadata: dict[str, Any] = {"SensorTimestamp": 5_000_000_000}
        self.silent = self.busy = False
        self.opened: list[Picamera2] = []

    def modules(self) -> dict[str, ModuleType]:
        """What `import picamera2` and `import libcamera` find."""
        picamera2, libcamera = ModuleType("picamera2"), ModuleType("libcamera")
        picamera2.Picamera2 = type("Picamera2", (Picamera2,), {"machine": self})  # type: ignore[attr-defined]
        libcamera.Transform = Transform  # type: ignore[attr-defined]
        return {"picamera2": picamera2, "libcamera": libcamera}


class Picamera2:
    """`picamera2.Picamera2`; `held` counts requests that were not released."""

    machine: Machine

    def __init__(self, camera_num: int = 0) -> None:
        if self.machine.busy:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.number = camera_num
        self.configuration: dict[str, Any] = {}
        self.started = self.closed = False
        self.held = 0
        self.machine.opened.append(self)

    @staticmethod
    def _info(machine: Machine) -> list[dict[str, Any]]:
        return [{"Model": model, "Num": i} for i, model in enumerate(machine.cameras)]

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return cls._info(cls.machine)

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        return self.machine.controls

    def create_video_configuration(
        self,
        main: dict[str, Any],
        *,
        transform: Transform,
        buffer_count: int = 6,
        controls: dict[str, Any],
        queue: bool = True,
    ) -> dict[str, Any]:
        width, height = main["size"]
        if width % 2 or height % 2:
            raise RuntimeError("width and height should be even")
        unknown = set(controls) - set(self.machine.controls)
        if unknown:
            raise RuntimeError(f"Control {unknown} is not advertised by libcamera")
        return {
            "main": main,
            "transform": transform,
            "buffer_count": buffer_count,
            "controls": controls,
            "queue": queue,
        }

    def configure(self, configuration: dict[str, Any]) -> None:
        assert not self.started
        self.configuration = configuration

    def start(self) -> None:
        assert self.configuration
        self.started = True

    def capture_request(
        self, wait: bool | None = None, signal_function: Callable[[Any], None] | None = None
    ) -> Any:
        assert self.started
        assert wait is False
        assert signal_function is not None
        job = object()
        if not self.machine.silent:
            signal_function(job)
        return job

    def wait(self, job: object) -> Request:
        return Request(self)

    def stop(self) -> None:
        self.started = False

    def close(self) -> None:
        assert not self.started
        self.closed = True
