"""Zip files from elsewhere, unpacked without trusting their names."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from edge.core.files import storage_errors
from edge.core.terminal.progress import Progress
from trainer.errors import DownloadError

_MOST = 100 * 10**9
"""Bytes unpacked: no set of pictures is larger, but a zip made to fill the disk is."""


def unzip(archive: Path, folder: Path) -> None:
    """Unpacks the archive into `folder`, without the files that macOS adds.

    Raises:
        DownloadError: it is no whole zip, or holds a name that leads out of the folder, a link, or
            more than 100 GB.
        StorageError: the disk is full.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            entries = [entry for entry in content.infolist() if not _is_of_macos(entry.filename)]
            targets = [_target(archive, entry, folder) for entry in entries]
            size = sum(entry.file_size for entry in entries)
            if size > _MOST:
                raise DownloadError(f"{archive}: would unpack to {size / 1e9:.0f} GB: not unpacked")
            with Progress("unpacking", total=len(entries)) as progress:
                for entry, target in zip(entries, targets, strict=True):
                    with storage_errors("write", target):
                        _extract(content, entry, target)
                    progress.advance()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(
            f"{archive}: not a whole zip file ({error}): delete it and run the same command again"
        ) from error


def _extract(content: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # "x": of two entries of one name, none is silently lost.
    with content.open(entry) as packed, target.open("xb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)


def _target(archive: Path, entry: zipfile.ZipInfo, folder: Path) -> Path:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise DownloadError(
            f"{archive}: holds the name {entry.filename!r}, which leads out of its folder: such a "
            "zip is not unpacked"
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DownloadError(f"{archive}: holds the link {entry.filename!r}: such is not unpacked")
    return folder / name


def _is_of_macos(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or parts[0] == "__MACOSX" or parts[-1] == ".DS_Store"
