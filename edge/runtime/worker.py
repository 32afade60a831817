"""A thread that always reports its end and its failure."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable
from typing import TypeAlias

from edge.runtime.clock import SYSTEM_CLOCK, Clock, ClockedThread


class Worker(ClockedThread):
    """Runs `body` once and then puts itself into `endings`.

    Attributes:
        failure: the exception that `body` raised; None if it raised none or has not ended.
    """

    def __init__(
        self,
        name: str,
        body: Callable[[], None],
        endings: Endings,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(name, self._work, clock)
        self._work_body, self._endings = body, endings
        self.failure: BaseException | None = None

    def _work(self) -> None:
        try:
            self._work_body()
        except BaseException as error:  # raised again by the thread that waits for the endings
            self.failure = error
        finally:
            self._endings.put(self)


Endings: TypeAlias = "queue.SimpleQueue[Worker | signal.Signals]"
"""A queue of threads that ended and of signals, on which the main thread waits. A SimpleQueue is
the only queue into which a signal handler may put while the same thread is reading from it."""


def a_worker_is_left() -> bool:
    """Whether a worker of this process has not ended: the interpreter would wait for it."""
    return any(isinstance(thread, Worker) for thread in threading.enumerate())
