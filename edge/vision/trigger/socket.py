"""The socket trigger: another program says when there is an item.

Each datagram `item` that is sent to the socket is one: `echo item | nc -uU -w0 PATH`.
"""

from __future__ import annotations

import logging
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge.core.errors import TriggerError
from edge.core.yaml_file import FilePath
from edge.vision.trigger import TriggerSurroundings
from edge.vision.trigger.signals import Signal, SignalSettings

_log = logging.getLogger(__name__)

WORD = b"item"
_LONGEST = 64
_MOST = 100
"""The most messages that are read for one frame; the others wait in the kernel."""


class Settings(SignalSettings):
    """`trigger: {kind: socket, ...}`."""

    kind: Annotated[Literal["socket"], Field(description="the kind of trigger")]
    path: Annotated[
        FilePath,
        Field(
            description="the Unix socket that the station makes, such as /var/lib/pilah/trigger; "
            "each datagram `item` sent to it is an item. The station's user and group may send"
        ),
    ]

    @property
    def socket_path(self) -> Path:
        """The socket that it makes for other programs."""
        return self.path

    def signal(self, around: TriggerSurroundings) -> Signal:
        """See SignalSettings."""
        found = SocketSignal(self.path)
        around.parts.callback(found.close)
        return found


class SocketSignal:
    """A Unix socket for datagrams, which is looked at with each frame."""

    def __init__(self, path: Path) -> None:
        """Makes the socket; one that a station left behind is replaced.

        Raises:
            TriggerError: it cannot be made, or something else is at its place.
        """
        self._path = path
        self._warned = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        try:
            if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
                raise TriggerError(f"{path}: there is something that is no socket: remove it")
            path.unlink(missing_ok=True)
            self._socket.bind(str(path))
            path.chmod(0o660)
        except OSError as error:
            self._socket.close()
            if isinstance(error, TriggerError):
                raise
            raise TriggerError(
                f"{path}: the socket of the trigger cannot be made: {error.strerror or error}. Is "
                "its folder there, may this user write to it, and has the path at most 107 letters?"
            ) from error

    def take(self, now: float) -> Sequence[float]:
        """See Signal: what was said since the frame before counts for this one."""
        times = []
        for _ in range(_MOST):
            try:
                message = self._socket.recv(_LONGEST)
            except BlockingIOError:
                break
            if message.strip() == WORD:
                times.append(now)
            elif not self._warned:
                self._warned = True
                _log.warning(
                    f"{self._path}: received {message[:_LONGEST]!r}, which means nothing here: "
                    "send `item`. Said once"
                )
        return times

    def close(self) -> None:
        """Removes the socket; may be called twice."""
        if self._socket.fileno() != -1:
            self._socket.close()
            self._path.unlink(missing_ok=True)
