"""The pictures as the device will see them: decoded once, through the contract's preprocessing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.errors import UnreadableImageError
from edge.core.images import image_file
from edge.core.images import preprocess as contract
from edge.core.images.image_file import decode_image, read_content
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.terminal.progress import Progress
from trainer.data.cache_folder import cache_folder, cache_limit, drop_oldest
from trainer.data.row_store import Rows, RowStore

_AT_ONCE = 256
"""Pictures decoded before they are written."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPictures:
    """Pictures with their tensors."""

    pictures: tuple[LabelledPicture, ...]
    """The pictures that could be read."""
    tensors: Rows
    """uint8 (pictures, height, width, channels), read from disk as needed."""
    digests: tuple[str, ...]
    """SHA-256 of each picture's file."""
    skipped: tuple[str, ...]
    """One line for each picture that could not be read."""

    def only(self, kept: npt.NDArray[np.int64]) -> DecodedPictures:
        """The pictures with the indices `kept`, in that order."""
        return DecodedPictures(
            pictures=tuple(self.pictures[i] for i in kept.tolist()),
            tensors=self.tensors.only(kept),
            digests=tuple(self.digests[i] for i in kept.tolist()),
            skipped=self.skipped,
        )


def decode_pictures(pictures: Sequence[LabelledPicture], spec: InputSpec) -> DecodedPictures:
    """The pictures after `preprocess`, from the cache where they are there already.

    The cache is keyed by each file's content, the input spec, the code that makes tensors and
    OpenCV's version, so it cannot be stale.

    Raises:
        StorageError: the cache cannot be written.
    """
    # OpenCV's own threads fight those of TensorFlow, in augmentation too.
    cv2.setNumThreads(1)
    digests = _digests(pictures)
    folder = cache_folder() / "tensors" / _key(spec)
    store = RowStore(folder, shape=spec.shape, dtype=np.uint8)
    known = set(np.flatnonzero(store.find(digests) >= 0).tolist())
    wanted = {
        digest: picture
        for index, (picture, digest) in enumerate(zip(pictures, digests, strict=True))
        if index not in known
    }
    wanted.pop("", None)
    # What cannot be read is tried again each time: a note that it failed could itself rot.
    failed = _decode(wanted, spec, store) if wanted else {}
    drop_oldest(cache_folder(), cache_limit())
    rows = store.find(digests)
    readable = np.flatnonzero(rows >= 0).tolist()
    return DecodedPictures(
        pictures=tuple(pictures[i] for i in readable),
        tensors=Rows(store, rows[readable]),
        digests=tuple(digests[i] for i in readable),
        # Recorded without the path: the same files may lie elsewhere by now.
        skipped=tuple(
            f"{pictures[i].path}: {failed[digests[i]] if digests[i] else _why_not(pictures[i])}"
            for i in np.flatnonzero(rows < 0).tolist()
        ),
    )


def preprocessing_digest(spec: InputSpec) -> str:
    """Hex digits that change with the input spec, the code that makes tensors, or OpenCV."""
    files = (*image_file.SOURCES, Path(contract.__file__))
    sources = [file.read_bytes() for file in files]
    facts = json.dumps([spec.model_dump(), cv2.__version__]).encode()
    return hashlib.sha256(b"\0".join([*sources, facts])).hexdigest()


def _key(spec: InputSpec) -> str:
    return f"{spec.width}x{spec.height}-{preprocessing_digest(spec)[:20]}"


def _digests(pictures: Sequence[LabelledPicture]) -> list[str]:
    digests = []
    with Progress("reading pictures", total=len(pictures)) as progress:
        for picture in pictures:
            try:
                content = read_content(picture.path, name="")
                digests.append(hashlib.sha256(content).hexdigest())
            except (OSError, UnreadableImageError):
                digests.append("")  # told as skipped
            progress.advance()
    return digests


def _why_not(picture: LabelledPicture) -> str:
    try:
        read_content(picture.path, name="")
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    except UnreadableImageError as error:
        return str(error).removeprefix(": ")
    return "could not be opened"


def _decode(wanted: dict[str, LabelledPicture], spec: InputSpec, store: RowStore) -> dict[str, str]:
    """Fills the store; returns why not, by digest, for those that cannot be read."""

    def tensor(picture: LabelledPicture) -> npt.NDArray[np.uint8] | str:
        try:
            return preprocess(decode_image(read_content(picture.path, name=""), name=""), spec)
        except UnreadableImageError as error:
            return str(error).removeprefix(": ")
        except OSError as error:
            return f"cannot be opened: {error.strerror}"

    failed: dict[str, str] = {}
    digests = list(wanted)
    store.claim(len(digests))
    with (
        Progress("decoding", total=len(digests)) as progress,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as workers,
    ):
        for start in range(0, len(digests), _AT_ONCE):
            some = digests[start : start + _AT_ONCE]
            results = list(workers.map(tensor, [wanted[digest] for digest in some]))
            good = [i for i, result in enumerate(results) if not isinstance(result, str)]
            failed |= {some[i]: r for i, r in enumerate(results) if isinstance(r, str)}
            if good:
                store.append([some[i] for i in good], np.stack([results[i] for i in good]))
            progress.advance(len(some))
    return failed
