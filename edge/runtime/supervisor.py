"""The main thread of a station: it watches over the other threads, and ends them in order.

It waits for signals and for the end of each thread, and tells the system that they are getting on.
It waits for nothing else: it must be there to stop the others.
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
"""How long the threads may take to end once they are told to: the longest time limit of a camera's
read, and a little. With what comes after, less than END_SECONDS."""
_REST_SECONDS = 1.0
"""How long the lanes' thread may take to put everything at rest: it takes milliseconds."""
_LAST_ROWS_SECONDS = 0.3
"""How long the last rows may take beyond _PATIENCE_SECONDS: they were under way meanwhile."""
END_SECONDS = 4.9
"""How long the whole end of a station may take, and that of its process."""
STUCK_SECONDS = 6.0
"""A thread that gives no sign of life for so long will give no more. Longer than the time limits of
the cameras' own reads (4 s at most) and than any inference (the slowest network here takes 0.3 s on
a Raspberry Pi 3); shorter than the watchdog of `deploy/pilah.service`, so that a station ends in
its own way where it can."""
_LOOK_SECONDS = 1.0
"""How often the main thread looks whether all the others are getting on."""
_WELL_SECONDS = 3.0
"""How long all is taken to be well after such a look."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one thread of a station does."""

    name: str
    body: Callable[[], None]
    heartbeat: Heartbeat
    """The thread's signs of life."""
    moves: bool = False
    """It moves actuators. Whoever closes them next must be the only one who does: it is waited for
    in any case, for _REST_SECONDS."""


class Supervised(Protocol):
    """What a supervisor tells things to. All is called by the main thread, and must not wait."""

    def well_until(self, moment: float) -> None:
        """All threads are getting on, and are taken to do so until `moment` on the clock."""
        ...

    def ended(self, name: str, working: Set[str]) -> None:
        """The thread `name` has ended; those of the names `working` have not."""
        ...

    def stop(self) -> None:
        """All threads are to end at once, but for the last; may be called twice."""
        ...

    def finish(self) -> None:
        """The last thread is to end: all the others have ended, or are given up."""
        ...


class Supervisor:
    """Runs the threads of a station until their work is done, one fails, or a signal comes.

    Used by one thread, the main thread of a station.

    Attributes:
        reason: why the threads end: the signal that came, or what failed; empty while they work,
            and where their work was done.
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
            endings: takes the end of each thread; a signal put in here ends them all.
            clock: the time that the threads work by.
            notifier: tells systemd how things stand; None: nobody asks.
        """
        self._endings, self._supervised = endings, supervised
        self._clock, self._notifier = clock, notifier
        self.reason = ""
        self._until = math.inf
        """When the threads must have ended, on the clock."""

    def run(self, tasks: Sequence[Task], *, last: Task, ready: str) -> None:
        """Runs the threads, and comes back when all have ended.

        Args:
            tasks: are started from the last to the first, so that whoever feeds others comes
                after them, and are waited for.
            last: is started before them and ends after them: it takes what they leave.
            ready: one line for `systemctl status`.

        Raises:
            StuckError: a thread gave no more signs of life, or did not end.
            BaseException: what the first thread that failed has raised.
        """
        lookout = ThreadMonitor(
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
        self._look(lookout)
        try:
            self._wait_for(set(workers), lookout)
        except BaseException as error:
            self.reason = self.reason or _words(error)
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

    def _wait_for(self, working: set[Worker], lookout: ThreadMonitor) -> None:
        """Waits for all to end, each as it should or because one failed or a signal came."""
        failure: BaseException | None = None
        while working:
            now = self._clock.now()
            try:
                ending = self._clock.get(self._endings, min(now + _LOOK_SECONDS, self._until))
            except queue.Empty:
                if self._until == math.inf:
                    self._look(lookout)
                elif now >= self._until:
                    names = ", ".join(sorted(worker.name for worker in working))
                    stuck = StuckError(f"{names}: did not end within {_PATIENCE_SECONDS:g} seconds")
                    raise stuck from failure
                continue
            if isinstance(ending, Worker):
                working.discard(ending)
                _log.debug(f"the thread {ending.name} has ended")
                failure = failure or ending.failure
                if failure is not None:
                    self.reason = self.reason or _words(failure)
                self._supervised.ended(ending.name, {worker.name for worker in working})
                if ending.failure is not None:
                    self._stop()
            else:
                self._stop()
                self.reason = self.reason or ending.name
                _log.info(f"stopping: {ending.name}")
        if failure is not None:
            raise failure

    def _stop(self) -> None:
        self._supervised.stop()  # first of all
        self._until = min(self._until, self._clock.now() + _PATIENCE_SECONDS)
        if self._notifier:
            self._notifier.stopping()

    def _look(self, lookout: ThreadMonitor) -> None:
        """Tells systemd, and whoever watches the keep-alive pin, that all is well.

        Raises:
            StuckError: it is not. The lanes are put at rest at the end, and another start helps
                more than waiting.
        """
        try:
            lookout.look()
        except StuckError:
            self._until = self._clock.now() + _REST_SECONDS
            raise
        self._supervised.well_until(self._clock.now() + _WELL_SECONDS)
        if self._notifier:
            self._notifier.alive()


def _words(error: BaseException) -> str:
    """What an error says, without the passwords in it, or what it is called."""
    return redacted(str(error)) or type(error).__name__
