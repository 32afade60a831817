"""Any set of labelled pictures, by the form of what is given: a folder, a manifest, a class map."""

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
    """The labelled pictures that `path` and `add` name; none of them is decoded.

    Args:
        path: a folder with one folder per class; a folder that is divided already, into `train`
            with `val` or `test` or both (or `Training`, `test_set`, `seg_train` …), each with one
            folder per class, or each class so; a folder around one of these;
            a `.csv` manifest with the columns `path,label` and optionally `group` and `split`
            (paths relative to it); or a class map `.yaml`, `label: [folders]` (folders relative to
            it).
        group_column: of a manifest, the column that names each picture's group.
        add: more of the same forms, for pictures that came later: see LabelledPicture.source.
        labels: those known beforehand, as a bundle's: a folder of such a name is a class.

    Raises:
        PictureSetError: not there, empty, of another form, a label that cannot be one, or a file
            that has two labels.
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
        f"{' and '.join(map(repr, group))} are {len(group)} classes, and differ in upper and lower "
        "case, spaces, hyphens or underscores only: if they are one, rename the others, or join "
        "them in a class map"
        for group in nearly_equal(found.classes)
    ]
    return replace(found, notes=(*found.notes, *alike))


def read_unlabelled(path: Path) -> PictureSet:
    """The pictures of a folder, however deep they lie in it, as of one class without a name.

    Args:
        path: a folder; or a manifest or class map, whose labels are passed over.

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
        notes.append(f"{later.source}: {again} of its pictures were there already: counted once")
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


def _why_none(found: PictureSet) -> str:
    if not found.left_out:
        return ""
    kinds = kinds_of(found.left_out)
    return f"; {len(found.left_out):,} left out ({kinds}), first: {found.left_out[0]}"
