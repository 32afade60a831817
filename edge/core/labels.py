"""Labels: what the name of a class may be, and how a list of them in a file is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.core.errors import LabelListError, PictureSetError
from edge.core.files import read_regular, storage_errors

LARGEST_LIST = 1024 * 1024
"""Bytes that a list of labels may have: ten thousand labels of the longest kind."""

_NUMBERED = re.compile(r"([0-9]{1,9})(?:[ \t]+|[ \t]*[:;,][ \t]*)(\S.*)")
"""A line of Teachable Machine's labels.txt, `0 name`, and what other tools write: `0: name`."""
_SPELLING = re.compile(r"[\s_-]+")
_MOST_TOLD = 5


def check_label(label: str, *, where: str) -> None:
    """Passes a label that fits on a line of `labels.txt` and in a file name.

    Raises:
        PictureSetError: it is empty, has spaces around it, a slash, a comma or a control
            character, is over 100 bytes long, or starts as an option or a formula does.
    """
    if problem := label_problem(label):
        raise PictureSetError(f"{where}: {problem}")


def label_problem(label: str) -> str:
    """Why `label` cannot be one, and what to do; empty where it can."""
    problem = _problem(label)
    shown = label if len(label) <= 120 else f"{label[:100]}..."
    return problem and f"the label {shown!r} {problem}: rename the class"


def _problem(label: str) -> str:
    if not label or label != label.strip():
        return "is empty or has spaces around it"
    if any(not character.isprintable() for character in label):
        return "has a character that cannot be printed"
    if any(character in '/\\,"' for character in label) or label.startswith((".", "-", "#", "=")):
        return 'has a slash, comma or quote, or starts with ".", "-", "#" or "="'
    if len(label.encode()) > 100:
        return "is longer than 100 bytes"
    return ""


def nearly_equal(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Those that differ in upper and lower case, spaces, hyphens or underscores only."""
    alike: dict[str, set[str]] = {}
    for label in labels:
        folded = unicodedata.normalize("NFKC", label).casefold()
        alike.setdefault(_SPELLING.sub(" ", folded).strip(), set()).add(label)
    return [tuple(sorted(group)) for group in alike.values() if len(group) > 1]


def read_label_list(path: Path) -> tuple[str, ...]:
    """The labels in a file, the number of a line its class index.

    Raises:
        LabelListError: see `parse_label_list`.
        StorageError: it cannot be read, or is no regular file of a list's size.
    """
    with storage_errors("read", path):
        content = read_regular(path, largest=LARGEST_LIST)
    return parse_label_list(content, name=str(path))


def parse_label_list(content: bytes, *, name: str, numbered: bool = True) -> tuple[str, ...]:
    """The labels in the `content` of a file, the number of a line its class index.

    Spaces around a label, empty lines at the end, a byte order mark and the line endings of any
    system are no part of a label.

    Args:
        name: what the list is called in an error.
        numbered: take the numbers off a list whose every line begins with its class index.

    Raises:
        LabelListError: it is not text in UTF-8 or UTF-16, is too long or empty, has an empty line
            between others, names a label twice, is numbered otherwise than 0, 1, 2, or has a
            label that cannot be one.
    """
    lines = label_lines(content, name=name)
    if numbered:
        lines = without_numbers(lines, name)
    return check_label_list(lines, name=name)


def label_lines(content: bytes, *, name: str) -> list[str]:
    """The lines of a list of labels as they stand there, without spaces around them.

    Raises:
        LabelListError: it is not text in UTF-8 or UTF-16, or is too long.
    """
    if len(content) > LARGEST_LIST:
        raise LabelListError(
            f"{name}: more than {LARGEST_LIST:,} bytes: this is no list of labels, a label a line"
        )
    text = decode_text(content, name=name).replace("\r\n", "\n").replace("\r", "\n")
    # Not `splitlines`, which ends a line at U+2028 and at form feeds too.
    lines = [line.strip(" \t") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def check_label_list(lines: Sequence[str], *, name: str) -> tuple[str, ...]:
    """The labels, NFC, if each line can be one and none stands there twice.

    Raises:
        LabelListError: there is none, or a line is empty, a repetition, or cannot be a label.
    """
    if not lines:
        raise LabelListError(f"{name}: it is empty: write one label a line")
    labels = [unicodedata.normalize("NFC", line) for line in lines]
    problems: list[str] = []
    first: dict[str, int] = {}
    for number, label in enumerate(labels, start=1):
        if not label:
            problems.append(f"{name}:{number}: an empty line: each line names the class of its "
                            "number, so remove it or write the label")  # fmt: skip
        elif problem := label_problem(label):
            problems.append(f"{name}:{number}: {problem}")
        elif (before := first.setdefault(label, number)) != number:
            problems.append(f"{name}:{number}: names {label} twice, first on line {before}: give "
                            "each class a name of its own")  # fmt: skip
    if problems:
        raise LabelListError(listed(problems))
    return tuple(labels)


def listed(problems: Sequence[str]) -> str:
    """The first of many problems, a line each, and how many more there are."""
    more = len(problems) - _MOST_TOLD
    return "\n".join([*problems[:_MOST_TOLD], *([f"and {more:,} more"] if more > 0 else [])])


def decode_text(content: bytes, *, name: str) -> str:
    """Text in UTF-8, or in UTF-16 as spreadsheets of some systems write it.

    Raises:
        LabelListError: it is neither; with the line where it is not.
    """
    encoding = "UTF-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "UTF-8-SIG"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "UTF-16":
            raise LabelListError(
                f"{name}: not a whole text file in UTF-16: save it as UTF-8"
            ) from error
        line = content.count(b"\n", 0, error.start) + 1
        raise LabelListError(
            f"{name}:{line}: not text in UTF-8 (the byte 0x{content[error.start]:02x}): save it as "
            "UTF-8; older programs of Windows write another encoding"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise LabelListError(f"{name}:{line}: not a text file, it has zero bytes: save it as UTF-8")
    return text


def without_numbers(lines: list[str], name: str) -> list[str]:
    """The lines without the numbers before them, where every line begins with its class index.

    Raises:
        LabelListError: they are numbered otherwise than 0, 1, 2.
    """
    found = [_NUMBERED.fullmatch(line) for line in lines]
    pairs = [(int(match[1]), match[2]) for match in found if match]
    if not lines or len(pairs) < len(lines):
        return lines
    numbers = [number for number, _ in pairs]
    if numbers == list(range(len(lines))):
        return [label for _, label in pairs]
    if sorted(numbers) in (list(range(len(lines))), list(range(1, len(lines) + 1))):
        shown = ", ".join(map(str, numbers[:6])) + (" …" if len(numbers) > 6 else "")
        raise LabelListError(
            f"{name}: its lines are numbered {shown}: they must be 0, 1, 2 and so on, for the "
            "number is the class index. Where the numbers are part of the names, put such numbers "
            "before them"
        )
    return lines  # 1 euro, 2 euro, 5 euro
