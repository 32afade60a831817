"""Arrays of one shape by their keys, with checksums, in a file that grows: what caches are made of.

Rows are read with `pread`, not mapped: the pages of a map would count as this process's memory, and
15,000 pictures at 224 pixels are 2.3 GB.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.closing import Closing
from edge.core.errors import StorageError
from edge.core.files import readable_size, storage_errors
from edge.core.processes.file_lock import release_lock, take_lock, try_lock
from trainer.data.cache_folder import LOCK

_log = logging.getLogger(__name__)

_VALUES, _INDEX = "values.bin", "index.sqlite"


class RowStore(Closing):
    """Rows of one shape and dtype, each under a key; a context manager.

    The values lie one after the other in one file; an SQLite file says which row is whose, with a
    checksum (CRC-32) over key and values together. So a row that rotted, or that lies where another
    should, does not pass for what it is not: `find` does not find it and says so, and whoever needs
    it computes it anew.

    Two processes may fill one store at a time: rows are only ever added, under a lock. A process
    that is killed leaves at worst a row that nobody owns, which is written over. While a store is
    open it is not dropped by `drop_oldest`.
    """

    def __init__(self, folder: Path, *, shape: Sequence[int], dtype: npt.DTypeLike) -> None:
        """Opens the store in `folder`, or makes an empty one.

        Args:
            shape: of a row.

        Raises:
            StorageError: the folder cannot be written, or what lies there is damaged and another
                process is using it.
        """
        self.folder = folder
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self._rows: dict[str, int] = {}
        self._checksums: dict[int, int] = {}
        self._keys: dict[int, str] = {}
        self._fitting: set[int] = set()
        """Rows whose checksum was compared since the store was opened."""
        self._lock = threading.RLock()
        self._next = 0
        with storage_errors("write", folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._in_use = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            take_lock(self._in_use, shared=True)
            # Its age is that of its last use.
            os.utime(folder)
            self._values = os.open(folder / _VALUES, os.O_RDWR | os.O_CREAT, 0o666)
        files = ExitStack()
        for descriptor in (self._values, self._in_use):
            files.callback(os.close, descriptor)
        self._finalizer = weakref.finalize(self, files.close)
        with self._opening():
            try:
                self._index = self._open_index()
                files.callback(self._index.close)
                self._read_index()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._begin_anew(error)
                files.callback(self._index.close)

    def close(self) -> None:
        """Releases the store, so that it may be removed; may be called twice."""
        self._finalizer()

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """The row number of each key, -1 where there is none.

        Each row is compared with its checksum the first time it is looked for. One that does not
        fit is as good as none: that is said, and it may be appended anew.

        Raises:
            StorageError: the disk cannot be read.
        """
        damaged = 0
        with self._lock:
            for key in keys:
                number = self._rows.get(key, -1)
                if number < 0 or number in self._fitting:
                    continue
                if self._fits(number, self._pread(number)):
                    self._fitting.add(number)
                else:
                    del self._rows[key]
                    damaged += 1
            numbers = np.array([self._rows.get(key, -1) for key in keys], np.int64)
        if damaged:
            _log.warning(
                f"{self.folder}: {damaged} saved results are damaged and are computed anew. If "
                "this comes again, look after the disk, or set PILAH_CACHE to another one"
            )
        return numbers

    def claim(self, count: int) -> None:
        """Makes room on the disk for `count` more rows.

        Raises:
            StorageError: there is not enough.
        """
        size = count * self._bytes
        if not size:
            return
        try:
            os.posix_fallocate(self._values, self._next * self._bytes, size)
        except OSError as error:
            with self._writing():
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
        with self._writing():
            there = self.find(keys) >= 0
            first = {key: i for i, key in reversed(list(enumerate(keys))) if not there[i]}
            new = sorted(first.values())
            if not new:
                return
            content = np.ascontiguousarray(rows[new], self.dtype).reshape(len(new), -1)
            found = [
                (number, keys[i], _checksum(keys[i], content[at].data))
                for at, (number, i) in enumerate(enumerate(new, start=self._next))
            ]
            try:
                _write_all(self._values, content.tobytes(), self._next * self._bytes)
                # The index promises a row, after a power cut too.
                os.fdatasync(self._values)
                # In place of a damaged one, where that is why it was computed anew.
                self._index.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", found)
                self._index.execute("COMMIT")
            except BaseException:
                self._cut()
                raise
            for row in found:
                self._remember(*row)
            self._fitting.update(number for number, _, _ in found)

    def read(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The rows of these numbers, (len(rows), *shape).

        Raises:
            IndexError: a number that no row has.
            StorageError: a row has been damaged since it was found.
        """
        result = np.empty((len(rows), *self.shape), self.dtype)
        flat = result.reshape(len(rows), -1).view(np.uint8)
        for at, row in enumerate(rows.tolist()):
            if row not in self._checksums:
                raise IndexError(f"{self.folder} has no row {row}: it has {self._next}")
            content = flat[at].data
            with storage_errors("read", self.folder):
                length = os.preadv(self._values, [content], row * self._bytes)
            if length != self._bytes or not self._fits(row, content):
                raise StorageError(
                    f"{self.folder}: a saved result was damaged while it was in use: run this "
                    "again, and it is computed anew. If this comes again, look after the disk"
                )
        return result

    def _fits(self, number: int, content: memoryview | bytes) -> bool:
        return _checksum(self._keys[number], content) == self._checksums[number]

    def _pread(self, number: int) -> bytes:
        with storage_errors("read", self.folder):
            return os.pread(self._values, self._bytes, number * self._bytes)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction, while all that other processes wrote is known; they wait meanwhile.

        Raises:
            StorageError: the disk is full, or the index is damaged.
        """
        with self._lock, self._errors("write"):
            self._index.execute("BEGIN IMMEDIATE")
            try:
                self._read_index()
                yield
            finally:
                if self._index.in_transaction:
                    self._index.execute("ROLLBACK")

    def _remember(self, number: int, key: str, checksum: int) -> None:
        self._rows[key] = number
        self._keys[number], self._checksums[number] = key, checksum
        self._next = max(self._next, number + 1)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Keeps other processes from opening the store: two cannot make one index at a time."""
        with self._errors("open"):
            take_lock(self._values)
            try:
                yield
            finally:
                release_lock(self._values)

    def _open_index(self) -> sqlite3.Connection:
        index = sqlite3.connect(
            self.folder / _INDEX, isolation_level=None, check_same_thread=False, timeout=600
        )
        try:
            index.execute("PRAGMA journal_mode=WAL")
            # A power cut may take the last rows from the index, never its wholeness.
            index.execute("PRAGMA synchronous=NORMAL")
            index.execute(
                "CREATE TABLE IF NOT EXISTS rows "
                "(number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL)"
            )
            (state,) = index.execute("PRAGMA integrity_check(1)").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(state)
        except BaseException:
            index.close()
            raise
        return index

    def _read_index(self) -> None:
        """Reads the new entries of the index.

        Raises:
            sqlite3.DatabaseError: the index is damaged.
        """
        # A number without a row behind it is one that rotted.
        end = os.fstat(self._values).st_size // self._bytes
        found = self._index.execute(
            "SELECT number, key, checksum FROM rows WHERE number >= ? AND number < ?",
            (self._next, end),
        )
        for number, key, checksum in found:
            if not (isinstance(number, int) and isinstance(key, str) and isinstance(checksum, int)):
                raise sqlite3.DatabaseError("a row of the index has values of another type")
            self._remember(number, key, checksum)

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """An empty store in place of one whose index is damaged.

        Raises:
            StorageError: another process is using it.
        """
        if not try_lock(self._in_use):
            raise StorageError(
                f"{self.folder}: its index is damaged ({error}), and another training is using "
                "it: run this again once that has ended"
            ) from error
        _log.warning(f"{self.folder}: its index is damaged ({error}): all in it is computed anew")
        self._rows.clear()
        self._keys.clear()
        self._checksums.clear()
        self._next = 0
        with storage_errors("write", self.folder):
            for file in self.folder.glob(f"{_INDEX}*"):
                file.unlink()
            os.ftruncate(self._values, 0)
            take_lock(self._in_use, shared=True)
        self._index = self._open_index()

    def _cut(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._values, self._next * self._bytes)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            with storage_errors(doing, self.folder):
                yield
        except sqlite3.DatabaseError as error:
            advice = "free some space" if "full" in str(error) else "remove it and run this again"
            raise StorageError(f"cannot {doing} {self.folder}: {error}: {advice}") from error


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
        """The rows at the positions `kept`, in that order."""
        return Rows(self._store, self._numbers[kept])

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        numbers = self._numbers[index]
        if np.ndim(numbers) == 0:
            return np.asarray(self._store.read(np.array([numbers]))[0])
        return self._store.read(numbers)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an index is not what was written, rather than a disk full, slow or unwilling."""
    # An error of our own and one of Python's, that a text is no UTF-8, have no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def _checksum(key: str, content: memoryview | bytes) -> int:
    return zlib.crc32(content, zlib.crc32(key.encode("utf-8", "surrogatepass")))


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
