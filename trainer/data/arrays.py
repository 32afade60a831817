"""Pictures that come as arrays, unpacked once to the picture files that everything else reads."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from edge.core.atomic import scratch_folder, swap_folders
from edge.core.errors import PictureSetError
from edge.core.files import read_regular, storage_errors, write_file
from edge.core.labels import read_label_list
from edge.core.terminal.progress import Progress
from trainer.data.array_files import LabelledArrays, read_idx, read_npz
from trainer.data.cache_folder import cache_folder

_log = logging.getLogger(__name__)

FASHION_MNIST = "fashion-mnist"
FASHION_LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
"""The labels of Fashion-MNIST in the order of its class indices; source:
https://github.com/zalandoresearch/fashion-mnist."""

_AT_ONCE = 512
_LARGEST = 1 << 30
"""Bytes of an unpacked picture."""


def unpacked(source: Path) -> Path:
    """The folder with the pictures of `source`, or `source` itself where it holds no arrays.

    Unpacked are an `.npz` file with `x_train`, `y_train`, `x_test`, `y_test` as Keras writes them,
    a folder of idx files as MNIST's, and, where nothing is called so, the name `fashion-mnist`,
    which Keras finds in KERAS_HOME or downloads. Labels are the numbers of the classes, or the
    lines of a `labels.txt` beside the file. The pictures come as PNG, which loses nothing, into
    `unpacked/` of the cache folder, by their content: a second time they are there already, and
    compared with the list of digests beside them. Where one was changed, lost or added, that is
    said, and all are unpacked anew.
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


def _unpack(splits: Mapping[str, LabelledArrays], labels: tuple[str, ...]) -> Path:
    digest = hashlib.sha256("\n".join(labels).encode())
    for split, arrays in sorted(splits.items()):
        digest.update(split.encode() + arrays.pictures.tobytes() + arrays.truth.tobytes())
    folder = cache_folder() / "unpacked" / digest.hexdigest()[:20]
    names = [
        f"{Path(split) / labels[truth]}/{number:06d}.png"
        for split, arrays in splits.items()
        for number, truth in enumerate(arrays.truth.tolist(), start=1)
    ]
    folders = {split for split in splits if split} | {
        str(Path(split) / label) for split in splits for label in labels
    }
    if folder.is_dir():
        if _is_whole(folder, names, folders):
            return folder
        _log.warning(
            f"{folder}: the pictures in it are not those that were unpacked: they are unpacked "
            "anew. If this comes again, look after the disk, or set PILAH_CACHE to another one"
        )
    pictures = [picture for arrays in splits.values() for picture in arrays.pictures]
    with storage_errors("write", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        storage_errors("write", folder),
        scratch_folder(folder.parent) as scratch,
        Progress("unpacking", total=len(names)) as progress,
        ThreadPoolExecutor() as workers,
    ):
        temporary = scratch / "pictures"
        for name in folders:  # one without a picture is a class all the same
            (temporary / name).mkdir(parents=True, exist_ok=True)

        def write(number: int) -> str:
            picture = pictures[number]
            # OpenCV writes BGR.
            png = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)[1]
            content = png.tobytes()
            (temporary / names[number]).write_bytes(content)
            return hashlib.sha256(content).hexdigest()

        digests: list[str] = []
        for some in _chunks(len(names)):
            digests += workers.map(write, some)
            progress.advance(len(some))
        # All at once: to sync tens of thousands of small files one by one takes minutes.
        os.sync()
        if folder.exists():
            swap_folders(temporary, folder)
        else:
            temporary.rename(folder)
        lines = [f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True)]
        write_file(_list_of(folder), "".join(lines))
    return folder


def _list_of(folder: Path) -> Path:
    """Where the digests of the pictures in `folder` stand, as `sha256sum` writes them."""
    return folder.with_name(f"{folder.name}.sha256")


def _is_whole(folder: Path, names: Sequence[str], folders: Set[str]) -> bool:
    """Whether `folder` has these folders and pictures, no others, and each as it was written.

    A list that is damaged itself fits nothing.
    """
    try:
        text = _list_of(folder).read_text("utf-8")
        digests = {name: digest for digest, _, name in (x.split(" ", 2) for x in text.splitlines())}
        found = [path.relative_to(folder) for path in folder.rglob("*")]
        if {str(path) for path in found} != {*names, *folders} or digests.keys() != set(names):
            return False
        with Progress("comparing unpacked pictures", total=len(names)) as progress:
            for name in names:
                content = read_regular(folder / name, largest=_LARGEST)
                if hashlib.sha256(content).hexdigest() != digests[name]:
                    return False
                progress.advance()
    except (OSError, ValueError):
        return False
    return True


def _chunks(total: int) -> list[range]:
    return [range(start, min(start + _AT_ONCE, total)) for start in range(0, total, _AT_ONCE)]
