"""The files below a folder, sorted into pictures, documents, and files that cannot be read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.core.dataset.picture_set import SkippedFile, is_utf8
from edge.core.errors import PictureSetError
from edge.core.files import storage_errors
from edge.core.images.image_file import CONVERTIBLE_SUFFIXES, SUFFIXES

_DEEPEST = 100
"""The deepest nesting of folders that is read. Data sets have a depth of five at most."""
_LARGEST_POINTER = 1024
"""The largest size in bytes of a Git LFS or git-annex pointer file."""
_HEAD = 64

_PASSED_OVER = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin",
     "system volume information", "lost+found"}
)  # fmt: skip
"""Names, in lower case, of files and folders that operating systems make."""
_HEIF_ADVICE = (
    " first, for example with `heif-convert picture.heic picture.jpg`, or set the phone's camera "
    'to "most compatible"'
)
_HEIF = frozenset({".heic", ".heif", ".avif"})
_RAW = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef"})
_DRAWN = frozenset(
    {".jp2", ".j2k", ".jxl", ".psd", ".tga", ".ppm", ".pgm", ".pnm", ".ico", ".svg", ".exr",
     ".hdr", ".dcm", ".xcf", ".eps"}
)  # fmt: skip
_FILMS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".3gp"})
_ARCHIVES = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
_UNFINISHED = frozenset({".part", ".partial", ".crdownload", ".download", ".tmp"})
_DOCUMENTS = frozenset(
    {".txt", ".md", ".rst", ".pdf", ".doc", ".docx", ".csv", ".tsv", ".xls", ".xlsx", ".json",
     ".xml", ".yaml", ".yml", ".html", ".htm", ".py", ".ipynb", ".m", ".mat", ".npy", ".pkl",
     ".sh", ".log", ".bib", ".tex", ".url", ".lnk", ".names", ".cfg", ".ini"}
)  # fmt: skip
"""Endings of documents, which often lie beside pictures: they are counted in one message."""

_ANNEX = (b"/annex/objects/", b"../.git/annex/objects/", b".git/annex/objects/")
_HEIF_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avi")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


@dataclass(frozen=True, slots=True)
class Folder:
    """The content of a folder, without hidden files and files of the operating system."""

    path: Path
    pictures: tuple[Path, ...]
    """The pictures directly in the folder, sorted."""
    left_out: tuple[SkippedFile, ...]
    """The files directly in the folder that look like pictures but cannot be read."""
    documents: Counter[str]
    """The number of other files directly in the folder, by ending."""
    folders: tuple[Folder, ...]
    """The folders directly in the folder, sorted by name."""

    @property
    def name(self) -> str:
        """The last part of the folder's path."""
        return self.path.name

    def walk(self) -> Iterator[Folder]:
        """The folder itself and every folder below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def all_pictures(self) -> list[Path]:
        """Every picture in the folder and below it, in a stable order."""
        return sorted(picture for folder in self.walk() for picture in folder.pictures)

    def all_left_out(self) -> list[SkippedFile]:
        """Every file in the folder and below it that was left out, in a stable order."""
        files = [file for folder in self.walk() for file in folder.left_out]
        return sorted(files, key=lambda file: file.path)

    def all_documents(self) -> Counter[str]:
        """The number of other files in the folder and below it, by ending."""
        return sum((folder.documents for folder in self.walk()), Counter[str]())

    @property
    def holds(self) -> bool:
        """Whether a picture, or a file that looks like one, is in the folder or below it."""
        return any(folder.pictures or folder.left_out for folder in self.walk())


def look_into(path: Path) -> Folder:
    """The content of the folder `path`.

    A file is opened only if its ending does not show what it is. A link to a folder is followed,
    but no folder is read twice.

    Raises:
        PictureSetError: the folders are nested more than 100 deep.
        StorageError: the folder cannot be read.
    """
    with storage_errors("read", path), os.scandir(path):
        pass
    return _look_into(path, set(), 0)


def _look_into(path: Path, seen: set[tuple[int, int]], depth: int) -> Folder:
    if depth > _DEEPEST:
        raise PictureSetError(f"{path}: the folders are nested more than {_DEEPEST} deep")
    pictures: list[Path] = []
    left_out: list[SkippedFile] = []
    documents: Counter[str] = Counter()
    folders: list[Folder] = []
    try:
        status = path.stat()
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(path) as found:
            # Folders before links to them, so that a link is what is read second.
            entries = sorted(found, key=lambda entry: (entry.is_symlink(), entry.name))
    except OSError as error:
        left_out.append(_closed(path, error))
        entries = []
    for entry in entries:
        place = path / entry.name
        if entry.name.startswith(".") or entry.name.lower() in _PASSED_OVER:
            continue
        try:
            if entry.is_dir():
                if entry.name.startswith("__"):
                    continue
                status = entry.stat()
                if (status.st_dev, status.st_ino) in seen:
                    why = "it is a link to a folder that was already read, so it is not read again"
                    left_out.append(SkippedFile(place, "links to folders read already", why))
                else:
                    folders.append(_look_into(place, seen, depth + 1))
                continue
            kind = _unread_kind(entry)
        except OSError as error:
            left_out.append(_closed(place, error))
            continue
        if kind == "":
            documents[place.suffix.lower() or "files without an ending"] += 1
        elif not is_utf8(place):
            why = "its name is not UTF-8: rename it"
            left_out.append(SkippedFile(place, "files with a name that is not UTF-8", why))
        elif kind is None:
            pictures.append(place)
        else:
            left_out.append(SkippedFile(place, *kind))
    folders.sort(key=lambda folder: folder.name)
    return Folder(path, tuple(sorted(pictures)), tuple(left_out), documents, tuple(folders))


def _closed(path: Path, error: OSError) -> SkippedFile:
    why = f"it cannot be opened ({error.strerror or error}): change its owner or permissions"
    return SkippedFile(path, "files that cannot be opened", why)


def _unread_kind(entry: os.DirEntry[str]) -> tuple[str, str] | str | None:
    """None for a picture, "" for a document, otherwise (kind as a plural, why it is not read)."""
    suffix = Path(entry.name).suffix.lower()
    looks = suffix in SUFFIXES | CONVERTIBLE_SUFFIXES
    if not entry.is_file():
        if entry.is_symlink() and not Path(entry.path).exists():
            return "broken links", (
                "it is a broken link: fetch the file that it points to, for example with "
                "`git annex get` or `dvc pull`"
            )
        return "devices, pipes or sockets", "it is a device, a pipe or a socket: remove it"
    if looks:
        if entry.stat().st_size <= _LARGEST_POINTER and (pointer := _pointer(_head(entry))):
            return pointer
        return None if suffix in SUFFIXES else _unread(suffix[1:].upper())
    if kind := _by_ending(suffix):
        return kind
    head = _head(entry)
    if head and (pointer := _pointer(head)):
        return pointer
    if _is_picture(head):
        return None
    if kind := _by_content(head):
        return kind
    if suffix in _DOCUMENTS or _is_text(head):
        return ""
    return f"{suffix} files" if suffix else "files without an ending", (
        "it is not a picture in a known format: move it away, or convert it to JPEG"
    )


def _unread(name: str) -> tuple[str, str]:
    advice = _HEIF_ADVICE if f".{name.lower()}" in _HEIF else ""
    return f"{name} pictures", f"{name} is not supported: convert it to JPEG{advice}"


def _by_ending(suffix: str) -> tuple[str, str] | None:
    if suffix in _RAW | _DRAWN:
        return _unread(suffix[1:].upper())
    if suffix in _FILMS:
        return "videos", (
            "it is a video: extract pictures from it, for example with "
            "`ffmpeg -i video.mp4 -r 2 %04d.jpg`"
        )
    if suffix in _ARCHIVES:
        return "archives", "it is an archive: unpack it"
    if suffix == ".dvc":
        return "DVC files", "it points to files that are not here: fetch them with `dvc pull`"
    if suffix in _UNFINISHED:
        return "unfinished downloads", "it is an unfinished download: download it again"
    return None


def _by_content(head: bytes) -> tuple[str, str] | None:
    if head[4:8] == b"ftyp":
        return _unread("HEIC") if head[8:12].startswith(_HEIF_BRANDS) else _by_ending(".mp4")
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return _unread("JXL")
    if head.startswith(b"PK\x03\x04"):
        return _by_ending(".zip")
    starts = {b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"8BPS": "PSD"}
    return _unread(starts[head[:4]]) if head[:4] in starts else None


def _pointer(head: bytes) -> tuple[str, str] | None:
    if head.startswith(b"version https://git-lfs.github.com/"):
        return "Git LFS pointers", (
            "it is a pointer to a picture in Git LFS: fetch the picture with `git lfs pull`"
        )
    if head.startswith(_ANNEX):
        return "git-annex pointers", (
            "it is a pointer to a picture in git-annex: fetch the picture with `git annex get`"
        )
    return None


def _is_picture(head: bytes) -> bool:
    """Whether a file with these first bytes is a JPEG, PNG, WebP or BMP."""
    if head.startswith(b"BM"):  # two letters alone could be the start of a text
        return head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    )


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 32 or byte == 127 for byte in head)


def _head(entry: os.DirEntry[str]) -> bytes:
    with Path(entry.path).open("rb") as file:
        return file.read(_HEAD)
