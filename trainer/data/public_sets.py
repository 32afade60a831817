"""Public sets of pictures, by name: their addresses, and how their files are unpacked."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.core.dataset import read_picture_set
from edge.core.errors import PictureSetError, UsageError
from edge.core.files import new_folder, storage_errors
from edge.core.suggestions import did_you_mean
from edge.core.terminal.hints import install_command
from trainer.data.archive import unzip
from trainer.data.arrays import FASHION_LABELS
from trainer.data.download import RemoteFile, digest, fetch
from trainer.errors import DownloadError

_FASHION = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
KAGGLE = "kaggle:"


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set of pictures that is free to download."""

    summary: str
    files: tuple[RemoteFile, ...]
    train: str
    """The recipe and options that suit the set."""
    labels: tuple[str, ...] = ()
    """The names of the classes, for a set of arrays whose classes are numbers."""


@dataclass(frozen=True, slots=True)
class FetchedSet:
    """A set that was downloaded."""

    folder: Path
    train: str
    """The recipe and options that suit the set."""
    notes: tuple[str, ...] = ()
    """One line for each note to the user."""


def _fashion_file(name: str, md5: str) -> RemoteFile:
    return RemoteFile(name, tuple(base + name for base in _FASHION), f"md5:{md5}")


PUBLIC_SETS: Mapping[str, PublicSet] = {
    "fashion-mnist": PublicSet(
        "70,000 grey 28x28 pictures of clothing in 10 classes; Zalando Research, MIT; 31 MB",
        # The MD5s are those of its README: https://github.com/zalandoresearch/fashion-mnist
        (
            _fashion_file("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            _fashion_file("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            _fashion_file("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            _fashion_file("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        "fashion",
        FASHION_LABELS,
    ),
    "trashnet": PublicSet(
        "2,527 photographs of waste on a white board in 6 classes; Thung and Yang, MIT; 43 MB",
        (
            RemoteFile(
                "dataset-resized.zip",
                (
                    "https://github.com/garythung/trashnet/raw/master/data/dataset-resized.zip",
                    "https://huggingface.co/datasets/garythung/trashnet/resolve/main/"
                    "dataset-resized.zip",
                ),
                # Published by nobody, but recorded alike by several who trained on it.
                "sha256:c060e8abfe5d6de0578ca15be1ed8ad0794a865d333c3473d53d1d9ad6e38b8c",
            ),
        ),
        "garbage --groups blocks:20",
    ),
}


def get(
    name: str,
    out: Path,
    *,
    sets: Mapping[str, PublicSet] = PUBLIC_SETS,
    wait: Callable[[float], None] = time.sleep,
) -> FetchedSet:
    """The set called `name`, in the new folder `out`.

    What is fetched lies beside it, in `OUT.download`, until all has arrived: a download that broke
    off goes on when this is called again.

    Args:
        name: one of `sets`, or `kaggle:owner/name`.
        wait: pauses for so many seconds before another try.

    Raises:
        UsageError: there is no set of this name.
        DownloadError: it cannot be fetched whole, or is not what it should be.
        StorageError: `out` is there already, or the disk is full.
        ModuleNotFoundError: a set of Kaggle, and kagglehub is not installed.
    """
    if name.startswith(KAGGLE):
        return _from_kaggle(name.removeprefix(KAGGLE), out)
    if name not in sets:
        raise UsageError(
            f"no public set {name!r}: there are {', '.join(sets)}, and kaggle:owner/name"
            f"{did_you_mean(name, sets, listing=False)}"
        )
    chosen = sets[name]
    downloads = out.with_name(f"{out.name}.download")
    notes = []
    with new_folder(out) as folder:
        with storage_errors("create", downloads):
            downloads.mkdir(parents=True, exist_ok=True)
        for file in chosen.files:
            arrived = fetch(file, downloads, wait=wait)
            if file.checksum is None:
                notes.append(
                    f"{file.name}: no checksum is published for it; SHA-256 received: "
                    f"{digest(arrived)}"
                )
            if arrived.suffix == ".zip":
                unzip(arrived, folder)
                _lift(folder)
            else:
                shutil.copyfile(arrived, folder / arrived.name)
        if chosen.labels:
            text = "".join(f"{label}\n" for label in chosen.labels)
            (folder / "labels.txt").write_text(text, encoding="utf-8")
    shutil.rmtree(downloads)
    return FetchedSet(out, chosen.train, tuple(notes))


def _lift(folder: Path) -> None:
    """Brings what lies in one folder alone a level up, as often as that is so."""
    while True:
        entries = list(folder.iterdir())
        if len(entries) != 1 or not entries[0].is_dir():
            return
        only = entries[0].rename(folder / ".only")
        for entry in only.iterdir():
            entry.rename(folder / entry.name)
        only.rmdir()


def _from_kaggle(handle: str, out: Path) -> FetchedSet:
    owner, _, name = handle.partition("/")
    if not owner or not name:
        raise UsageError(f"a set of Kaggle is kaggle:owner/name. Received: {KAGGLE}{handle}")
    if importlib.util.find_spec("kagglehub") is None:
        raise DownloadError(
            "sets of Kaggle are fetched by kagglehub, which is not installed: "
            + install_command("kaggle")
        )
    import kagglehub

    with new_folder(out) as folder:
        try:
            arrived = Path(kagglehub.dataset_download(handle))
        except Exception as error:  # kagglehub's own have no common base
            raise DownloadError(
                f"{KAGGLE}{handle}: kagglehub could not fetch it ({type(error).__name__}: {error})."
                " Some sets ask for an account: see https://www.kaggle.com/docs/api"
            ) from error
        shutil.copytree(arrived, folder, dirs_exist_ok=True)
        _lift(folder)
    try:
        read_picture_set(out)
    except PictureSetError as error:
        note = f"as it lies there it is no set of pictures ({error}): write a class map for it"
        return FetchedSet(out, "RECIPE", (note,))
    return FetchedSet(out, "RECIPE")
