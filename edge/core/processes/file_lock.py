"""Locks on files and folders, by which one process keeps others out.

The kernel lets a lock go when the process that holds it ends, however it ends (`flock`). A lock
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
    """Locks an open file or folder, and waits for as long as another descriptor holds the lock.

    A lock that the descriptor has already becomes the one that is asked for.

    Args:
        shared: others may hold a shared lock as well.

    Raises:
        OSError: the file system has no locks.
    """
    fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock(descriptor: int) -> bool:
    """Locks an open file or folder for this descriptor alone; False where another one holds it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release_lock(descriptor: int) -> None:
    """Lets the lock go, which closing the descriptor does as well."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(
    path: Path, *, wait_seconds: float = 0, on_wait: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Holds the lock of `path` within the block, alone.

    Args:
        path: a folder, or a file, which is made where it is not there.
        wait_seconds: how long to wait for another process to let the lock go; `math.inf`: until
            it does.
        on_wait: called once before the wait begins.

    Raises:
        FileLockedError: another process still holds it.
        StorageError: it cannot be opened, or its file system has no locks.
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
