"""A station as a systemd service: it reports its state, and ends cleanly at a signal."""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from edge.core.redaction import redacted
from edge.runtime.worker import Endings

_OF_A_TERMINAL = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)
"""The terminal or its ssh connection was closed; Ctrl-\\; Ctrl-Z. They must end the station rather
than halt it: a halted process switches nothing off, and a coil would stay on."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, *_OF_A_TERMINAL)
"""The signals that end a station in order."""


@contextmanager
def stop_signals() -> Iterator[Endings]:
    """A queue that receives STOP_SIGNALS, so that they do not end or halt the process.

    A second Ctrl-C raises KeyboardInterrupt, in case the clean end takes too long. Signals of the
    terminal that the process already ignores, as under `nohup`, stay ignored. To be used in the
    main thread.
    """
    endings: Endings = queue.SimpleQueue()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in _OF_A_TERMINAL:
        if before[number] == signal.SIG_IGN:
            del before[number]

    def put(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(number, before[signal.SIGINT])
        endings.put(signal.Signals(number))

    for number in before:
        signal.signal(number, put)
    try:
        yield endings
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Ending:
    """The end of a process, which must not take longer than a given time.

    Attributes:
        begun: set when one of STOP_SIGNALS has arrived or `begin` was called.
    """

    def __init__(self) -> None:
        self.begun, self._done = threading.Event(), threading.Event()
        self._received, self._told = os.pipe()
        os.set_blocking(self._told, False)
        # Python runs signal handlers in the main thread only, which may be blocked in a driver; a
        # byte in a pipe reaches another thread.
        self._before = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)

    def begin(self) -> None:
        """Begins the end of the process without a signal."""
        self.begun.set()
        os.write(self._told, bytes([signal.SIGTERM]))

    def follow(self, seconds: float, force: Callable[[], None]) -> None:
        """Waits for the end to begin, and calls `force` if it takes more than `seconds`."""
        while (number := os.read(self._received, 1)) and number[0] not in STOP_SIGNALS:
            pass
        if number:
            self.begun.set()
            if not self._done.wait(seconds):
                force()

    def finish(self) -> None:
        """Reports that the end is complete."""
        self._done.set()
        signal.set_wakeup_fd(self._before)
        os.close(self._told)


@contextmanager
def ending_within(seconds: float, force: Callable[[], None]) -> Iterator[Ending]:
    """A context in which `force` is called `seconds` after one of STOP_SIGNALS if it lasts so long.

    To be used in the main thread, within `stop_signals`.

    Args:
        force: called in a thread of its own, even if all others hang; it should end the process.
    """
    ending = Ending()
    watching = threading.Thread(
        target=ending.follow, args=(seconds, force), name="ending", daemon=True
    )
    watching.start()
    try:
        yield ending
    finally:
        ending.finish()
        watching.join()
        os.close(ending._received)


class Notifier:
    """Reports the state of the service to systemd (sd_notify(3)); without systemd it does nothing.

    No method waits or raises: a message that cannot be sent is dropped. A shell can inherit a
    NOTIFY_SOCKET whose service has ended; it must not keep a station from running.

    Attributes:
        watchdog_seconds: systemd restarts the service if `alive` was not called for so many
            seconds; None if systemd does not watch it.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads the environment; sends nothing yet.

        Args:
            environment: has NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID if systemd set them.
            clock: seconds, monotonic.
        """
        name = environment.get("NOTIFY_SOCKET", "")
        # A name with @ is in the kernel's abstract namespace, whose names begin with a null byte.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._clock = clock
        self._fed: float | None = None
        self._status: str | None = None
        self.watchdog_seconds = _watchdog_seconds(environment) if self._address else None

    def ready(self, status: str) -> None:
        """Reports that the service has started.

        Args:
            status: one line for `systemctl status`.
        """
        self._status = status
        self._tell("READY=1", _status_line(status))

    def status(self, text: str) -> None:
        """Sends one line for `systemctl status`, unless it is the same as before."""
        if text != self._status and self._tell(_status_line(text)):
            self._status = text

    def alive(self) -> None:
        """Feeds the watchdog; may be called at any rate.

        It sends a message every quarter of `watchdog_seconds` at most, so that it is enough to call
        it at least once in half of that time.
        """
        if self.watchdog_seconds is None:
            return
        now = self._clock()
        if (self._fed is None or now - self._fed >= self.watchdog_seconds / 4) and self._tell(
            "WATCHDOG=1"
        ):
            self._fed = now

    def stopping(self) -> None:
        """Reports that the service has begun to end."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> bool:
        """Sends `lines` to systemd; returns whether it received them."""
        if not self._address:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.setblocking(False)
            try:
                datagrams.sendto("\n".join(lines).encode(), self._address)
            except OSError:  # no one listens, or systemd is busy: see the class
                return False
        return True


def _status_line(text: str) -> str:
    return "STATUS=" + " ".join(redacted(text).splitlines())


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """The watchdog interval that systemd sets for this process; None if it does not watch it."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    return int(microseconds) / 1e6 if pid in ("", str(os.getpid())) else None
