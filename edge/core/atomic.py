"""Temporary files and folders for atomic writes, and the removal of those that were left over.

A temporary file or folder lies beside its final path, so that a rename puts it there in one step.
The process that makes it holds a lock on it until the process ends. A temporary file that no
process has locked was left by a process that was killed: the next process that writes into the
same folder removes it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.core.processes.file_lock import try_lock

_MARK = ".pilah-"
_OLD = ".old"
_NAME = re.compile(rf"\.(?P<name>.+?)(?P<old>{re.escape(_OLD)})?{re.escape(_MARK)}[a-z0-9_]{{8}}")
_swept: set[Path] = set()
_alone = threading.Lock()


@contextmanager
def atomic_file(path: Path) -> Iterator[tuple[int, Path]]:
    """An open descriptor and the path of a new empty file, which the block renames to `path`.

    If the file still has its temporary name at the end of the block, it is removed.

    Raises:
        OSError: the file cannot be made.
    """
    remove_leftovers(path.parent)
    descriptor, temporary = _made(lambda: tempfile.mkstemp(dir=path.parent, prefix=_prefix(path)))
    try:
        yield descriptor, temporary
    finally:
        try:
            temporary.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A new empty folder beside `path`, which the block renames to `path`.

    If the folder still has its temporary name at the end of the block, it is removed.

    Raises:
        OSError: the folder cannot be made.
    """
    remove_leftovers(path.parent)
    with _folder(path.parent, _prefix(path)) as temporary:
        yield temporary


@contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """A new empty folder for intermediate files, which is removed at the end of the block.

    Args:
        place: the folder to make it in; None means the temporary folder of this machine.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = Path(tempfile.gettempdir()) if place is None else place
    remove_leftovers(folder)
    with _folder(folder, f".scratch{_MARK}") as scratch:
        yield scratch


def swap_folders(temporary: Path, path: Path) -> None:
    """Replaces the folder `path` by the folder `temporary`, and removes the old folder.

    If the process is killed between the two renames, `remove_leftovers` puts the old folder back.

    Raises:
        OSError: the folders cannot be renamed; `path` is unchanged.
    """
    with _folder(path.parent, f".{path.name}{_OLD}{_MARK}") as old:
        path.replace(old / path.name)
        try:
            temporary.replace(path)
        except BaseException:
            (old / path.name).replace(path)
            raise


def remove_leftovers(folder: Path) -> None:
    """Removes temporary files that killed processes left in `folder`; acts once per process."""
    with _alone:
        if folder in _swept:
            return
        _swept.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _NAME.fullmatch(entry.name)
            if found is not None:
                _remove_left(Path(entry.path), found["name"] if found["old"] else None)


def _remove_left(left: Path, replaced: str | None) -> None:
    """Removes the temporary file or folder `left` if no process has locked it.

    Args:
        replaced: the name of the folder whose old version lies in `left`; None if there is none.
    """
    with suppress(OSError):
        if left.lstat().st_uid != os.geteuid():
            return
        descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if not try_lock(descriptor):
                return
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                left.unlink(missing_ok=True)
                return
            if replaced is not None and not os.path.lexists(left.parent / replaced):
                (left / replaced).replace(left.parent / replaced)
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(descriptor)


@contextmanager
def _folder(place: Path, prefix: str) -> Iterator[Path]:
    def make() -> tuple[int, str]:
        name = tempfile.mkdtemp(dir=place, prefix=prefix)
        try:
            return os.open(name, os.O_RDONLY), name
        except FileNotFoundError:  # another process removed it before it was locked
            return make()

    descriptor, folder = _made(make)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _made(make: Callable[[], tuple[int, str]]) -> tuple[int, Path]:
    """The descriptor and the path that `make` returned, locked for this process."""
    while True:
        descriptor, name = make()
        try:
            is_ours = try_lock(descriptor)
        except OSError:  # on a file system without locks, nothing is ever removed as left over
            return descriptor, Path(name)
        if is_ours and os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # another process has locked it in order to remove it


def _prefix(path: Path) -> str:
    return f".{path.name}{_MARK}"
