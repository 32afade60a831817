"""The review list: a CSV file in which a person decides about each suspect picture."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePosixPath

from edge.core.errors import StorageError
from edge.core.files import read_regular, write_file
from trainer.audit.check import CheckResult
from trainer.audit.copies import Copies
from trainer.errors import ReviewError

DROP, RELABEL, KEEP = "drop", "relabel", "keep"
_LARGEST = 1 << 28


@dataclass(frozen=True, slots=True)
class Suspect:
    """One line of the list: a picture and why to look at it."""

    path: str
    """Relative to the set's folder, with slashes."""
    label: str
    problem: str
    suggested: str
    """drop or relabel."""
    new_label: str
    """The label to give instead, if `suggested` is relabel."""
    score: float | str
    """The certainty of the check, comparable only within one kind of problem."""
    do: str = ""
    """What the person decided: drop, relabel:LABEL, keep, or nothing, which keeps."""


COLUMNS = tuple(field.name for field in fields(Suspect))


def suspects(checked: CheckResult) -> tuple[Suspect, ...]:
    """Every picture that a person should decide on, with its most serious reason; those first."""
    found: dict[str, Suspect] = {}
    for find in (_contradictions, _labels, _copies, _unreadable, _quality, _odd):
        for suspect in find(checked):
            found.setdefault(suspect.path, suspect)
    return tuple(found.values())


def write_review(file: Path, found: Sequence[Suspect]) -> None:
    """Writes the list to `file`.

    Raises:
        StorageError: the place cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(suspect) for suspect in found)
    # With a byte order mark Excel, too, reads it as UTF-8.
    write_file(file, ("\ufeff" + text.getvalue()).encode("utf-8", "backslashreplace"))


def check_unreviewed(file: Path) -> None:
    """Checks that writing the list to `file` overwrites no decisions.

    Raises:
        StorageError: the list there has decisions in it.
    """
    if not file.is_file():
        return
    try:
        decided = any(row["do"].strip() for _, row in read_rows(file))
    except ReviewError:
        decided = True  # whatever it is, it is not ours to replace
    if decided:
        raise StorageError(
            f"{file} has decisions in it: use them with `pilah-trainer data clean`, "
            "or choose another --out"
        )


def read_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line's number and its words by column, as a spreadsheet may have saved them.

    Raises:
        ReviewError: not there, no UTF-8, or without the columns `path` and `do`.
    """
    try:
        text = read_regular(file, largest=_LARGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReviewError(f"{file}: cannot be read as UTF-8 text: {error}") from error
    head = text.partition("\n")[0]
    # Where a comma is the decimal sign, spreadsheets part columns by semicolons.
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    if not {"path", "do"} <= set(reader.fieldnames or ()):
        raise ReviewError(
            f"{file}:1: the first line must name the columns path and do, as `data check` writes "
            f"them. Received: {head.strip() or 'an empty file'}"
        )
    for row in reader:
        yield reader.line_num, {name: row[name] or "" for name in reader.fieldnames or ()}


def relative_name(path: Path, root: Path) -> str:
    """`path` as the list names it: relative to `root`, with slashes."""
    name = Path(os.path.relpath(path, root)).as_posix()
    # A spreadsheet would take such a name for a formula.
    return f"./{name}" if name[:1] in "=+-@" else name


def same_name(name: str) -> str:
    """The list's name of a picture in one form, however it is written."""
    return PurePosixPath(os.path.normpath(name.strip().replace("\\", "/"))).as_posix()


def _contradictions(checked: CheckResult) -> Iterator[Suspect]:
    for copies in checked.copies:
        if len(copies.labels) > 1:
            best = _best_labelled(checked, copies)
            for index in copies.members:
                if index != best:
                    other = _name(checked, best)
                    why = f"copy of {other}, which is {checked.pictures[best].label}"
                    yield _suspect(checked, index, why, DROP, "", copies.similarity)


def _labels(checked: CheckResult) -> Iterator[Suspect]:
    errors = checked.label_errors
    if errors is None:
        return
    labels = sorted({picture.label for picture in checked.pictures})
    for index in errors.ranking.tolist():
        if errors.probable[index]:
            new = labels[errors.suggested[index]]
            yield _suspect(checked, index, "label in doubt", RELABEL, new, 1 - errors.given[index])


def _copies(checked: CheckResult) -> Iterator[Suspect]:
    for copies in checked.copies:
        if len(copies.labels) == 1:
            best = max(copies.members, key=lambda i: (_area(checked, i), -i))
            for index in copies.members:
                if index != best:
                    why = f"copy of {_name(checked, best)} ({copies.how})"
                    yield _suspect(checked, index, why, DROP, "", copies.similarity)


def _unreadable(checked: CheckResult) -> Iterator[Suspect]:
    for picture, facts in checked.unreadable:
        name = relative_name(picture.path, checked.root)
        yield Suspect(name, picture.label, f"cannot be read: {facts.why}", DROP, "", 1.0)


def _quality(checked: CheckResult) -> Iterator[Suspect]:
    for index, facts in enumerate(checked.facts):
        if facts.quality.warnings:
            why = ", ".join(facts.quality.warnings)
            yield _suspect(checked, index, why, DROP, "", facts.quality.blur)


def _odd(checked: CheckResult) -> Iterator[Suspect]:
    for outlier in checked.outliers:
        yield _suspect(
            checked, outlier.index, "unlike the rest of its class", DROP, "", outlier.score
        )


def _best_labelled(checked: CheckResult, copies: Copies) -> int:
    errors = checked.label_errors
    return max(
        copies.members,
        key=lambda i: (errors.given[i] if errors else 0.0, _area(checked, i), -i),
    )


def _area(checked: CheckResult, index: int) -> int:
    return checked.facts[index].width * checked.facts[index].height


def _suspect(
    checked: CheckResult, index: int, problem: str, suggested: str, new: str, score: float
) -> Suspect:
    label = checked.pictures[index].label
    return Suspect(_name(checked, index), label, problem, suggested, new, round(float(score), 4))


def _name(checked: CheckResult, index: int) -> str:
    return relative_name(checked.pictures[index].path, checked.root)
