"""One picture of a camera, taken once its exposure has settled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from edge.camera import CameraSettings
from edge.errors import CameraError
from edge.flow import Frame

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


def settled_frame(
    camera: CameraSettings,
    *,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> SettledFrame:
    """A frame of `camera` a second after its first one, or as soon as it changes no more then.

    A camera that reads stored pictures has nothing to settle: its first readable one is taken.

    Raises:
        CameraError: it cannot be opened, or gives no picture.
    """
    never = threading.Event()
    last: SettledFrame | None = None
    began: float | None = None
    levels: list[tuple[float, float]] = []
    """(seconds, mean brightness) of each frame so far."""
    with closing(camera.open(clock=clock, pause=never.wait, say=say)) as source:
        while (frame := source.read()) is not None:
            if not isinstance(frame, Frame):
                if frame.source:  # a live camera has said it itself
                    say(f"unreadable: {frame.message}")
                continue
            if not source.live:
                return SettledFrame(frame, 0.0, steady=True)
            began = frame.captured if began is None else began
            seconds = frame.captured - began
            levels.append((seconds, float(frame.image[::8, ::8].mean())))
            steady = _is_steady(levels)
            last = SettledFrame(frame, seconds, steady)
            if (seconds >= _FIRST_SECONDS and steady) or seconds >= _LONGEST_SECONDS:
                break
    if last is None:
        raise CameraError(f"camera {camera.kind}: it gave no picture that can be read")
    return last


def _is_steady(levels: list[tuple[float, float]]) -> bool:
    now = levels[-1][0]
    recent = [level for seconds, level in levels if seconds >= now - 0.5]
    return len(recent) > 1 and max(recent) - min(recent) <= _STEADY
