"""The reader of manifests: CSV files with the columns `path,label`, optionally `group`, `split`."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.core.dataset.picture_set import SPLITS, LabelledPicture, PictureSet, complete_splits
from edge.core.dataset.split_names import split_of_name
from edge.core.errors import LabelListError, PictureSetError
from edge.core.files import read_regular, storage_errors
from edge.core.labels import decode_text, label_problem, listed
from edge.core.suggestions import did_you_mean
from edge.core.terminal.wording import number_of

_LARGEST = 256 * 1024 * 1024
"""The largest size of a manifest in bytes: a million rows of long paths."""
_SEPARATORS = ",;\t|"
_LINE_END = re.compile(r"\r\n|\r|\n")
_ALIASES = {
    "path": ("file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "id"),
    "label": ("class", "class_name", "category", "target", "labels", "type"),
}
"""Names that other tools use for a column: they are not accepted, but named in the error."""


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    fields: list[str]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The position of each field in a row."""

    names: list[str]
    path: int
    label: int
    group: int | None
    split: int | None


def read_manifest(path: Path, group_column: str) -> PictureSet:
    """The pictures that the manifest `path` names.

    The file is text in UTF-8, or in UTF-16 with a byte order mark, separated by commas, semicolons,
    tabs or `|`. Spaces around a field are ignored. A backslash separates folders if a file is found
    that way.

    Raises:
        PictureSetError: the file is not a manifest, or a row does not fit the header, has no valid
            label, names a missing picture, or contradicts another row. The message shows the first
            mistakes with their lines, and the number of all.
        StorageError: the file cannot be read.
    """
    with storage_errors("read", path):
        content = read_regular(path, largest=_LARGEST)
    return parse_manifest(content, path, group_column)


def parse_manifest(content: bytes, path: Path, group_column: str) -> PictureSet:
    """The pictures that the `content` of the manifest `path` names; see `read_manifest`."""
    try:
        text = decode_text(content, name=str(path))
    except LabelListError as error:
        raise PictureSetError(str(error).replace("not text in", "not a CSV file in")) from error
    rows = _rows(text, path)
    columns = _columns(next(rows, None), path, group_column)
    problems: list[str] = []
    missing: list[str] = []
    seen: dict[str, tuple[int, LabelledPicture]] = {}
    again = count = 0
    for row in rows:
        count += 1
        picture, problem = _picture(row, columns, path.parent)
        if picture is None:
            problems.append(f"{path}:{row.line}: {problem}")
            continue
        if not _is_file(picture.path):
            missing.append(f"{path}:{row.line}: {_not_there(picture.path)}")
            continue
        first, other = seen.setdefault(os.path.realpath(picture.path), (row.line, picture))
        if picture is other:
            continue
        if _said_of(picture) != _said_of(other):
            problems.append(
                f"{path}:{row.line}: {picture.path} is {_said_of(picture)} here and "
                f"{_said_of(other)} on line {first}: remove one of the two"
            )
        again += 1
    if problems:
        raise PictureSetError(listed(problems))
    if missing:
        head = f"{path}: {len(missing):,} of its {number_of(count, 'pictures')} are not there"
        hint = _elsewhere(path, missing, count)
        raise PictureSetError(
            f"{missing[0]}{hint}" if len(missing) == 1 else f"{head}{hint}\n{listed(missing)}"
        )
    if not count:
        raise PictureSetError(f"{path}: no pictures found: it has a header and no rows")
    pictures = tuple(picture for _, picture in seen.values())
    # The splits stay as they were given: a belt of photographs selects them by name.
    _, note = complete_splits(pictures)
    notes = []
    if again:
        rows_name = "1 row repeats" if again == 1 else f"{again:,} rows repeat"
        notes.append(f"{path}: {rows_name} an earlier row: each picture is counted once")
    classes = tuple({picture.label for picture in pictures})
    return PictureSet(path, pictures, classes, notes=tuple(notes), missing_splits=note)


