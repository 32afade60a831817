"""A thread whose end, and whose failure, is always told."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable
from typing import TypeAlias


class Worker(threading.Thread):
    """Runs `body` once and then puts itself into `events`.

    Attributes:
        failure: what `body` raised; None: it ended well, or has not ended.
    """

    def __init__(self, name: str, body: Callable[[], None], events: Events) -> None:
        # A thread that hangs in a driver must not keep the process from ending.
        super().__init__(name=name, daemon=True)
        self._body, self._events = body, events
        self.failure: BaseException | None = None

    def run(self) -> None:
        """The thread's body."""
        try:
            self._body()
        except BaseException as error:  # raised again by the thread that waits for the events
            self.failure = error
        finally:
            self._events.put(self)


Events: TypeAlias = "queue.SimpleQueue[Worker | signal.Signals]"
"""What the main thread waits for: a thread that ended, or a signal. The one queue that a signal
handler may put into while the same thread is getting from it."""
