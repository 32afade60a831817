"""The labels of somebody else's model: from a list beside it or inside it, made usable."""

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

_LONGEST = 100
"""Bytes of a label."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Labels:
    """What a model's classes are called, and where that was read."""

    names: tuple[str, ...]
    source: str
    """The file, for messages."""
    notes: tuple[str, ...]
    """What was made of labels that no bundle can have, and of two lists that differ."""


def find_labels(
    path: Path | None, model: Path, content: bytes, described: PictureMetadata | None
) -> Labels:
    """The labels in the file `path`; None: those inside the model.

    Args:
        content: the bytes of the file `model`.

    Raises:
        LabelListError: a list is no list of labels.
        ForeignModelError: none was given, and none is inside.
        StorageError: `path` cannot be read.
    """
    inner = _inside(content, described)
    if path is None:
        if inner is None:
            raise ForeignModelError(
                f"{model}: no labels are inside it: give the list that came with it, "
                "--labels labels.txt, a label a line in the order of its outputs"
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
    told = "in another order" if sorted(other) == sorted(found.names) else "others"
    note = (
        f"{model} has labels inside it, {told} than {path}: taken is {path}; without --labels "
        "those inside are taken"
    )
    return Labels(found.names, found.source, (*found.notes, note))


def _inside(content: bytes, described: PictureMetadata | None) -> tuple[str, bytes] | None:
    """Name and content of the list of labels in the archive behind a model."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            wanted = [] if described is None else [n for n in described.label_files if n in names]
            likely = [name for name in names if "label" in name.lower() and name.endswith(".txt")]
            for name in (*wanted, *likely):
                if archive.getinfo(name).file_size <= LARGEST_LIST:
                    return name, archive.read(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        return None  # what lies behind the model is no archive, or is a damaged one
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
            made.append(label)  # told as the mistake that it is
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
        f"{source}: {len(changed):,} of {len(names):,} labels cannot be names in a bundle (a "
        f"comma, a slash, a quote, or there twice): {'; '.join(changed[:_SHOWN])}{more}. Folders "
        "of pictures are called so too"
    )
    return Labels(names, source, (note,))


def _cleaned(label: str) -> str:
    """A label in which nothing is that `label_problem` refuses."""
    label = "".join(" " if not character.isprintable() else character for character in label)
    for character, other in ((",", ";"), ("/", "-"), ("\\", "-"), ('"', "")):
        label = label.replace(character, other)
    label = label.lstrip(".-#= ").strip()
    while len(label.encode()) > _LONGEST:
        label = label[:-1].rstrip()
    return label


def _numbered(label: str, taken: set[str]) -> str:
    """The label with the first number behind it that no other has: crane, crane 2."""
    number = 2
    while True:
        ending = f" {number}"
        stem = label
        while len((stem + ending).encode()) > _LONGEST:
            stem = stem[:-1].rstrip()
        if stem + ending not in taken:
            return stem + ending
        number += 1


def wrong_count(
    names: Sequence[str], classes: int, source: str, model: Path, *, hint: str = ""
) -> ForeignModelError:
    """The error of a list that has not a label for each output of a model.

    Args:
        hint: what the pictures say of it; empty: nothing.
    """
    meant = ""
    if classes == len(names) + 1:
        meant = (
            ". One more output than labels: most often the first is a class 'background' that the "
            "list leaves out: write a line `background` before the others"
        )
    elif classes == len(names) - 1:
        first = names[0].lower().strip("_")
        meant = (
            f". The list's first line, {names[0]!r}, is probably no class of this model: take it "
            "out"
            if first in ("background", "none", "unknown", "other", "labels", "label", "class")
            else ". One label more than outputs: the list of a model with a class 'background', or "
            "a heading? Take that line out"
        )
    return ForeignModelError(
        f"{model} gives {classes:,} scores, and there are {len(names):,} labels in {source}: give "
        f"the labels file that came with it{meant}{hint}"
    )
