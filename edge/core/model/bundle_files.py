"""The files of a bundle by their names, from a folder or a zip file that anybody may have made.

Nothing is unpacked, and nothing is read before it is asked for: a file's content comes into memory
only once the names and sizes of all are such as a bundle's can be, and no more of it than a file
of its kind may have.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from edge.core.errors import BundleFileChangedError, BundleFormatError, BundleMissingError
from edge.core.files import storage_errors

LARGEST: Mapping[str, int] = {
    "bundle.json": 8 << 20,
    "signature": 64 << 10,
    "model.tflite": 128 << 20,
    "labels.txt": 1 << 20,
    "card.md": 4 << 20,
}
"""Bytes that a file of a bundle may have, by its name."""
LARGEST_OTHER = 16 << 20
"""The same for a golden picture, and for whatever else the manifest names."""
_LARGEST = 192 << 20
"""Bytes a whole bundle may take unpacked: a Pi Zero 2 W has 512 MiB of memory."""
_MOST_FILES = 1000
_DEEPEST = 4
"""Folders within each other, in a bundle that is a folder."""
_LONGEST_READ = 1024 * 1024
"""Bytes that may be read of a zip file at once. The directory of a thousand files takes less."""
_PIECE = 64 * 1024
_INFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of the other ways to compress, zipfile inflates a piece to whatever size it has."""
_BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, IndexError,
    RuntimeError,  # a password is wanted, or a version of zip that nobody knows
    ValueError,  # a name that is no UTF-8, a time that is none
    OverflowError,
)  # fmt: skip
"""What zipfile raises over an archive that is damaged or was made to do harm."""


@dataclass(frozen=True, slots=True)
class BundleFiles:
    """The files of a bundle, none of them read yet."""

    path: Path
    """Of the folder or zip file, for messages."""
    sizes: Mapping[str, int]
    """Bytes of each by its name with `/`."""
    _open: Callable[[str], BinaryIO]

    def read(self, name: str, *, sha256: str | None = None) -> bytes:
        """The content of a file, hashed while it is read.

        Args:
            sha256: what its SHA-256 must be, in hexadecimal digits; None: nobody knows.

        Raises:
            BundleFileChangedError: it is another.
            BundleFormatError: the file is longer than one of its kind may be, or than was said.
            StorageError: it cannot be read.
        """
        self.check_size(name)
        content, digest = io.BytesIO(), hashlib.sha256()
        with storage_errors("read", self.path), _as_format_error(self.path):
            with self._open(name) as file:
                while piece := file.read(_PIECE):
                    content.write(piece)
                    digest.update(piece)
                    if content.tell() > self.sizes[name]:
                        break
            if content.tell() != self.sizes[name]:
                raise zipfile.BadZipFile(
                    f"{name} has {content.tell():,} bytes and should have {self.sizes[name]:,}"
                )
        if sha256 is not None and (found := digest.hexdigest()) != sha256:
            raise BundleFileChangedError(
                f"{self.path}: {name} has been changed: its SHA-256 is {found[:12]}…, "
                f"bundle.json says {sha256[:12]}…: copy the bundle again"
            )
        return content.getvalue()

    def check_size(self, name: str) -> None:
        """Passes a file that is no larger than one of its kind may be.

        Raises:
            BundleFormatError: it is.
        """
        largest = LARGEST.get(name, LARGEST_OTHER)
        if self.sizes[name] > largest:
            raise BundleFormatError(
                f"{self.path}: {name} has {self.sizes[name]:,} bytes, more than such a file of a "
                f"bundle may have ({largest:,}): not a bundle"
            )


@contextmanager
def open_files(path: Path, *, holding: str) -> Iterator[BundleFiles]:
    """The files in the folder or zip file `path`, to be read within the block.

    Args:
        holding: a file that must be among them.

    Raises:
        BundleMissingError: nothing there, or no file `holding`.
        BundleFormatError: no zip file, or files that no bundle can have.
        StorageError: it cannot be read.
    """
    with storage_errors("read", path):
        if not path.exists():
            raise BundleMissingError(f"{path}: no such bundle: give the folder or zip file of one")
        if not path.is_dir() and not path.is_file():  # reading it could wait for ever
            raise BundleFormatError(
                f"{path}: a pipe, a socket or a device: give the folder or zip file of a bundle"
            )
        # Followed once: a link to the installed version may come to point elsewhere meanwhile.
        place = path.resolve()
    with _folder_files(place, holding) if place.is_dir() else _zip_files(place, holding) as files:
        if holding not in files.sizes:
            raise BundleMissingError(
                f"{path}: not a bundle, it has no {holding}: make one with "
                "`pilah-converter convert RUN --out BUNDLE`"
            )
        yield replace(files, path=path)