def _rows(text: str, path: Path) -> Iterator[_Row]:
    """The rows that are not empty, the header first, each with the number of its first line."""
    first, skip = _LINE_END.split(text, maxsplit=1)[0], 0
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # Excel's own first line, which names the separator.
        separator, skip = first.strip()[4], 1
    else:
        separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for fields in reader:
            begins, line = line, reader.line_num + 1
            if fields and begins > skip:
                yield _Row(begins, fields)
    except csv.Error as error:
        quoted = ": is a quotation mark not closed?" if "end of data" in str(error) else ""
        raise PictureSetError(
            f"{path}:{line}: not a row of a CSV file ({error}){quoted}"
        ) from error


def _columns(header: _Row | None, path: Path, group_column: str) -> _Columns:
    names = [name.strip() for name in header.fields] if header else []
    folded = [name.casefold() for name in names]
    shown = ",".join(names) or "an empty file"
    line = header.line if header else 1
    if twice := [
        name for name, fold in zip(names, folded, strict=True) if fold and folded.count(fold) > 1
    ]:
        raise PictureSetError(
            f"{path}:{line}: the header names the column {twice[0]} twice: remove or rename one of "
            f"the two. Received: {shown}"
        )
    lacking = [name for name in ("path", "label") if name not in folded]
    if lacking:
        hints = [
            f": rename its column {alias} to {name}"
            for name in lacking
            for alias in _ALIASES[name]
            if alias in folded
        ]
        raise PictureSetError(
            f"{path}:{line}: the first line must name the columns path,label[,group,split]"
            f"{hints[0] if hints else ''}. Received: {shown[:200]}"
        )
    group = names.index(group_column) if group_column in names else None
    if group is None and group_column.casefold() in folded:
        group = folded.index(group_column.casefold())
    split = folded.index("split") if "split" in folded else None
    return _Columns(names, folded.index("path"), folded.index("label"), group, split)


def _picture(row: _Row, columns: _Columns, folder: Path) -> tuple[LabelledPicture | None, str]:
    """The picture that a row names, or what is wrong with the row."""
    fields = [field.strip(" \t") for field in row.fields]
    if len(fields) != len(columns.names):
        quotes = (
            ": put a field that contains a comma in quotes"
            if len(fields) > len(columns.names)
            else ": write an empty field between two separators"
        )
        return None, (
            f"the row has {number_of(len(fields), 'fields')}, and the header has "
            f"{len(columns.names)}{quotes}. Received: {_shown(row.fields)}"
        )
    name, label = fields[columns.path], unicodedata.normalize("NFC", fields[columns.label])
    if not name or not label:
        return None, f"path and label must both be given. Received: {_shown(row.fields)}"
    if problem := label_problem(label):
        return None, problem
    split = fields[columns.split] if columns.split is not None else ""
    part = split_of_name(split) if split else None
    if split and part is None:
        close = did_you_mean(split, SPLITS, listing=False)
        return None, f"split must be train, validation or test. Received: {split!r}{close}"
    group = fields[columns.group] if columns.group is not None else ""
    return LabelledPicture(_file(folder, name), label, group or None, part), ""


def _file(folder: Path, name: str) -> Path:
    file = folder / name
    if "\\" in name and not _is_file(file):
        return folder / name.replace("\\", "/")
    return file


def _not_there(file: Path) -> str:
    if _is_link(file):
        return (
            f"no such picture: {file} is a broken link: fetch the file that it points to, for "
            "example with `git annex get` or `dvc pull`"
        )
    return f"no such picture: {str(file)[:500]}"


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name longer than the file system allows
        return False


def _is_link(file: Path) -> bool:
    try:
        return file.is_symlink()
    except OSError:
        return False


def _elsewhere(path: Path, missing: Sequence[str], count: int) -> str:
    """Advice for a manifest of which not one picture was found."""
    if len(missing) < max(2, count):
        return ""
    return f": paths are relative to the manifest, so to {path.parent.absolute()}"


def _said_of(picture: LabelledPicture) -> str:
    return (
        f"{picture.label!r}"
        + (f" of {picture.split}" if picture.split else "")
        + (f" in the group {picture.group!r}" if picture.group else "")
    )


def _shown(fields: Sequence[str]) -> str:
    text = ",".join(fields)
    return repr(text if len(text) <= 120 else f"{text[:117]}...")
