"""The source of a scanner's key events: an input device of Linux, or a pipe of such events."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import struct
import time
from pathlib import Path

from edge.core.closing import Closing
from edge.core.errors import ScannerError
from edge.receiving.scanner.decoder import InputEvent

_EVENT = struct.Struct("@llHHi")
"""`struct input_event`: seconds, microseconds, type, code, value. 24 bytes on a system of 64 bits,
16 on one of 32."""
EVENT_BYTES = _EVENT.size

_GRAB = 0x40044590
"""EVIOCGRAB: no other program gets the device's keys."""
_KEY_BITS_BYTES = 96
_HELD_KEYS = 2 << 30 | _KEY_BITS_BYTES << 16 | ord("E") << 8 | 0x18
"""EVIOCGKEY: which keys are held, a bit for each (include/uapi/linux/input.h)."""
_HELD_LOOK_SECONDS = 0.02
_HELD_SECONDS = 2.0
"""How long to wait for the release of keys that are held while the device is opened."""


class ScannerSource(Closing):
    """An open scanner, read by one thread.

    Attributes:
        ended: no more events come from what was opened: a file was read to its end. A pipe does
            not end: its writers may come and go.
        lasting: it can be opened again for more: it is no file.
    """

    def __init__(self, path: Path, *, grab: bool) -> None:
        """Opens it.

        Args:
            path: an input device, or a pipe or a file of its events.
            grab: it is an input device, whose keys shall go to nobody else. Keys that are held are
                waited for first: whoever saw them go down would never see them go up.

        Raises:
            ScannerError: it cannot be opened, or another program has taken it.
        """
        self.ended = False
        try:
            self._descriptor = os.open(path, _access(path) | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ScannerError(_refusal(path, error)) from error
        self._path, self._rest = path, b""
        self.lasting = not stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        try:
            if grab:
                self._grab()
        except ScannerError:  # which is an OSError, too, and says what to do already
            self.close()
            raise
        except OSError as error:
            self.close()
            raise ScannerError(_refusal(path, error)) from error

    def read(self, patience: float) -> list[InputEvent]:
        """The events that came, as soon as there are any; none came within `patience` seconds: [].

        Raises:
            ScannerError: it was unplugged, or cannot be read.
        """
        ready, _, _ = select.select([self._descriptor], [], [], patience)
        if not ready:
            return []
        try:
            content = os.read(self._descriptor, 64 * EVENT_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ScannerError(_refusal(self._path, error)) from error
        if not content:
            self.ended = True
            return []
        content = self._rest + content
        whole = len(content) - len(content) % EVENT_BYTES
        self._rest = content[whole:]
        return [
            InputEvent(seconds + microseconds / 1e6, kind, code, value)
            for seconds, microseconds, kind, code, value in _EVENT.iter_unpack(content[:whole])
        ]

    def close(self) -> None:
        """Closes the device or pipe; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _grab(self) -> None:
        until = time.monotonic() + _HELD_SECONDS
        held = bytearray(_KEY_BITS_BYTES)
        while True:
            fcntl.ioctl(self._descriptor, _HELD_KEYS, held)
            if not any(held):
                break
            if time.monotonic() > until:
                raise ScannerError(f"{self._path}: one of its keys is held down: release it")
            time.sleep(_HELD_LOOK_SECONDS)
        fcntl.ioctl(self._descriptor, _GRAB, 1)


def packed(event: InputEvent) -> bytes:
    """An event as an input device gives it."""
    microseconds = round(event.seconds * 1e6)
    return _EVENT.pack(*divmod(microseconds, 1_000_000), event.type, event.code, event.value)


def _access(path: Path) -> int:
    """How it is opened: a pipe for writing too, though nothing is written.

    A pipe that nobody holds open for writing is at its end, and opening it again would lose what
    the next writer wrote in between (Linux allows this of a pipe: fifo(7)).
    """
    return os.O_RDWR if stat.S_ISFIFO(path.stat().st_mode) else os.O_RDONLY


def _refusal(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return f"{path}: no scanner is there: plug it in; `ls /dev/input/by-id` lists the devices"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{path}: this user may not read it: run deploy/install.sh once more, which gives the "
            "service this scanner, or `pilah-edge scanner rule STATION.yaml`, which says how"
        )
    if error.errno == errno.EBUSY:
        return f"{path}: another program has taken it: is a station running already?"
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return f"{path}: this is no input device: for a pipe or a file of events write `kind: pipe`"
    return f"{path}: {error.strerror}"
