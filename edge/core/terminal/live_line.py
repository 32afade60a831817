"""One line at the bottom of a terminal that is rewritten, with permanent lines above it."""

from __future__ import annotations

import sys
import threading

from edge.core.terminal.speech import write_err

_alone = threading.RLock()
"""Held while writing, because log lines, a progress bar and a status line of several threads share
the one terminal."""
_last = ""
"""The text that the last line shows now."""


class LiveLine:
    """A status on the last line of stderr; shown only if stderr is a terminal.

    Attributes:
        terminal: whether the line is shown.
    """

    def __init__(self) -> None:
        self.terminal = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replaces the text of the line by `text`."""
        global _last
        if not self.terminal:
            return
        with _alone:
            before, _last = _last, text
            if before or text:
                write_err(f"\r\x1b[K{_live(text)}")

    def clear(self) -> None:
        """Removes the line, so that other output can use its place."""
        self.show("")


def write_line(text: str) -> None:
    """Writes one or more permanent lines on stderr, above the live line."""
    with _alone:
        write_err(f"\r\x1b[K{text}\n{_live(_last)}" if _last else f"{text}\n")


def _live(text: str) -> str:
    # With automatic wrapping off, the terminal cuts a line that is too long.
    return f"\x1b[?7l{text}\x1b[?7h" if text else ""
