"""The handler that writes the programs' log as lines on stderr, with passwords hidden.

Modules log to `logging.getLogger(__name__)` and need nothing of this module. They use INFO for
events, WARNING for losses and unusual states that do not stop the work, ERROR for failures, and
DEBUG for what only `--verbose` shows. When the packages are used as a library, they print nothing
until the caller configures `logging`; `run_program` installs this handler while a command runs.

On a terminal, in a file or in a pipe a line is the message alone. If stderr is the journal of
systemd, each line begins with its priority (`<4>` for a warning), which the journal removes
(sd-daemon(3)), so that `journalctl -p warning` finds it.

The handler writes through `edge.core.terminal.speech`. Within `without_waiting`, as in a station,
a reader that has stopped (a full pipe, Ctrl-S, a journal that hangs) does not block a thread that
logs: lines wait in a bounded queue, lines that do not fit are dropped and counted, and their number
is reported when the reader continues. Elsewhere a thread that logs waits for the reader, as with
`print`.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import Literal, Self

from edge.core.closing import Closing
from edge.core.redaction import redacted
from edge.core.terminal.live_line import write_line
from edge.core.terminal.printable import printable

Verbosity = Literal["quiet", "normal", "verbose"]

_OURS = ("edge", "trainer", "converter", "deploy")
_LEVELS: dict[Verbosity, tuple[int, int]] = {
    "quiet": (logging.WARNING, logging.WARNING),
    "normal": (logging.INFO, logging.WARNING),
    "verbose": (logging.DEBUG, logging.INFO),
}
"""The least levels for lines of pilah's packages and for lines of libraries."""
_PRIORITIES = (
    (logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6),
)  # fmt: skip
_DEBUG_PRIORITY = 7


class LogLines(Closing):
    """A context manager that writes the log on stderr within its block.

    Inside another `LogLines` it only changes the verbosity, if one is given.

    Example:
        with LogLines("verbose"):
            trainer.train("mobilenet_v2", "photos", "runs/first")
    """

    def __init__(self, verbosity: Verbosity | None = None) -> None:
        self._verbosity = verbosity
        self._before: dict[logging.Logger, int] = {}
        self._handler: _Handler | None = None
        self._named_before = False

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._before = {logger: logger.level for logger in (root, *_our_loggers())}
        if (outer := _handler()) is not None:
            self._named_before = outer.names
        if outer is None:
            self._handler = _Handler()
            root.addHandler(self._handler)
            self.choose(self._verbosity or "normal")
        elif self._verbosity is not None:
            self.choose(self._verbosity)
        return self

    def close(self) -> None:
        """Restores the log as it was before the block."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler = None
        elif self._before and (outer := _handler()) is not None:
            outer.names = self._named_before
        for logger, level in self._before.items():
            logger.setLevel(level)
        self._before = {}

    def choose(self, verbosity: Verbosity) -> None:
        """Sets the verbosity: only warnings and errors, also events, or also details."""
        ours, libraries = _LEVELS[verbosity]
        logging.getLogger().setLevel(libraries)
        for logger in _our_loggers():
            logger.setLevel(ours)
        if (handler := _handler()) is not None:
            handler.names = verbosity == "verbose"


def pass_log_on(pass_on: Callable[[int, str], None]) -> None:
    """From now on, passes the log of this process to `pass_on`, for another process to write.

    Args:
        pass_on: called with the level and the text of each record from INFO on.
    """
    for logger in _our_loggers():
        logger.setLevel(logging.INFO)
        logger.addHandler(_ForwardingHandler(pass_on))


def lines_are_written() -> bool:
    """Whether this module writes the log to stderr; False if pilah is used as a library."""
    return _handler() is not None


def write_traceback(error: BaseException, *, first: str = "") -> None:
    """Writes a traceback as Python does, but with passwords hidden, so that it can be shared."""
    handler = _handler() or _Handler()
    handler.write(first + "".join(traceback.format_exception(error)).rstrip(), logging.CRITICAL)


class _ForwardingHandler(logging.Handler):
    def __init__(self, pass_on: Callable[[int, str], None]) -> None:
        super().__init__()
        self._pass_on = pass_on

    def emit(self, record: logging.LogRecord) -> None:
        self._pass_on(record.levelno, record.getMessage())


class _Handler(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.names = False
        """Whether lines begin with the level and the name of the logger."""
        self._journal = _is_journal()

    def createLock(self) -> None:  # noqa: N802 - as `logging` calls it
        # `logging` takes each handler's lock when the process ends. A thread that waits here for
        # its reader would hold the lock, and the process would not end.
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        self.emit(record)  # needs no lock, because `write_line` has one
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except (TypeError, ValueError, KeyError):  # a library's mistake must not end the work
            text = f"{record.msg!r} {record.args!r}"
        if self.names:
            text = f"{record.levelname.lower()} {record.name}: {text}"
        self.write(text, record.levelno)

    def write(self, text: str, level: int) -> None:
        """Writes one or more lines, with passwords hidden."""
        text = printable(redacted(text))
        if self._journal:
            number = next((p for least, p in _PRIORITIES if level >= least), _DEBUG_PRIORITY)
            text = "\n".join(f"<{number}>{line}" for line in text.split("\n"))
        write_line(text)


def _our_loggers() -> list[logging.Logger]:
    return [logging.getLogger(name) for name in _OURS]


def _handler() -> _Handler | None:
    return next((h for h in logging.getLogger().handlers if isinstance(h, _Handler)), None)


def _is_journal() -> bool:
    """Whether stderr is the journal: JOURNAL_STREAM has its device and inode (systemd.exec(5)).

    The variable alone is not enough: a command inherits it even if a service reads its output from
    a pipe.
    """
    try:
        status = os.fstat(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):  # stderr is closed, or has no descriptor
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
