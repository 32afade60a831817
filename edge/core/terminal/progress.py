"""Progress on stderr: a bar with the time left on a terminal, otherwise a log line every 10 s.

It is logged as INFO, so `--quiet` hides it, and nothing is shown when pilah is used as a library.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Self

from edge.core.terminal.live_line import LiveLine
from edge.core.terminal.log_lines import lines_are_written

_log = logging.getLogger(__name__)

_TERMINAL_EVERY = 0.1
_PLAIN_EVERY = 10.0
_QUIET_FOR = 2.0
"""Seconds. Work that takes less shows no progress."""


class Progress:
    """A context manager that shows the progress of a piece of work.

    Work of unknown length has the total None: its line shows the note and the time spent so far, in
    place of a bar and the time left.

    Example:
        >>> with Progress("decoding", total=2) as progress:
        ...     for file in ("a.png", "b.png"):
        ...         progress.advance()
    """

    def __init__(
        self, name: str, *, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._total, self._clock = name, total, clock
        self._done = 0
        self._live = _live_line()
        self._shown = False

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._last = self._start
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        shown = self._shown
        self.stop()
        if shown and kind is None:
            number = "" if self._total is None else f"{self._done} "
            _log.info(f"{self._name}: {number}done in {_time(self._clock() - self._start)}")

    def advance(self, by: int = 1, *, note: str = "") -> None:
        """Adds `by` to the number of finished steps.

        Args:
            by: the number of steps; 0 to show another note only.
            note: a few words about the state of the work, such as an accuracy.
        """
        self._done += by
        now = self._clock()
        every = _PLAIN_EVERY if self._live is None else _TERMINAL_EVERY
        if now - self._start < _QUIET_FOR or now - self._last < every:
            return
        self._last = now
        self._shown = True
        bar, line = self._line(now - self._start, note)
        if self._live is None:
            _log.info(line)
        else:
            self._live.show(bar + line)

    def stop(self) -> None:
        """Removes the display without a line that says that the work is done, because it failed."""
        if self._shown and self._live is not None:
            self._live.clear()
        self._shown = False

    def _line(self, spent: float, note: str) -> tuple[str, str]:
        """The bar, which is empty for work of unknown length, and the line behind it."""
        if self._total is None:
            return "", f"{self._name}: {note or 'running'}, {_time(spent)}"
        share = min(1.0, self._done / self._total) if self._total else 1.0
        left = spent * (1 - share) / share if share else 0.0
        filled = round(20 * share)
        line = f"{self._name}: {self._done}/{self._total}, {_time(left)} left"
        return f"[{'#' * filled}{'.' * (20 - filled)}] ", f"{line}, {note}" if note else line


def _live_line() -> LiveLine | None:
    """The live line for progress, or None if progress is to be logged as lines instead.

    It is None if stderr is not a terminal, with `--quiet`, and when pilah is used as a library.
    """
    line = LiveLine()
    shown = line.terminal and lines_are_written() and _log.isEnabledFor(logging.INFO)
    return line if shown else None


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
