"""The reader of class maps, which are YAML files with a line `label: [folders]` for each class."""

from __future__ import annotations

import reprlib
from dataclasses import replace
from pathlib import Path

from edge.core.dataset.picture_set import LabelledPicture, PictureSet, SkippedFile, printable
from edge.core.dataset.tree import look_into
from edge.core.errors import ConfigError, PictureSetError
from edge.core.labels import label_problem, listed
from edge.core.suggestions import similar_path
from edge.core.yaml_file import YamlFile


def read_class_map(path: Path) -> PictureSet:
    """The pictures of every folder that the class map `path` names, each with its label.

    Raises:
        PictureSetError: the file is not a class map, or names a missing folder or the same folder
            twice.
        StorageError: a folder cannot be read.
    """
    file = read_map(path)
    pictures: list[LabelledPicture] = []
    left_out: list[SkippedFile] = []
    for label, folder in folders_of(file):
        tree = look_into(folder)
        pictures += [LabelledPicture(picture, label) for picture in tree.all_pictures()]
        left_out += [replace(found, label=label) for found in tree.all_left_out()]
    return PictureSet(path, tuple(pictures), tuple(file.content), tuple(left_out))


def read_map(path: Path) -> YamlFile:
    """The class map in the file `path`, before its labels and folders are checked.

    Raises:
        PictureSetError: the file is not YAML with a key for each class.
    """
    try:
        file = YamlFile(path)
        if file.repeated:
            raise file.error(file.repeated)
    except ConfigError as error:
        raise PictureSetError(
            f"{error}. A class map has a line `label: [folders]` for each class"
        ) from error
    return file


def folders_of(file: YamlFile) -> list[tuple[str, Path]]:
    """The (label, folder) pairs of every folder that a class map names.

    Raises:
        PictureSetError: a label is not valid, or a folder is missing or is named for two classes.
    """
    path = file.path
    problems: list[str] = []
    folders: list[tuple[str, Path]] = []
    seen: dict[Path, tuple[str, int]] = {}
    for label, names in file.content.items():
        where = f"{path}:{file.line((label,))}"
        if not isinstance(label, str):
            problems.append(
                f"{where}: put the label {label!r} in quotes: without them YAML does not read it "
                "as text"
            )
        elif problem := label_problem(label):
            problems.append(f"{where}: {problem}")
        elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            # Shortened, because YAML's aliases can turn a short file into one that fills memory.
            received = reprlib.repr(names)
            problems.append(f"{where}: {label} must be a list of folders. Received: {received}")
        else:
            for index, name in enumerate(names):
                line = file.line((label, index))
                folder = path.parent / name
                if problem := _problem(folder, label, seen):
                    problems.append(f"{path}:{line}: {label}: {problem}")
                else:
                    seen[folder.resolve()] = label, line
                    folders.append((label, folder))
    if problems:
        raise PictureSetError(listed(problems))
    return folders


def _problem(folder: Path, label: str, seen: dict[Path, tuple[str, int]]) -> str:
    if "\0" in str(folder) or not folder.is_dir():
        return f"no such folder: {printable(folder)}{similar_path(folder)}"
    real = folder.resolve()
    for known, (owner, first) in seen.items():
        if real.is_relative_to(known) or known.is_relative_to(real):
            return (
                f"the pictures in {printable(folder)} belong to {owner} already, by line {first}: "
                "remove one of the two"
            )
    return ""
