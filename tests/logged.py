"""What a station logs, handed to a test."""

from __future__ import annotations

import logging
from collections.abc import Callable

_EDGE = logging.getLogger("edge")


class _Listening(logging.Handler):
    def __init__(self, take: Callable[[str], object]) -> None:
        super().__init__()
        self.take = take

    def emit(self, record: logging.LogRecord) -> None:
        self.take(record.getMessage())


def listen(take: Callable[[str], object]) -> None:
    """Has `take` take each line that `edge` logs, from INFO on, until `stop_listening`."""
    _EDGE.setLevel(logging.INFO)
    if all(listening.take != take for listening in _listening()):
        _EDGE.addHandler(_Listening(take))


def stop_listening() -> None:
    """Leaves nobody who listens."""
    for listening in _listening():
        _EDGE.removeHandler(listening)
        _EDGE.setLevel(logging.NOTSET)


def _listening() -> list[_Listening]:
    return [handler for handler in _EDGE.handlers if isinstance(handler, _Listening)]
