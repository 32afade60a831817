"""The socket trigger: another program says when there is an item.

Each datagram `item` that is sent to the socket is one: `echo item | nc -uU -w0 PATH`.
"""

from __future__ import annotations

import logging
import socket
import stat
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge.core.errors import TriggerError
from edge.core.yaml_file import FilePath
from edge.runtime.clock import Clock
from edge.vision.trigger import TriggerSurroundings
from edge.vision.trigger.signals import Signal, SignalSettings

_log = logging.getLogger(__name__)

WORD = b"item"
_LONGEST = 64
_MOST = 100
"""The most messages that are read for one frame; the others wait in the kernel."""
_SO_TIMESTAMPNS = 64
"""SO_TIMESTAMPNS_NEW of Linux, which Python has no name for: the kernel gives each datagram the
time of day at which it came. Kernels before 5.1 refuse it."""
_TIMESPEC = struct.Struct("=qq")
"""What it gives: whole seconds since 1970, and nanoseconds."""


class Settings(SignalSettings):
    """`trigger: {kind: socket, ...}`."""

    kind: Annotated[Literal["socket"], Field(description="the kind of trigger")]
    path: Annotated[
        FilePath,
        Field(
            description="the Unix socket that the station makes, such as /var/lib/pilah/trigger; "
            "each datagram `item` sent to it is an item, which counts from the moment at which the "
            "kernel stamped the datagram, however late a busy station reads it. The station's user "
            "and group may send"
        ),
    ]

    @property
    def socket_path(self) -> Path:
        """The socket that it makes for other programs."""
        return self.path

    def signal(self, around: TriggerSurroundings) -> Signal:
        """See SignalSettings."""
        found = SocketSignal(self.path, around.clock)
        around.parts.callback(found.close)
        return found


class SocketSignal:
    """A Unix socket for datagrams, which is looked at with each frame.

    An item counts from the moment at which its datagram came, and not from the moment at which a
    busy station reads it.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """Makes the socket; one that a station left behind is replaced.

        Args:
            clock: that of the frames' capture times.

        Raises:
            TriggerError: it cannot be made, or something else is at its place.
        """
        self._path, self._clock = path, clock
        self._warned = False
        self._not_before = clock.now()
        """No datagram that is still to be read came before this."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        with suppress(OSError):  # without it, an item counts from the moment at which it is read
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
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
        """See Signal: the moments at which datagrams came since the frame before."""
        times = []
        looked = self._clock.now()
        for _ in range(_MOST):
            try:
                message, said, *_ = self._socket.recvmsg(
                    _LONGEST, socket.CMSG_SPACE(_TIMESPEC.size)
                )
            except BlockingIOError:
                # What comes from here on came after the look.
                self._not_before = max(self._not_before, looked)
                break
            if message.strip() == WORD:
                self._not_before = self._came(said)
                times.append(self._not_before)
            elif not self._warned:
                self._warned = True
                _log.warning(
                    f"{self._path}: received {message[:_LONGEST]!r}, which means nothing here: "
                    "send `item`. Said once"
                )
        return times

    def _came(self, said: Sequence[tuple[int, int, bytes]]) -> float:
        """When a datagram came, in seconds on the frames' clock.

        Args:
            said: what the kernel says of it beside its content.
        """
        now, wall = self._clock.now(), self._clock.wall()
        for level, kind, content in said:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack_from(content)
                # The time of day may have been put right since: it came between two looks for sure.
                now -= max(0.0, wall - (seconds + nanoseconds / 1e9))
        return max(self._not_before, now)

    def close(self) -> None:
        """Removes the socket; may be called twice."""
        if self._socket.fileno() != -1:
            self._socket.close()
            self._path.unlink(missing_ok=True)
