"""The lock by which a folder of photographs belongs to one station.

Each station deletes photographs beyond its own limits, so two stations in one folder would delete
the photographs of each other.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from edge.core.closing import Closing
from edge.core.errors import FileLockedError
from edge.core.processes.children import is_alive
from edge.core.processes.file_lock import try_lock


class FolderLock(Closing):
    """The lock of one folder; the kernel releases it when the process that holds it ends."""

    def __init__(self, folder: Path, *, owner: int | None = None) -> None:
        """Does not take the lock yet.

        Args:
            owner: the id of the station's process; None if it is this process.
        """
        self._folder, self._descriptor = folder, -1
        self._owner = os.getpid() if owner is None else owner

    def hold(self) -> None:
        """Takes the lock, if this object does not hold it. The folder must exist.

        If the folder was replaced by a new one, the lock of the new one is taken.

        Raises:
            FileLockedError: another station holds it.
            OSError: the lock file cannot be opened.
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
        with suppress(OSError):  # the disk is full, but the lock is held
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{self._owner}\n".encode(), 0)

    def close(self) -> None:
        """Releases the lock; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_held(self) -> bool:
        """Whether the lock is held, and its file is the one in the folder now."""
        if self._descriptor < 0:
            return False
        try:
            found = lock_path(self._folder).stat(follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))


def lock_path(folder: Path) -> Path:
    """The lock file of a folder of photographs, which stays when the lock is released."""
    return folder / ".lock"


def check_free(folder: Path) -> None:
    """Checks that no other running station writes photographs into the folder.

    A process that a station left behind when it ended, because the disk hangs, does not count: it
    must not keep the next station from sorting.

    Raises:
        FileLockedError: another running station does.
    """
    try:
        descriptor = os.open(lock_path(folder), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # there is no lock file; or it cannot be used, which is reported later
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
    """Tries to lock an open file; True as well if its file system has no locks."""
    try:
        return try_lock(descriptor)
    except OSError:
        return True


def _taken(folder: Path) -> FileLockedError:
    return FileLockedError(
        f"another running station keeps its photographs in {folder}, and each would delete those "
        "of the other: give this station a folder of its own, `photographs: {path: ...}`"
    )
