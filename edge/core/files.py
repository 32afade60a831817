"""Files and folders that are either whole or not there, by a temporary file and a rename."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from edge.core.atomic import atomic_file, atomic_folder, remove_leftovers, swap_folders
from edge.core.errors import PilahError, StorageError


@contextmanager
def storage_errors(doing: str, path: Path) -> Iterator[None]:
    """Turns an OSError on `path` into a StorageError that says what to do.

    Args:
        doing: what was attempted, as a verb phrase: "write", "create the folder".
    """
    try:
        yield
    except PilahError:  # has its own message, and may be an OSError as well
        raise
    except OSError as error:
        advice = {
            errno.ENOSPC: "the disk is full: free some space and run it again",
            errno.EDQUOT: "the disk quota is used up: free some space and run it again",
            errno.EACCES: "permission denied: choose another place or change its owner",
            errno.EPERM: "not permitted: choose another place or change its owner",
            errno.EROFS: "the file system is read-only: choose another place",
            errno.ENOENT: "a folder of that path does not exist",
            errno.ENOTDIR: "a part of that path is a file, not a folder",
            errno.EEXIST: "it is there already: choose another name or remove it",
            errno.ENOTEMPTY: "something came to that place meanwhile: choose another name",
        }.get(error.errno or 0, error.strerror or str(error))
        raise StorageError(f"cannot {doing} {path}: {advice}") from error


def read_regular(path: Path, *, largest: int) -> bytes:
    """The content of the file `path`. Never waits, as reading a pipe or a terminal would.

    Args:
        largest: bytes it may have.

    Raises:
        OSError: it is not there, is no regular file, is larger, or cannot be read. `strerror` says
            which, and `filename` is set.
    """
    check_regular(path)  # before it is opened: that alone can move a device
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(path, os.fstat(descriptor).st_mode)
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest:,} bytes", str(path))
    return content


def check_regular(path: Path) -> None:
    """Passes a file that a library may open, which would wait for ever for a pipe's writer.

    Raises:
        OSError: it is not there, or is no regular file. `strerror` says which, and `filename` is
            set.
    """
    _check_regular(path, path.stat().st_mode)


_MISTAKES = (
    errno.EFBIG, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT,
    errno.ENOTDIR,
)  # fmt: skip
"""Errors that stay until somebody gives another path, or puts something else there."""


def may_come_back(path: Path, error: BaseException | None) -> bool:
    """Whether what could not be read at `path` may be there the next time, with nobody's help.

    It may after a failing card or a missing permission. What is simply not there is a mistake, but
    for a link that leads nowhere, a folder that is missing, and one with nothing in it, as that of
    a disk is which is not mounted.

    Args:
        error: the OSError that reading it ended with; something else: it is not there.
    """
    if isinstance(error, OSError) and error.errno is not None and error.errno not in _MISTAKES:
        return True
    if isinstance(error, OSError) and error.errno not in (errno.ENOENT, None):
        return False
    try:
        if path.exists():
            return path.is_dir() and not any(path.iterdir())
        return path.is_symlink() or not path.parent.is_dir() or not any(path.parent.iterdir())
    except OSError:
        return True


def _check_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = {
            stat.S_IFDIR: "a folder",
            stat.S_IFIFO: "a pipe",
            stat.S_IFSOCK: "a socket",
            stat.S_IFCHR: "a device",
            stat.S_IFBLK: "a device",
        }.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))


def write_file(
    path: Path, content: bytes | str, *, replace: bool = True, mode: int | None = None
) -> None:
    """Replaces `path` by `content` in one step; text is written as UTF-8.

    Args:
        replace: take the place of a file that is there already.
        mode: permissions of the file; None: those that any other new file has.

    Raises:
        StorageError: the disk is full, the place cannot be written, or `path` is there and
            `replace` is off. `path` is as it was.
    """
    raw = content.encode() if isinstance(content, str) else content
    with new_file(path, replace=replace, mode=mode) as file:
        file.write(raw)


@contextmanager
def new_file(path: Path, *, replace: bool = True, mode: int | None = None) -> Iterator[BinaryIO]:
    """A file to write, which becomes `path` when the block ends well and vanishes when not.

    Its attribute `name` is the path that it has until then.

    Args:
        replace, mode: see `write_file`.

    Raises:
        StorageError: see `write_file`. Other errors of the block pass through.
    """
    with storage_errors("write", path), atomic_file(path) as (descriptor, temporary):
        with temporary.open("wb") as file:
            yield file
        os.fsync(descriptor)
        temporary.chmod(0o666 & ~_umask() if mode is None else mode)
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)  # unlike a rename, it fails where there is something
        _sync_folder(path.parent)


def readable_size(count: int) -> str:
    """A number of bytes, for people.

    >>> readable_size(900), readable_size(2_345_678), readable_size(40_000)
    ('900 bytes', '2.3 MB', '40.0 kB')
    """
    if count < 1000:
        return f"{count} bytes"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95 or unit == "GB":
            break
    return f"{size:,.1f} {unit}"


def point_link(link: Path, target: str) -> None:
    """Makes `link` a symbolic link to `target` in one step, in place of the link it may be.

    Not to be called twice at the same time for the same link.

    Raises:
        StorageError: the place cannot be written. `link` is as it was.
    """
    temporary = link.with_name(f".{link.name}.new")
    with storage_errors("write", link):
        temporary.unlink(missing_ok=True)  # of a process that was killed here
        temporary.symlink_to(target)
        temporary.replace(link)
        _sync_folder(link.parent)


@contextmanager
def new_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to fill, which becomes `path` when the block ends well and vanishes when not.

    Args:
        replace: take the place of a folder that is there already; it is kept until then.

    Raises:
        StorageError: `path` exists and `replace` is off, or writing failed. Other errors of the
            block pass through.
    """
    with storage_errors("create", path):
        path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)  # which may put `path` back
    if path.exists() and not replace:
        raise StorageError(f"{path} is there already: choose another name or remove it")
    with ExitStack() as parts:
        with storage_errors("create", path):
            temporary = parts.enter_context(atomic_folder(path))
        try:
            yield temporary
        except Exception as error:
            # Libraries that write (HDF5, shutil, TensorFlow) hide a full disk in errors of their
            # own, without its number; any other error names its own file.
            if isinstance(error, PilahError) or not _is_of_a_full_disk(error, temporary):
                raise
            with storage_errors("write", path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        with storage_errors("write", path):
            for entry in (*temporary.rglob("*"), temporary):  # a folder, too: for the names in it
                if entry.is_file() or entry.is_dir():
                    _sync(entry)
            temporary.chmod(0o777 & ~_umask())
            if replace and path.exists():
                swap_folders(temporary, path)
            else:
                temporary.replace(path)
            _sync_folder(path.parent)


def disk_is_full(path: Path) -> bool:
    """Whether the file system of `path` has room for next to nothing: under a mebibyte, or no file.

    To be asked after a library failed to write and said no reason. A quota does not show here.
    """
    try:
        found = os.statvfs(path)
    except OSError:
        return False
    no_files = found.f_files > 0 and found.f_favail == 0
    return no_files or found.f_bavail * found.f_frsize < 2**20


def _is_of_a_full_disk(error: Exception, path: Path) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return disk_is_full(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_sync_folder = _sync
