"""Labelled pictures on disk: folders of classes, divided or not, a CSV manifest, or a class map.

`pilah-edge evaluate` and the trainer read their pictures through this one module.
"""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.errors import ConfigError, PictureSetError
from edge.labels import check_label
from edge.model.image_file import CONVERTIBLE_SUFFIXES, SUFFIXES
from edge.yaml_file import YamlFile, similar_path

PARTS = ("train", "validation", "test")
"""The parts of a split, by the names a manifest's `split` column uses."""

_PART_OF_FOLDER = {
    "train": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test",
}  # fmt: skip
"""Of a set that comes divided, by the name of the folder, or in a manifest's column `split`."""

_HEIF_SUFFIXES = frozenset({".heic", ".heif", ".avif"})
_HEIF_ADVICE = (
    " first, for example with `heif-convert picture.heic picture.jpg`, or set the phone's camera "
    'to "most compatible"'
)


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture file and what is on it."""

    path: Path
    label: str
    group: str | None = None
    """Pictures of one group never land in two parts of a split; None: a group of its own."""
    part: str | None = None
    """One of PARTS where the manifest or the folder decides the split."""
    source: int = 0
    """Which of the places it came from: 0 the first, 1 and up those added later, in order."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Labelled pictures in a stable order, and what had to be left out."""

    source: Path
    pictures: tuple[LabelledPicture, ...]
    classes: tuple[str, ...]
    """Every label that is named, sorted: those of no picture too, as of an empty folder."""
    skipped: tuple[str, ...] = ()
    """A line for each file that looks like a picture but whose format or name cannot be read."""
    notes: tuple[str, ...] = ()
    """A line for each thing a person should know of how the set was read."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label of a picture once, sorted."""
        return tuple(sorted({picture.label for picture in self.pictures}))


def read_picture_set(
    path: Path, *, group_column: str = "group", add: Sequence[Path] = ()
) -> PictureSet:
    """The labelled pictures that `path` and `add` name; the files themselves are not opened.

    Args:
        path: a folder with one folder per class; a folder that is divided already, into `train`
            with `val` (or `valid`, `validation`) or `test` or both, each with one folder per class;
            a `.csv` manifest with the columns `path,label` and optionally `group` and `split`
            (paths relative to it); or a class map `.yaml`, `label: [folders]` (folders relative to
            it).
        group_column: of a manifest, the column that names each picture's group.
        add: more of the same forms, for pictures that came later: see LabelledPicture.source.

    Raises:
        PictureSetError: not there, empty, of another form, a label that cannot be one, or a file
            that has two labels.
    """
    found = _read_one(path, group_column)
    for source, later in enumerate(add, start=1):
        found = _joined(found, _read_one(later, group_column), source)
    return found


def _joined(first: PictureSet, later: PictureSet, source: int) -> PictureSet:
    known = {picture.path.resolve(): picture for picture in first.pictures}
    new: list[LabelledPicture] = []
    for picture in later.pictures:
        other = known.get(picture.path.resolve())
        if other is None:
            new.append(replace(picture, source=source))
        elif other.label != picture.label:
            raise PictureSetError(
                f"{later.source}: {picture.path} is {picture.label!r} here and {other.label!r} in "
                f"{first.source}: remove one of the two"
            )
    notes = [f"{later.source}: {note}" for note in later.notes]
    if again := len(later.pictures) - len(new):
        notes.append(f"{later.source}: {again} of its pictures were there already: counted once")
    if classes := sorted({p.label for p in new} - set(first.classes)):
        notes.append(f"{later.source}: brings new classes: {', '.join(classes)}")
    return PictureSet(
        source=first.source,
        pictures=(*first.pictures, *new),
        classes=tuple(sorted({*first.classes, *later.classes})),
        skipped=(*first.skipped, *later.skipped),
        notes=(*first.notes, *notes),
    )


