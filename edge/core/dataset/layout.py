"""Folder layouts of public data sets: which folders are classes, and which are splits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from edge.core.dataset.picture_set import (
    LabelledPicture,
    PictureSet,
    SkippedFile,
    complete_splits,
    counted,
    printable,
)
from edge.core.dataset.split_names import is_unlabelled_name, split_of_name, splits_of_names
from edge.core.dataset.tree import Folder, look_into
from edge.core.errors import PictureSetError
from edge.core.terminal.wording import number_of

CAPTURED = "capture.json"
"""The file that `pilah-edge capture` writes: all folders beside it are classes, whatever their
names."""

_BOXES = frozenset(
    {"labels", "annotations", "annotation", "xmls", "imagesets", "masks", "mask", "ground_truth",
     "groundtruth", "segmentationclass", "segmentationobject", "jpegimages", "bboxes"}
)  # fmt: skip
"""Folder names, in lower case, of data sets for detection or segmentation."""
_MEANS_NOTHING = _BOXES | {
    "images", "image", "imgs", "img", "pictures", "photos", "jpg", "jpeg", "png", "data", "dataset",
    "datasets", "archive", "raw", "all",
}  # fmt: skip
"""Folder names, in lower case, that are not the name of a class."""
_NUMBERS = re.compile(r"[\d\s._-]+")
_MOST_NAMED = 5


def read_folder(root: Path, labels: Collection[str] = ()) -> PictureSet:
    """The pictures of a folder of classes, with or without splits.

    Args:
        labels: the labels known beforehand: a folder with such a name is a class.

    Raises:
        PictureSetError: the layout does not show which folders are classes.
        StorageError: the folder cannot be read.
    """
    found = look_into(root)
    captured = (root / CAPTURED).is_file()
    tree = found if captured else _unwrapped(found, labels)
    notes = []
    if tree is not found:
        notes.append(
            f"{printable(root)}: the classes are in its folder {printable(tree.path)}, which is "
            "read"
        )
    divided = None
    if not captured and (parts := _parts(tree, labels)):
        divided = _read_parts(tree, parts, labels)
    elif not captured:
        divided = _read_parts_of_classes(tree, labels)
    if divided is None:
        divided = _read_classes(tree, labels, captured=captured)
    if tree.pictures and not divided.pictures and not divided.left_out:
        _refuse_loose(tree, [tree])
    notes += _beside(tree)
    documents = sum((folder.all_documents() for folder in tree.folders), Counter[str]())
    if documents:
        kinds = Counter({_files(ending): count for ending, count in documents.items()})
        notes.append(
            f"{printable(tree.path)}: files that are not pictures are left out: {counted(kinds)}"
        )
    return replace(
        divided,
        source=root,
        left_out=(*tree.left_out, *divided.left_out),
        notes=(*notes, *divided.notes),
    )


def _beside(tree: Folder) -> list[str]:
    """A note on the pictures that lie beside the folders of classes, if there are any."""
    if not tree.pictures:
        return []
    return [
        f"{printable(tree.path)}: "
        f"{number_of(len(tree.pictures), 'pictures', verb='lie')} beside the folders and have no "
        f"class, so they are left out; the first is {tree.pictures[0].name!r}"
    ]


def _holding(tree: Folder) -> list[Folder]:
    return [folder for folder in tree.folders if folder.holds]


def _unwrapped(tree: Folder, labels: Collection[str]) -> Folder:
    """The folder that holds the classes or splits: `tree`, or one that is alone inside it."""
    inner = tree
    while True:
        holding = _holding(inner)
        if len(holding) > 1 or (inner is not tree and _is_set(inner)):
            return inner
        if inner.pictures or inner.left_out or not holding:
            return tree
        if holding[0].name in labels or split_of_name(holding[0].name) == "train":
            # A set of one class, or one without a test split; another message says which.
            return inner
        inner = holding[0]


def _of_part(folder: Folder, labels: Collection[str]) -> Folder:
    """The folder that holds the classes of a split: `train` itself, or `train/train`."""
    part = split_of_name(folder.name)
    while part and not folder.pictures and len(_holding(folder)) == 1:
        (inner,) = _holding(folder)
        if split_of_name(inner.name) != part:
            break
        folder = inner
    return _unwrapped(folder, labels)


def _is_set(tree: Folder) -> bool:
    return len(_holding(tree)) > 1


def _parts(tree: Folder, labels: Collection[str]) -> dict[str, str]:
    """Folder name -> split, if the folders in `tree` are splits; empty if they are classes.

    Raises:
        PictureSetError: the folders have the names of splits, but not the content of splits.
    """
    holding = {folder.name: folder for folder in _holding(tree) if folder.name not in labels}
    parts = splits_of_names(list(holding))
    if not parts:
        return {}
    classed = [name for name in parts if _holding(_of_part(holding[name], labels))]
    others = [name for name in holding if name not in parts]
    where = printable(tree.path)
    if "train" in {parts[name] for name in classed}:
        if strays := [name for name in others if not _is_unlabelled(holding[name])]:
            raise PictureSetError(
                f"{where}: {_named(classed)} are splits of a data set, and {_named(strays)} lies "
                f"beside them: move it away{_or_give(holding[strays[0]], labels)}. If all of them "
                "are classes, write a class map"
            )
        return parts
    if len(holding) == len(parts) and not classed:
        _refuse_loose(tree, list(holding.values()))
    if classed:
        raise PictureSetError(
            f"{where}: {_named(classed)} has the name of a split, and no train split with folders "
            f"of classes lies beside it (found: {_named(list(holding))}). Give one of these "
            f"folders alone, for example {printable(holding[classed[0]].path)}, or rename the one "
            "to train on to `train`"
        )
    if set(parts.values()) == {"train"} and len(parts) == 1:
        return {}  # `train` is a class here: the vehicle
    raise PictureSetError(
        f"{where}: {_named(list(parts))} has the name of a split, but no folders of classes in it, "
        f"and {_named(others)} lies beside it. If these pictures have no labels, move them away; "
        "if they are a class, write a class map"
    )


def _is_unlabelled(folder: Folder) -> bool:
    return is_unlabelled_name(folder.name) and not _holding(folder)


def _or_give(folder: Folder, labels: Collection[str]) -> str:
    inner = _unwrapped(folder, labels)
    return f", or give {printable(inner.path)} alone" if _is_set(inner) else ""


def _read_parts(tree: Folder, parts: dict[str, str], labels: Collection[str]) -> PictureSet:
    by_part: dict[str, str] = {}
    pictures: list[LabelledPicture] = []
    left_out: list[SkippedFile] = []
    notes: list[str] = []
    classes: set[str] = set()
    # The train split first: it has all classes, and the others may have only one.
    for folder in sorted(_holding(tree), key=lambda folder: parts.get(folder.name) != "train"):
        part = parts.get(folder.name)
        inner = _of_part(folder, {*labels, *classes})
        if part is None or not _holding(inner):
            count = len(folder.all_pictures()) + len(folder.all_left_out())
            notes.append(
                f"{printable(folder.path)}: "
                f"its {number_of(count, 'pictures', verb='lie')} in no folders of classes, so they "
                "have no labels and are left out"
            )
            continue
        other = by_part.setdefault(part, folder.name)
        if other != folder.name:
            raise PictureSetError(
                f"{printable(tree.path)}: {other} and {folder.name} are both the {part} split: "
                "move all pictures into one of them"
            )
        within = _read_classes(inner, {*labels, *classes})
        classes.update(within.classes)
        pictures += [replace(picture, split=part) for picture in within.pictures]
        left_out += [*inner.left_out, *within.left_out]
        notes += [*within.notes, *_beside(inner)]
    divided, note = complete_splits(pictures)
    return PictureSet(
        tree.path,
        divided,
        tuple(sorted(classes)),
        tuple(left_out),
        tuple(notes),
        note,
    )


def _read_parts_of_classes(tree: Folder, labels: Collection[str]) -> PictureSet | None:
    """The set whose classes each have folders of splits: `can/train`, `can/test`, `jar/train` …

    None if no class has such folders.

    Raises:
        PictureSetError: some classes have splits and others do not, or each is a whole data set.
    """
    inner = {folder.name: _unwrapped(folder, labels) for folder in _holding(tree)}
    parts = {
        name: splits_of_names([folder.name for folder in _holding(folder)])
        for name, folder in inner.items()
    }
    divided = [name for name in inner if "train" in parts[name].values() and len(parts[name]) > 1]
    if not divided:
        return None
    where = printable(tree.path)
    sets = [
        name
        for name in divided
        if any(_is_set(part) and not part.pictures for part in _holding(inner[name]))
    ]
    if sets:
        raise PictureSetError(
            f"{where}: this is more than one data set, because {_named(sets)} has its own splits "
            f"with folders of classes: give {printable(inner[sets[0]].path)}"
        )
    for name, folder in inner.items():
        strays = [part.name for part in _holding(folder) if part.name not in parts[name]]
        if name not in divided or strays or folder.pictures:
            raise PictureSetError(
                f"{where}: {_named(divided)} has folders with the names of splits, but "
                f"{_named(strays) if strays else name} has not, so its split is not known. Write "
                "a manifest with the columns path,label,split"
            )
    pictures = [
        LabelledPicture(picture, name, split=parts[name][part.name])
        for name, folder in inner.items()
        for part in _holding(folder)
        for picture in part.all_pictures()
    ]
    left_out = _left_out(inner.items())
    complete, note = complete_splits(pictures)
    classes = tuple(sorted(inner))
    return PictureSet(tree.path, complete, classes, tuple(left_out), missing_splits=note)


def _read_classes(tree: Folder, labels: Collection[str], *, captured: bool = False) -> PictureSet:
    holding = _holding(tree)
    notes: list[str] = []
    if not captured:
        unknown = [folder for folder in holding if folder.name not in labels]
        _refuse_boxes(tree, unknown)
        _refuse_copies_and_series(tree, unknown)
        if nested := [f for f in unknown if not f.pictures and len(_holding(f)) > 1]:
            shown = ", ".join(f"{f.name!r} ({len(_holding(f))})" for f in nested[:_MOST_NAMED])
            shown += " …" if len(nested) > _MOST_NAMED else ""
            notes.append(
                f"{printable(tree.path)}: pictures in folders within a class count as pictures of "
                f"that class: {shown}. If those folders are the classes, give "
                f"{printable(nested[0].path)}, or write a class map"
            )
    # A folder with documents only is not a class; an empty one, or one of unknown files, is.
    classes = [f for f in tree.folders if f.holds or f.name in labels or not f.all_documents()]
    pictures = [
        LabelledPicture(picture, folder.name)
        for folder in classes
        for picture in folder.all_pictures()
    ]
    left_out = _left_out((folder.name, folder) for folder in classes)
    names = tuple(folder.name for folder in classes)
    return PictureSet(tree.path, tuple(pictures), names, tuple(left_out), tuple(notes))


def _left_out(folders: Iterable[tuple[str, Folder]]) -> list[SkippedFile]:
    return [replace(file, label=name) for name, folder in folders for file in folder.all_left_out()]


def _refuse_boxes(tree: Folder, holding: Sequence[Folder]) -> None:
    """Raises PictureSetError if these are folders of a data set for detection or segmentation."""
    names = {folder.name.lower() for folder in holding}
    everything = {folder.name.lower() for folder in tree.folders}
    if not names or not names <= _MEANS_NOTHING:
        return
    if everything & _BOXES or names & _BOXES:
        _refuse_set_of_boxes(tree.path, [folder.name for folder in tree.folders])
    if len(holding) == 1:
        while len(below := _holding(holding[0])) == 1 and not holding[0].pictures:
            holding = below
    if all(not _holding(folder) for folder in holding):
        _refuse_loose(tree, holding)


def _refuse_set_of_boxes(path: Path, names: Sequence[str]) -> NoReturn:
    raise PictureSetError(
        f"{printable(path)}: {_named(names)} are folders of a data set for detection or "
        "segmentation (boxes or masks), which does not give each picture a class. Cut the objects "
        'out into one folder per class, or export the set as "folder structure" for classification'
    )


def _refuse_copies_and_series(tree: Folder, holding: Sequence[Folder]) -> None:
    """Raises PictureSetError if the same classes lie in several folders beside one another."""
    names = {folder.name.casefold() for folder in holding}
    within = {
        folder.name: {inner.name.casefold() for inner in _holding(folder)} for folder in holding
    }
    where = printable(tree.path)
    for folder in holding:
        same = within[folder.name] & (names - {folder.name.casefold()})
        if len(same) > 1:
            raise PictureSetError(
                f"{where}: {folder.name!r} has folders of the same names as those beside it "
                f"({_named(sorted(same))}), so it is not a class: move it away, or give "
                f"{printable(folder.path)} alone"
            )
    stems = {_NUMBERS.sub("", folder.name.casefold()) for folder in holding}
    if len(holding) > 1 and len(stems) == 1:
        shared = set.intersection(*within.values())
        if len(shared) > 1:
            first, second, *_ = (folder.name for folder in holding)
            label = sorted(shared)[0]
            raise PictureSetError(
                f"{where}: {_named([folder.name for folder in holding])} hold the same folders "
                f"({_named(sorted(shared))}), so those are the classes. Join them with a class map,"
                f" a .yaml file with a line for each class: `{label}: [{first}/{label}, "
                f"{second}/{label}]`"
            )


def _refuse_loose(tree: Folder, folders: Sequence[Folder]) -> NoReturn:
    """Raises PictureSetError for pictures in no folder of a class, with advice on what to do."""
    count = sum(len(folder.all_pictures()) + len(folder.all_left_out()) for folder in folders)
    where = printable(folders[0].path if len(folders) == 1 else tree.path)
    inside = "" if len(folders) == 1 else f" in {_named([folder.name for folder in folders])}"
    if tree.name.lower() in _MEANS_NOTHING:
        beside = {entry.name.lower(): entry.name for entry in tree.path.parent.iterdir()}
        if boxes := _BOXES & beside.keys() - {tree.name.lower()}:
            _refuse_set_of_boxes(
                tree.path.parent, [tree.name, *(beside[name] for name in sorted(boxes))]
            )
    hint = ""
    documents = sum((folder.all_documents() for folder in (tree, *folders)), Counter[str]())
    if lists := sorted(p.name for p in tree.path.glob("*.[cC][sS][vV]")):
        hint = (
            f". {', '.join(map(repr, lists[:3]))} may have the labels: if so, give it as a "
            "manifest with the columns path,label"
        )
    elif documents[".txt"] + documents[".xml"] > 1 or documents[".json"]:
        hint = (
            ". The files beside them look like the boxes of a data set for detection: export the "
            'set as "folder structure" for classification'
        )
    raise PictureSetError(
        f"{where}: {number_of(count, 'pictures', verb='lie')} here{inside} without a class. Make "
        "one folder per class and move them in, for example "
        f"{printable(folders[0].path / 'can')}; if their labels are in a list or in their names, "
        f"write a manifest (path,label){hint}"
    )


def _files(ending: str) -> str:
    return f"{ending} files" if ending.startswith(".") else ending


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST_NAMED]))
    return f"{shown} …" if len(names) > _MOST_NAMED else shown
