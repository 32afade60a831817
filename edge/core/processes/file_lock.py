"""Locks on files and folders, by which one process keeps others out.

The kernel releases a lock when the process that holds it ends, in whatever way (`flock`). A lock
belongs to the open descriptor, so two descriptors of one process exclude each other too.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.core.errors import FileLockedError, StorageError

_LOOK_SECONDS = 0.05


def take_lock(descriptor: int, *, shared: bool = False) -> None:
    """Locks an open file or folder; waits while another descriptor holds the lock.

    If the descriptor has a lock already, that lock is changed to the requested kind.

    Args:
        shared: whether other descriptors may hold a shared lock at the same time.

    Raises:
        OSError: the file system has no locks.
    """
    fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock(descriptor: int) -> bool:
    """Locks an open file or folder exclusively; False if another descriptor holds the lock.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(descriptor: int) -> bool:
    """Whether another descriptor has the file locked exclusively; leaves no lock.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    release_lock(descriptor)
    return False


def release_lock(descriptor: int) -> None:
    """Releases the lock; closing the descriptor does the same."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(
    path: Path, *, wait_seconds: float = 0, on_wait: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Holds an exclusive lock on `path` within the block.

    Args:
        path: a folder or a file; a missing file is created.
        wait_seconds: how long to wait for another process to release the lock; `math.inf` means
            without a limit.
        on_wait: called once before the wait begins.

    Raises:
        FileLockedError: another process still holds the lock.
        StorageError: the path cannot be opened, or its file system has no locks.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = -1
    try:
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
            _wait_for(descriptor, path, wait_seconds, on_wait)
        except FileLockedError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"cannot lock {path}: {reason}") from error
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _wait_for(descriptor: int, path: Path, seconds: float, on_wait: Callable[[], object]) -> None:
    if try_lock(descriptor):
        return
    until = time.monotonic() + seconds
    if seconds > 0:
        on_wait()
    while not try_lock(descriptor):
        if time.monotonic() >= until:
            raise FileLockedError(f"{path} is held by another process")
        time.sleep(_LOOK_SECONDS)
