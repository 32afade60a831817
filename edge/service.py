"""A station as a service: it ends cleanly when it is told to."""

from __future__ import annotations

import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from edge.worker import Events

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals() -> Iterator[Events]:
    """A queue into which SIGTERM and Ctrl-C are put, instead of ending the process.

    A second Ctrl-C raises KeyboardInterrupt, in case the clean end takes too long. Must be used in
    the main thread.
    """
    events: Events = queue.SimpleQueue()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def put(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(number, before[signal.SIGINT])
        events.put(signal.Signals(number))

    for number in STOP_SIGNALS:
        signal.signal(number, put)
    try:
        yield events
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
