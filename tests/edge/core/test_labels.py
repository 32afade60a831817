"""A list of labels is read as it is meant, or the line that is wrong is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.core.errors import LabelListError, StorageError
from edge.core.labels import LARGEST_LIST, nearly_equal, parse_label_list, read_label_list


@pytest.mark.parametrize(
    "content",
    [
        b"a\nb b\n\xc3\xbc\n",
        b"a\nb b\n\xc3\xbc",
        b"a\r\nb b\r\n\xc3\xbc\r\n",
        b"a\rb b\r\xc3\xbc\r",
        b"\xef\xbb\xbfa\nb b\n\xc3\xbc\n",
        "a\nb b\nü\n".encode("utf-16"),
        b"a\nb b\n\xc3\xbc\n\n \n",
        b" a\nb b\t\nu\xcc\x88\n",
        b"0 a\n1 b b\n2 \xc3\xbc\n",
        b"0: a\n1: b b\n2: \xc3\xbc\n",
        b"0\ta\n1\tb b\n2\t\xc3\xbc\n",
        b"0,a\n1,b b\n2,\xc3\xbc\n",
    ],
)
def test_a_list_in_the_forms_that_programs_write(content: bytes) -> None:
    assert parse_label_list(content, name="labels.txt") == ("a", "b b", "ü")


@pytest.mark.parametrize(
    "labels", [("7 up", "cola"), ("1 euro", "2 euro", "5 euro"), ("7 up",), ("1", "2"), ("0.5 l",)]
)
def test_labels_may_begin_with_numbers_of_their_own(labels: tuple[str, ...]) -> None:
    assert parse_label_list("\n".join(labels).encode(), name="labels.txt") == labels


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"labels\.txt: the file is empty: write one label on each line"),
        (b"\n\n", r"labels\.txt: the file is empty"),
        (
            b"0 a\n2 b\n1 c\n",
            r"labels\.txt: the lines are numbered 0, 2, 1, but the numbers must be",
        ),
        (b"1 a\n2 b\n3 c\n", "the lines are numbered 1, 2, 3"),
        (b"a\nb\na\n", r"labels\.txt:3: the label a is already on line 1"),
        ("ü\nu\u0308\n".encode(), r"labels\.txt:2: the label ü is already on"),
        (b"a\n\nb\n", r"labels\.txt:2: the line is empty"),
        (b"m\xe4\nb\n", r"labels\.txt:1: not text in UTF-8 \(the byte 0xe4\): save it as UTF-8"),
        (b"a\nb\n\xff\xfec\n", r"labels\.txt:3: not text in UTF-8"),
        (b"\xff\xfea\0b", "this UTF-16 text is cut off"),
        ("a\nb\n".encode("utf-16-le"), r"labels\.txt:1: not a text file, it has zero bytes"),
        (b"../../x\nb\n", r"labels\.txt:1: the label '\.\./\.\./x' has a slash"),
        (b"a/b\nb\n", "has a slash"),
        (b"..\nb\n", "starts with"),
        (b".\nb\n", "starts with"),
        (b"a\x07\nb\n", "cannot be printed"),
        (b"a\x0cb\nc\n", "cannot be printed"),
        ("a\u2028b\nc\n".encode(), "cannot be printed"),
        (b"a\n" + b"x" * 101 + b"\n", r"labels\.txt:2: the label 'x{101}' is longer than 100"),
        (b"a\n" + b"x" * 9999 + b"\n", r"labels\.txt:2: the label 'x{100}\.\.\.' is longer"),
        (b"a" * (LARGEST_LIST + 1), "more than 1,048,576 bytes, which is too many"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_with_its_line(content: bytes, says: str) -> None:
    with pytest.raises(LabelListError, match=says):
        parse_label_list(content, name="labels.txt")


def test_all_wrong_lines_are_told_at_once_and_many_are_counted() -> None:
    with pytest.raises(LabelListError) as caught:
        parse_label_list(b"a\n" + b"b/c\n" * 12, name="labels.txt")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines[:5]] == ["2", "3", "4", "5", "6"]
    assert lines[5:] == ["and 7 more"]


def test_numbers_are_part_of_a_label_in_a_list_that_is_never_numbered() -> None:
    assert parse_label_list(b"0 a\n1 b\n", name="l", numbered=False) == ("0 a", "1 b")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*labels\.txt"):
        read_label_list(tmp_path / "labels.txt")
    os.mkfifo(tmp_path / "labels.txt")
    with pytest.raises(StorageError, match="a pipe"):
        read_label_list(tmp_path / "labels.txt")


def test_labels_that_differ_in_spelling_only_are_found() -> None:
    labels = ("Glass", "glass", "can", "glass bottle", "glass_bottle", "Glass-Bottle", "cans")
    assert nearly_equal(labels) == [
        ("Glass", "glass"), ("Glass-Bottle", "glass bottle", "glass_bottle"),
    ]  # fmt: skip
