"""Arrays of one shape by their keys, in a file that only grows: what caches are made of.

Rows are read with `pread`, not mapped: the pages of a map would count as this process's memory, and
15,000 pictures at 224 pixels are 2.3 GB.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edge.errors import StorageError
from edge.files import readable_size, storage_errors

DEFAULT_GIGABYTES = 20.0
"""What all stores may take together, unless PILAH_CACHE_GB says otherwise."""

_VALUES, _KEYS, _LOCK = "values.bin", "keys.txt", "lock"


def cache_folder() -> Path:
    """Where caches lie: PILAH_CACHE, else `pilah` in XDG_CACHE_HOME or `~/.cache`."""
    if chosen := os.environ.get("PILAH_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pilah"


def cache_limit() -> int:
    """Bytes that all stores may take together.

    Raises:
        StorageError: PILAH_CACHE_GB is not a number above 0.
    """
    text = os.environ.get("PILAH_CACHE_GB") or str(DEFAULT_GIGABYTES)
    with suppress(ValueError):
        if (gigabytes := float(text)) > 0:
            return int(gigabytes * 1e9)
    raise StorageError(f"PILAH_CACHE_GB must be a number above 0. Received: {text!r}")


class RowStore:
    """Rows of one shape and dtype, each under a key; a context manager.

    Two processes may fill one store at a time: rows are only ever added, under a lock. A process
    that is killed leaves at worst a row without its key, which is written over. While a store is
    open it is not dropped by `drop_oldest`.
    """

    def __init__(
        self, folder: Path, *, shape: Sequence[int], dtype: npt.DTypeLike, key_length: int = 64
    ) -> None:
        """Opens the store in `folder`, or makes an empty one.

        Args:
            shape: of a row.
            key_length: characters of a key, the same for all.

        Raises:
            StorageError: the folder cannot be written.
        """
        self.folder = folder
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self._line = key_length + 1
        self._rows: dict[str, int] = {}
        self._writing = threading.Lock()
        with storage_errors("write", folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            # Its age is that of its last use.
            os.utime(folder)
            self._values = os.open(folder / _VALUES, os.O_RDWR | os.O_CREAT, 0o666)
            self._keys = os.open(folder / _KEYS, os.O_RDWR | os.O_CREAT, 0o666)
        self._finalizer = weakref.finalize(self, _close_all, (self._values, self._keys, self._lock))
        self._read_keys()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets it be dropped; may be called twice, and happens when nobody has the store."""
        self._finalizer()

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """The row number of each key, -1 where there is none."""
        return np.array([self._rows.get(key, -1) for key in keys], np.int64)

    def claim(self, count: int) -> None:
        """Makes room on the disk for `count` more rows.

        Raises:
            StorageError: there is not enough.
        """
        size = count * self._bytes
        if not size:
            return
        try:
            os.posix_fallocate(self._values, len(self._rows) * self._bytes, size)
        except OSError as error:
            self._cut()
            raise StorageError(
                f"{self.folder}: what is to be saved needs {readable_size(size)}: free some space, "
                "set PILAH_CACHE to a larger disk, or use fewer copies with --set augment.copies=1"
            ) from error

    def append(self, keys: Sequence[str], rows: npt.NDArray[Any]) -> None:
        """Adds a row for each key; keys that are there already keep theirs.

        Args:
            rows: (keys, *shape).

        Raises:
            StorageError: the disk is full. What was there before is still there.
        """
        with self._writing, self._alone():
            self._read_keys()  # another process may have added some
            first = {key: i for i, key in reversed(list(enumerate(keys))) if key not in self._rows}
            new = sorted(first.values())
            if not new:
                return
            content = np.ascontiguousarray(rows[new], self.dtype).tobytes()
            lines = "".join(f"{keys[i]}\n" for i in new).encode("ascii")
            count = len(self._rows)
            try:
                with storage_errors("write", self.folder):
                    _write_all(self._values, content, count * self._bytes)
                    # A key promises a row, after a power cut too.
                    os.fdatasync(self._values)
                    _write_all(self._keys, lines, count * self._line)
            except StorageError:
                self._cut()
                raise
            self._rows.update({keys[i]: count + at for at, i in enumerate(new)})

    def read(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The rows of these numbers, (len(rows), *shape).

        Raises:
            IndexError: a number that no row has.
            StorageError: the file was cut short by somebody else.
        """
        result = np.empty((len(rows), *self.shape), self.dtype)
        flat = result.reshape(len(rows), -1).view(np.uint8)
        for at, row in enumerate(rows):
            if not 0 <= row < len(self._rows):
                raise IndexError(f"{self.folder} has no row {row}: it has {len(self._rows)}")
            if os.preadv(self._values, [flat[at].data], int(row) * self._bytes) != self._bytes:
                raise StorageError(f"{self.folder}: cut short: delete it and run this again")
        return result

    def _read_keys(self) -> None:
        size = os.fstat(self._keys).st_size // self._line
        size = min(size, os.fstat(self._values).st_size // self._bytes)
        if size > len(self._rows):
            start = len(self._rows)
            with storage_errors("read", self.folder):
                raw = os.pread(self._keys, (size - start) * self._line, start * self._line)
            for at, key in enumerate(raw.decode("ascii", "replace").split("\n")[:-1]):
                self._rows.setdefault(key, start + at)

    def _cut(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._values, len(self._rows) * self._bytes)
            os.ftruncate(self._keys, len(self._rows) * self._line)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._keys, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._keys, fcntl.LOCK_UN)


class Rows:
    """Some rows of a store, in an order: reads like an array along its first axis.

    `rows[i]` and `rows[indices]` read from disk. `len`, `shape` and `dtype` are those of an array.
    """

    def __init__(self, store: RowStore, numbers: npt.NDArray[np.int64]) -> None:
        self._store, self._numbers = store, numbers
        self.shape = (len(numbers), *store.shape)
        self.dtype = store.dtype

    def __len__(self) -> int:
        return len(self._numbers)

    def only(self, kept: npt.NDArray[np.int64]) -> Rows:
        """Those of these positions, in that order."""
        return Rows(self._store, self._numbers[kept])

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        numbers = self._numbers[index]
        if np.ndim(numbers) == 0:
            return np.asarray(self._store.read(np.array([numbers]))[0])
        return self._store.read(numbers)


def drop_oldest(folder: Path, limit: int) -> None:
    """Removes the longest unused stores below `folder` until the rest takes at most `limit` bytes.

    Stores that a process has open stay.
    """
    stores = sorted(
        (file.parent for file in folder.rglob(_LOCK) if file.is_file()),
        key=lambda path: path.stat().st_mtime,
    )
    sizes = {path: sum(f.stat().st_blocks * 512 for f in path.iterdir()) for path in stores}
    total = sum(sizes.values())
    for path in stores:
        if total <= limit:
            return
        descriptor = os.open(path / _LOCK, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
            total -= sizes[path]
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
