"""Asks a running station."""

from __future__ import annotations

import time
from pathlib import Path

from edge.control.messages import (
    LONGEST_ANSWER,
    ControlAnswer,
    ControlRequest,
    read_answer,
)
from edge.control.place import socket_address, unix_socket
from edge.core.errors import ControlUnreachableError
from edge.core.terminal.sentence import Sentence

ANSWER_SECONDS = 3.0
"""How long an answer is waited for; a station gives it within milliseconds."""
_BLOCK = 64 * 1024


def ask(path: Path, request: ControlRequest, *, seconds: float = ANSWER_SECONDS) -> ControlAnswer:
    """What the station whose socket is `path` answers.

    Args:
        path: as `find_control` gives it.
        seconds: how long it may take.

    Raises:
        ControlUnreachableError: nobody answers there, or not in time, or this user may not ask.
        ControlError: what came is no answer of a station.
    """
    until = time.monotonic() + seconds
    try:
        with unix_socket() as connection, socket_address(path) as address:
            connection.settimeout(seconds)
            connection.connect(address)
            connection.sendall(request.line())
            raw = b""
            while not raw.endswith(b"\n") and len(raw) <= LONGEST_ANSWER:
                connection.settimeout(max(0.001, until - time.monotonic()))
                if not (more := connection.recv(_BLOCK)):
                    break
                raw += more
    except TimeoutError:
        raise ControlUnreachableError(
            Sentence(
                "the station has not answered within {seconds} seconds: `pilah-edge status` says "
                "whether it hangs",
                seconds=format(seconds, "g"),
            )
        ) from None
    except PermissionError:
        raise ControlUnreachableError(
            Sentence(
                "this user may not use {path}: ask as the user of the station, or one of its group",
                path=str(path),
            )
        ) from None
    except OSError as error:
        raise ControlUnreachableError(
            Sentence(
                "the station does not answer at {path}: {error}. Does it run?",
                path=str(path),
                error=str(error.strerror or error),
            )
        ) from None
    if not raw:
        raise ControlUnreachableError(
            Sentence("the station ended before it answered at {path}", path=str(path))
        )
    return read_answer(raw)
