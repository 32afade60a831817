"""The folder of photographs of sorted items, which is kept below a number of bytes and an age.

Started as `python -m edge.samples.photograph_store FOLDER BYTES SECONDS`, it is the process that
writes there for a station; see `edge/runtime/child_process.py` for why that is one of its own.
"""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from edge.core.atomic import remove_leftovers
from edge.core.closing import Closing
from edge.core.errors import FileLockedError, StorageError
from edge.core.files import storage_errors, write_file
from edge.core.uuid7 import uuid7_seconds
from edge.samples.folder_lock import FolderLock

FREE_SHARE, FREE_BYTES = 0.05, 1_000_000_000
"""What photographs leave free of the disk, so that there is room for the ledger's rows, which
nothing can replace: this share of it, and of a large disk no more than these bytes, which are some
two million rows."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.jpg")


def photograph_file(item_id: str) -> str:
    """The file of an item's photograph, relative to the folder of photographs.

    Args:
        item_id: the id of the item's event, a UUID of version 7, which has the time of the item.

    Example:
        >>> photograph_file("019aa3d6-3c1b-7000-8000-000000000001")
        '2025-11-21/019aa3d6-3c1b-7000-8000-000000000001.jpg'
    """
    return f"{datetime.fromtimestamp(_taken(item_id), UTC):%Y-%m-%d}/{item_id}.jpg"


class Addition(NamedTuple):
    """A photograph to be added to the folder, or only a request to delete what is too old."""

    now: float
    """The present time in seconds since 1970."""
    time_is_right: bool
    """False: the machine's clock is known not to be kept right, so that no age can be told from it,
    and none is deleted for its age."""
    item_id: str = ""
    content: bytes = b""
    """The bytes of the JPEG; empty if nothing is to be added."""


class PhotographStore(Closing):
    """The photographs in a folder, which has one folder per day; other files are left alone.

    No other station may write there until it is closed.
    """

    def __init__(
        self, folder: Path, *, max_bytes: float, max_seconds: float, owner: int | None = None
    ) -> None:
        """Touches nothing yet.

        Args:
            owner: see `FolderLock`.
            max_bytes: how much all photographs may take together.
            max_seconds: how old each may become.
        """
        self._folder = folder
        self._max_bytes, self._max_seconds = max_bytes, max_seconds
        self._lock = FolderLock(folder, owner=owner)
        self._days: dict[str, int] | None = None
        """The bytes of the photographs of each day; None until the folder has been read."""
        self._oldest: deque[tuple[str, int]] = deque()
        """Names and bytes of the photographs of the oldest day, in the order of their times; empty:
        they have not been listed."""

    def add(self, addition: Addition) -> None:
        """Deletes the photographs that are too old or too many, and adds a photograph.

        Raises:
            StorageError: the folder cannot be written, or its disk has no room for photographs.
            FileLockedError: another station writes it; nothing is deleted or added.
        """
        size = len(addition.content)
        try:
            self._hold()
        except StorageError as error:
            if size or isinstance(error, FileLockedError):
                raise
            return  # it is said with the first photograph
        days = self._looked_at()
        if addition.time_is_right:
            self._delete_before(addition.now - self._max_seconds, days)
        while sum(days.values()) + size > self._max_bytes and self._delete_oldest(days):
            pass
        if not size:
            return
        if size > self._max_bytes:
            raise StorageError(
                f"a photograph has {size:,} bytes, more than `megabytes` of the section "
                "`photographs` allows for all of them: raise that"
            )
        name = photograph_file(addition.item_id)
        day, _, file = name.partition("/")
        path = self._folder / name
        with storage_errors("write", path):
            self._check_room(size)
            path.parent.mkdir(exist_ok=True)
        write_file(path, addition.content)
        if self._oldest and day == min(days):
            if file > self._oldest[-1][0]:
                self._oldest.append((file, size))
            else:
                self._oldest.clear()
        elif day < min(days, default=day):
            self._oldest.clear()
        days[day] = days.get(day, 0) + size

    def close(self) -> None:
        """Lets another station write the folder; may be called twice."""
        self._lock.close()

    def _hold(self) -> None:
        """Makes the folder, and keeps other stations out of it.

        Raises:
            StorageError: it cannot be made, or another station writes it.
        """
        with storage_errors("write", self._folder):
            self._folder.mkdir(exist_ok=True)  # but not the folder above, where a disk is mounted
            self._lock.hold()

    def _check_room(self, size: int) -> None:
        if room_left(self._folder) < size:
            free = kept_free(self._folder) / 1e6
            raise StorageError(
                f"the disk of {self._folder} is nearly full: no photograph is added where less "
                f"than {free:,.0f} MB of it would stay free for the ledger. Free some space"
            )

    def _looked_at(self) -> dict[str, int]:
        if self._days is None:
            with storage_errors("read", self._folder):
                self._days = _bytes_of_days(self._folder)
        return self._days

    def _delete_before(self, moment: float, days: dict[str, int]) -> None:
        """Deletes the photographs that were taken before `moment`, in seconds since 1970."""
        last_day = f"{datetime.fromtimestamp(max(0.0, moment), UTC):%Y-%m-%d}"
        while days and min(days) <= last_day:
            if self._oldest and _taken(self._oldest[0][0]) >= moment:
                return
            self._delete_oldest(days)

    def _delete_oldest(self, days: dict[str, int]) -> bool:
        """Lists the oldest day, or deletes its first photograph where it is listed already.

        Listing it may show that somebody has deleted enough of it. After the last photograph of a
        day its folder is deleted.

        Returns:
            False where no photograph is left.
        """
        if not days:
            return False
        day = min(days)
        folder = self._folder / day
        if not self._oldest:
            with storage_errors("read", folder):
                self._oldest.extend(sorted(_photographs(folder)))
            days[day] = sum(size for _, size in self._oldest)
        else:
            name, size = self._oldest[0]
            with storage_errors("delete", folder / name):
                (folder / name).unlink(missing_ok=True)
            self._oldest.popleft()
            days[day] -= size
        if not self._oldest:
            del days[day]
            remove_leftovers(folder)
            with suppress(OSError):  # somebody else's files are in it
                folder.rmdir()
        return True


def held_bytes(folder: Path) -> int:
    """The bytes of all photographs in a folder; 0 where it is not there.

    Raises:
        OSError: it cannot be read.
    """
    return sum(_bytes_of_days(folder).values())


def kept_free(folder: Path) -> float:
    """How many bytes photographs leave free of the disk that `folder` is on.

    Raises:
        OSError: the folder is not there, or its disk does not answer.
    """
    found = os.statvfs(folder)
    return min(FREE_BYTES, FREE_SHARE * found.f_blocks * found.f_frsize)


def room_left(folder: Path) -> float:
    """How many bytes photographs may still take of the disk that `folder` is on; may be negative.

    Raises:
        OSError: the folder is not there, or its disk does not answer.
    """
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize - kept_free(folder)


def _bytes_of_days(folder: Path) -> dict[str, int]:
    return {day: sum(size for _, size in _photographs(folder / day)) for day in _days(folder)}


def _taken(item_id: str) -> float:
    """When an item was seen, in seconds since 1970; `.jpg` may follow its id."""
    return uuid7_seconds(item_id.removesuffix(".jpg"))


def oldest_day(folder: Path) -> str | None:
    """The oldest day of which there are photographs, as the name of its folder, 2025-11-21; None:
    there are none."""
    return min(_days(folder), default=None)


def _days(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name
                for entry in entries
                if _DAY.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []


def _is_of(day: str, name: str) -> bool:
    """Whether `name` is that of a photograph of this day."""
    if not _NAME.fullmatch(name):
        return False
    try:
        return photograph_file(name.removesuffix(".jpg")) == f"{day}/{name}"
    except ValueError:  # a time after the year 9999
        return False


def _photographs(folder: Path) -> list[tuple[str, int]]:
    """The names and bytes of the photographs of a day, in no order.

    A file that this store would not have put there is somebody else's, whatever its name.
    """
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if _is_of(folder.name, entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # somebody deletes it at this moment
                    found.append((entry.name, entry.stat(follow_symlinks=False).st_size))
    return found


def main() -> None:
    """The process that writes: adds the photographs that the station sends, until it ends."""
    from edge.runtime.child_process import serve

    store = PhotographStore(
        Path(sys.argv[1]),
        max_bytes=float(sys.argv[2]),
        max_seconds=float(sys.argv[3]),
        owner=os.getppid(),
    )
    serve(store.add)


if __name__ == "__main__":
    main()
