"""Progress on stderr: a bar with the time left on a terminal, otherwise a log line every 10 s.

It is logged as INFO, so `--quiet` hides it, and nothing is shown when pilah is used as a library.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import TracebackType

from edge.core.terminal.live_line import LiveLine
from edge.core.terminal.log_lines import lines_are_written

_log = logging.getLogger(__name__)

_TERMINAL_EVERY = 0.1
_PLAIN_EVERY = 10.0
_QUIET_FOR = 2.0
"""Seconds. Work that takes less shows no progress."""


class Progress:
    """A context manager that shows the progress of a piece of work.

    Example:
        >>> with Progress("decoding", total=2) as progress:
        ...     for file in ("a.png", "b.png"):
        ...         progress.advance()
    """

    def __init__(
        self, name: str, *, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._total, self._clock = name, total, clock
        self._done = 0
        self._bar = bar()
        self._shown = False

    def __enter__(self) -> Progress:
        self._start = self._clock()
        self._last = self._start
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._shown:
            return
        if self._bar is not None:
            self._bar.clear()
        if kind is None:
            seconds = self._clock() - self._start
            _log.info(f"{self._name}: {self._done} done in {_time(seconds)}")

    def advance(self, by: int = 1, *, note: str = "") -> None:
        """Adds `by` to the number of finished steps.

        Args:
            note: a few words about the state of the work, such as an accuracy.
        """
        self._done += by
        now = self._clock()
        every = _PLAIN_EVERY if self._bar is None else _TERMINAL_EVERY
        if now - self._start < _QUIET_FOR or now - self._last < every:
            return
        self._last = now
        self._shown = True
        share = self._done / self._total if self._total else 1.0
        left = (now - self._start) * (1 - share) / share if share else 0.0
        note = f", {note}" if note else ""
        line = f"{self._name}: {self._done}/{self._total}, {_time(left)} left{note}"
        if self._bar is None:
            _log.info(line)
        else:
            filled = round(20 * share)
            self._bar.show(f"[{'#' * filled}{'.' * (20 - filled)}] {line}")


def bar() -> LiveLine | None:
    """The live line for progress, or None if progress is to be logged as lines instead.

    It is None if stderr is not a terminal, with `--quiet`, and when pilah is used as a library.
    """
    line = LiveLine()
    shown = line.terminal and lines_are_written() and _log.isEnabledFor(logging.INFO)
    return line if shown else None


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
