"""Finds the labels of somebody else's model, in a list beside it or inside it."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.errors import ForeignModelError
from converter.tflite.metadata import PictureMetadata
from edge.core.errors import LabelListError
from edge.core.files import read_regular, storage_errors
from edge.core.labels import (
    LARGEST_LIST,
    check_label_list,
    label_lines,
    label_problem,
    without_numbers,
)
from edge.core.terminal.wording import number_of

_LONGEST = 100
"""The largest length of a label, bytes of UTF-8."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a model, in the order of its outputs, and where they were read."""

    names: tuple[str, ...]
    source: str
    """The file that they were read from, as words for a message."""
    notes: tuple[str, ...]
    """Warnings about labels that had to be changed, and about two lists that differ."""


def find_labels(
    path: Path | None, model: Path, content: bytes, described: PictureMetadata | None
) -> Labels:
    """The labels of a model, changed where a bundle cannot have them.

    Args:
        path: the file with the list; None takes the list inside the model.
        model: the path of the model, for messages.
        content: the bytes of that file.
        described: the model's metadata, which may name the list inside it.

    Raises:
        LabelListError: the list is not a list of labels.
        ForeignModelError: no list was given, and there is none inside the model.
        StorageError: `path` cannot be read.
    """
    inner = _inside(content, described)
    if path is None:
        if inner is None:
            raise ForeignModelError(
                f"{model}: the file has no labels inside: give the list that came with the model, "
                "--labels labels.txt, one label per line in the order of the model's outputs"
            )
        name, text = inner
        return _usable(text, f"{model} ({name} inside it)")
    with storage_errors("read", path):
        found = _usable(read_regular(path, largest=LARGEST_LIST), str(path))
    if inner is None:
        return found
    try:
        other = _usable(inner[1], inner[0]).names
    except LabelListError as error:
        return Labels(found.names, found.source, (*found.notes, f"inside the model: {error}"))
    if other == found.names:
        return found
    differ = "in another order than" if sorted(other) == sorted(found.names) else "other than"
    note = (
        f"{model} has labels inside, {differ} those of {path}. The labels of {path} are used; "
        "to use those inside the model, leave out --labels"
    )
    return Labels(found.names, found.source, (*found.notes, note))


def _inside(content: bytes, described: PictureMetadata | None) -> tuple[str, bytes] | None:
    """The name and content of the list of labels in the archive at the end of a model's file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            wanted = [] if described is None else [n for n in described.label_files if n in names]
            likely = [name for name in names if "label" in name.lower() and name.endswith(".txt")]
            for name in (*wanted, *likely):
                if archive.getinfo(name).file_size <= LARGEST_LIST:
                    return name, archive.read(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        return None  # there is no archive at the end of the file, or a damaged one
    return None


def _usable(content: bytes, source: str) -> Labels:
    lines = without_numbers(label_lines(content, name=source), source)
    made: list[str] = []
    changed: list[str] = []
    taken = {line for line in lines if not label_problem(line)}
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        label = unicodedata.normalize("NFC", line)
        if not label:
            made.append(label)  # `check_label_list` reports it
            continue
        if label_problem(label):
            label = _cleaned(label) or f"class {number - 1}"
        if label in seen or (label != line and label in taken):
            label = _numbered(label, seen | taken)
        seen.add(label)
        made.append(label)
        if label != unicodedata.normalize("NFC", line):
            changed.append(f"{line!r} on line {number} becomes {label!r}")
    names = check_label_list(made, name=source)
    if not changed:
        return Labels(names, source, ())
    more = f", and {len(changed) - _SHOWN:,} more" if len(changed) > _SHOWN else ""
    note = (
        f"{source}: {len(changed):,} of {len(names):,} labels cannot be labels of a bundle (they "
        "contain a comma, a slash or a quote, or occur twice) and were changed: "
        f"{'; '.join(changed[:_SHOWN])}{more}. The folders of pictures must have the new names"
    )
    return Labels(names, source, (note,))


def _cleaned(label: str) -> str:
    """The label without the characters that `label_problem` refuses; empty if nothing is left."""
    label = "".join(" " if not character.isprintable() else character for character in label)
    for character, other in ((",", ";"), ("/", "-"), ("\\", "-"), ('"', "")):
        label = label.replace(character, other)
    label = label.lstrip(".-#= ").strip()
    while len(label.encode()) > _LONGEST:
        label = label[:-1].rstrip()
    return label


def _numbered(label: str, taken: set[str]) -> str:
    """The label with a number that makes it unique: the second "crane" becomes "crane 2"."""
    number = 2
    while True:
        ending = f" {number}"
        stem = label
        while len((stem + ending).encode()) > _LONGEST:
            stem = stem[:-1].rstrip()
        if stem + ending not in taken:
            return stem + ending
        number += 1


def label_count_error(
    names: Sequence[str], classes: int, source: str, model: Path, *, hint: str = ""
) -> ForeignModelError:
    """The error for a list of labels whose length is not the number of the model's outputs.

    Args:
        names: the labels.
        classes: the number of the model's outputs.
        source: where the labels were read, for the message.
        model: the path of the model, for the message.
        hint: a clause about what the pictures show, or an empty string.
    """
    meant = ""
    if classes == len(names) + 1:
        meant = (
            ". The model has one output more than there are labels. Most often its first output is "
            "a class 'background' that the list leaves out: write a line `background` before the "
            "others"
        )
    elif classes == len(names) - 1:
        first = names[0].lower().strip("_")
        meant = (
            f". The list's first line, {names[0]!r}, is probably not a class of this model: remove "
            "that line"
            if first in ("background", "none", "unknown", "other", "labels", "label", "class")
            else ". There is one label more than the model has outputs. The list may have a "
            "heading, or a class 'background' that this model does not have: remove that line"
        )
    return ForeignModelError(
        f"{model} gives {number_of(classes, 'scores')}, but there are "
        f"{number_of(len(names), 'labels')} in {source}: give the labels file that came with "
        f"the model{meant}{hint}"
    )
