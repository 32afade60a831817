"""How far the times of this machine can be trusted: which boot it is, and whether NTP keeps its
clock right."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A UUID that the kernel makes at each boot (random(4))."""
_TIME_ERROR = 5
"""What adjtimex(2) returns while nothing keeps the clock right."""
_REFRESH_SECONDS = 10.0


def boot_id(file: Path = BOOT_ID) -> str | None:
    """The UUID of this boot of the machine, or None where the kernel does not tell it.

    Monotonic times can be compared with each other only within one boot.
    """
    try:
        return file.read_text("ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def clock_is_synchronised() -> bool | None:
    """Whether something, such as NTP, keeps this machine's clock right.

    Returns:
        None where the kernel does not tell it.
    """
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = adjtimex(ctypes.create_string_buffer(512))  # all zero: it only reads
    return None if state < 0 else state != _TIME_ERROR


class CachedClockState:
    """Whether the clock is synchronised, asked of the kernel at most every ten seconds.

    May be called by any thread; a call costs less than a microsecond but for one in ten seconds,
    which makes one system call that reads a variable of the kernel.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        ask: Callable[[], bool | None] = clock_is_synchronised,
    ) -> None:
        """Asks the kernel once.

        Args:
            now: seconds, monotonic.
            ask: tells whether the clock is synchronised.
        """
        self._now, self._ask = now, ask
        self._known, self._ask_at = ask(), now() + _REFRESH_SECONDS

    def __call__(self) -> bool | None:
        """Whether the clock is synchronised, as of at most ten seconds ago."""
        if (now := self._now()) >= self._ask_at:
            self._known, self._ask_at = self._ask(), now + _REFRESH_SECONDS
        return self._known
