"""Every file of a bundle by its name, from a folder or a zip file that anybody may have made.

Nothing is unpacked: a file's content is read into memory, and only once the names and sizes of all
are such as a bundle's can be.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from edge.errors import BundleFormatError, BundleMissingError
from edge.files import storage_errors

_LARGEST = 256 * 1024 * 1024
"""Bytes a whole bundle may take unpacked: a Pi Zero 2 W has 512 MiB of memory."""
_MOST_FILES = 1000
_LONGEST_READ = 1024 * 1024
"""Bytes that may be read of a zip file at once. The directory of a thousand files takes less."""
_PIECE = 64 * 1024
_INFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of the other ways to compress, zipfile inflates a piece to whatever size it has."""


def read_files(path: Path, *, holding: str) -> dict[str, bytes]:
    """The content of every file in the folder or zip file `path`, by its name with `/`.

    Args:
        holding: a file that must be among them; where it is not, none is read.

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
        files = _folder_files(place, holding) if place.is_dir() else _zip_files(place, holding)
    if holding not in files:
        raise BundleMissingError(
            f"{path}: not a bundle, it has no {holding}: make one with "
            "`pilah-converter convert RUN --out BUNDLE`"
        )
    return files


def _folder_files(path: Path, holding: str) -> dict[str, bytes]:
    if not (path / holding).is_file():  # do not read somebody's photographs
        return {}
    found: dict[str, Path] = {}
    for entry in path.rglob("*"):
        mode = entry.lstat().st_mode
        if stat.S_ISDIR(mode):
            continue
        name = entry.relative_to(path).as_posix()
        if not stat.S_ISREG(mode):
            raise BundleFormatError(
                f"{path}: {name} is a link, a pipe or a device: a bundle has files only"
            )
        found[name] = entry
        _check_count(len(found), path)
    _check_size(sum(entry.stat().st_size for entry in found.values()), path)
    return {name: entry.read_bytes() for name, entry in found.items()}


def _zip_files(path: Path, holding: str) -> dict[str, bytes]:
    try:
        with _ShortReads(path) as file, zipfile.ZipFile(file) as archive:
            members = _members(archive.infolist(), path)
            if holding not in members:
                # `zip -r bundle.zip bundle/` puts a folder around it.
                roots = {name.partition("/")[0] for name in members}
                members = {name.partition("/")[2]: member for name, member in members.items()}
                if len(roots) != 1 or holding not in members:
                    return {}
            return {name: _content(archive, member) for name, member in members.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        # RuntimeError: a password is wanted.
        raise BundleFormatError(f"{path}: not a bundle's zip file: {error}") from error


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


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The content of a file, no longer than the archive's directory says."""
    with archive.open(member) as file:
        content = b"".join(iter(lambda: file.read(_PIECE), b""))
    if len(content) != member.file_size:
        raise zipfile.BadZipFile(
            f"{member.filename} has {len(content):,} bytes and should have {member.file_size:,}"
        )
    return content


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
