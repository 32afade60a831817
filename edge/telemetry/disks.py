"""Which disk a folder is on: of a Raspberry Pi's card, of a memory stick, or of none at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_TABLE = Path("/etc/fstab")
_FOR_DISKS = tuple(map(Path, ("/media", "/mnt", "/run/media")))
"""Where other disks than the system's own are mounted (Filesystem Hierarchy Standard 3.0)."""
_IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a path is on."""

    mount: Path
    """Where it is mounted."""
    kind: str
    """Its type, such as ext4; empty where that is not known."""

    @property
    def in_memory(self) -> bool:
        """Whether all that is on it is gone when the machine is switched off."""
        return self.kind in _IN_MEMORY


def disk_of(path: Path, *, mounts: Path = _MOUNTS) -> Disk:
    """The file system that the absolute `path` is on, or would be if it were there.

    Args:
        mounts: what the kernel tells of mounted file systems (proc_pid_mountinfo(5)).
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
    """Where the disk that `path` is meant for should be mounted, and is not; None: all is well.

    That is a mount point of `table` above `path`; or a folder for other disks (`/media`, `/mnt`)
    above it, where it is on the system's own disk all the same.

    Args:
        mounts: see `disk_of`.
        table: the file systems that are to be mounted (fstab(5)).
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
    """A path of the kernel's or the table's, in which spaces are written as `\\040`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), escaped)
