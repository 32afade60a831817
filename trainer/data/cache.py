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

from edge.errors import UnreadableImageError
from edge.files import storage_errors, write_file
from edge.model import image_file
from edge.model import preprocess as contract
from edge.model.image_file import decode_image
from edge.model.preprocess import InputSpec, preprocess
from edge.pictures import LabelledPicture
from edge.progress import Progress

KEPT = 4
"""Sets of tensors kept in the cache folder; the longest unused go first."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPictures:
    """Pictures with their tensors."""

    pictures: tuple[LabelledPicture, ...]
    """Those that could be read."""
    tensors: npt.NDArray[np.uint8]
    """uint8 (pictures, height, width, channels), read from disk as needed."""
    digests: tuple[str, ...]
    """SHA-256 of each picture's file."""
    skipped: tuple[str, ...]
    """One line for each picture that could not be read."""


def cache_folder() -> Path:
    """Where caches lie: PILAH_CACHE, else `pilah` in XDG_CACHE_HOME or `~/.cache`."""
    if chosen := os.environ.get("PILAH_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pilah"


def decode_pictures(pictures: Sequence[LabelledPicture], spec: InputSpec) -> DecodedPictures:
    """The pictures through `preprocess`, from the cache where they have been before.

    The cache is keyed by every file's content, the input spec, the code that makes tensors and
    OpenCV's version, so it cannot be stale.

    Raises:
        StorageError: the cache cannot be written.
    """
    # OpenCV's own threads fight those of TensorFlow, in augmentation too.
    cv2.setNumThreads(1)
    with Progress("reading pictures", total=len(pictures)) as progress:
        digests = []
        for picture in pictures:
            try:
                digests.append(hashlib.sha256(picture.path.read_bytes()).hexdigest())
            except OSError:
                digests.append("")  # told as skipped when it is to be decoded
            progress.advance()
    key = hashlib.sha256(
        json.dumps([digests, spec.model_dump(), _contract_digest()]).encode()
    ).hexdigest()[:24]
    folder = cache_folder() / "tensors"
    with storage_errors("create", folder):
        folder.mkdir(parents=True, exist_ok=True)
    tensors_file, facts_file = folder / f"{key}.npy", folder / f"{key}.json"
    if not facts_file.exists():
        _decode(pictures, spec, tensors_file, facts_file)
    failures: dict[str, str] = json.loads(facts_file.read_text(encoding="utf-8"))
    os.utime(facts_file)
    _drop_oldest(folder)
    readable = [i for i in range(len(pictures)) if str(i) not in failures]
    # Rows at the end are empty where pictures could not be read.
    tensors = np.load(tensors_file, mmap_mode="r")[: len(readable)]
    return DecodedPictures(
        pictures=tuple(pictures[i] for i in readable),
        tensors=tensors,
        digests=tuple(digests[i] for i in readable),
        # Recorded without the path: the same files may lie elsewhere by now.
        skipped=tuple(f"{pictures[int(i)].path}: {why}" for i, why in failures.items()),
    )


def _decode(
    pictures: Sequence[LabelledPicture], spec: InputSpec, tensors_file: Path, facts_file: Path
) -> None:
    def tensor(picture: LabelledPicture) -> npt.NDArray[np.uint8] | str:
        try:
            return preprocess(decode_image(picture.path.read_bytes(), name=""), spec)
        except UnreadableImageError as error:
            return str(error).removeprefix(": ")
        except OSError as error:
            return f"cannot be opened: {error.strerror}"

    aside = tensors_file.with_suffix(f".{os.getpid()}.part")
    failures: dict[str, str] = {}
    with storage_errors("write", tensors_file):
        try:
            whole = np.lib.format.open_memmap(
                aside, mode="w+", dtype=np.uint8, shape=(len(pictures), *spec.shape)
            )
            # A full disk would kill the process by SIGBUS when a page of the map is written.
            with aside.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, aside.stat().st_size)
            row = 0
            with (
                Progress("decoding", total=len(pictures)) as progress,
                ThreadPoolExecutor(max_workers=os.cpu_count()) as workers,
            ):
                for index, result in enumerate(workers.map(tensor, pictures)):
                    if isinstance(result, str):
                        failures[str(index)] = result
                    else:
                        whole[row] = result
                        row += 1
                    progress.advance()
            whole.flush()
            del whole
            aside.replace(tensors_file)
        finally:
            aside.unlink(missing_ok=True)
    write_file(facts_file, json.dumps(failures))


def _contract_digest() -> str:
    sources = [Path(module.__file__ or "").read_bytes() for module in (image_file, contract)]
    return hashlib.sha256(b"\0".join([*sources, cv2.__version__.encode()])).hexdigest()


def _drop_oldest(folder: Path) -> None:
    used = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for facts in used[KEPT:]:
        facts.unlink(missing_ok=True)
        facts.with_suffix(".npy").unlink(missing_ok=True)
