"""A manifest is read in the forms that tools write, or its wrong rows are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.errors import PictureSetError
from tests.edge.core.dataset.test_reading import found, touch


def manifest(root: Path, content: str | bytes) -> Path:
    touch(root, "1.jpg", "sub/2.jpg")
    path = root / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_manifest_with_all_its_columns(tmp_path: Path) -> None:
    content = "path,label,group,split\n1.jpg,can,a,train\nsub/2.jpg,glass,,val\n"
    assert read_picture_set(manifest(tmp_path, content)).pictures == (
        LabelledPicture(tmp_path / "1.jpg", "can", "a", "train"),
        LabelledPicture(tmp_path / "sub/2.jpg", "glass", None, "validation"),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"path,label\n1.jpg,can\n",
        b"\xef\xbb\xbfpath,label\r\n1.jpg,can\r\n",
        b"label,note,path\ncan,shiny,1.jpg",
        b'path,label\n"1.jpg","can"\n\n',
        b"path;label\n1.jpg;can\n",
        b"sep=;\r\npath;label\r\n1.jpg;can\r\n",
        b"path\tlabel\n1.jpg\tcan\n",
        "path\tlabel\n1.jpg\tcan\n".encode("utf-16"),
        b"Path, Label\n1.jpg, can \n",
        b"path,label\r1.jpg,can\r",
        b",path,label\n0,1.jpg,can\n",
    ],
    ids=[
        "plain",
        "BOM and CRLF, as Excel writes",
        "other order",
        "quotes, empty last line",
        "semicolons",
        "Excel's own first line",
        "tabs",
        "UTF-16, as Excel's Unicode text",
        "capitals and spaces",
        "carriage returns",
        "an index without a name, as pandas writes",
    ],
)
def test_a_manifest_in_its_forms(tmp_path: Path, content: bytes) -> None:
    assert found(manifest(tmp_path, content)) == [("1.jpg", "can")]


@pytest.mark.parametrize(
    ("split", "part"),
    [("Train", "train"), ("VAL", "validation"), ("Valid", "validation"), ("TEST", "test"),
     ("", None)],
)  # fmt: skip
def test_a_split_is_read_in_small_and_capital_letters(
    tmp_path: Path, split: str, part: str | None
) -> None:
    (picture,) = read_picture_set(
        manifest(tmp_path, f"path,label,split\n1.jpg,can,{split}\n")
    ).pictures
    assert picture.split == part


def test_a_manifest_that_lacks_a_part_keeps_those_it_has_and_tells(tmp_path: Path) -> None:
    found = read_picture_set(
        manifest(tmp_path, "path,label,split\n1.jpg,can,train\nsub/2.jpg,can,val\n")
    )
    assert [p.split for p in found.pictures] == ["train", "validation"]
    assert "no test split is given: the validation split is used" in found.missing_splits


def test_an_absolute_path_in_a_manifest_is_taken_as_it_is(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/3.jpg")
    path = manifest(tmp_path, f"path,label\n{tmp_path}/elsewhere/3.jpg,can\n")
    assert found(path) == [("3.jpg", "can")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", r"list\.csv:1: the first line must name the columns.*Received: an empty file"),
        ("file,label\n1.jpg,can\n", r"list\.csv:1: .*path,label.*Received: file,label"),
        ("filename,class\n1.jpg,can\n", r"list\.csv:1: .*: rename its column filename to path"),
        ("path,label,label\n1.jpg,can,x\n", r"list\.csv:1: the header names .* label twice"),
        ("path,label,Label\n1.jpg,can,x\n", r"list\.csv:1: the header names .* label twice"),
        ("1.jpg,can\n", r"list\.csv:1: .*Received: 1\.jpg,can"),
        ("path,label\n1.jpg,can\nsub/9.jpg,can\n", r"list\.csv:3: no such picture: .*sub/9\.jpg"),
        ("path,label\n1.jpg,can\n\nsub/9.jpg,can\n", r"list\.csv:4: no such picture"),
        ("path,label\nsub,can\n", r"list\.csv:2: no such picture: .*sub$"),
        ("path,label\n1.jpg\n", r"list\.csv:2: the row has 1 field, .* has 2: write"),
        ("path,label,group\n1.jpg,can\n", r"list\.csv:2: the row has 2 fields"),
        ("path,label\nsub/2.jpg,jar\n1.jpg,can, red\n",
         r"list\.csv:3: the row has 3 fields, and the header has 2: put a field that contains a "
         r"comma in quotes\. Received: '1\.jpg,can, red'"),
        ("path,label,group\n1.jpg,can, red,g1\n", r"list\.csv:2: the row has 4 fields"),
        ("path,label\n1.jpg,can\n" * 2, r"list\.csv:3: no such picture: .*/path"),
        ("path,label\n1.jpg, \n", r"list\.csv:2: path and label must both be given"),
        ('path,label\n1.jpg,"can\nred"\n', r"list\.csv:2: the label 'can\\nred' has a character"),
        ('path,label\n1.jpg,"can\nsub/2.jpg,jar\n', r"list\.csv:2: .*mark not closed\?"),
        ("path,label,group\n1.jpg,can,a\n1.jpg,can,b\n",
         r"list\.csv:3: .*1\.jpg is 'can' in the group 'b' here and 'can' in the group 'a'"),
        (f"path,label\n{'x' * 5000}.jpg,can\n", r"list\.csv:2: no such picture"),
        ("path,label\n,can\n", r"list\.csv:2: path and label must both be given"),
        ("path,label,split\n1.jpg,can,Exam\n",
         r"list\.csv:2: split must be train, validation or test\. Received: 'Exam'"),
        ("path,label\n1.jpg,can\nsub/2.jpg,can\n./sub/../1.jpg,glass\n",
         r"list\.csv:4: .*1\.jpg is 'glass' here and 'can' on line 2: remove one of the two"),
        ("path,label,split\n1.jpg,can,train\n1.jpg,can,test\n",
         r"list\.csv:3: .*1\.jpg is 'can' of test here and 'can' of train on line 2"),
        ("path,label\n1.jpg,a/b\n", r"list\.csv:2: the label 'a/b' has a slash"),
        (b"path,label\n1.jpg,gr\xfcn\n", r"list\.csv:2: not a CSV file in UTF-8 \(the byte 0xfc"),
        ("path,label\n".encode("utf-16-le"), r"list\.csv:1: not a text file, it has zero bytes"),
        (b"path,label\n" + b"x" * 140000 + b",can\n", r"list\.csv:2: not a row of a CSV file"),
        ("path,label\n", r"no pictures found: it has a header and no rows"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_manifest_is_named_with_its_line(
    tmp_path: Path, content: str | bytes, says: str
) -> None:
    with pytest.raises(PictureSetError, match=says):
        read_picture_set(manifest(tmp_path, content))


def test_every_missing_picture_is_counted_and_the_first_ones_are_named(tmp_path: Path) -> None:
    rows = "".join(f"gone{number}.jpg,can\n" for number in range(7))
    with pytest.raises(PictureSetError) as caught:
        read_picture_set(manifest(tmp_path, f"path,label\n1.jpg,can\n{rows}"))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path}/list.csv: 7 of its 8 pictures are not there"
    assert lines[1] == f"{tmp_path}/list.csv:3: no such picture: {tmp_path}/gone0.jpg"
    assert lines[5:] == [f"{tmp_path}/list.csv:7: no such picture: {tmp_path}/gone4.jpg",
                         "and 2 more"]  # fmt: skip


def test_where_nothing_is_found_it_tells_what_paths_are_relative_to(tmp_path: Path) -> None:
    with pytest.raises(PictureSetError, match=f"2 of its 2 .*to the manifest, so to {tmp_path}\n"):
        read_picture_set(manifest(tmp_path, "path,label\na/1.jpg,can\na/2.jpg,can\n"))


def test_a_link_that_leads_nowhere_tells_how_to_fetch_it(tmp_path: Path) -> None:
    (tmp_path / "3.jpg").symlink_to("/annex/objects/3.jpg")
    with pytest.raises(PictureSetError, match=r"3\.jpg is a broken link.*git annex get"):
        read_picture_set(manifest(tmp_path, "path,label\n3.jpg,can\n"))


def test_backslashes_are_separators_where_that_finds_the_file(tmp_path: Path) -> None:
    assert found(manifest(tmp_path, "path,label\nsub\\2.jpg,can\n")) == [("2.jpg", "can")]
    touch(tmp_path, "sub\\2.jpg")
    assert found(manifest(tmp_path, "path,label\nsub\\2.jpg,can\n")) == [("sub\\2.jpg", "can")]


def test_a_row_that_stands_there_twice_counts_once_and_that_is_said(tmp_path: Path) -> None:
    path = manifest(tmp_path, "path,label\n1.jpg,can\nsub/2.jpg,jar\n./1.jpg,can\n")
    assert found(path) == [("1.jpg", "can"), ("2.jpg", "jar")]
    assert read_picture_set(path).notes == (
        f"{path}: 1 row repeats an earlier row: each picture is counted once",
    )


def test_labels_that_differ_in_case_only_are_told(tmp_path: Path) -> None:
    (note,) = read_picture_set(manifest(tmp_path, "path,label\n1.jpg,Can\nsub/2.jpg,can\n")).notes
    assert note.startswith("'Can' and 'can' are 2 classes, but their names differ only")
