"""The one entry point for reading labelled pictures: from a folder, a manifest or a class map."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from edge.core.dataset.class_map import read_class_map
from edge.core.dataset.layout import read_folder
from edge.core.dataset.manifest import read_manifest
from edge.core.dataset.picture_set import LabelledPicture, PictureSet, is_utf8, kinds_of, printable
from edge.core.dataset.tree import look_into
from edge.core.errors import PictureSetError
from edge.core.labels import check_label, nearly_equal
from edge.core.suggestions import similar_path


def read_picture_set(
    path: Path,
    *,
    group_column: str = "group",
    add: Sequence[Path] = (),
    labels: Collection[str] = (),
) -> PictureSet:
    """The labelled pictures in `path` and `add`; no picture is decoded.

    Args:
        path: one of these:
            a folder with one folder per class;
            a folder with splits, `train` with `val` or `test` or both (or `Training`, `test_set`,
            `seg_train` …), each with one folder per class;
            a folder with one folder per class, each with folders of splits;
            a folder around one of these;
            a `.csv` manifest with the columns `path,label` and optionally `group` and `split`
            (paths are relative to the manifest);
            a class map `.yaml`, `label: [folders]` (folders are relative to the file).
        group_column: the column of a manifest that names each picture's group.
        add: further sources in the same forms, for pictures that were taken later; see
            `LabelledPicture.source`.
        labels: the labels known beforehand, such as a bundle's: a folder with such a name is a
            class.

    Raises:
        PictureSetError: a source is missing, empty or in another form, a label is not valid, or a
            file has two labels.
        StorageError: a folder or file cannot be read.

    Example:
        >>> pictures = read_picture_set(Path("photos")).pictures
        >>> [(picture.path.name, picture.label) for picture in pictures]
        [('1.png', 'blue'), ('1.png', 'red')]
    """
    found = _read_one(path, group_column, labels)
    for source, later in enumerate(add, start=1):
        known = {*labels, *found.classes}
        found = _joined(found, _read_one(later, group_column, known), source)
    alike = [
        f"{' and '.join(map(repr, group))} are {len(group)} classes, but their names differ only "
        "in upper and lower case, spaces, hyphens or underscores: if they are one class, give them "
        "the same name, or join them in a class map"
        for group in nearly_equal(found.classes)
    ]
    return replace(found, notes=(*found.notes, *alike))


def read_unlabelled(path: Path) -> PictureSet:
    """The pictures of a folder and of all folders below it, with an empty label.

    Args:
        path: a folder; or a manifest or class map, whose labels are ignored.

    Raises:
        PictureSetError: there is no picture.
        StorageError: a folder or file cannot be read.
    """
    if not path.is_dir():
        found = _read_one(path, "group", ())
        return replace(found, pictures=tuple(replace(p, label="") for p in found.pictures))
    tree = look_into(path)
    pictures = tuple(LabelledPicture(file, "") for file in tree.all_pictures())
    found = PictureSet(path, pictures, ("",), tuple(tree.all_left_out()))
    if not found.pictures:
        raise PictureSetError(f"{printable(path)}: no pictures found{_why_none(found)}")
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
        notes.append(
            f"{later.source}: {again} of its pictures are in an earlier source too: each is "
            "counted once"
        )
    if classes := sorted({p.label for p in new} - set(first.classes)):
        notes.append(f"{later.source}: brings new classes: {', '.join(classes)}")
    return PictureSet(
        source=first.source,
        pictures=(*first.pictures, *new),
        classes=tuple(sorted({*first.classes, *later.classes})),
        left_out=(*first.left_out, *later.left_out),
        notes=(*first.notes, *notes),
        missing_splits=first.missing_splits,
    )


def _read_one(path: Path, group_column: str, labels: Collection[str]) -> PictureSet:
    if not path.exists():
        raise PictureSetError(f"{path}: no such file or folder{similar_path(path)}")
    if not is_utf8(path):
        raise PictureSetError(f"{printable(path)}: its name is not UTF-8: rename it")
    if path.is_dir():
        found = read_folder(path, labels)
    elif path.suffix.lower() == ".csv":
        found = read_manifest(path, group_column)
    elif path.suffix.lower() in (".yaml", ".yml"):
        found = read_class_map(path)
    else:
        raise PictureSetError(
            f"{path}: expected a folder with one folder per class, a .csv manifest (path,label) or "
            f"a .yaml class map (label: [folders]). Received: a {path.suffix or 'plain'} file"
        )
    if not found.pictures:
        raise PictureSetError(
            f"{path}: no pictures found. Put them in one folder per class, "
            f"for example {path / 'can' / '1.jpg'} (JPEG, PNG, WebP or BMP){_why_none(found)}"
        )
    # The same "ü" can be one character or two (as macOS writes it); both are the same class.
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


def _why_none(found: PictureSet) -> str:
    if not found.left_out:
        return ""
    kinds = kinds_of(found.left_out)
    count = len(found.left_out)
    files = "1 file is" if count == 1 else f"{count:,} files are"
    return f"; {files} left out ({kinds}); the first is {found.left_out[0]}"