def _read_one(path: Path, group_column: str) -> PictureSet:
    if not path.exists():
        raise PictureSetError(f"{path}: no such file or folder{similar_path(path)}")
    if not _is_utf8(path):
        raise PictureSetError(f"{_printable(path)}: its name is not UTF-8: rename it")
    if path.is_dir():
        found = _read_folder(path)
    elif path.suffix.lower() == ".csv":
        found = _read_manifest(path, group_column)
    elif path.suffix.lower() in (".yaml", ".yml"):
        found = _read_class_map(path)
    else:
        raise PictureSetError(
            f"{path}: expected a folder with one folder per class, a .csv manifest (path,label) or "
            f"a .yaml class map (label: [folders]). Received: a {path.suffix or 'plain'} file"
        )
    if not found.pictures:
        raise PictureSetError(
            f"{path}: no pictures found. Put them in one folder per class, "
            f"for example {path / 'can' / '1.jpg'} (endings read: {', '.join(sorted(SUFFIXES))})"
            + (
                f"; {len(found.skipped)} left out, first: {found.skipped[0]}"
                if found.skipped
                else ""
            )
        )
    # The same "ü" can be one character or two (as macOS writes it): one class all the same.
    found = replace(
        found,
        pictures=tuple(
            replace(picture, label=unicodedata.normalize("NFC", picture.label))
            for picture in found.pictures
        ),
        classes=tuple(sorted({unicodedata.normalize("NFC", label) for label in found.classes})),
    )
    for label in found.classes:
        check_label(label, where=str(path))
    return found


def _read_folder(root: Path) -> PictureSet:
    folders = _class_folders(root)
    if _is_divided(folders):
        return _read_divided(root, folders)
    loose = [entry for entry in root.iterdir() if entry.suffix.lower() in SUFFIXES]
    if not folders and loose:
        raise PictureSetError(
            f"{root}: {len(loose)} pictures lie here without a class. "
            f"Make one folder per class and move them in, for example {root / 'can'}"
        )
    pictures: list[LabelledPicture] = []
    skipped: list[str] = []
    for folder in folders:
        _collect(folder, folder.name, pictures, skipped)
    classes = tuple(folder.name for folder in folders)
    return PictureSet(root, tuple(pictures), classes, tuple(skipped))


def _is_divided(folders: Sequence[Path]) -> bool:
    """Whether these are the parts of a split, not classes that happen to be called so."""
    names = {folder.name.lower() for folder in folders}
    return (
        "train" in names
        and names <= set(_PART_OF_FOLDER)
        and all(_class_folders(folder) for folder in folders)
    )


def _read_divided(root: Path, folders: Sequence[Path]) -> PictureSet:
    pictures: list[LabelledPicture] = []
    skipped: list[str] = []
    classes: set[str] = set()
    by_part: dict[str, Path] = {}
    for folder in folders:
        part = _PART_OF_FOLDER[folder.name.lower()]
        other = by_part.setdefault(part, folder)
        if other != folder:
            raise PictureSetError(
                f"{root}: {other.name} and {folder.name} are both the {part} part: join them"
            )
        within: list[LabelledPicture] = []
        for of_class in _class_folders(folder):
            classes.add(of_class.name)
            _collect(of_class, of_class.name, within, skipped)
        pictures += [replace(picture, part=part) for picture in within]
    divided, note = complete_parts(pictures)
    notes = (note,) if note else ()
    return PictureSet(root, divided, tuple(sorted(classes)), tuple(skipped), notes)


def complete_parts(
    pictures: Sequence[LabelledPicture],
) -> tuple[tuple[LabelledPicture, ...], str]:
    """The pictures of a set that comes divided with a test part, and what to tell of it, if any.

    Where it has none, its validation part is tested on: it is made of other pictures than those
    trained on, and is looked at once, at the end. What to choose the best epoch by is then taken
    out of the pictures to train on.
    """
    parts = {picture.part for picture in pictures} - {None}
    if "train" not in parts or parts == set(PARTS):
        return tuple(pictures), ""
    drawn = "validation is taken out of train"
    if "test" in parts:
        return tuple(pictures), f"no validation part is given: {drawn}"
    if "validation" in parts:
        renamed = [
            replace(picture, part="test") if picture.part == "validation" else picture
            for picture in pictures
        ]
        return tuple(renamed), f"no test part is given: validation is tested on, and {drawn}"
    return tuple(replace(picture, part=None) for picture in pictures), (
        "no validation and no test part are given: both are taken out of train"
    )


def _class_folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if _is_class_folder(entry))


