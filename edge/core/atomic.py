"""Files and folders in the making, which a process that was killed leaves behind, and their end.

They lie beside what they will become, so that a rename makes them that. Whoever makes one holds a
lock on it, which ends with the process: what nobody holds is left over, and the next process that
writes into the same folder removes it.
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
    """An open descriptor and the path of a new empty file, to become `path` within the block.

    What is left of it at the end is removed.

    Raises:
        OSError: it cannot be made.
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
    """A new empty folder beside `path`, to become `path` within the block.

    What is left of it at the end is removed.

    Raises:
        OSError: it cannot be made.
    """
    remove_leftovers(path.parent)
    with _folder(path.parent, _prefix(path)) as temporary:
        yield temporary


@contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """A new empty folder for files in between, gone at the end of the block.

    Args:
        place: where it lies; None: where this machine's temporary files do.

    Raises:
        OSError: it cannot be made.
    """
    folder = Path(tempfile.gettempdir()) if place is None else place
    remove_leftovers(folder)
    with _folder(folder, f".scratch{_MARK}") as scratch:
        yield scratch


def swap_folders(temporary: Path, path: Path) -> None:
    """Makes the folder `temporary` take the place of the folder `path`, which is then removed.

    Where the process is killed in between, `remove_leftovers` puts the old one back.

    Raises:
        OSError: it cannot; `path` is as it was.
    """
    with _folder(path.parent, f".{path.name}{_OLD}{_MARK}") as old:
        path.replace(old / path.name)
        try:
            temporary.replace(path)
        except BaseException:
            (old / path.name).replace(path)
            raise


def remove_leftovers(folder: Path) -> None:
    """Removes what killed processes left in the making in `folder`; once for each process."""
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
    """Removes `left` if no process holds it.

    Args:
        replaced: the name of the folder that it holds the old version of, if it does.
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
        except FileNotFoundError:  # another process took it for left over
            return make()

    descriptor, folder = _made(make)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _made(make: Callable[[], tuple[int, str]]) -> tuple[int, Path]:
    """What `make` has made, with a lock on it."""
    while True:
        descriptor, name = make()
        try:
            is_ours = try_lock(descriptor)
        except OSError:  # a file system without locks, where nothing is taken for left over
            return descriptor, Path(name)
        if is_ours and os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # another process takes it for left over, and removes it


def _prefix(path: Path) -> str:
    return f".{path.name}{_MARK}"
