"""Pictures that come as arrays, unpacked once to the picture files that everything else reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from edge.asides import scratch_folder
from edge.errors import PictureSetError
from edge.files import storage_errors
from edge.labels import read_label_list
from edge.progress import Progress
from trainer.data.array_files import LabelledArrays, read_idx, read_npz
from trainer.data.row_store import cache_folder

FASHION_MNIST = "fashion-mnist"
FASHION_LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
"""In the order of its class indices; https://github.com/zalandoresearch/fashion-mnist."""

_AT_ONCE = 512


def unpacked(source: Path) -> Path:
    """The folder with the pictures of `source`, or `source` itself where it holds no arrays.

    Unpacked are an `.npz` file with `x_train`, `y_train`, `x_test`, `y_test` as Keras writes them,
    a folder of idx files as MNIST's, and, where nothing is called so, the name `fashion-mnist`,
    which Keras finds in KERAS_HOME or downloads. Labels are the numbers of the classes, or the
    lines of a `labels.txt` beside the file. The pictures come as PNG, which loses nothing, into
    `unpacked/` of the cache folder, by their content: a second time they are there already.
    Nothing is written before all arrays and labels have been checked.

    Raises:
        PictureSetError: an array is missing, or its pictures or labels are none.
        LabelListError: the file `labels.txt` is no list of labels.
        StorageError: the cache cannot be written.
    """
    if source.suffix.lower() == ".npz" and source.is_file():
        return _unpack(*read_npz(source, _labels_beside(source)))
    if source.is_dir() and any(source.glob("*-idx3-ubyte*")):
        return _unpack(*read_idx(source, _labels_beside(source / "x")))
    if str(source) == FASHION_MNIST and not source.exists():
        return _unpack(_fashion_mnist(), FASHION_LABELS)
    return source


def _fashion_mnist() -> dict[str, LabelledArrays]:
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
        name: LabelledArrays(pictures, truth.astype(np.int64))
        for name, (pictures, truth) in {"train": train, "test": test}.items()
    }


def _labels_beside(path: Path) -> tuple[str, ...] | None:
    file = path.with_name("labels.txt")
    return read_label_list(file) if file.is_file() else None


def _unpack(parts: Mapping[str, LabelledArrays], labels: tuple[str, ...]) -> Path:
    digest = hashlib.sha256("\n".join(labels).encode())
    for part, arrays in sorted(parts.items()):
        digest.update(part.encode() + arrays.pictures.tobytes() + arrays.truth.tobytes())
    folder = cache_folder() / "unpacked" / digest.hexdigest()[:20]
    if folder.is_dir():
        return folder
    total = sum(len(arrays.truth) for arrays in parts.values())
    with storage_errors("write", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        storage_errors("write", folder),
        scratch_folder(folder.parent) as scratch,
        Progress("unpacking", total=total) as progress,
        ThreadPoolExecutor() as workers,
    ):
        aside = scratch / "pictures"
        for part, arrays in parts.items():
            for label in labels:  # one without a picture is a class all the same
                (aside / part / label).mkdir(parents=True)

            def write(number: int, part: str = part, arrays: LabelledArrays = arrays) -> None:
                picture = arrays.pictures[number]
                # OpenCV writes BGR.
                content = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)
                name = f"{number + 1:06d}.png"
                label = labels[arrays.truth[number]]
                (aside / part / label / name).write_bytes(content[1].tobytes())

            for some in _chunks(len(arrays.truth)):
                list(workers.map(write, some))
                progress.advance(len(some))
        # All at once: to sync tens of thousands of small files one by one takes minutes.
        os.sync()
        aside.rename(folder)
    return folder


def _chunks(total: int) -> list[range]:
    return [range(start, min(start + _AT_ONCE, total)) for start in range(0, total, _AT_ONCE)]