def _is_class_folder(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith((".", "__"))


def _collect(folder: Path, label: str, pictures: list[LabelledPicture], skipped: list[str]) -> None:
    for file in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            continue
        suffix = file.suffix.lower()
        if suffix not in SUFFIXES | CONVERTIBLE_SUFFIXES or not file.is_file():
            continue
        if not _is_utf8(file):
            skipped.append(f"{_printable(file)}: its name is not UTF-8: rename it")
        elif suffix in SUFFIXES:
            pictures.append(LabelledPicture(file, label))
        else:
            advice = _HEIF_ADVICE if suffix in _HEIF_SUFFIXES else ""
            skipped.append(f"{file}: {suffix[1:].upper()} is not read: convert it to JPEG{advice}")


def _is_utf8(path: Path) -> bool:
    # Python has a lone surrogate for each byte of a name that is not UTF-8. No text file takes it.
    return not any("\ud800" <= character <= "\udfff" for character in str(path))


def _printable(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _read_manifest(path: Path, group_column: str) -> PictureSet:
    pictures: list[LabelledPicture] = []
    seen: dict[Path, tuple[int, LabelledPicture]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            if not {"path", "label"} <= columns:
                raise PictureSetError(
                    f"{path}:1: the first line must name the columns path,label[,group,split]. "
                    f"Received: {','.join(reader.fieldnames or ()) or 'an empty file'}"
                )
            for row in reader:
                line = reader.line_num
                picture = _manifest_row(path, line, row, group_column)
                first, other = seen.setdefault(picture.path.resolve(), (line, picture))
                if (picture.label, picture.part) != (other.label, other.part):
                    raise PictureSetError(
                        f"{path}:{line}: {picture.path} is {_label_and_part(picture)} here and "
                        f"{_label_and_part(other)} on line {first}: remove one of the two"
                    )
                pictures.append(picture)
    except (UnicodeDecodeError, csv.Error) as error:
        raise PictureSetError(f"{path}: not a UTF-8 CSV file ({error}): save it as one") from error
    # Its parts stay as they were given: a belt of photographs takes them by their names.
    _, note = complete_parts(pictures)
    classes = tuple(picture.label for picture in pictures)
    return PictureSet(path, tuple(pictures), classes, notes=(note,) if note else ())


def _manifest_row(
    path: Path, line: int, row: dict[str, str | None], group_column: str
) -> LabelledPicture:
    name, label = row.get("path"), row.get("label")
    if not name or not label:
        raise PictureSetError(f"{path}:{line}: path and label must both be given. Received: {row}")
    file = path.parent / name
    if not file.is_file():
        raise PictureSetError(f"{path}:{line}: no such picture: {file}")
    split = row.get("split") or ""
    part = _PART_OF_FOLDER.get(split.lower())
    if split and part is None:
        raise PictureSetError(f"{path}:{line}: split must be one of {PARTS}. Received: {split!r}")
    label = unicodedata.normalize("NFC", label)
    return LabelledPicture(file, label, row.get(group_column) or None, part)


def _label_and_part(picture: LabelledPicture) -> str:
    return f"{picture.label!r}" + (f" of {picture.part}" if picture.part else "")


def _read_class_map(path: Path) -> PictureSet:
    try:
        file = YamlFile(path)
        if file.repeated:
            raise file.error(file.repeated)
    except ConfigError as error:
        raise PictureSetError(
            f"{error}. A class map has a line `label: [folders]` for each class"
        ) from error
    pictures: list[LabelledPicture] = []
    skipped: list[str] = []
    seen: dict[Path, tuple[str, int]] = {}
    for label, folders in file.content.items():
        where = f"{path}:{file.line((label,))}"
        if not isinstance(label, str):
            raise PictureSetError(
                f"{where}: put the label {label!r} in quotes: it is read as no text"
            )
        if not isinstance(folders, list) or not all(isinstance(f, str) for f in folders):
            raise PictureSetError(
                f"{where}: {label} must be a list of folders. Received: {folders!r}"
            )
        for index, name in enumerate(folders):
            line, folder = file.line((label, index)), path.parent / name
            if not folder.is_dir():
                raise PictureSetError(
                    f"{path}:{line}: {label}: no such folder: {folder}{similar_path(folder)}"
                )
            real = folder.resolve()
            for known, (owner, first) in seen.items():
                if real.is_relative_to(known) or known.is_relative_to(real):
                    raise PictureSetError(
                        f"{path}:{line}: {label}: the pictures in {folder} belong to {owner} "
                        f"already, by line {first}: remove one of the two"
                    )
            seen[real] = label, line
            _collect(folder, label, pictures, skipped)
    return PictureSet(path, tuple(pictures), tuple(file.content), tuple(skipped))
