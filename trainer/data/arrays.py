"""Pictures that come as arrays, unpacked once to the picture files that everything else reads."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import PictureSetError
from edge.files import storage_errors
from edge.progress import Progress
from trainer.data.row_store import cache_folder

FASHION_MNIST = "fashion-mnist"
FASHION_LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
"""In the order of its class indices; https://github.com/zalandoresearch/fashion-mnist."""

_IDX = {"train": "train", "test": "t10k"}
"""Part -> what the names of its idx files start with."""
_AT_ONCE = 512

Levels = npt.NDArray[np.uint8]
Part = tuple[Levels, npt.NDArray[np.int64]]


def unpacked(source: Path) -> Path:
    """The folder with the pictures of `source`, or `source` itself where it holds no arrays.

    Unpacked are an `.npz` file with `x_train`, `y_train`, `x_test`, `y_test` as Keras writes them,
    a folder of idx files as MNIST's, and, where nothing is called so, the name `fashion-mnist`,
    which Keras finds in KERAS_HOME or downloads. Labels are the numbers of the classes, or the
    lines of a `labels.txt` beside the file. The pictures come as PNG, which loses nothing, into
    `unpacked/` of the cache folder, by their content: a second time they are there already.

    Raises:
        PictureSetError: an array is missing or of another shape than pictures are.
        StorageError: the cache cannot be written.
    """
    if source.suffix.lower() == ".npz" and source.is_file():
        return _unpack(_read_npz(source), _labels_beside(source), source)
    if source.is_dir() and any(source.glob("*-idx3-ubyte*")):
        return _unpack(_read_idx(source), _labels_beside(source / "x"), source)
    if str(source) == FASHION_MNIST and not source.exists():
        return _unpack(_fashion_mnist(), FASHION_LABELS, source)
    return source


def _fashion_mnist() -> dict[str, Part]:
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    import keras

    try:
        train, test = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # Keras raises a bare one when a download fails
        raise PictureSetError(
            f"{FASHION_MNIST}: its files are not in KERAS_HOME and could not be fetched ({error}): "
            "connect to the internet once, or give a folder with its four idx files"
        ) from error
    return {
        name: (pictures, truth.astype(np.int64))
        for name, (pictures, truth) in {"train": train, "test": test}.items()
    }


def _read_npz(path: Path) -> dict[str, Part]:
    try:
        # Opened by us: NumPy leaves a file open that turns out to be none of its own.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise PictureSetError(f"{path}: not a NumPy file of arrays: {error}") from error
    parts = {}
    for part in ("train", "validation", "test"):
        names = f"x_{part}", f"y_{part}"
        present = [name in arrays for name in names]
        if any(present) and not all(present):
            missing = names[present.index(False)]
            raise PictureSetError(f"{path}: has no array {missing}. It has: {', '.join(arrays)}")
        if all(present):
            parts[part] = _part(arrays[names[0]], arrays[names[1]], f"{path}: {names[0]}")
    if "train" not in parts:
        raise PictureSetError(
            f"{path}: expected the arrays x_train and y_train, and x_test and y_test. "
            f"It has: {', '.join(arrays) or 'none'}"
        )
    return parts


def _read_idx(folder: Path) -> dict[str, Part]:
    parts = {}
    for part, start in _IDX.items():
        pictures = _idx_file(folder, f"{start}-images-idx3-ubyte")
        labels = _idx_file(folder, f"{start}-labels-idx1-ubyte")
        parts[part] = _part(pictures, labels, f"{folder}: {start}")
    return parts


def _idx_file(folder: Path, name: str) -> Levels:
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            break
    else:
        raise PictureSetError(f"{folder}: {name} is missing, and {name}.gz too: copy it there")
    try:
        raw = file.read_bytes()
        raw = gzip.decompress(raw) if file.suffix == ".gz" else raw
        # Two zeros, the type (8: uint8), the number of dimensions, then their sizes.
        zeros, kind, dimensions = struct.unpack(">HBB", raw[:4])
        shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
        if zeros or kind != 8:
            raise ValueError(f"its first bytes are {raw[:4].hex()}")
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise PictureSetError(f"{file}: not a whole idx file of bytes: {error}") from error


def _part(pictures: npt.NDArray[np.generic], labels: npt.NDArray[np.generic], where: str) -> Part:
    labels = labels.reshape(-1)
    if (
        pictures.dtype != np.uint8
        or pictures.ndim not in (3, 4)
        or (pictures.ndim == 4 and pictures.shape[3] not in (1, 3))
    ):
        raise PictureSetError(
            f"{where}: expected uint8 (pictures, height, width) or (…, 3). "
            f"Received: {pictures.dtype} {pictures.shape}"
        )
    if len(pictures) != len(labels) or labels.dtype.kind not in "iu":
        raise PictureSetError(
            f"{where}: expected a whole number for each of {len(pictures)} pictures. "
            f"Received: {labels.dtype} {labels.shape}"
        )
    return np.asarray(pictures, np.uint8), labels.astype(np.int64)


def _labels_beside(path: Path) -> tuple[str, ...] | None:
    file = path.with_name("labels.txt")
    if not file.is_file():
        return None
    return tuple(file.read_text(encoding="utf-8").splitlines())


def _unpack(parts: Mapping[str, Part], labels: tuple[str, ...] | None, source: Path) -> Path:
    classes = 1 + max(int(truth.max(initial=0)) for _, truth in parts.values())
    labels = labels or tuple(str(number) for number in range(classes))
    if len(labels) < classes:
        raise PictureSetError(
            f"{source}: labels.txt has {len(labels)} lines, its classes go up to {classes - 1}"
        )
    digest = hashlib.sha256("\n".join(labels).encode())
    for part, (pictures, truth) in sorted(parts.items()):
        digest.update(part.encode() + pictures.tobytes() + truth.tobytes())
    folder = cache_folder() / "unpacked" / digest.hexdigest()[:20]
    if folder.is_dir():
        return folder
    total = sum(len(truth) for _, truth in parts.values())
    with storage_errors("write", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        storage_errors("write", folder),
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as name,
        Progress("unpacking", total=total) as progress,
        ThreadPoolExecutor() as workers,
    ):
        aside = Path(name) / "pictures"
        for part, (pictures, truth) in parts.items():
            for label in set(truth.tolist()):
                (aside / part / labels[label]).mkdir(parents=True)

            def write(
                number: int,
                part: str = part,
                pictures: Levels = pictures,
                truth: npt.NDArray[np.int64] = truth,
            ) -> None:
                picture = pictures[number]
                # OpenCV writes BGR.
                content = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)
                name = f"{number + 1:06d}.png"
                (aside / part / labels[truth[number]] / name).write_bytes(content[1].tobytes())

            for some in _chunks(len(truth)):
                list(workers.map(write, some))
                progress.advance(len(some))
        # All at once: to sync tens of thousands of small files one by one takes minutes.
        os.sync()
        aside.rename(folder)
    return folder


def _chunks(total: int) -> list[range]:
    return [range(start, min(start + _AT_ONCE, total)) for start in range(0, total, _AT_ONCE)]
