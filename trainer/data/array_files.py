"""Pictures and their labels read from arrays in files: NumPy's `.npz`, and idx as MNIST's."""

from __future__ import annotations

import gzip
import logging
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.errors import PictureSetError
from edge.core.labels import label_problem, listed
from edge.core.terminal.wording import number_of

_log = logging.getLogger(__name__)

Levels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.generic]

UNDIVIDED = ""
"""The name of the one split of a file whose arrays are not divided."""
_PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
"""Part -> what its arrays are called by."""
_IDX = {"train": "train", "test": "t10k"}
"""Part -> what the names of its idx files start with."""
_DAMAGED = (
    ValueError, OSError, EOFError, KeyError, TypeError, OverflowError, MemoryError, SyntaxError,
    NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""The exceptions that NumPy and zipfile raise for damaged or malicious files."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledArrays:
    """The pictures of a split, and the class index of each."""

    pictures: Levels
    """(pictures, height, width) grey, or (pictures, height, width, 3) RGB."""
    truth: npt.NDArray[np.int64]
    """(pictures,) index into the labels."""


@dataclass(frozen=True, slots=True, eq=False)
class _Raw:
    pictures: Levels
    values: Values
    """(pictures,) whole numbers or text."""
    where: str
    """The name of the values in an error message."""


def read_npz(path: Path, labels: tuple[str, ...] | None) -> tuple[
    dict[str, LabelledArrays], tuple[str, ...]
]:  # fmt: skip
    """The splits of an `.npz` file and the labels that they index.

    The arrays are called `x_train` and `y_train` as Keras writes them, `train_images` and
    `train_labels`, and so on for `val` and `test`; or `x` and `y` where they are not divided.

    Args:
        labels: of each class number; None: the numbers, or the text that stands in the arrays.

    Raises:
        PictureSetError: an array is missing, is no picture or no label, or does not fit another.
    """
    wanted: dict[str, _Raw] = {}
    arrays, left_out = _arrays(path)
    for split, (of_pictures, of_labels) in _pairs(path, arrays).items():
        where = f"{path}: {of_labels}"
        pictures = _pictures(arrays[of_pictures], f"{path}: {of_pictures}")
        wanted[split] = _Raw(pictures, _values(arrays[of_labels], len(pictures), where), where)
    if left_out:
        _log.warning(f"{path}: not read: the arrays {', '.join(left_out)}")
    return _indexed(wanted, labels)


def read_idx(folder: Path, labels: tuple[str, ...] | None) -> tuple[
    dict[str, LabelledArrays], tuple[str, ...]
]:  # fmt: skip
    """The splits of a folder of idx files as MNIST's and the labels that they index.

    Raises:
        PictureSetError: a file is missing or damaged, or does not fit another.
    """
    wanted = {}
    for split, start in _IDX.items():
        where = f"{folder}: {start}"
        pictures = _pictures(_idx_file(folder, f"{start}-images-idx3-ubyte"), where)
        values = _values(_idx_file(folder, f"{start}-labels-idx1-ubyte"), len(pictures), where)
        wanted[split] = _Raw(pictures, values, where)
    return _indexed(wanted, labels)


def _arrays(path: Path) -> tuple[dict[str, Values], list[str]]:
    """The arrays of pictures and labels by name, and the names of the others."""
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no archive as numpy.savez writes it")
            with zipfile.ZipFile(file) as archive:
                size = sum(member.file_size for member in archive.infolist())
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            if size > memory:
                raise ValueError(f"its arrays take {size:,} bytes, this machine has {memory:,}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as content:
                names = list(content.files)
                known = {name for pair in _names() for name in pair}
                arrays = {name: content[name] for name in names if name.lower() in known}
    except _DAMAGED as error:
        advice = ""
        if "allow_pickle" in str(error):
            advice = (
                ". An array of Python objects is a program, which is not run: save it as plain "
                "numbers or text, for example with `y.astype(str)`"
            )
        raise PictureSetError(f"{path}: not a NumPy file of arrays: {error}{advice}") from error
    return arrays, [name for name in names if name not in arrays]


def _names() -> list[tuple[str, str]]:
    """What a pair of arrays may be called, in small letters; those of a split in a row."""
    named = [("x", "y"), ("images", "labels")]
    for words in _PARTS.values():
        for word in words:
            named += [(f"x_{word}", f"y_{word}"), (f"{word}_x", f"{word}_y")]
            named += [(f"{word}_images", f"{word}_labels")]
    return named


def _pairs(path: Path, arrays: Mapping[str, Values]) -> dict[str, tuple[str, str]]:
    """Part -> the names of its two arrays.

    Raises:
        PictureSetError: one of two is missing, a split is there twice, or there is no training
            split.
    """
    own = {name.lower(): name for name in arrays}
    found: dict[str, tuple[str, str]] = {}
    for first, second in _names():
        if first not in own and second not in own:
            continue
        if first not in own or second not in own:
            missing = first if first not in own else second
            raise PictureSetError(f"{path}: has no array {missing}. It has: {', '.join(arrays)}")
        words = set(first.split("_"))
        split = next((p for p, known in _PARTS.items() if words & set(known)), UNDIVIDED)
        if split in found:
            raise PictureSetError(
                f"{path}: both {found[split][0]} and {own[first]} are there, which name the same "
                "split: leave one of them out"
            )
        found[split] = own[first], own[second]
    if "train" not in found and list(found) != [UNDIVIDED]:
        raise PictureSetError(
            f"{path}: expected the arrays x_train and y_train, and x_test and y_test; or x and y. "
            f"It has: {', '.join(arrays) or 'none of that kind'}"
        )
    return {split: names for split, names in found.items() if split or len(found) == 1}


def _pictures(pictures: Values, where: str) -> Levels:
    shape = pictures.shape
    if pictures.dtype != np.uint8:
        advice = "save levels of 0 to 255 with `x.astype(np.uint8)`"
        if pictures.dtype.kind == "f":
            advice += ", and levels of 0 to 1 with `(x * 255).round().astype(np.uint8)`"
    elif len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3):
        advice = "the channels must come last: `x.transpose(0, 2, 3, 1)`"
    elif len(shape) == 4 and shape[3] == 4:
        advice = "leave the fourth channel out: `x[..., :3]`"
    elif len(shape) == 2:
        advice = "give each picture its height and width: `x.reshape(-1, height, width)`"
    elif (
        len(shape) not in (3, 4)
        or (len(shape) == 4 and shape[3] not in (1, 3))
        or not all(shape[1:])
    ):
        advice = "a picture has levels in one channel or three"
    else:
        return np.asarray(pictures, np.uint8)
    raise PictureSetError(
        f"{where}: expected uint8 (pictures, height, width) or (…, 3). "
        f"Received: {pictures.dtype} {shape}: {advice}"
    )


def _values(labels: Values, count: int, where: str) -> Values:
    """(pictures,) whole numbers or text, from labels in any of the forms that people save.

    Raises:
        PictureSetError: they are of another form, or not as many as there are pictures.
    """
    received = f"Received: {labels.dtype} {labels.shape}"
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        one_hot = ((labels == 0) | (labels == 1)).all(axis=1) & ((labels != 0).sum(axis=1) == 1)
        if not one_hot.all():
            raise PictureSetError(
                f"{where}: expected one label for each of {number_of(count, 'pictures')}, or rows "
                f"of zeros with a single 1. {received}; row {int(np.argmin(one_hot))} is another"
            )
        labels = labels.argmax(axis=1)
    if labels.ndim != 1 or len(labels) != count or labels.dtype.kind not in "biufUS":
        raise PictureSetError(
            f"{where}: expected a whole number or a text for each of "
            f"{number_of(count, 'pictures')}. {received}"
        )
    if labels.dtype.kind == "f":
        # Above it a floating-point number of this kind is no longer exact.
        exact = 2.0 ** {2: 11, 4: 24}.get(labels.dtype.itemsize, 53)
        numbers = labels.astype(np.float64)
        whole = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (abs(numbers) < exact)
        if not whole.all():
            raise PictureSetError(
                f"{where}: expected a whole number for each of {number_of(count, 'pictures')}. "
                f"{received} with "
                f"{numbers[np.argmin(whole)]:g}"
            )
        labels = numbers.astype(np.int64)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "S":
        try:
            labels = np.array([value.decode() for value in labels.tolist()], np.str_)
        except UnicodeDecodeError as error:
            raise PictureSetError(f"{where}: a label is not text in UTF-8: {error}") from error
    return labels


def _indexed(
    raw: Mapping[str, _Raw], labels: tuple[str, ...] | None
) -> tuple[dict[str, LabelledArrays], tuple[str, ...]]:
    """The splits with an index for each value, and the labels that these index.

    Raises:
        PictureSetError: a value is no label, or has none in the list `labels`.
    """
    text = {split.values.dtype.kind == "U" for split in raw.values()}
    if len(text) > 1:
        raise PictureSetError(
            "; ".join(f"{split.where} has {split.values.dtype}" for split in raw.values())
            + ": labels must be text in all of them, or numbers in all of them"
        )
    distinct = {name: np.unique(split.values).tolist() for name, split in raw.items()}
    known = sorted({value for values in distinct.values() for value in values})
    if not known:
        raise PictureSetError(f"{next(iter(raw.values())).where}: there are no pictures")
    names = labels or tuple(map(str, known))
    # Numbers index a list of labels; where there is none, they are themselves the names.
    values: Iterable[int | str] = range(len(labels)) if labels else known
    place = {value: index for index, value in enumerate(names if text == {True} else values)}
    for name, split in raw.items():
        _check_values(distinct[name], place, split, labels)
    return {
        name: LabelledArrays(
            split.pictures,
            np.array([place[value] for value in split.values.tolist()], np.int64),
        )
        for name, split in raw.items()
        if len(split.values) or name == "train"
    }, names


def _check_values(
    values: list[int | str],
    place: Mapping[int | str, int],
    split: _Raw,
    labels: tuple[str, ...] | None,
) -> None:
    problems = []
    for value in values:
        count = int((split.values == value).sum())
        if isinstance(value, int) and value < 0:
            problems.append(
                f"{split.where}: {number_of(count, 'pictures', verb='have')} the class number "
                f"{value}, which often says that nobody labelled them: leave them out"
            )
        elif value not in place:
            problems.append(
                f"{split.where}: {number_of(count, 'pictures', verb='have')} the class {value!r}, "
                f"and labels.txt has {number_of(len(labels or ()), 'labels')}: give it a line for "
                "each class, in their order"
            )
        elif isinstance(value, str) and (problem := label_problem(value)):
            problems.append(f"{split.where}: {problem}")
    if problems:
        raise PictureSetError(listed(problems))


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
    except (*_DAMAGED, struct.error) as error:
        raise PictureSetError(f"{file}: not a whole idx file of bytes: {error}") from error
