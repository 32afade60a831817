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
"""A camera's automatic exposure and white balance need about so long, as a rule."""
_LONGEST_SECONDS = 4.0
"""The light may change for ever: a picture is taken then in any case."""
_STEADY = 1.5
"""Levels, of 255, that the mean brightness may change by in half a second of a settled camera."""


@dataclass(frozen=True, slots=True, eq=False)
class SettledFrame:
    """A frame and how it was come by."""

    frame: Frame
    seconds: float
    """From the camera's first frame to this one; 0 where pictures are stored ones."""
    steady: bool
    """Whether its brightness had stopped changing."""
    faults: Counter[PictureFaultKind]
    """What was wrong with others that the camera gave meanwhile, or with all where its own picture
    has a fault."""


def settled_frame(
    camera: CameraSettings,
    *,
    tell: Tell = log,
    clock: Callable[[], float] = time.monotonic,
) -> SettledFrame:
    """A frame of `camera` a second after its first one, or as soon as it changes no more then.

    A camera that reads stored pictures has nothing to settle: its first readable one is taken. A
    picture with a fault is taken only where there is no other in the four seconds that it takes.

    Raises:
        CameraError: it cannot be opened, or gives no picture.
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
                else:  # a live camera has said it itself
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
        raise CameraError(f"camera {camera.kind}: it gave no picture that can be read")
    return last


def _is_steady(levels: list[tuple[float, float]]) -> bool:
    now = levels[-1][0]
    recent = [level for seconds, level in levels if seconds >= now - 0.5]
    return len(recent) > 1 and max(recent) - min(recent) <= _STEADY
