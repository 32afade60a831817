"""Keeps a folder of photographs for one station: each deletes what is there beyond its limits, and
two would delete each other's."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from edge.core.closing import Closing
from edge.core.errors import FileLockedError
from edge.core.processes.children import is_alive
from edge.core.processes.file_lock import try_lock


class FolderLock(Closing):
    """Held by the process that writes a folder; the kernel releases it when that process ends."""

    def __init__(self, folder: Path, *, owner: int | None = None) -> None:
        """Holds nothing yet.

        Args:
            owner: the process of the station that the folder is written for; None: this one.
        """
        self._folder, self._descriptor = folder, -1
        self._owner = os.getpid() if owner is None else owner

    def hold(self) -> None:
        """Takes the lock of the folder, which is there, and takes it again in a new folder.

        Raises:
            FileLockedError: another station writes the folder.
            OSError: the lock's file cannot be made.
        """
        if self._is_held():
            return
        self.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(lock_path(self._folder), flags, 0o644)
        if not _is_locked(descriptor):
            os.close(descriptor)
            raise _taken(self._folder)
        self._descriptor = descriptor
        with suppress(OSError):  # the disk is full: held all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{self._owner}\n".encode(), 0)

    def close(self) -> None:
        """Releases the lock; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_held(self) -> bool:
        """Whether the lock is held, and its file is still the one in the folder."""
        if self._descriptor < 0:
            return False
        try:
            found = lock_path(self._folder).stat(follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))


def lock_path(folder: Path) -> Path:
    """The lock file of a folder of photographs. It stays; it is the lock on it that counts."""
    return folder / ".lock"


def check_free(folder: Path) -> None:
    """Checks that no other running station writes the folder.

    What a station left that has ended, and whose disk hangs, is no reason not to sort.

    Raises:
        FileLockedError: another running station does.
    """
    try:
        descriptor = os.open(lock_path(folder), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # nobody has written there; or it cannot be used, which is said later
        return
    try:
        if _is_locked(descriptor):
            return
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    if holder.isdecimal() and is_alive(int(holder)):
        raise _taken(folder)


def _is_locked(descriptor: int) -> bool:
    """Locks an open file; whether it is locked, or is on a file system that has no locks."""
    try:
        return try_lock(descriptor)
    except OSError:
        return True


def _taken(folder: Path) -> FileLockedError:
    return FileLockedError(
        f"another running station keeps its photographs in {folder}, and each would delete those "
        "of the other: give this station a folder of its own, `photographs: {path: ...}`"
    )
