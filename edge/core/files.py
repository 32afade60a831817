"""Atomic writes: a file or folder is complete or not there, by a temporary file and a rename."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from edge.core.atomic import atomic_file, atomic_folder, remove_leftovers, swap_folders
from edge.core.errors import PilahError, StorageError
from edge.core.terminal.wording import number_of

_OPEN_FILE = re.compile(r"/dev/(std(in|out|err)|fd/\d+)|/proc/(self|\d+)/fd/\d+")
"""Paths that stand for a file which is open already, such as /dev/stdout."""


@contextmanager
def storage_errors(doing: str, path: Path) -> Iterator[None]:
    """Turns an OSError on `path` into a StorageError that says what to do.

    Args:
        doing: the action that failed, as a verb phrase: "write", "create the folder".
    """
    try:
        yield
    except PilahError:  # it has its own message, and may be an OSError as well
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
            errno.ENOTEMPTY: "another process wrote there in the meantime: choose another name",
        }.get(error.errno or 0, error.strerror or str(error))
        if error.errno == errno.EEXIST and error.filename and Path(error.filename) in path.parents:
            advice = f"{error.filename} is a file, not a folder"
        raise StorageError(f"cannot {doing} {path}: {advice}") from error


def read_regular(path: Path, *, largest: int) -> bytes:
    """The content of the regular file `path`; never waits, as reading a pipe would.

    Args:
        largest: the number of bytes that the file may have.

    Raises:
        OSError: the file is missing, is not a regular file, is larger, or cannot be read.
            `strerror` says which, and `filename` is set.
    """
    check_regular(path)  # before it is opened, because opening alone can act on a device
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(path, os.fstat(descriptor).st_mode)
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest:,} bytes", str(path))
    return content


def check_regular(path: Path) -> None:
    """Checks that `path` is a regular file, because opening a pipe could wait for ever.

    Raises:
        OSError: the file is missing, or is not a regular file. `strerror` says which, and
            `filename` is set.
    """
    _check_regular(path, path.stat().st_mode)


_MISTAKES = (
    errno.EFBIG, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT,
    errno.ENOTDIR,
)  # fmt: skip
"""Errors that remain until a person gives another path or changes what is there."""


def may_come_back(path: Path, error: BaseException | None) -> bool:
    """Whether a file that could not be read may be readable the next time without a change.

    That is so after a failing card or a missing permission. A missing file is a mistake of the
    user, unless the path is a broken link, or its folder is missing or empty: then the disk may
    not be mounted yet.

    Args:
        error: the OSError that reading ended with; anything else means that the file is missing.
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
    """Writes `content` to `path` atomically; text is written as UTF-8.

    Args:
        replace: whether an existing file is replaced.
        mode: the permissions of the file; None means those of any new file.

    Raises:
        StorageError: the disk is full, the folder cannot be written, or `path` exists and
            `replace` is False. `path` is unchanged.
    """
    raw = content.encode() if isinstance(content, str) else content
    with new_file(path, replace=replace, mode=mode) as file:
        file.write(raw)


def check_place(path: Path) -> None:
    """Checks that a file can be written at `path`, before work is done that would be lost.

    Raises:
        StorageError: it cannot.
    """
    with storage_errors("write", path):
        folder = path.parent
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file")
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "", str(folder))
        if not (_takes_no_replacement(path) or os.access(folder, os.W_OK | os.X_OK)):
            code = errno.EROFS if is_read_only(folder) else errno.EACCES
            raise OSError(code, "", str(folder))


def is_read_only(folder: Path) -> bool:
    """Whether the file system of a folder is mounted read-only, as one becomes whose disk fails.

    Raises:
        OSError: it cannot be asked.
    """
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _takes_no_replacement(path: Path) -> bool:
    """Whether `path` is a device, a pipe or a socket, or stands for a file that is open."""
    if _OPEN_FILE.fullmatch(str(path)):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def new_file(path: Path, *, replace: bool = True, mode: int | None = None) -> Iterator[BinaryIO]:
    """A file to write, which becomes `path` when the block ends well and vanishes when not.

    Its attribute `name` is the path that it has until then. A device or a pipe, such as /dev/null
    or /dev/stdout, is never replaced: the content is written into it when the block ends well.

    Args:
        replace, mode: see `write_file`.

    Raises:
        StorageError: see `write_file`. Other errors of the block pass through.
    """
    if replace and _takes_no_replacement(path):
        with storage_errors("write", path), tempfile.NamedTemporaryFile("w+b") as spool:
            yield cast(BinaryIO, spool)
            spool.seek(0)
            with path.open("wb") as target:
                shutil.copyfileobj(spool, target)
        return
    with storage_errors("write", path), atomic_file(path) as (descriptor, temporary):
        with temporary.open("wb") as file:
            yield file
        os.fsync(descriptor)
        temporary.chmod(0o666 & ~_umask() if mode is None else mode)
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)  # unlike a rename, this fails if the path exists
        _sync_folder(path.parent)


def readable_size(count: int) -> str:
    """A number of bytes as text for people.

    >>> readable_size(900), readable_size(2_345_678), readable_size(40_000)
    ('900 bytes', '2.3 MB', '40.0 kB')
    """
    if count < 1000:
        return number_of(count, "bytes")
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95 or unit == "GB":
            break
    return f"{size:,.1f} {unit}"


def point_link(link: Path, target: str) -> None:
    """Makes `link` a symbolic link to `target` in one step, replacing an existing link.

    Two calls for the same link must not run at the same time.

    Raises:
        StorageError: the folder cannot be written. `link` is unchanged.
    """
    temporary = link.with_name(f".{link.name}.new")
    with storage_errors("write", link):
        temporary.unlink(missing_ok=True)  # left by a process that was killed here
        temporary.symlink_to(target)
        temporary.replace(link)
        _sync_folder(link.parent)


@contextmanager
def new_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to fill, which becomes `path` at the end of the block, or is removed on an error.

    Args:
        replace: whether an existing folder is replaced; it stays until the new one is complete.

    Raises:
        StorageError: `path` exists and `replace` is False, or writing failed. Other errors of the
            block pass through.
    """
    with storage_errors("create", path):
        path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)  # which may restore `path`
    if path.exists() and not replace:
        raise StorageError(f"{path} is there already: choose another name or remove it")
    with ExitStack() as parts:
        with storage_errors("create", path):
            temporary = parts.enter_context(atomic_folder(path))
        try:
            yield temporary
        except Exception as error:
            # Libraries that write (HDF5, shutil, TensorFlow) report a full disk by errors of their
            # own, without the errno; any other error names its own file.
            if isinstance(error, PilahError) or not _is_of_a_full_disk(error, temporary):
                raise
            with storage_errors("write", path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        with storage_errors("write", path):
            for entry in (*temporary.rglob("*"), temporary):  # folders too, for the names in them
                if entry.is_file() or entry.is_dir():
                    _sync(entry)
            temporary.chmod(0o777 & ~_umask())
            if replace and path.exists():
                swap_folders(temporary, path)
            else:
                temporary.replace(path)
            _sync_folder(path.parent)


def disk_is_full(path: Path) -> bool:
    """Whether the file system of `path` has less than a mebibyte left, or no room for a new file.

    Ask this after a library failed to write and gave no reason. It does not show a full quota.
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
