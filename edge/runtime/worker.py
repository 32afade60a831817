"""A thread whose end, and whose failure, is always told."""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable
from typing import TypeAlias

from edge.runtime.clock import SYSTEM_CLOCK, Clock, ClockedThread


class Worker(ClockedThread):
    """Runs `body` once and then puts itself into `endings`.

    Attributes:
        failure: what `body` raised; None: it ended well, or has not ended.
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
"""What the main thread waits for: a thread that ended, or a signal. The one queue that a signal
handler may put into while the same thread is getting from it."""
