"""Progress on stderr: a bar with time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

from edge.core.terminal.speech import write_err

_TERMINAL_EVERY = 0.1
_PLAIN_EVERY = 10.0
_QUIET_FOR = 2.0
"""Seconds: what is done sooner shows nothing."""


class Progress:
    """How far a piece of work is; a context manager.

    Example:
        with Progress("decoding", total=len(files)) as progress:
            for file in files:
                ...
                progress.advance()
    """

    def __init__(
        self, name: str, *, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._total, self._clock = name, total, clock
        self._done = 0
        self._terminal = sys.stderr.isatty()
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
        if self._terminal:
            write_err("\r\x1b[K")
        if kind is None:
            seconds = self._clock() - self._start
            write_err(f"{self._name}: {self._done} done in {_time(seconds)}\n")

    def advance(self, by: int = 1, *, note: str = "") -> None:
        """Counts `by` more as done.

        Args:
            note: a few words on how it goes, such as an accuracy.
        """
        self._done += by
        now = self._clock()
        every = _TERMINAL_EVERY if self._terminal else _PLAIN_EVERY
        if now - self._start < _QUIET_FOR or now - self._last < every:
            return
        self._last = now
        self._shown = True
        share = self._done / self._total if self._total else 1.0
        left = (now - self._start) * (1 - share) / share if share else 0.0
        note = f", {note}" if note else ""
        line = f"{self._name}: {self._done}/{self._total}, {_time(left)} left{note}"
        if self._terminal:
            filled = round(20 * share)
            write_err(f"\r\x1b[K[{'#' * filled}{'.' * (20 - filled)}] {line}")
        else:
            write_err(f"{line}\n")


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
