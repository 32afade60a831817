"""The main thread of a station: it watches the other threads, and ends them in order.

It waits for signals and for the end of each thread, and tells systemd that the threads work. It
waits for nothing else, because it must always be able to stop them.
"""

from __future__ import annotations

import logging
import math
import queue
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from edge.core.errors import StuckError
from edge.core.redaction import redacted
from edge.runtime.clock import Clock
from edge.runtime.heartbeat import Heartbeat, ThreadMonitor
from edge.runtime.service import Notifier
from edge.runtime.worker import Endings, Worker

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 4.2
"""How long the threads may take to end once they are told to: a little more than the longest time
limit of a camera's read. With the steps that follow it is less than END_SECONDS."""
_REST_SECONDS = 1.0
"""How long the lanes' thread may take to put everything at rest; it normally takes milliseconds."""
_LAST_ROWS_SECONDS = 0.3
"""How much longer than _PATIENCE_SECONDS the writing of the last rows may take."""
END_SECONDS = 4.9
"""How long the whole end of a station may take, and that of its process."""
STUCK_SECONDS = 6.0
"""A thread without a heartbeat for so long is taken to hang. This is longer than the time limits of
the cameras' own reads (4 s at most) and than any inference (the slowest network here takes 0.3 s on
a Raspberry Pi 3); it is shorter than the watchdog of `deploy/pilah.service`, so that a station can
end in order before systemd kills it."""
_LOOK_SECONDS = 1.0
"""How often the main thread checks that all the others work."""
_TELL_SECONDS = 0.5
"""How often it checks where somebody is told: the operator's pages say within two seconds that a
station is silent, and must not say it of one that was late once."""
_WELL_SECONDS = 3.0
"""How long the threads are taken to work after such a check."""


@dataclass(frozen=True, slots=True)
class Task:
    """The work of one thread of a station."""

    name: str
    body: Callable[[], None]
    heartbeat: Heartbeat
    """The thread's heartbeat."""
    moves: bool = False
    """Whether the thread moves actuators. Only one thread may move them, so whoever closes them
    waits for this one first, for up to _REST_SECONDS."""


class Supervised(Protocol):
    """What a supervisor controls. The main thread calls all methods; none of them may wait."""

    def well_until(self, moment: float) -> None:
        """All threads work, and are taken to work until `moment` on the clock."""
        ...

    def ended(self, name: str, working: Set[str]) -> None:
        """The thread `name` has ended; the threads in `working` have not."""
        ...

    def stop(self) -> None:
        """All threads but the last one are to end at once; may be called twice."""
        ...

    def finish(self) -> None:
        """The last thread is to end: all others have ended, or are not waited for any longer."""
        ...


class Supervisor:
    """Runs the threads of a station until their work is done, one fails, or a signal comes.

    Only one thread uses it, the main thread of a station.

    Attributes:
        reason: why the threads end: the signal that arrived, or the failure. It is empty while they
            work, and after they have finished their work.
        failed: whether `reason` is a failure.
    """

    def __init__(
        self,
        endings: Endings,
        supervised: Supervised,
        *,
        clock: Clock,
        notifier: Notifier | None,
    ) -> None:
        """Runs nothing yet.

        Args:
            endings: receives each thread that ended; a signal that is put into it ends them all.
            supervised: what the threads work on.
            clock: the clock of the threads.
            notifier: reports to systemd; None if nothing is reported.
        """
        self._endings, self._supervised = endings, supervised
        self._clock, self._notifier = clock, notifier
        self._pause = _LOOK_SECONDS if notifier is None else min(_LOOK_SECONDS, _TELL_SECONDS)
        self.reason, self.failed = "", False
        self._until = math.inf
        """When the threads must have ended, on the clock."""

    def run(self, tasks: Sequence[Task], *, last: Task, ready: str) -> None:
        """Runs the threads, and returns when all have ended.

        Args:
            tasks: started from the last to the first, so that a thread that feeds others starts
                after them.
            last: started before them and ended after them: it processes their results.
            ready: one line for `systemctl status`.

        Raises:
            StuckError: a thread stopped giving heartbeats, or did not end in time.
            BaseException: the exception that the first failed thread raised.
        """
        monitor = ThreadMonitor(
            {task.name: task.heartbeat for task in (*tasks, last)},
            stuck_seconds=STUCK_SECONDS,
            clock=self._clock.now,
        )
        workers = [self._worker(task) for task in tasks]
        last_worker = self._worker(last)
        _log.info("ready")
        for worker in (last_worker, *reversed(workers)):
            worker.start()
        if self._notifier:
            self._notifier.ready(ready)
        self._look(monitor)
        try:
            self._wait_for(set(workers), monitor)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._stop()
            for task, worker in zip(tasks, workers, strict=True):
                if task.moves:
                    worker.join(_REST_SECONDS)
            self._supervised.finish()
            last_worker.join(max(0.0, self._until - self._clock.now()) + _LAST_ROWS_SECONDS)
        if last_worker.failure is not None:
            raise last_worker.failure

    def _worker(self, task: Task) -> Worker:
        return Worker(task.name, task.body, self._endings, clock=self._clock)

    def _wait_for(self, working: set[Worker], monitor: ThreadMonitor) -> None:
        """Waits for all threads to end: by themselves, after a failure, or after a signal."""
        failure: BaseException | None = None
        while working:
            now = self._clock.now()
            try:
                ending = self._clock.get(self._endings, min(now + self._pause, self._until))
            except queue.Empty:
                if self._until == math.inf:
                    self._look(monitor)
                elif now >= self._until:
                    names = ", ".join(sorted(worker.name for worker in working))
                    stuck = StuckError(
                        f"these threads did not end within {_PATIENCE_SECONDS:g} seconds: {names}"
                    )
                    raise stuck from failure
                continue
            if isinstance(ending, Worker):
                working.discard(ending)
                _log.debug(f"the thread {ending.name} has ended")
                failure = failure or ending.failure
                if failure is not None:
                    self._fail(failure)
                self._supervised.ended(ending.name, {worker.name for worker in working})
                if ending.failure is not None:
                    self._stop()
            else:
                self._stop()
                self.reason = self.reason or ending.name
                _log.info(f"stopping: {ending.name}")
        if failure is not None:
            raise failure

    def _fail(self, error: BaseException) -> None:
        if not self.reason:
            self.reason, self.failed = _words(error), True

    def _stop(self) -> None:
        self._supervised.stop()  # first of all
        self._until = min(self._until, self._clock.now() + _PATIENCE_SECONDS)
        if self._notifier:
            self._notifier.stopping()

    def _look(self, monitor: ThreadMonitor) -> None:
        """Checks the threads, and if all of them work, tells systemd and the keep-alive pin.

        Raises:
            StuckError: a thread hangs. The station then puts its lanes at rest and ends, because a
                new start helps more than waiting.
        """
        try:
            monitor.look()
        except StuckError:
            self._until = self._clock.now() + _REST_SECONDS
            raise
        self._supervised.well_until(self._clock.now() + _WELL_SECONDS)
        if self._notifier:
            self._notifier.alive()


def _words(error: BaseException) -> str:
    """The message of an error without the passwords in it, or its class if it has no message."""
    return redacted(str(error)) or type(error).__name__
