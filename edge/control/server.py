"""The socket of a running station: a thread of its own answers who asks there.

It holds up no other thread of the station, and if it cannot be opened or fails, the station sorts
on without it.
"""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge.control.messages import (
    LONGEST_REQUEST,
    ControlAnswer,
    ControlRequest,
    read_request,
)
from edge.control.place import socket_address, unix_socket
from edge.core.closing import Closing
from edge.core.errors import ControlError
from edge.core.redaction import redacted

_log = logging.getLogger(__name__)

_MODE = 0o660
"""The station's user and group may ask."""
_WAITING = 16
"""How many may wait to be answered."""
_ASK_SECONDS = 1.0
"""How long the sending of a request, or the taking of its answer, may last."""
_END_SECONDS = 1.0
"""How long the end of the thread may take; it can hang in `answer` only."""


class ControlServer(Closing):
    """Answers requests at a socket until it is closed, one after the other."""

    def __init__(
        self, path: Path | None, answer: Callable[[ControlRequest], ControlAnswer]
    ) -> None:
        """Opens the socket in place of one that an earlier process left; see `control_path`.

        To be opened by who holds the station's ledger, which only one process does.

        One that cannot be opened is said, and is no reason to end.

        Args:
            path: the socket; None: this machine has no place for one.
            answer: called by the thread `control` with each request; must not wait.
        """
        self.path, self._answer = path, answer
        self._listening: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._file: tuple[int, int] | None = None
        self._woken, self._wake = socket.socketpair()
        try:
            self._open()
        except OSError as error:
            _log.warning(
                f"warning    cannot open the socket {self.path}: {error.strerror or error}. The "
                "station sorts on; it cannot be paused from outside"
            )

    def close(self) -> None:
        """Ends the thread and removes the socket; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._wake.send(b".")
            thread.join(_END_SECONDS)
            if self.path is not None and self._is_mine():
                with suppress(OSError):  # whoever asks there is told that nobody answers
                    self.path.unlink(missing_ok=True)
        for each in (self._listening, self._woken, self._wake):
            if each is not None:
                each.close()

    def _open(self) -> None:
        if self.path is None:
            raise OSError(None, "there is no folder in memory for it")
        self._listening = unix_socket()
        with socket_address(self.path) as address:
            if self.path.is_socket():
                self._clear(address)
            self._listening.bind(address)
        self.path.chmod(_MODE)
        found = self.path.lstat()
        self._file = found.st_dev, found.st_ino
        self._listening.listen(_WAITING)
        self._listening.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def _clear(self, address: str) -> None:
        """Removes the socket of a process that was killed.

        Raises:
            OSError: another process answers there.
        """
        assert self.path is not None
        with unix_socket() as trying:
            trying.settimeout(_ASK_SECONDS)
            try:
                trying.connect(address)
            except ConnectionRefusedError:
                self.path.unlink()
                return
        raise OSError(errno.EADDRINUSE, "another process answers there")

    def _is_mine(self) -> bool:
        """Whether the file of the socket is still the one that was made here."""
        try:
            found = self.path.lstat() if self.path is not None else None
        except OSError:
            return False
        return found is not None and self._file == (found.st_dev, found.st_ino)

    def _run(self) -> None:
        assert self._listening is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is not self._woken for key, _ in selector.select()):
                try:
                    connection, _ = self._listening.accept()
                except OSError:  # who asked has gone, or too many files are open for a moment
                    time.sleep(0.1)
                    continue
                with connection, suppress(OSError):  # who asked has gone, or is too slow
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        """Answers the one request of a connection.

        Raises:
            OSError: it ended, or took too long.
        """
        until = time.monotonic() + _ASK_SECONDS
        raw = b""
        while b"\n" not in raw and len(raw) <= LONGEST_REQUEST:
            connection.settimeout(max(0.001, until - time.monotonic()))
            if not (more := connection.recv(LONGEST_REQUEST)):
                break
            raw += more
        if not raw:
            return
        line = self._answered(raw).line()
        connection.settimeout(_ASK_SECONDS)
        connection.sendall(line)

    def _answered(self, raw: bytes) -> ControlAnswer:
        try:
            return self._answer(read_request(raw))
        except ControlError as error:
            return ControlAnswer.refusing(error)
        except Exception as error:  # whatever it is, who asks next must be answered
            _log.warning(
                f"warning    a request could not be answered ({type(error).__name__}: "
                f"{redacted(str(error))})"
            )
            return ControlAnswer(False, error="the station could not answer: see its log")
