"""One line on a terminal that is written over and over, with lines of talk above it."""

from __future__ import annotations

import sys
import threading
from typing import TextIO

from edge.core.terminal.speech import write_err


class LiveLine:
    """How things stand, on the last line of a terminal; elsewhere only what is said is written.

    Attributes:
        terminal: whether the line is shown.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Writes to `stream`; None: stderr."""
        self._stream = stream
        self.terminal = (sys.stderr if stream is None else stream).isatty()
        self._lock = threading.Lock()  # the camera's thread talks too
        self._text = ""

    def show(self, text: str) -> None:
        """Puts `text` in the place of what the line showed before."""
        if not self.terminal:
            return
        with self._lock:
            self._text = text
            self._write("")

    def say(self, text: str) -> None:
        """Writes a line that stays."""
        with self._lock:
            self._write(f"{text}\n")

    def clear(self) -> None:
        """Takes the line away, so that others can write where it was."""
        self.show("")

    def _write(self, above: str) -> None:
        if self.terminal:
            # Without automatic wrapping the terminal cuts a line that is too long for it.
            below = f"\x1b[?7l{self._text}\x1b[?7h" if self._text else ""
            above = f"\r\x1b[K{above}{below}"
        if self._stream is None:
            write_err(above)
        else:
            self._stream.write(above)
            self._stream.flush()
