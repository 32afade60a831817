"""Access to the files of a bundle, from a folder or a zip file that may be untrusted.

Nothing is unpacked, and no file is read before it is requested. A file is read into memory only
after the names and sizes of all files have been checked, and only up to the limit for its kind.
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
"""The largest size in bytes of each file of a bundle, by its name."""
LARGEST_OTHER = 16 << 20
"""The largest size in bytes of a golden picture and of any other file in the manifest."""
_LARGEST = 192 << 20
"""The largest size in bytes of an unpacked bundle: a Pi Zero 2 W has 512 MiB of memory."""
_MOST_FILES = 1000
_DEEPEST = 4
"""The deepest nesting of folders, in a bundle that is a folder."""
_LONGEST_READ = 1024 * 1024
"""The most bytes read from a zip file at once; the directory of a thousand files has fewer."""
_PIECE = 64 * 1024
_INFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The accepted compression methods. For others, zipfile unpacks a piece without a size limit."""
_BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, IndexError,
    RuntimeError,  # a password is needed, or the version of zip is unknown
    ValueError,  # a name is not UTF-8, or a time is not valid
    OverflowError,
)  # fmt: skip
"""The exceptions that zipfile raises for a damaged or malicious archive."""


@dataclass(frozen=True, slots=True)
class BundleFiles:
    """The files of a bundle, none of them read yet."""

    path: Path
    """The path of the folder or zip file, for messages."""
    sizes: Mapping[str, int]
    """The size of each file in bytes, by its name with `/` as separator."""
    _open: Callable[[str], BinaryIO]

    def read(self, name: str, *, sha256: str | None = None) -> bytes:
        """The content of a file, hashed while it is read.

        Args:
            sha256: the expected SHA-256 in hexadecimal digits; None if it is not known.

        Raises:
            BundleFileChangedError: the SHA-256 differs.
            BundleFormatError: the file is larger than its kind may be, or than its stated size.
            StorageError: the file cannot be read.
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
        """Checks that a file is not larger than a file of its kind may be.

        Raises:
            BundleFormatError: the file is larger.
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
        BundleMissingError: there is nothing at `path`, or it has no file `holding`.
        BundleFormatError: `path` is not a zip file, or has files that a bundle cannot have.
        StorageError: the files cannot be read.
    """
    with storage_errors("read", path):
        if not path.exists():
            raise BundleMissingError(f"{path}: no such bundle: give the folder or zip file of one")
        if not path.is_dir() and not path.is_file():  # reading it could wait for ever
            raise BundleFormatError(
                f"{path}: a pipe, a socket or a device: give the folder or zip file of a bundle"
            )
        # Resolved once, because a link to the installed version may be changed in the meantime.
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
        if (path / holding).is_file():  # otherwise a folder of photographs would be scanned
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
    """Opens a file of a folder, if it still is a regular file."""
    descriptor = os.open(path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no longer a regular file", str(path / name))
    return file


@contextmanager
def _zip_files(path: Path, holding: str) -> Iterator[BundleFiles]:
    # Two steps, so that errors that the caller's block raises are not converted.
    with storage_errors("read", path):
        file = _ShortReads(path)
    with file:
        with storage_errors("read", path), _as_format_error(path):
            archive = zipfile.ZipFile(file)
            members = _members(archive.infolist(), path)
        if holding not in members:
            # `zip -r bundle.zip bundle/` puts a folder around the files.
            roots = {name.partition("/")[0] for name in members}
            if len(roots) == 1:
                members = {name.partition("/")[2]: member for name, member in members.items()}
        sizes = {name: member.file_size for name, member in members.items()}
        yield BundleFiles(path, sizes, lambda name: archive.open(members[name]))  # type: ignore[arg-type,return-value]


def _members(entries: Iterable[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their names, without folders.

    Raises:
        BundleFormatError: a name, a type, a size or the number of files is not allowed in a bundle.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for count, member in enumerate(entries, 1):
        _check_count(count, path)
        name = member.filename
        parts = name.removesuffix("/").split("/")
        # The original name, because zipfile cuts a name at a null byte.
        odd = any(ord(letter) < 32 or letter == "\\" for letter in member.orig_filename)
        if odd or not {"", ".", ".."}.isdisjoint(parts):
            raise BundleFormatError(
                f"{path}: {member.orig_filename!r} leads out of the bundle or is not a plain name: "
                "this zip file is malicious, or was made by a broken tool"
            )
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BundleFormatError(
                f"{path}: {name} is a link, a pipe or a device: a bundle has files only"
            )
        if member.is_dir():
            continue
        if name in members:
            raise BundleFormatError(
                f"{path}: {name} is in the zip file twice: make the zip file again"
            )
        if member.compress_type not in _INFLATED:
            raise BundleFormatError(
                f"{path}: {name} is not compressed with `deflate`: make the zip file again"
            )
        members[name] = member
    _check_size(sum(member.file_size for member in members.values()), path)
    return members


class _ShortReads(io.FileIO):
    """A file that can only be read in pieces of limited size.

    zipfile reads the directory of an archive at once and makes an object for each entry, before the
    number of entries can be checked: a directory of 200 MB would take gigabytes.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes; all remaining bytes if `size` is negative or None.

        Raises:
            BadZipFile: these are too many bytes.
        """
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > _LONGEST_READ:
            raise zipfile.BadZipFile(f"its directory has more than {_MOST_FILES:,} files")
        return super().read(wanted) or b""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves to a position and returns it.

        Raises:
            BadZipFile: the position is outside of the file's possible range.
        """
        if whence == os.SEEK_SET and not 0 <= offset < 1 << 62:
            raise zipfile.BadZipFile("its directory refers to bytes that are not there")
        return super().seek(offset, whence)


def _check_count(count: int, path: Path) -> None:
    if count > _MOST_FILES:
        raise BundleFormatError(
            f"{path}: not a bundle, because it has more than {_MOST_FILES:,} files"
        )


def _check_size(size: int, path: Path) -> None:
    if size > _LARGEST:
        raise BundleFormatError(
            f"{path}: not a bundle, because its {size:,} bytes are more than a bundle may have "
            f"({_LARGEST:,})"
        )
