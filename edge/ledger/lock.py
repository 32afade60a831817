"""The lock that the process which writes a ledger holds, so that only one process does."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from edge.core.errors import LedgerError, LedgerInUseError
from edge.core.processes.children import is_alive

_ORPHAN_SECONDS = 5.0
"""How long to wait for the ledger process of a station that has ended. That process ends, too, as
soon as its disk lets it."""
_LOOK_SECONDS = 0.02


def lock_path(ledger: Path) -> Path:
    """The lock file of a ledger, beside it. The file stays; it is the lock on it that counts."""
    return ledger.with_name(f".{ledger.name}.lock")


def check_unheld(ledger: Path) -> None:
    """Passes a ledger that no other process is writing now; nothing is made or changed.

    Raises:
        LedgerInUseError: another process is.
    """
    try:
        descriptor = os.open(lock_path(ledger), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # nobody ever wrote it, or this user will be told when it is opened
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _holder(descriptor)
        if not holder.isdecimal() or is_alive(int(holder)):
            raise _in_use(ledger, holder) from error
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()


def _in_use(ledger: Path, holder: str) -> LedgerInUseError:
    who = f"process {holder}" if holder.isdecimal() else "another process"
    return LedgerInUseError(
        f"{who} is writing the ledger {ledger}: is the station running already? Stop that one, or "
        "give this station a ledger of its own"
    )


class LedgerLock:
    """The lock of one ledger; the kernel releases it when the process ends, however it ends."""

    def __init__(self, ledger: Path, *, owner: int | None = None) -> None:
        """Holds nothing yet.

        Args:
            owner: the process that the ledger is written for; None: this one.
        """
        self._ledger, self.path = ledger, lock_path(ledger)
        self._owner = os.getpid() if owner is None else owner
        self._file = -1

    def hold(self) -> None:
        """Takes the lock, and takes it again if the lock file was replaced meanwhile.

        In a folder that cannot be written there may be no lock file: no ledger can be written
        there either.

        Raises:
            LedgerInUseError: another process holds it.
            LedgerError: the folder is not there, or cannot be read; or what holds the lock was
                left by a station that has ended.
        """
        if self._file >= 0 and self._is_there():
            return
        self.release()
        descriptor = self._open()
        if descriptor is None:
            return
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._file = descriptor
        with suppress(OSError):  # a full disk, or a file of another user: held all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{self._owner}\n".encode(), 0)

    def _take(self, descriptor: int) -> None:
        until = time.monotonic() + _ORPHAN_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = _holder(descriptor)
                if not holder.isdecimal() or is_alive(int(holder)):
                    raise _in_use(self._ledger, holder) from error
                if time.monotonic() >= until:
                    raise LedgerError(
                        f"cannot open the ledger {self._ledger}: what wrote it for process "
                        f"{holder}, which has ended, still waits for its disk"
                    ) from error
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def release(self) -> None:
        """Releases the lock; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Releases the lock and removes its file, because there is no ledger here after all."""
        if self._file >= 0:
            with suppress(OSError):
                self.path.unlink()
        self.release()

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self.path.stat())
        except OSError:
            return False

    def _open(self) -> int | None:
        refusals = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
        try:
            try:
                return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                if error.errno not in refusals:
                    raise
            try:
                return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in (*refusals, errno.ENOENT):
                    raise
                return None
        except OSError as error:
            raise LedgerError(f"cannot open the ledger {self._ledger}: {error.strerror}") from error
