"""The spill: a file on another disk, where rows wait while the ledger cannot be written.

A file of one line a row, checksum and JSON, so that what a killed process left can be told from
half a line. It is as safe as its place: memory (`/run`, `/dev/shm`) outlives the process, and a
power cut takes it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import stat
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from edge.core.errors import StorageError
from edge.core.files import storage_errors
from edge.events import Event, ItemSorted, kind_of
from edge.ledger.rows import read_event
from edge.runtime.memory_folder import MEMORY, memory_name, service_folder

_log = logging.getLogger(__name__)

LIMIT = 32 * 2**20
"""Bytes that a spill may have: about 50,000 rows."""

_CHUNK = 128 * 2**10
"""Bytes that are read at once."""
_ITEM = b'{"kind": "item"'


def default_spill(
    station: str, ledger: Path, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """Where a station's rows wait when its file does not say: in memory; None: no place."""
    folder = service_folder(environment) or MEMORY
    if not os.access(folder, os.W_OK | os.X_OK):
        return None
    return folder / f"{memory_name(station, ledger)}.spill"


class Chunk(NamedTuple):
    """Some rows of a spill, in order."""

    rows: list[Event]
    damaged: int
    """The number of lines that hold no row, because a process was killed or a disk failed."""
    end: int
    """The offset of what follows."""


class Spill:
    """An open spill, held by this process alone.

    Attributes:
        size: bytes in it.
        items: items whose rows are in it.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        """Opens the file `path`, making it where it is not there; what is in it stays.

        Raises:
            StorageError: it cannot be opened, another process holds it, or it is no file of this
                user.
        """
        self.path, self._limit = path, limit
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with storage_errors("open the spill", path):
            self._file = os.open(path, flags, 0o600)
            try:
                found = os.fstat(self._file)
                # Anybody may put a file into /dev/shm.
                if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                    raise StorageError(f"cannot use the spill {path}: it is no file of this user")
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.size = found.st_size
                self.items = self._end_last_line()
            except BlockingIOError as error:
                os.close(self._file)
                raise StorageError(
                    f"cannot use the spill {path}: another process holds it"
                ) from error
            except BaseException:
                os.close(self._file)
                raise

    def append(self, rows: Sequence[Event]) -> None:
        """Adds `rows` at the end, all of them or none.

        Raises:
            StorageError: there is no room, or the file cannot be written.
        """
        raw = b"".join(_line(row) for row in rows)
        if self.size + len(raw) > self._limit:
            raise StorageError(f"the spill {self.path} has its {self._limit:,} bytes: it is full")
        with storage_errors("write", self.path):
            try:
                written = 0
                while written < len(raw):
                    written += os.write(self._file, raw[written:])
                os.fdatasync(self._file)
            except OSError:
                with suppress(OSError):  # the first error is the one to tell
                    os.ftruncate(self._file, self.size)
                raise
        self.size += len(raw)
        self.items += sum(isinstance(row, ItemSorted) for row in rows)

    def read(self, offset: int) -> Chunk:
        """Rows from `offset` on, 0 or an earlier `Chunk.end`; none: that is the end.

        Raises:
            StorageError: the file cannot be read.
        """
        raw, whole = b"", 0
        with storage_errors("read", self.path):
            while whole == 0 and offset + len(raw) < self.size:
                if not (more := os.pread(self._file, _CHUNK, offset + len(raw))):
                    raise StorageError(f"cannot read {self.path}: somebody shortened it")
                raw += more
                whole = raw.rfind(b"\n") + 1
        found = [_row(line) for line in raw[:whole].split(b"\n") if line]
        rows = [row for row in found if row is not None]
        return Chunk(rows, len(found) - len(rows), offset + whole)

    def clear(self) -> None:
        """Empties the spill; more rows may be added later.

        Raises:
            StorageError: the file cannot be written.
        """
        with storage_errors("write", self.path):
            os.ftruncate(self._file, 0)
        self.size = self.items = 0

    def _end_last_line(self) -> int:
        """Ends the half line that a killed process left; counts the items."""
        last, items, offset, begun = b"\n", 0, 0, b""
        while raw := os.pread(self._file, _CHUNK, offset):
            items += (begun + raw).count(_ITEM)
            begun = raw[1 - len(_ITEM) :]  # one may lie across
            last, offset = raw[-1:], offset + len(raw)
        if last != b"\n":
            self.size += os.write(self._file, b"\n")
        return items

    def close(self) -> None:
        """Closes the file, and removes it where nothing is in it; may be called twice."""
        if self._file < 0:
            return
        if self.size == 0:
            with suppress(OSError):  # a folder that cannot be written: an empty file stays
                self.path.unlink()
        os.close(self._file)
        self._file = -1


class Backlog:
    """A spill that is read into the ledger, in order, while more is added at its end.

    It knows how far the reading has come. Used by one thread.
    """

    def __init__(self, spill: Spill) -> None:
        """Begins with what is in `spill`, which the backlog closes."""
        self._spill = spill
        self._read = self._items_read = 0
        """How many bytes of the spill, and how many items in them, are in the ledger."""

    @property
    def path(self) -> Path:
        """The spill's file."""
        return self._spill.path

    @property
    def items(self) -> int:
        """The number of items whose rows are in the spill and not yet known to be in the ledger."""
        return self._spill.items - self._items_read

    @property
    def waits(self) -> bool:
        """Whether there are rows that are not known to be in the ledger."""
        return self._read < self._spill.size

    def append(self, rows: Sequence[Event]) -> None:
        """Adds `rows` at the end of the spill, all of them or none.

        Raises:
            StorageError: there is no room, or the file cannot be written.
        """
        self._spill.append(rows)

    def next(self) -> Chunk:
        """The first rows that are not known to be in the ledger.

        Raises:
            StorageError: the file cannot be read.
        """
        return self._spill.read(self._read)

    def written(self, chunk: Chunk) -> None:
        """Notes that the rows of `chunk` are in the ledger; empties the spill after the last."""
        self._read = chunk.end
        self._items_read += sum(isinstance(row, ItemSorted) for row in chunk.rows)
        if not self.waits:
            self.clear()

    def clear(self) -> None:
        """Empties the spill; logs a warning if that fails."""
        try:
            self._spill.clear()
        except StorageError as error:  # adding them twice does no harm
            _log.warning(f"warning: {error}. The next start adds the same rows again")
            self._read = self._spill.size
            return
        self._read = self._items_read = 0

    def close(self) -> None:
        """Closes the spill; may be called twice."""
        self._spill.close()


def spilled_rows(path: Path) -> int:
    """How many rows a spill holds; 0 where there is none. The file is only read.

    Raises:
        StorageError: it cannot be read.
    """
    with storage_errors("read", path):
        try:
            return path.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0


def _line(row: Event) -> bytes:
    text = json.dumps({"kind": kind_of(row), **asdict(row)}).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _row(line: bytes) -> Event | None:
    """The event of a line; None: it is not whole, or of a kind that only a newer pilah knows."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    found = json.loads(text)
    return read_event(found["kind"], found)