@contextmanager
def _as_format_error(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN_ZIP as error:
        if isinstance(error, BundleFormatError):
            raise
        raise BundleFormatError(f"{path}: not a bundle's zip file: {error}") from error


@contextmanager
def _folder_files(path: Path, holding: str) -> Iterator[BundleFiles]:
    sizes: dict[str, int] = {}
    with storage_errors("read", path):
        if (path / holding).is_file():  # do not look at somebody's photographs
            _add_sizes(path, "", _DEEPEST, sizes, path)
    _check_size(sum(sizes.values()), path)
    yield BundleFiles(path, sizes, lambda name: _open_regular(path, name))


def _add_sizes(folder: Path, before: str, deepest: int, sizes: dict[str, int], path: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name, found = f"{before}{entry.name}", entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode) and deepest:
                _add_sizes(Path(entry.path), f"{name}/", deepest - 1, sizes, path)
            elif not stat.S_ISREG(found.st_mode):
                raise BundleFormatError(
                    f"{path}: {name} is a link, a pipe, a device or too deep a folder: a bundle "
                    "has files only"
                )
            else:
                sizes[name] = found.st_size
                _check_count(len(sizes), path)


def _open_regular(path: Path, name: str) -> BinaryIO:
    """A file of a folder, if it still is one."""
    descriptor = os.open(path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no file any more", str(path / name))
    return file


@contextmanager
def _zip_files(path: Path, holding: str) -> Iterator[BundleFiles]:
    # Two steps: what the caller of the block raises is none of this.
    with storage_errors("read", path):
        file = _ShortReads(path)
    with file:
        with storage_errors("read", path), _as_format_error(path):
            archive = zipfile.ZipFile(file)
            members = _members(archive.infolist(), path)
        if holding not in members:
            # `zip -r bundle.zip bundle/` puts a folder around it.
            roots = {name.partition("/")[0] for name in members}
            if len(roots) == 1:
                members = {name.partition("/")[2]: member for name, member in members.items()}
        sizes = {name: member.file_size for name, member in members.items()}
        yield BundleFiles(path, sizes, lambda name: archive.open(members[name]))  # type: ignore[arg-type,return-value]


def _members(entries: Iterable[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their names; no folders.

    Raises:
        BundleFormatError: a name, a kind, a size or a number that no bundle has.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for count, member in enumerate(entries, 1):
        _check_count(count, path)
        name = member.filename
        parts = name.removesuffix("/").split("/")
        # The name as it was given: zipfile itself cuts one at a null byte.
        strange = any(ord(letter) < 32 or letter == "\\" for letter in member.orig_filename)
        if strange or not {"", ".", ".."}.isdisjoint(parts):
            raise BundleFormatError(
                f"{path}: {member.orig_filename!r} leads out of the bundle or is no plain name: "
                "this zip file was made to do harm, or by a broken tool"
            )
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BundleFormatError(
                f"{path}: {name} is a link, a pipe or a device: a bundle has files only"
            )
        if member.is_dir():
            continue
        if name in members:
            raise BundleFormatError(
                f"{path}: {name} is there twice: which of the two counts, nobody can know"
            )
        if member.compress_type not in _INFLATED:
            raise BundleFormatError(
                f"{path}: {name} is compressed in another way than `deflate`: zip it again"
            )
        members[name] = member
    _check_size(sum(member.file_size for member in members.values()), path)
    return members


class _ShortReads(io.FileIO):
    """A file that is read in pieces only.

    zipfile reads the directory of an archive at once and makes an object of each entry, before
    anybody can ask how many there are: 200 MB of a directory would take gigabytes.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes; all that are left where it is negative or None.

        Raises:
            BadZipFile: these are too many.
        """
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > _LONGEST_READ:
            raise zipfile.BadZipFile(f"its directory has more than {_MOST_FILES:,} files")
        return super().read(wanted) or b""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The new position.

        Raises:
            BadZipFile: it would lie before the beginning.
        """
        if whence == os.SEEK_SET and not 0 <= offset < 1 << 62:
            raise zipfile.BadZipFile("its directory speaks of bytes that are not there")
        return super().seek(offset, whence)


def _check_count(count: int, path: Path) -> None:
    if count > _MOST_FILES:
        raise BundleFormatError(
            f"{path}: more files than a bundle may have ({_MOST_FILES:,}): not a bundle"
        )


def _check_size(size: int, path: Path) -> None:
    if size > _LARGEST:
        raise BundleFormatError(
            f"{path}: {size:,} bytes is more than a bundle may take ({_LARGEST:,}): not a bundle"
        )
