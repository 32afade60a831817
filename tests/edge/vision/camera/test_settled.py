from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edge.core.errors import CameraError
from edge.flow import Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.vision.camera.settled import SettledFrame, settled_frame

TORN = PictureFault(PictureFaultKind.TORN, words="gives torn pictures")


class Shown:
    """A live camera that gives frames, and its settings."""

    kind, live = "usb", True

    def __init__(self, frames: Sequence[Frame | UnreadableFrame]) -> None:
        self._frames = iter(frames)

    def open(self, **_: object) -> Shown:
        return self

    def read(self) -> Frame | UnreadableFrame | None:
        return next(self._frames, None)

    def close(self) -> None:
        pass


def frame(tenths: int, level: int = 100, fault: PictureFault | None = None) -> Frame:
    """A picture of one brightness, some tenths of a second after the first."""
    image = np.full((16, 16, 3), level, np.uint8)
    return Frame(image, tenths / 10, tenths, fault=fault)


def damaged(tenths: int) -> UnreadableFrame:
    return UnreadableFrame(tenths / 10, tenths, "", "damaged")


def taken(*frames: Frame | UnreadableFrame) -> SettledFrame:
    camera: Any = Shown(frames)
    return settled_frame(camera, tell=lambda level, text: None)


def test_a_picture_is_taken_once_the_brightness_is_steady() -> None:
    found = taken(*(frame(n, min(200, 40 + 10 * n)) for n in range(60)))
    assert (found.frame.sequence, found.steady) == (21, True)  # half a second after the last change


def test_a_picture_whose_brightness_never_settles_is_taken_after_four_seconds() -> None:
    found = taken(*(frame(n, 40 + 100 * (n % 2)) for n in range(60)))
    assert (found.seconds, found.steady) == (4.0, False)


def test_faulty_pictures_are_left_out_and_counted() -> None:
    found = taken(frame(0, fault=TORN), damaged(1), *(frame(n) for n in range(2, 30)))
    assert (found.frame.fault, found.steady) == (None, True)
    assert found.faults == {PictureFaultKind.TORN: 1, PictureFaultKind.DAMAGED: 1}


def test_where_all_pictures_are_faulty_the_latest_is_taken_after_four_seconds() -> None:
    found = taken(*(frame(n, fault=TORN) for n in range(60)))
    assert (found.frame.fault, found.seconds, found.steady) == (TORN, 4.0, False)
    assert found.faults[PictureFaultKind.TORN] == 41


def test_a_camera_without_a_readable_picture_is_an_error() -> None:
    with pytest.raises(CameraError, match=r"kind: usb\) gave no picture that can be read"):
        taken(damaged(0), damaged(1))
