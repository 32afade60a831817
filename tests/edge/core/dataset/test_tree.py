"""Files are pictures by their content; what is none is left out, with what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.core.dataset import kinds_of, read_picture_set, read_unlabelled
from edge.core.dataset.tree import look_into
from edge.core.errors import PictureSetError, StorageError
from tests.edge.core.dataset.test_reading import touch

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"
BMP = b"BM" + bytes(8) + b"\x36\0\0\0\x28\0\0\0"


def write(root: Path, name: str, content: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1.jfif", JPEG), ("1.jpe", JPEG), ("1.mpo", JPEG), ("1", JPEG), ("IMG.JPG.1", JPEG),
        ("1.bin", b"\x89PNG\r\n\x1a\n"), ("1.image", b"RIFF\0\0\0\0WEBPVP8 "), ("1.dib", BMP),
        ("1.JFIF", JPEG), ("1.txt", JPEG),
    ],
)  # fmt: skip
def test_a_picture_of_another_ending_is_a_picture(
    tmp_path: Path, name: str, content: bytes
) -> None:
    write(tmp_path, f"can/{name}", content)
    assert [picture.path.name for picture in read_picture_set(tmp_path).pictures] == [name]


@pytest.mark.parametrize(
    ("name", "content", "kind", "says"),
    [
        ("1.CR2", b"II*\0", "CR2 pictures", "CR2 is not supported: convert it to JPEG"),
        ("1.psd", b"8BPS", "PSD pictures", "PSD is not supported: convert it to JPEG"),
        ("1", b"GIF89a", "GIF pictures", "GIF is not supported: convert it to JPEG"),
        ("1", b"MM\0*", "TIFF pictures", "TIFF is not supported: convert it to JPEG"),
        ("1", b"\0\0\0\x18ftypheic", "HEIC pictures", "HEIC is not supported.*heif-convert"),
        ("1", b"\0\0\0\x18ftypisom", "videos", "it is a video: extract pictures from it"),
        ("1.mov", b"x", "videos", "it is a video"),
        ("1.zip", b"PK\3\4", "archives", "it is an archive: unpack it"),
        ("1.jpg.dvc", b"outs:\n", "DVC files", "dvc pull"),
        ("1.jpg.crdownload", JPEG, "unfinished downloads", "download it again"),
        ("1.dat", b"\0\1\2\3", ".dat files", "not a picture in a known format"),
        ("1.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n",
         "Git LFS pointers", "git lfs pull"),
        ("1.png", b"/annex/objects/SHA256E-s9--1.png\n", "git-annex pointers", "git annex get"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_counted_by_kind_and_told(
    tmp_path: Path, name: str, content: bytes, kind: str, says: str
) -> None:
    write(tmp_path, f"can/{name}", content)
    with pytest.raises(PictureSetError, match=rf"1 file is left out \(1 {kind[:-1]}\); .*{says}"):
        read_picture_set(tmp_path)


def test_links_that_lead_nowhere_are_counted(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.jpg")
    (tmp_path / "jar").mkdir()
    for number in range(3):
        (tmp_path / f"jar/{number}.jpg").symlink_to(f"/annex/objects/{number}.jpg")
    found = read_picture_set(tmp_path)
    assert found.classes == ("can", "jar")
    assert kinds_of(found.left_out) == "3 broken links"
    assert {file.label for file in found.left_out} == {"jar"}
    assert "git annex get" in found.skipped[0]


def test_a_link_to_a_folder_is_followed_and_no_folder_is_read_twice(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/monday/1.jpg", "set/can/2.jpg")
    (tmp_path / "set/can/a_link").symlink_to(tmp_path / "elsewhere/monday")
    (tmp_path / "set/can/loop").symlink_to(tmp_path / "set")
    (tmp_path / "set/also_can").symlink_to(tmp_path / "set/can")
    tree = look_into(tmp_path / "set")
    assert [file.name for file in tree.all_pictures()] == ["2.jpg", "1.jpg"]
    assert kinds_of(tree.all_left_out()) == "2 links to folders read already"


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.jpg")
    os.mkfifo(tmp_path / "can/2.jpg")
    os.mkfifo(tmp_path / "can/3")
    assert kinds_of(read_picture_set(tmp_path).left_out) == "2 devices, pipes or sockets"


def test_a_file_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "can/1.jpg", "can/2.jfif")
    opened = Path.open

    def closed(path: Path, *words: object) -> object:
        if path.suffix == ".jfif":
            raise PermissionError(13, os.strerror(13))
        return opened(path, *words)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", closed)
    (line,) = read_picture_set(tmp_path).skipped
    assert line == (
        f"{tmp_path}/can/2.jfif: it cannot be opened (Permission denied): change its owner or "
        "permissions"
    )


def test_a_folder_that_is_not_there_and_one_too_deep_are_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        look_into(tmp_path / "gone")
    deep = tmp_path.joinpath(*["a"] * 120)
    deep.mkdir(parents=True)
    with pytest.raises(PictureSetError, match="nested more than 100 deep"):
        look_into(tmp_path)


def test_the_pictures_of_a_plain_folder_need_no_classes(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "a/2.png", "a/b/train/3.bmp", ".hidden/4.jpg", "5.heic", "notes.txt")
    found = read_unlabelled(tmp_path)
    assert [picture.path.name for picture in found.pictures] == ["1.jpg", "2.png", "3.bmp"]
    assert {picture.label for picture in found.pictures} == {""}
    assert kinds_of(found.left_out) == "1 HEIC picture"
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureSetError, match="no pictures found"):
        read_unlabelled(tmp_path / "empty")
