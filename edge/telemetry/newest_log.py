"""The newest lines of a station's log, in memory, for people who may not read the journal."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from edge.core.closing import Closing
from edge.core.redaction import redacted
from edge.core.terminal.printable import printable
from edge.events import utc_text

MOST_LINES = 60
"""Lines that are kept. Together they fit into an answer at the station's socket."""
_LONGEST = 400
"""Characters of a line."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log."""

    time: str
    """When it was written, as `utc_text` gives it."""
    level: str
    """`info`, `warning` or `error`."""
    text: str
    """With passwords hidden, in English."""


class NewestLog(Closing):
    """Keeps the newest lines of this process's log until it is closed; a context manager.

    A thread that logs does not wait for it. Any thread may ask for the lines.
    """

    def __init__(self) -> None:
        """Begins to listen to the log."""
        self._handler = _Keeper()
        logging.getLogger().addHandler(self._handler)

    def close(self) -> None:
        """Listens to the log no more; may be called twice."""
        logging.getLogger().removeHandler(self._handler)

    def lines(self) -> list[LogLine]:
        """The newest MOST_LINES, the newest first."""
        return list(reversed(self._handler.kept.copy()))

    def shown(self) -> dict[str, Any]:
        """The lines as an answer at the station's socket has them."""
        return {"lines": [asdict(line) for line in self.lines()]}


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.kept: deque[LogLine] = deque(maxlen=MOST_LINES)

    def createLock(self) -> None:  # noqa: N802 - as `logging` calls it
        self.lock = None  # adding to a deque is one step, and nothing here waits

    def handle(self, record: logging.LogRecord) -> bool:
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a library's mistake must not end the work
            text = f"{record.msg!r} {record.args!r}"
        text = " ".join(printable(redacted(text)).split())
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - 1]}…"
        level = "info"
        if record.levelno >= logging.WARNING:
            level = "error" if record.levelno >= logging.ERROR else "warning"
        self.kept.append(LogLine(utc_text(record.created), level, text))
