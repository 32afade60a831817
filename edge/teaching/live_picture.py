"""The newest picture of a station's camera, reduced, for whoever looks.

The pages ask for it at the socket of commands. A thread of its own makes it, some times a second
and only while somebody asks: otherwise there is no thread, and nothing is copied or computed. It
takes no lock that the camera's or the sorting thread takes, and gives way to all others.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import threading
from typing import Any

import cv2
import numpy as np
import simplejpeg

from edge.core.closing import Closing
from edge.core.images.image_file import Image
from edge.flow import FrameSeen
from edge.runtime.clock import Clock, ClockedThread, wait_for
from edge.vision.region import Region
from edge.vision.seen_frames import SeenFrames

_log = logging.getLogger(__name__)

LARGEST_SIDE = 640
"""Pixels of the longer side of a picture that is shown."""
LARGEST_JPEG = 120_000
"""Bytes of a picture that is shown; one of 640x360 pixels has some 30,000."""
MOST_A_SECOND = 3.0
"""Pictures that are made in a second, however many people look."""
LOOKED_SECONDS = 3.0
"""How long after the last question somebody counts as looking."""
_QUALITIES = (70, 45, 20, 5)
_LOOK_SECONDS = 0.05
"""How often it is looked for a first frame."""
_NICE = 10
_END_SECONDS = 1.0


class LivePicture(Closing):
    """Makes pictures to show while somebody asks for them."""

    def __init__(self, seen: SeenFrames, *, region: Region | None, clock: Clock) -> None:
        """Makes none yet.

        Args:
            seen: what the sorting thread looked at.
            region: the part of the camera's picture that the station looks at; None: all of it.
            clock: that of the frames.
        """
        self._seen, self._region, self._clock = seen, region, clock
        self._changed = clock.condition()
        self._thread: threading.Thread | None = None
        self._until = 0.0
        self._ended = False
        self._made: tuple[float, dict[str, Any]] | None = None

    def newest(self) -> dict[str, Any]:
        """The newest picture that was made, and how old it is; empty: none was made yet.

        It does not wait: a picture for who begins to look is there at the next question.

        Returns:
            `jpeg` in base64; `age_seconds` since its capture; `width` and `height` of the camera's
            whole picture; in its pixels `region` and the `boxes` of what is in view, each as left,
            top, width and height; and `count`: how many things are in view.
        """
        with self._changed:
            self._until = self._clock.now() + LOOKED_SECONDS
            if self._thread is None and not self._ended:
                self._thread = ClockedThread("picture", self._run, self._clock)
                self._thread.start()
            made = self._made
        if made is None:
            return {}
        captured, found = made
        return {**found, "age_seconds": round(max(0.0, self._clock.now() - captured), 3)}

    def close(self) -> None:
        """Ends the thread; may be called twice."""
        with self._changed:
            self._ended = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(_END_SECONDS)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # not allowed: it is as important as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            with self._seen.wanted():
                self._make()
        except Exception:  # whatever it is, the station sorts on, and who asks next is shown one
            _log.exception("warning    the live picture could not be made")
            with self._changed:
                self._thread = self._made = None

    def _make(self) -> None:
        """Makes pictures until nobody looks any more."""
        last: FrameSeen | None = None
        while True:
            begun = self._clock.now()
            with self._changed:
                if self._ended or begun >= self._until:
                    self._thread = self._made = None
                    return
            seen = self._seen.newest()
            if seen is not None and seen is not last:
                self._made, last = (seen.frame.captured, self._picture(seen)), seen
            step = _LOOK_SECONDS if last is None else 1 / MOST_A_SECOND
            with self._changed:
                wait_for(self._clock, self._changed, lambda: self._ended, begun + step)

    def _picture(self, seen: FrameSeen) -> dict[str, Any]:
        height, width = seen.frame.image.shape[:2]
        left, top = (0, 0) if self._region is None else (self._region.left, self._region.top)
        region = None if self._region is None else list(self._region.model_dump().values())
        boxes = [
            [box.left + left, box.top + top, box.width, box.height]
            for box in (each.box for each in seen.observations)
            if box is not None
        ]
        return {
            "jpeg": base64.b64encode(_encoded(seen.frame.image)).decode("ascii"),
            "width": width,
            "height": height,
            "region": region,
            "boxes": boxes,
            "count": len(seen.observations),
        }


def _encoded(image: Image) -> bytes:
    """A JPEG of at most LARGEST_SIDE pixels and LARGEST_JPEG bytes."""
    height, width = image.shape[:2]
    scale = LARGEST_SIDE / max(width, height)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = b""
    for quality in _QUALITIES:
        found = simplejpeg.encode_jpeg(
            np.ascontiguousarray(image), quality=quality, colorspace="BGR"
        )
        if len(found) <= LARGEST_JPEG:
            break
    return found
