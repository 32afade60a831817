"""Labels: which names of classes are valid, and how a list of labels is read from a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.core.errors import LabelListError, PictureSetError
from edge.core.files import read_regular, storage_errors

LARGEST_LIST = 1024 * 1024
"""The largest size of a list of labels in bytes: ten thousand labels of the greatest length."""

_NUMBERED = re.compile(r"([0-9]{1,9})(?:[ \t]+|[ \t]*[:;,][ \t]*)(\S.*)")
"""A line of Teachable Machine's labels.txt, `0 name`, or of another tool's: `0: name`."""
_SPELLING = re.compile(r"[\s_-]+")
_MOST_TOLD = 5


def check_label(label: str, *, where: str) -> None:
    """Checks that a label can be a line of `labels.txt` and a file name.

    Raises:
        PictureSetError: the label is empty, has spaces around it, contains a slash, a comma or a
            control character, is longer than 100 bytes, or starts like an option or a formula.
    """
    if problem := label_problem(label):
        raise PictureSetError(f"{where}: {problem}")


def label_problem(label: str) -> str:
    """Why `label` is not a valid label, and what to do; empty if it is valid."""
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
    """Groups of labels that differ only in case, spaces, hyphens or underscores."""
    alike: dict[str, set[str]] = {}
    for label in labels:
        folded = unicodedata.normalize("NFKC", label).casefold()
        alike.setdefault(_SPELLING.sub(" ", folded).strip(), set()).add(label)
    return [tuple(sorted(group)) for group in alike.values() if len(group) > 1]


def read_label_list(path: Path) -> tuple[str, ...]:
    """The labels in a file, one on each line, in the order of the class indices.

    Raises:
        LabelListError: see `parse_label_list`.
        StorageError: the file cannot be read, is not a regular file, or is too large.
    """
    with storage_errors("read", path):
        content = read_regular(path, largest=LARGEST_LIST)
    return parse_label_list(content, name=str(path))


def parse_label_list(content: bytes, *, name: str, numbered: bool = True) -> tuple[str, ...]:
    """The labels in the `content` of a file, one on each line, in the order of the class indices.

    Spaces around a label, empty lines at the end, a byte order mark and the line endings of all
    systems are ignored.

    Args:
        name: the name of the list in error messages.
        numbered: whether to remove the class index at the start of each line, if every line has it.

    Raises:
        LabelListError: the content is not text in UTF-8 or UTF-16, is too long or empty, has an
            empty line between others, a repeated label, a label that is not valid, or numbers
            other than 0, 1, 2 and so on.
    """
    lines = label_lines(content, name=name)
    if numbered:
        lines = without_numbers(lines, name)
    return check_label_list(lines, name=name)


def label_lines(content: bytes, *, name: str) -> list[str]:
    """The lines of a list of labels, unchanged but for the spaces around them.

    Raises:
        LabelListError: the content is not text in UTF-8 or UTF-16, or is too long.
    """
    if len(content) > LARGEST_LIST:
        raise LabelListError(
            f"{name}: the file has more than {LARGEST_LIST:,} bytes, which is too many for a list "
            "of labels: give a file with one label on each line"
        )
    text = decode_text(content, name=name).replace("\r\n", "\n").replace("\r", "\n")
    # Not `splitlines`, which ends a line at U+2028 and at form feeds too.
    lines = [line.strip(" \t") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def check_label_list(lines: Sequence[str], *, name: str) -> tuple[str, ...]:
    """The labels in Unicode form NFC, if each line is a valid label and none is repeated.

    Raises:
        LabelListError: there is no line, or a line is empty, a repetition or not a valid label.
    """
    if not lines:
        raise LabelListError(f"{name}: the file is empty: write one label on each line")
    labels = [unicodedata.normalize("NFC", line) for line in lines]
    problems: list[str] = []
    first: dict[str, int] = {}
    for number, label in enumerate(labels, start=1):
        if not label:
            problems.append(f"{name}:{number}: the line is empty, but each line must name a class: "
                            "write the label or remove the line")  # fmt: skip
        elif problem := label_problem(label):
            problems.append(f"{name}:{number}: {problem}")
        elif (before := first.setdefault(label, number)) != number:
            problems.append(f"{name}:{number}: the label {label} is already on line {before}: give "
                            "each class a name of its own")  # fmt: skip
    if problems:
        raise LabelListError(listed(problems))
    return tuple(labels)


def listed(problems: Sequence[str]) -> str:
    """The first five problems, each on a line, and the number of further ones."""
    more = len(problems) - _MOST_TOLD
    return "\n".join([*problems[:_MOST_TOLD], *([f"and {more:,} more"] if more > 0 else [])])


def decode_text(content: bytes, *, name: str) -> str:
    """The text in `content`, which is UTF-8, or UTF-16 as some spreadsheet programs write it.

    Raises:
        LabelListError: the content is neither; the message names the line.
    """
    encoding = "UTF-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "UTF-8-SIG"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "UTF-16":
            raise LabelListError(
                f"{name}: this UTF-16 text is cut off or damaged: save it as UTF-8"
            ) from error
        line = content.count(b"\n", 0, error.start) + 1
        raise LabelListError(
            f"{name}:{line}: not text in UTF-8 (the byte 0x{content[error.start]:02x}): save it as "
            "UTF-8; older Windows programs use another encoding"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise LabelListError(f"{name}:{line}: not a text file, it has zero bytes: save it as UTF-8")
    return text


def without_numbers(lines: list[str], name: str) -> list[str]:
    """The lines without their numbers, if every line begins with its class index.

    Raises:
        LabelListError: the lines have class indices in another order than 0, 1, 2 and so on.
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
            f"{name}: the lines are numbered {shown}, but the numbers must be 0, 1, 2 and so on, "
            "because they are the class indices. If the numbers are part of the names, write the "
            "class index before each of them"
        )
    return lines  # the numbers are part of the names: 1 euro, 2 euro, 5 euro
