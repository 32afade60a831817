"""The folder that `capture` and `samples` fill: one folder per label, and how pictures were cut."""

from __future__ import annotations

import json
import os
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

import cv2
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.core.closing import Closing
from edge.core.dataset.layout import CAPTURED
from edge.core.dataset.tree import look_into
from edge.core.errors import PictureSetError, StorageError
from edge.core.files import read_regular, storage_errors, write_file
from edge.core.images.image_file import Image
from edge.core.images.preprocess import InputSpec
from edge.core.labels import check_label
from edge.core.processes.file_lock import try_lock
from edge.core.terminal.wording import number_of

FACTS = CAPTURED
_LARGEST_FACTS = 1 << 20
_NAME = re.compile(r"\d{8}-\d{6}-(\d+)")
# A quarter of a PNG's bytes and a sixth of its time, half a grey level beside the camera's noise;
# 4:4:4, because a small item has few pixels for its colours.
_JPEG = (
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


class Geometry(BaseModel):
    """How photographs were cut out of the camera's picture; a model must get the same cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: Literal["region", "item"]
    padding: Annotated[float | None, Field(ge=0, le=1)] = None
    """The margin around an item's box, as a share of the box's longer side; None for `region`."""

    @model_validator(mode="after")
    def _padding_of_items(self) -> Self:
        if (self.crop == "item") != (self.padding is not None):
            raise ValueError("padding goes with crop: item, and only with it")
        return self

    def __str__(self) -> str:
        if self.crop == "region":
            return "the whole region"
        return f"items cut out with {self.padding:g} of padding"

    @classmethod
    def of(cls, spec: InputSpec) -> Geometry:
        """The geometry of the pictures that a station gives a model with this input spec."""
        return cls(crop=spec.crop, padding=spec.padding if spec.crop == "item" else None)


class _Facts(Geometry):
    schema_version: Literal[1] = 1
    station: str


def read_geometry(folder: Path) -> Geometry | None:
    """The geometry of the photographs in `folder`; None if the folder has no `capture.json`.

    Raises:
        PictureSetError: the file is damaged, or was written by a newer pilah.
    """
    file = folder / FACTS
    try:
        facts = _Facts.model_validate_json(read_regular(file, largest=_LARGEST_FACTS))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"{file}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise PictureSetError(
            f"{file}: {where}: {first['msg']}. `pilah-edge capture` writes this file, to record "
            "how the photographs beside it were cut. Restore it, or remove it if the recipe gives "
            "crop and padding"
        ) from error
    return Geometry(crop=facts.crop, padding=facts.padding)


def geometries(files: Iterable[Path]) -> dict[Geometry, Path]:
    """Every recorded geometry of the pictures `files`, each with a folder that has it.

    Raises:
        PictureSetError: a `capture.json` is damaged, or was written by a newer pilah.
    """
    found: dict[Geometry, Path] = {}
    for folder in sorted({file.absolute().parent.parent for file in files}):
        if (geometry := read_geometry(folder)) is not None:
            found.setdefault(geometry, folder)
    return found


class PhotoFolder(Closing):
    """A folder of photographs, locked so that only this process adds to it; a context manager.

    Attributes:
        path: the folder, with a folder per label in it, as `read_picture_set` reads it.
        geometry: how the added pictures are cut.
        counts: the number of pictures of each label.
    """

    def __init__(self, path: Path, *, geometry: Geometry, station: str) -> None:
        """Opens or makes the folder `path`.

        Args:
            geometry: how the pictures that will be added are cut.
            station: the station's name.

        Raises:
            PictureSetError: the pictures in the folder have another geometry.
            StorageError: the folder cannot be written, or another process fills it.
        """
        self.path, self.geometry, self._station = path, geometry, station
        with storage_errors("create", path):
            path.mkdir(parents=True, exist_ok=True)
        with storage_errors("write", path), tempfile.TemporaryFile(dir=path):
            pass
        self.counts: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}
        for folder in sorted(path.iterdir()):
            if folder.is_dir() and not folder.name.startswith((".", "__")):
                self._count(folder)
        known = read_geometry(path)
        if known not in (None, geometry) and self.counts.total():
            raise PictureSetError(
                f"{path}: its {number_of(self.counts.total(), 'pictures', verb='show')} {known}, "
                f"and the new ones would show {geometry}; a model cannot learn from both. Give "
                "another folder with --out, or take the pictures the same way as before (--items, "
                "--whole-region)"
            )
        self.unknown = known is None and self.counts.total() > 0
        self._written = known == geometry
        self._lock: int | None = self._locked()

    def close(self) -> None:
        """Releases the lock, so that another process may fill the folder; may be called twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def add(self, label: str, image: Image, *, taken: float) -> Path:
        """Writes a picture into a new file, atomically, and returns the path of the file.

        Args:
            image: uint8 (height, width, 3) BGR.
            taken: the capture time, in seconds since 1970.

        Raises:
            PictureSetError: `label` is not a valid label.
            StorageError: the disk is full, or the folder can no longer be written.
        """
        number = self._numbers.get(label, 0) + 1
        # The number continues from day to day: `--groups blocks:N` finds series of pictures by it.
        name = f"{datetime.fromtimestamp(taken):%Y%m%d-%H%M%S}-{number:04d}.jpg"
        _, content = cv2.imencode(".jpg", image, _JPEG)
        file = self.put(label, name, content.tobytes())
        self._numbers[label] = number
        return file

    def put(self, label: str, name: str, content: bytes) -> Path:
        """Writes a picture that is encoded already, atomically, and returns the path of the file.

        Args:
            name: of the new file, in the folder of the label.
            content: a JPEG file.

        Raises:
            PictureSetError, StorageError: as of `add`.
        """
        folder = self.path / photo_label(label)
        with storage_errors("create", folder):
            folder.mkdir(exist_ok=True)
        if not self._written:
            facts = _Facts(station=self._station, **self.geometry.model_dump())
            write_file(self.path / FACTS, json.dumps(facts.model_dump(), indent=2) + "\n")
            self._written = True
        write_file(folder / name, content)
        self.counts[label] += 1
        return folder / name

    def remove(self, file: Path) -> None:
        """Deletes a picture that is here, and the folder of its label if that is then empty.

        Raises:
            StorageError: the picture cannot be deleted.
        """
        label = file.parent.name
        with storage_errors("remove", file):
            file.unlink(missing_ok=True)
        self.counts[label] -= 1
        if not self.counts[label]:
            with suppress(OSError):  # another file lies in it
                file.parent.rmdir()

    def latest(self, label: str, limit: int) -> list[Path]:
        """The newest pictures of a label, newest first."""
        files = [(file.stat().st_mtime_ns, file.name, file) for file in _files(self.path / label)]
        return [file for _, _, file in sorted(files, reverse=True)[:limit]]

    def _count(self, folder: Path) -> None:
        label = unicodedata.normalize("NFC", folder.name)
        for file in _files(folder):
            self.counts[label] += 1
            if found := _NAME.fullmatch(file.stem):
                self._numbers[label] = max(self._numbers.get(label, 0), int(found[1]))

    def _locked(self) -> int:
        with storage_errors("open", self.path):
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            is_ours = try_lock(descriptor)
        except OSError:
            return descriptor  # a file system without locks, such as some network shares
        if not is_ours:
            os.close(descriptor)
            raise StorageError(
                f"{self.path}: another `pilah-edge capture` is filling this folder: end it, or "
                "give another folder with --out"
            )
        return descriptor


def photo_label(text: str, *, where: str = "--label") -> str:
    """`text` in Unicode form NFC, as the name of a class and of its folder.

    Args:
        where: the place of the label, with which a message begins.

    Raises:
        PictureSetError: it cannot be the name of a class or of its folder.
    """
    label = unicodedata.normalize("NFC", text)
    check_label(label, where=where)
    if label.startswith("__"):
        raise PictureSetError(
            f"{where}: {label!r} starts with __, and a training leaves such folders out: choose "
            "another name"
        )
    return label


def _files(folder: Path) -> list[Path]:
    return look_into(folder).all_pictures() if folder.is_dir() else []
