"""A reader for the tables of an untrusted FlatBuffer, which checks every offset.

Code that is generated from a schema, in Python as well as in C++, follows every offset without a
check. Here each offset must lie within the file and be aligned before anything is read there.
Source of the layout: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt


class FlatBufferError(ValueError):
    """An offset, a size or a count is not possible in a FlatBuffer of this kind."""


class Table:
    """One table, whose fields are addressed by their number in the schema, from 0.

    A missing field has the default value of its type: 0, None or empty.
    """

    def __init__(self, content: bytes, position: int) -> None:
        """Reads the header of the table that begins at byte `position` of `content`.

        Raises:
            FlatBufferError: there is no valid table.
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
        """The position of the `size` bytes of a field; None if the field is missing."""
        offset = self._fields[field] if field < len(self._fields) else 0
        if not offset:
            return None
        if offset < 4 or offset + size > self._size:
            raise FlatBufferError(f"a field of the table at byte {self._position} is outside of it")
        return self._position + offset

    def has(self, field: int) -> bool:
        """Whether the file has a value for a field."""
        return field < len(self._fields) and self._fields[field] != 0

    def number(self, field: int, kind: str) -> int:
        """The value of an integer field; `kind` is its letter in `struct`."""
        position = self._at(field, struct.calcsize(f"<{kind}"))
        return 0 if position is None else int(_scalar(self._content, position, f"<{kind}"))

    def real(self, field: int) -> float:
        """The value of a float32 field."""
        position = self._at(field, 4)
        return 0.0 if position is None else float(_scalar(self._content, position, "<f"))

    def numbers(self, field: int, kind: str) -> npt.NDArray[Any]:
        """The value of a field with a vector of numbers; `kind` is a NumPy type such as `<i4`."""
        dtype = np.dtype(kind)
        start, count = self._vector(field, dtype.itemsize)
        return np.frombuffer(self._content, dtype, count, start) if count else np.empty(0, dtype)

    def text(self, field: int) -> str:
        """The value of a string field.

        Raises:
            FlatBufferError: the string is not valid, or has a zero byte, where C++ would end it.
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
        """The table that a field refers to; None if the field is missing."""
        position = self._at(field, 4)
        return None if position is None else Table(self._content, self._target(position))

    def tables(self, field: int, *, most: int) -> list[Table]:
        """The value of a field that is a vector of tables.

        Raises:
            FlatBufferError: the vector has more than `most` tables.
        """
        start, count = self._vector(field, 4)
        if count > most:
            raise FlatBufferError(f"a list of {count:,} parts, where {most:,} are the most")
        return [Table(self._content, self._target(at)) for at in range(start, start + 4 * count, 4)]

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        """The position of the first element of a vector, and its number of elements."""
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
    """The root table of a FlatBuffer.

    Args:
        identifier: the four letters of the file's type.

    Raises:
        FlatBufferError: the content is not a FlatBuffer, or has another type.
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
            f"it refers to bytes {position:,} to {position + size:,}, and has {len(content):,}"
        )
