"""The separate process of the belt, which draws a frame whenever the station asks for one.

It is separate because a busy thread would delay the threads of the station. `camera.py`
starts it as `python -m edge.simulation.belt.drawing_process`. It ends when the pipe on its standard
input is closed, which happens when the station ends in any way.
"""

from __future__ import annotations

import math
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack, closing

import cv2
import numpy as np

from edge.core.errors import PilahError
from edge.core.images.image_file import Image
from edge.core.processes.children import end_with_parent
from edge.core.terminal.log_lines import pass_log_on
from edge.simulation.belt.items import ItemsAhead, scene_and_items
from edge.simulation.belt.motion import BeltMotion
from edge.simulation.belt.traffic import GroundTruthFile, Spacing, Traffic
from edge.simulation.belt.wire import ANSWER, ASK, END, FAIL, FRAME, LENGTH, SAY, BeltOrder


class StationGoneError(Exception):
    """The pipe from or to the station is closed."""


class Wire:
    """The two pipes to the station."""

    def __init__(self, asked: int, answers: int) -> None:
        """Uses two file descriptors: one to read requests from, and one to write answers to."""
        self._asked, self._answers = asked, answers
        self._writing = threading.Lock()

    def order(self) -> BeltOrder:
        """Reads the order: the settings of the belt that the station asks for."""
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        return BeltOrder.model_validate_json(self._read(length))

    def asked(self) -> float:
        """Waits until the station asks for a frame; returns the station's time."""
        return float(ASK.unpack(self._read(ASK.size))[0])

    def wait(self, seconds: float) -> None:
        """Waits for `seconds` seconds, or until the station ends.

        Raises:
            StationGoneError: the station has ended.
        """
        # The station sends nothing before it has its answer, so only the end of the pipe can be
        # read.
        if seconds > 0 and select.select([self._asked], [], [], seconds)[0]:
            raise StationGoneError

    def frame(self, image: Image, *, captured: float, sequence: int) -> None:
        """Sends a frame."""
        rows, columns = image.shape[:2]
        head = ANSWER.pack(FRAME, captured, sequence, rows, columns)
        self._write(head, np.ascontiguousarray(image).data.cast("B"))

    def text(self, kind: bytes, text: str = "") -> None:
        """Sends SAY, FAIL or END."""
        raw = text.encode()
        self._write(ANSWER.pack(kind, 0.0, 0, len(raw), 0), memoryview(raw))

    def _read(self, length: int) -> bytes:
        parts = b""
        while len(parts) < length:
            part = os.read(self._asked, length - len(parts))
            if not part:
                raise StationGoneError
            parts += part
        return parts

    def _write(self, *parts: bytes | memoryview) -> None:
        try:
            with self._writing:
                for part in parts:
                    rest = memoryview(part)
                    while rest:
                        rest = rest[os.write(self._answers, rest) :]
        except BrokenPipeError as error:
            raise StationGoneError from error


def serve(
    order: BeltOrder, wire: Wire, *, clock: Callable[[], float], wait: Callable[[float], None]
) -> None:
    """Answers requests for frames until the last item has passed.

    Args:
        order: the settings of the belt.
        wire: the pipes to the station.
        clock: the time in seconds, CLOCK_MONOTONIC.
        wait: waits for the given number of seconds.

    Raises:
        StationGoneError: the station has ended.
        CameraError: no photograph can be read.
        StorageError: the ground truth cannot be written.
    """
    random = np.random.default_rng((order.seed, 1))
    pixels_per_second = order.views_per_second * order.width
    scene, things = scene_and_items(order, random=random)
    began = 0.0
    with ExitStack() as stack:
        truth = stack.enter_context(closing(GroundTruthFile(order.truth))) if order.truth else None
        traffic = Traffic(
            ItemsAhead(things, count=order.items, patient=not order.paced),
            view=(order.width, order.height),
            motion=BeltMotion(pixels_per_second, order.speeds),
            spacing=Spacing(order.spacing_views * order.width, order.jitter, order.touching),
            random=np.random.default_rng((order.seed, 2)),
            record=lambda row: truth.write(row, began=began) if truth else None,
        )
        sequence, rate = 0, order.frames_per_second
        while True:
            asked = wire.asked()
            if sequence == 0:
                began = clock() if order.paced else asked
            sequence += 1
            if order.paced:
                # This is the next frame that can be in time. A live camera loses those before it
                # too.
                sequence = max(sequence, math.ceil((clock() - began) * rate))
            since = sequence / rate
            moved, items = traffic.at(since)
            if traffic.over(since):
                wire.text(END)
                return
            image = scene.view(items, moved=moved, random=random)
            if order.paced:
                wait(began + since - clock())
            wire.frame(image, captured=began + since, sequence=sequence)


def main() -> None:
    """Reads the settings from the standard input and serves; never returns."""
    end_with_parent()
    cv2.setNumThreads(1)
    wire = Wire(sys.stdin.fileno(), sys.stdout.fileno())
    pass_log_on(lambda level, text: wire.text(SAY, text))
    code = 0
    try:
        order = wire.order()
        try:
            serve(order, wire, clock=time.monotonic, wait=wire.wait)
        except PilahError as error:
            wire.text(FAIL, str(error))
    except StationGoneError:
        pass
    except BaseException:
        traceback.print_exc()
        code = 1
    # The process ends without waiting for the thread that makes items.
    os._exit(code)


if __name__ == "__main__":
    main()
