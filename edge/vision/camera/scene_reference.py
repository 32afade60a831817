"""The picture of a camera's scene at set-up, which tells a camera that was moved since.

It is taken over some seconds: what moved meanwhile, such as a belt with a pattern, is transparent
in it, and is not asked later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import CameraError, UnreadableImageError
from edge.core.files import write_file
from edge.core.images.image_file import Image
from edge.flow import Frame
from edge.vision.camera import CameraSettings, Tell, log
from edge.vision.camera.scene_checks import EVERY_SECONDS, LEARNT, SIZE, reduced, reference_of

_SETTLING_SECONDS = 1.5
"""The time that automatic exposure and white balance usually need."""


def take_reference(
    camera: CameraSettings,
    *,
    tell: Tell = log,
    clock: Callable[[], float] = time.monotonic,
) -> Image:
    """The reference picture of a live camera, uint8 (180, 240, 4) BGRA. It takes six seconds.

    Raises:
        CameraError: the camera cannot be opened, gives no good pictures, or reads stored ones.
    """
    never = threading.Event()
    pictures: list[Image] = []
    due: float | None = None
    with closing(camera.open(clock=clock, pause=never.wait, tell=tell)) as source:
        if not source.live:
            raise CameraError(
                f"the camera (kind: {camera.kind}) reads stored pictures: only a live one has a "
                "scene"
            )
        while len(pictures) < LEARNT and (frame := source.read()) is not None:
            due = frame.captured + _SETTLING_SECONDS if due is None else due
            if isinstance(frame, Frame) and frame.fault is None and frame.captured >= due:
                pictures.append(reduced(frame.image))
                due = frame.captured + EVERY_SECONDS
    if len(pictures) < LEARNT:
        raise CameraError(f"the camera (kind: {camera.kind}) gave too few pictures")
    return reference_of(pictures)


def write_reference(path: Path, reference: Image) -> None:
    """Writes a reference picture as a PNG file.

    Raises:
        StorageError: it cannot be written.
    """
    _, content = cv2.imencode(".png", reference)
    write_file(path, content.tobytes())


def read_reference(path: Path) -> Image:
    """The reference picture of a file, uint8 (180, 240, 4) BGRA.

    Raises:
        UnreadableImageError: it is not there, or no picture that `write_reference` wrote.
    """
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    width, height = SIZE
    if found is None or found.dtype != "uint8" or found.shape != (height, width, 4):
        what = "is not there" if not path.exists() else "is no reference picture"
        raise UnreadableImageError(f"{path} {what}: `pilah-edge roi --reference` takes one")
    return np.asarray(found, np.uint8)
