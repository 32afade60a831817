"""One picture of a camera, taken once its exposure has settled."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from edge.core.errors import CameraError
from edge.flow import Frame, PictureFaultKind
from edge.vision.camera import CameraSettings, Tell, log

_FIRST_SECONDS = 1.0
"""The time that automatic exposure and white balance usually need."""
_LONGEST_SECONDS = 4.0
"""The time after which a picture is taken even if the light still changes."""
_STEADY = 1.5
"""The largest change of a settled camera's mean brightness in half a second, in levels of 255."""


@dataclass(frozen=True, slots=True, eq=False)
class SettledFrame:
    """A frame and the circumstances in which it was taken."""

    frame: Frame
    seconds: float
    """The seconds from the camera's first frame to this one; 0 for stored pictures."""
    steady: bool
    """Whether the brightness had stopped changing."""
    faults: Counter[PictureFaultKind]
    """The number of the camera's frames with each kind of fault, including this one."""


def settled_frame(
    camera: CameraSettings,
    *,
    tell: Tell = log,
    clock: Callable[[], float] = time.monotonic,
) -> SettledFrame:
    """Takes a frame of `camera` once its brightness is steady, a second after its first or later.

    A camera that reads stored pictures needs no time to settle: its first readable picture is
    taken. A live camera gives a frame after four seconds at the latest; one with a fault is taken
    only if there is no other.

    Raises:
        CameraError: the camera cannot be opened, or gives no picture.
    """
    never = threading.Event()
    last: SettledFrame | None = None
    began: float | None = None
    levels: list[tuple[float, float]] = []
    """(seconds, mean brightness) of each good frame so far."""
    faults: Counter[PictureFaultKind] = Counter()
    with closing(camera.open(clock=clock, pause=never.wait, tell=tell)) as source:
        while (frame := source.read()) is not None:
            if not isinstance(frame, Frame):
                if frame.source:
                    tell(logging.WARNING, f"unreadable: {frame.message}")
                else:  # a live camera has reported it
                    faults[PictureFaultKind.DAMAGED] += 1
                continue
            if not source.live:
                return SettledFrame(frame, 0.0, True, faults)
            began = frame.captured if began is None else began
            seconds = frame.captured - began
            if frame.fault is not None:
                faults[frame.fault.kind] += 1
                if last is None or last.frame.fault is not None:
                    last = SettledFrame(frame, seconds, False, faults)
                if seconds >= _LONGEST_SECONDS:
                    break
                continue
            levels.append((seconds, float(frame.image[::8, ::8].mean())))
            steady = _is_steady(levels)
            last = SettledFrame(frame, seconds, steady, faults)
            if (seconds >= _FIRST_SECONDS and steady) or seconds >= _LONGEST_SECONDS:
                break
    if last is None:
        raise CameraError(
            f"the camera (kind: {camera.kind}) gave no picture that can be read: see with another "
            "program what it shows, and check its cable, or its files"
        )
    return last


def _is_steady(levels: list[tuple[float, float]]) -> bool:
    now = levels[-1][0]
    recent = [level for seconds, level in levels if seconds >= now - 0.5]
    return len(recent) > 1 and max(recent) - min(recent) <= _STEADY
