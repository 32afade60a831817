"""One line on a terminal that is written over and over, with lines above it that stay."""

from __future__ import annotations

import sys
import threading

from edge.core.terminal.speech import write_err

_alone = threading.RLock()
"""One terminal, one last line: the lines of the log, a progress bar and a status step aside for
each other, whichever thread they come from."""
_last = ""
"""What the last line shows now."""


class LiveLine:
    """How things stand, on the last line of stderr where that is a terminal; elsewhere nothing.

    Attributes:
        terminal: whether the line is shown.
    """

    def __init__(self) -> None:
        self.terminal = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Puts `text` in the place of what the line showed before."""
        global _last
        if not self.terminal:
            return
        with _alone:
            before, _last = _last, text
            if before or text:
                write_err(f"\r\x1b[K{_live(text)}")

    def clear(self) -> None:
        """Takes the line away, so that others can write where it was."""
        self.show("")


def write_line(text: str) -> None:
    """Writes a line on stderr that stays, above the live line; `text` may have several."""
    with _alone:
        write_err(f"\r\x1b[K{text}\n{_live(_last)}" if _last else f"{text}\n")


def _live(text: str) -> str:
    # Without automatic wrapping the terminal cuts a line that is too long for it.
    return f"\x1b[?7l{text}\x1b[?7h" if text else ""
