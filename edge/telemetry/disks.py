"""Finds the disk that a folder is on, and whether it is the disk that was meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_TABLE = Path("/etc/fstab")
_FOR_DISKS = tuple(map(Path, ("/media", "/mnt", "/run/media")))
"""The folders in which other disks than the system's are mounted (Filesystem Hierarchy Standard
3.0)."""
_IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a path is on."""

    mount: Path
    """The folder at which it is mounted."""
    kind: str
    """Its type, such as ext4; empty if it is not known."""

    @property
    def in_memory(self) -> bool:
        """Whether it is in memory, and lost when the machine is switched off."""
        return self.kind in _IN_MEMORY


def disk_of(path: Path, *, mounts: Path = _MOUNTS) -> Disk:
    """The file system that `path` is on, or would be on if it existed.

    Args:
        path: an absolute path.
        mounts: the kernel's list of mounted file systems (proc_pid_mountinfo(5)).
    """
    kinds = {Path("/"): ""}
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:  # a system without /proc
        lines = []
    for line in lines:
        words = line.split()
        if "-" in words[5:-1]:
            kinds[Path(_plain(words[4]))] = words[words.index("-", 5) + 1]
    mount = next(each for each in (path, *path.parents) if each in kinds)
    return Disk(mount, kinds[mount])


def missing_disk(path: Path, *, mounts: Path = _MOUNTS, table: Path = _TABLE) -> Path | None:
    """The folder at which the disk for `path` should be mounted, but is not; None if it is.

    It is a mount point of `table` above `path`. It is also `/media`, `/mnt` or `/run/media`, if
    `path` is in one of them and yet on the system's own disk.

    Args:
        path: an absolute path.
        mounts: see `disk_of`.
        table: the list of file systems that are to be mounted (fstab(5)).
    """
    disk = disk_of(path, mounts=mounts)
    try:
        lines = table.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    entries = [words for line in lines if len(words := line.split("#")[0].split()) > 2]
    points = [Path(_plain(words[1])) for words in entries if words[1].startswith("/")]
    above = [point for point in points if point in (path, *path.parents)]
    deepest = max(above, key=lambda point: len(point.parts), default=Path("/"))
    if len(deepest.parts) > len(disk.mount.parts):
        return deepest
    system = Path("/")
    return next((x for x in _FOR_DISKS if x in path.parents and disk.mount == system), None)


def _plain(escaped: str) -> str:
    """A path from `mounts` or `table`, in which a space is written as `\\040`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), escaped)
