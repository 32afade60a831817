"""A disk of its own for a test, which can hang, fail, and lose its power. Needs root, and Linux."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SECTOR_BYTES = 512
_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN of Linux's fs/ext4/ext4.h, as `godown` of xfstests uses it."""
_NO_LOG_FLUSH = 2
"""Nothing that is in memory gets to the disk any more, the file system's own journal neither."""


def no_space(*_: object) -> None:
    """In place of a function of `os`: the disk is full.

    Raises:
        OSError: always.
    """
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_locks(*_: object) -> None:
    """In place of `fcntl.flock`: a file system without locks, such as some network shares.

    Raises:
        OSError: always.
    """
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


class Disk:
    """An ext4 file system in a file, mounted.

    Attributes:
        folder: where it is mounted.
    """

    def __init__(self, place: Path, *, megabytes: int = 16) -> None:
        """Makes and mounts it in the folder `place`.

        Raises:
            OSError, subprocess.CalledProcessError: this machine cannot do that.
        """
        if os.geteuid() != 0:
            raise PermissionError("only root may mount a disk")
        self.folder, self._image = place / "disk", place / "disk.image"
        self.folder.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        # What is put off until the first mount would be counted as written by somebody.
        whole = "lazy_itable_init=0,lazy_journal_init=0"
        _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", whole, str(self._image))
        self._mount()

    def _mount(self) -> None:
        # A device of its own each time: that of a disk that failed may be in use still, and
        # `mount -o loop` would take it again.
        device = _run("losetup", "--find", "--show", str(self._image)).strip()
        try:
            _run("mount", device, str(self.folder))
        finally:
            _run("losetup", "--detach", device)  # when it is not mounted any more

    def sync(self) -> None:
        """Has all that was written so far on the disk."""
        _run("sync", "--file-system", str(self.folder))

    def freeze(self) -> None:
        """Has everybody who writes wait, until `thaw`."""
        _run("fsfreeze", "--freeze", str(self.folder))

    def thaw(self) -> None:
        """Ends `freeze`."""
        _run("fsfreeze", "--unfreeze", str(self.folder))

    def remount(self, how: str) -> None:
        """Mounts it otherwise: `ro`, `rw`."""
        _run("mount", "-o", f"remount,{how}", str(self.folder))

    def fail(self) -> None:
        """Has every access fail from now on (EIO), until `mend`: as if it lost its power."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def mend(self) -> None:
        """Mounts anew what was on the disk when it failed; what was in memory only is gone."""
        _run("umount", "--lazy", str(self.folder))  # what is still open there goes on failing
        self._mount()

    @property
    def written_bytes(self) -> int:
        """What has reached the disk since it was mounted, all of it: files and what keeps them."""
        found = self.folder.stat().st_dev
        stat = Path(f"/sys/dev/block/{os.major(found)}:{os.minor(found)}/stat")
        # See Documentation/block/stat.rst of Linux: the seventh is the sectors written.
        return int(stat.read_text().split()[6]) * _SECTOR_BYTES

    def close(self) -> None:
        """Unmounts it and removes its file."""
        _run("umount", "--lazy", str(self.folder))
        self._image.unlink()


@contextmanager
def new_disk(place: Path, *, megabytes: int = 16) -> Iterator[Disk]:
    """A Disk in the folder `place`, and its end."""
    disk = Disk(place, megabytes=megabytes)
    try:
        yield disk
    finally:
        disk.close()


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
