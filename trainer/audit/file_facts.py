"""The properties of each picture's file: size, format and light, or why it cannot be read."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.errors import UnreadableImageError
from edge.core.images import image_file, quality
from edge.core.images.image_file import decode_image, read_content
from edge.core.images.quality import Quality, judge
from edge.core.terminal.progress import Progress
from trainer.data.cache_folder import cache_folder, cache_limit, drop_oldest
from trainer.data.row_store import RowStore

_KINDS = {b"\xff\xd8": "JPEG", b"\x89P": "PNG", b"RI": "WebP", b"BM": "BMP"}
_NAMES = ("JPEG", "PNG", "WebP", "BMP")
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One readable picture's file."""

    digest: str
    """SHA-256 of its content."""
    size: int
    """Bytes."""
    width: int
    height: int
    """Pixels, upright."""
    kind: str
    """JPEG, PNG, WebP or BMP."""
    tables: int
    """A number that identifies the quantisation tables of a JPEG; 0 if there are none."""
    quality: Quality


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is not a picture, or only a part of one."""

    why: str
    is_empty: bool = False
    """True if the file has no bytes."""
    is_cut_short: bool = False


def read_facts(pictures: Sequence[LabelledPicture]) -> list[FileFacts | Unreadable]:
    """The properties of each picture's file, from the cache for files that were read before.

    Raises:
        StorageError: the cache cannot be written.
    """
    cv2.setNumThreads(1)
    store = RowStore(cache_folder() / "check" / _key(), shape=(7,), dtype=np.float64)
    found: list[FileFacts | Unreadable] = []
    with (
        Progress("looking at files", total=len(pictures)) as progress,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as workers,
    ):
        for start in range(0, len(pictures), _AT_ONCE):
            some = pictures[start : start + _AT_ONCE]
            results = list(workers.map(lambda picture: _read(picture.path, store), some))
            new = {
                facts.digest: facts
                for facts, is_new in results
                if is_new and isinstance(facts, FileFacts)
            }
            if new:
                store.append(list(new), np.stack([_row(facts) for facts in new.values()]))
            found += [facts for facts, _ in results]
            progress.advance(len(some))
    drop_oldest(cache_folder(), cache_limit())
    return found


def _read(path: Path, store: RowStore) -> tuple[FileFacts | Unreadable, bool]:
    """The facts, and whether they are to be put into the store."""
    try:
        content = read_content(path, name="")
    except OSError as error:
        return Unreadable(f"cannot be opened: {error.strerror}"), False
    except UnreadableImageError as error:
        return Unreadable(str(error).removeprefix(": ")), False
    digest = hashlib.sha256(content).hexdigest()
    (row,) = store.find([digest])
    if row >= 0:
        return _facts(digest, len(content), store.read(np.array([row]))[0]), False
    try:
        image = decode_image(content, name="")
    except UnreadableImageError as error:
        why = str(error).removeprefix(": ")
        return Unreadable(why, not content, "cut short" in why), False
    height, width = image.shape[:2]
    kind = _KINDS[content[:2]]
    facts = FileFacts(digest, len(content), width, height, kind, _tables(content), judge(image))
    return facts, True


def _row(facts: FileFacts) -> npt.NDArray[np.float64]:
    light = facts.quality
    kind = _NAMES.index(facts.kind)
    return np.array(
        [facts.width, facts.height, kind, facts.tables, light.darkest, light.brightest, light.blur]
    )


def _facts(digest: str, size: int, row: npt.NDArray[np.float64]) -> FileFacts:
    width, height, kind, tables = (int(value) for value in row[:4])
    return FileFacts(
        digest, size, width, height, _NAMES[kind], tables, Quality(*(float(v) for v in row[4:]))
    )


def _tables(content: bytes) -> int:
    start = content.find(b"\xff\xdb", 0, 65536) if content[:2] == b"\xff\xd8" else -1
    if start < 0:
        return 0
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    return zlib.crc32(content[start : start + 2 + length])


def _key() -> str:
    files = (*image_file.SOURCES, Path(quality.__file__), Path(__file__))
    facts = [*(file.read_bytes() for file in files), cv2.__version__.encode()]
    digest = hashlib.sha256(b"\0".join(facts)).hexdigest()
    return f"files-{digest[:20]}"
