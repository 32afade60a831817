"""The files below a folder: pictures by their content, and what else looks like one."""

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
"""Folders within one another. Sets of pictures have five at most."""
_LARGEST_POINTER = 1024
"""Bytes of the files that stand for others which were not fetched."""
_HEAD = 64

_PASSED_OVER = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin",
     "system volume information", "lost+found"}
)  # fmt: skip
"""Files and folders of operating systems, in small letters."""
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
"""What lies beside pictures and is none: counted, and told in one line."""

_ANNEX = (b"/annex/objects/", b"../.git/annex/objects/", b".git/annex/objects/")
_HEIF_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avi")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in a folder, without what is hidden and what belongs to the operating system."""

    path: Path
    pictures: tuple[Path, ...]
    """The pictures in it, sorted; not those in its folders."""
    left_out: tuple[SkippedFile, ...]
    """The files in it that look like pictures and cannot be read."""
    documents: Counter[str]
    """The other files in it, counted by ending."""
    folders: tuple[Folder, ...]
    """Sorted by name."""

    @property
    def name(self) -> str:
        """Of the folder, without what it lies in."""
        return self.path.name

    def walk(self) -> Iterator[Folder]:
        """The folder itself and every one below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def all_pictures(self) -> list[Path]:
        """Every picture in it and below it, in a stable order."""
        return sorted(picture for folder in self.walk() for picture in folder.pictures)

    def all_left_out(self) -> list[SkippedFile]:
        """Every file in it and below it that was left out, in a stable order."""
        files = [file for folder in self.walk() for file in folder.left_out]
        return sorted(files, key=lambda file: file.path)

    def all_documents(self) -> Counter[str]:
        """Every other file in it and below it, counted by ending."""
        return sum((folder.documents for folder in self.walk()), Counter[str]())

    @property
    def holds(self) -> bool:
        """Whether a picture is in it or below it, or what would be one if it could be read."""
        return any(folder.pictures or folder.left_out for folder in self.walk())


def look_into(path: Path) -> Folder:
    """What lies in the folder `path`. Only files whose ending tells too little are opened.

    A link to a folder is followed, but no folder is read twice.

    Raises:
        PictureSetError: there are more folders within one another than a set of pictures has.
        StorageError: the folder cannot be read.
    """
    with storage_errors("read", path), os.scandir(path):
        pass
    return _look_into(path, set(), 0)


def _look_into(path: Path, seen: set[tuple[int, int]], depth: int) -> Folder:
    if depth > _DEEPEST:
        raise PictureSetError(f"{path}: more than {_DEEPEST} folders within one another")
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
                    why = "a link to a folder that is read in another place: it is not read again"
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
            left_out.append(SkippedFile(place, "files whose names are not UTF-8", why))
        elif kind is None:
            pictures.append(place)
        else:
            left_out.append(SkippedFile(place, *kind))
    folders.sort(key=lambda folder: folder.name)
    return Folder(path, tuple(sorted(pictures)), tuple(left_out), documents, tuple(folders))


def _closed(path: Path, error: OSError) -> SkippedFile:
    why = f"cannot be opened ({error.strerror or error}): change its owner or permissions"
    return SkippedFile(path, "files that cannot be opened", why)


def _unread_kind(entry: os.DirEntry[str]) -> tuple[str, str] | str | None:
    """None: a picture; "": a document; else what it is, as a plural, and why it is not read."""
    suffix = Path(entry.name).suffix.lower()
    looks = suffix in SUFFIXES | CONVERTIBLE_SUFFIXES
    if not entry.is_file():
        if entry.is_symlink() and not Path(entry.path).exists():
            return "links that lead nowhere", (
                "a link that leads nowhere: fetch what it stands for, for example with "
                "`git annex get` or `dvc pull`"
            )
        return "devices, pipes or sockets", "no file, but a device, a pipe or a socket: remove it"
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
        "this is no picture of a known format: move it away, or convert it to JPEG"
    )


def _unread(name: str) -> tuple[str, str]:
    advice = _HEIF_ADVICE if f".{name.lower()}" in _HEIF else ""
    return f"{name} pictures", f"{name} is not read: convert it to JPEG{advice}"


def _by_ending(suffix: str) -> tuple[str, str] | None:
    if suffix in _RAW | _DRAWN:
        return _unread(suffix[1:].upper())
    if suffix in _FILMS:
        return "films", (
            "a film is not read: take pictures out of it, for example with "
            "`ffmpeg -i film.mp4 -r 2 %04d.jpg`"
        )
    if suffix in _ARCHIVES:
        return "archives", "an archive is not read: unpack it"
    if suffix == ".dvc":
        return "DVC files", "it stands for files that are not here: fetch them with `dvc pull`"
    if suffix in _UNFINISHED:
        return "unfinished downloads", "an unfinished download: download it again"
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
            "it only says where Git LFS has the picture: fetch it with `git lfs pull`"
        )
    if head.startswith(_ANNEX):
        return "git-annex pointers", (
            "it only says where git-annex has the picture: fetch it with `git annex get`"
        )
    return None


def _is_picture(head: bytes) -> bool:
    """Whether a file that begins so is a JPEG, PNG, WebP or BMP."""
    if head.startswith(b"BM"):  # two letters are little to go by
        return head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    )


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 32 or byte == 127 for byte in head)


def _head(entry: os.DirEntry[str]) -> bytes:
    with Path(entry.path).open("rb") as file:
        return file.read(_HEAD)
