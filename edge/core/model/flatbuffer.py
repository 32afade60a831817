"""Tables of a FlatBuffer that a stranger may have written, read without trusting one offset of it.

Code that is generated from a schema, Python's as well as C++'s, follows every offset wherever it
leads. Here each is checked to lie within the file, and aligned, before anything is read from it.
Source of the layout: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt


class FlatBufferError(ValueError):
    """An offset, a size or a count that no FlatBuffer of this kind can have."""


class Table:
    """One table: its fields are known by their number in the schema, from 0.

    A field that is not there has its default, as a schema without values of its own gives it: 0,
    None or empty.
    """

    def __init__(self, content: bytes, position: int) -> None:
        """Looks at the table that begins at byte `position` of `content`.

        Raises:
            FlatBufferError: there can be none.
        """
        self._content = content
        self._position = position
        vtable = position - int(_scalar(content, position, "<i"))
        size = int(_scalar(content, vtable, "<H"))
        self._size = int(_scalar(content, vtable + 2, "<H"))
        if size < 4 or size % 2 or self._size < 4:
            raise FlatBufferError(f"the table at byte {position} has impossible sizes")
        _check_within(content, vtable, size)
        _check_within(content, position, self._size)
        self._fields = struct.unpack_from(f"<{(size - 4) // 2}H", content, vtable + 4)

    def _at(self, field: int, size: int) -> int | None:
        """Where the `size` bytes of a field begin; None: it has its default."""
        offset = self._fields[field] if field < len(self._fields) else 0
        if not offset:
            return None
        if offset < 4 or offset + size > self._size:
            raise FlatBufferError(f"a field of the table at byte {self._position} is outside of it")
        return self._position + offset

    def has(self, field: int) -> bool:
        """Whether the file says anything of a field."""
        return field < len(self._fields) and self._fields[field] != 0

    def number(self, field: int, kind: str) -> int:
        """A whole number; `kind` is its letter in `struct`."""
        position = self._at(field, struct.calcsize(f"<{kind}"))
        return 0 if position is None else int(_scalar(self._content, position, f"<{kind}"))

    def real(self, field: int) -> float:
        """A float32."""
        position = self._at(field, 4)
        return 0.0 if position is None else float(_scalar(self._content, position, "<f"))

    def numbers(self, field: int, kind: str) -> npt.NDArray[Any]:
        """A vector of numbers; `kind` is their NumPy type, as `<i4`."""
        dtype = np.dtype(kind)
        start, count = self._vector(field, dtype.itemsize)
        return np.frombuffer(self._content, dtype, count, start) if count else np.empty(0, dtype)

    def text(self, field: int) -> str:
        """A string.

        Raises:
            FlatBufferError: it is none, or has a zero byte, at which C++ takes it to end.
        """
        start, count = self._vector(field, 1)
        raw = self._content[start : start + count]
        if count and self._content[start + count : start + count + 1] != b"\0":
            raise FlatBufferError(f"the string at byte {start} does not end")
        try:
            found = raw.decode()
        except UnicodeDecodeError as error:
            raise FlatBufferError(f"the string at byte {start} is not UTF-8") from error
        if "\0" in found:
            raise FlatBufferError(f"the string at byte {start} has a zero byte")
        return found

    def table(self, field: int) -> Table | None:
        """A table that a field leads to; None where it leads to none."""
        position = self._at(field, 4)
        return None if position is None else Table(self._content, self._target(position))

    def tables(self, field: int, *, most: int) -> list[Table]:
        """A vector of tables.

        Raises:
            FlatBufferError: it has more than `most`.
        """
        start, count = self._vector(field, 4)
        if count > most:
            raise FlatBufferError(f"a list of {count:,} parts, where {most:,} are the most")
        return [Table(self._content, self._target(at)) for at in range(start, start + 4 * count, 4)]

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        """Where the first part of a vector begins, and how many of `size` bytes it has."""
        position = self._at(field, 4)
        if position is None:
            return 0, 0
        vector = self._target(position)
        count = int(_scalar(self._content, vector, "<I"))
        _check_within(self._content, vector + 4, size * count)
        if count and (vector + 4) % min(size, 8):
            raise FlatBufferError(f"the list at byte {vector} is not aligned")
        return vector + 4, count

    def _target(self, position: int) -> int:
        offset = int(_scalar(self._content, position, "<I"))
        if offset == 0:
            raise FlatBufferError(f"an offset of 0 at byte {position}")
        return position + offset


def root_table(content: bytes, identifier: bytes) -> Table:
    """The table that a FlatBuffer begins with.

    Args:
        identifier: the four letters of its kind.

    Raises:
        FlatBufferError: it is none, or of another kind.
    """
    if content[4:8] != identifier:
        raise FlatBufferError(f"it is not marked as {identifier.decode()}")
    return Table(content, int(_scalar(content, 0, "<I")))


def _scalar(content: bytes, position: int, layout: str) -> Any:
    size = struct.calcsize(layout)
    _check_within(content, position, size)
    if position % size:  # a bus error on some processors
        raise FlatBufferError(f"the number at byte {position} is not aligned")
    return struct.unpack_from(layout, content, position)[0]


def _check_within(content: bytes, position: int, size: int) -> None:
    if position < 0 or position + size > len(content):
        raise FlatBufferError(
            f"it speaks of bytes {position:,} to {position + size:,}, and has {len(content):,}"
        )
