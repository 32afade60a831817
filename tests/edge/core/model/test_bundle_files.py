"""A folder or zip file that means harm is refused before it is inflated."""

from __future__ import annotations

import io
import os
import stat
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.core.errors import BundleFileExtraError, BundleFormatError, BundleMissingError
from edge.core.model import bundle_files
from edge.core.model.bundle import read_bundle
from edge.core.model.bundle_files import open_files
from tests.bundles import zip_of


def read_files(path: Path, *, holding: str) -> dict[str, bytes]:
    """Every file of what may be a bundle."""
    with open_files(path, holding=holding) as files:
        return {name: files.read(name) for name in files.sizes}


Entry = tuple[zipfile.ZipInfo | str, bytes]


def zip_with(target: Path, *entries: Entry) -> Path:
    """A zip file of a `bundle.json` and these."""
    with zipfile.ZipFile(target, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of a name that is there twice
        for name, content in (("bundle.json", b"{}"), *entries):
            archive.writestr(name, content)
    return target


def of_kind(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def compressed(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = method
    return entry


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([("/etc/passwd", b"")], "'/etc/passwd' leads out of the bundle"),
        ([("../model.tflite", b"")], "leads out"),
        ([("golden/../../x", b"")], "leads out"),
        ([("golden/./x", b"")], "leads out"),
        ([("golden//x", b"")], "leads out"),
        ([("..", b"")], "leads out"),
        ([("../", b"")], "leads out"),
        ([("..\\model.tflite", b"")], "leads out"),
        ([("golden\\0.png", b"")], "leads out"),
        ([("a\nb", b"")], "leads out"),
        ([(of_kind("model.tflite", stat.S_IFLNK | 0o777), b"/etc/passwd")], "is a link"),
        ([(of_kind("model.tflite", stat.S_IFIFO | 0o666), b"")], "is a link, a pipe"),
        ([(of_kind("model.tflite", stat.S_IFCHR | 0o666), b"")], "is a link, a pipe"),
        ([("x", b"1"), ("x", b"2")], "x is in the zip file twice"),
        ([("bundle.json", b"{ }")], r"bundle\.json is in the zip file twice"),
        ([(compressed("x", zipfile.ZIP_BZIP2), b"1")], "is not compressed with `deflate`"),
        ([(compressed("x", zipfile.ZIP_LZMA), b"1")], "is not compressed with `deflate`"),
        ([(str(number), b"") for number in range(1001)], r"more than 1,000 files"),
        ([(f"{number}/", b"") for number in range(1001)], r"more than 1,000 files"),
    ],
)
def test_a_zip_file_with_tricks_is_refused(tmp_path: Path, entries: list[Entry], says: str) -> None:
    with pytest.raises(BundleFormatError, match=says):
        read_files(zip_with(tmp_path / "x.zip", *entries), holding="bundle.json")


def test_a_name_with_a_null_byte_is_refused(tmp_path: Path) -> None:
    zipped = zip_with(tmp_path / "x.zip", ("model.tflite_x", b""))
    zipped.write_bytes(zipped.read_bytes().replace(b"tflite_x", b"tflite\0x"))
    with pytest.raises(BundleFormatError, match=r"tflite.x00x' leads out"):
        read_files(zipped, holding="bundle.json")


# Bombs


def declared(zipped: Path, name: bytes, *, size: int) -> Path:
    """Makes the directory say that the file `name` has another size."""
    content = bytearray(zipped.read_bytes())
    at = content.index(b"PK\1\2")
    while not content[at + 46 :].startswith(name):
        at = content.index(b"PK\1\2", at + 4)
    struct.pack_into("<L", content, at + 24, size)
    zipped.write_bytes(content)
    return zipped


def deflated(name: str = "x", *, size: int) -> Entry:
    return compressed(name, zipfile.ZIP_DEFLATED), bytes(size)


def peak(work: Callable[[], object]) -> int:
    """The most bytes that Python held at once during `work`, beyond those it held before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refused(zipped: Path, says: str) -> Callable[[], None]:
    def work() -> None:
        with pytest.raises(BundleFormatError, match=says):
            read_files(zipped, holding="bundle.json")

    return work


def test_a_bomb_that_tells_its_size_is_not_inflated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_files, "_LARGEST", 8_000_000)
    zipped = zip_with(tmp_path / "x.zip", *(deflated(str(n), size=900_000) for n in range(9)))
    assert zipped.stat().st_size < 20_000
    assert peak(refused(zipped, r"8,100,002 bytes are more than a bundle may have")) < 1_000_000


def test_a_bomb_that_lies_about_its_size_is_not_inflated_beyond_the_lie(tmp_path: Path) -> None:
    zipped = zip_with(tmp_path / "x.zip", deflated(size=64_000_000))
    declared(zipped, b"x", size=1000)
    assert peak(refused(zipped, "not a bundle's zip file: Bad CRC")) < 1_000_000


def test_a_file_that_is_shorter_than_it_says_is_refused(tmp_path: Path) -> None:
    zipped = declared(zip_with(tmp_path / "x.zip", deflated(size=1000)), b"x", size=2000)
    with pytest.raises(BundleFormatError, match="has 1,000 bytes and should have 2,000"):
        read_files(zipped, holding="bundle.json")


def test_a_directory_of_a_great_many_files_is_not_parsed(tmp_path: Path) -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0,
                        1, 0, 0, 0, 0, 0, 0) + b"x"  # fmt: skip
    count = 200_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF,
                      count * len(entry), 0, 0)  # fmt: skip
    (tmp_path / "x.zip").write_bytes(entry * count + end)
    work = refused(tmp_path / "x.zip", "its directory has more than 1,000 files")
    assert peak(work) < 1_000_000


def test_a_zip_file_within_is_a_file_like_any_other(tiny_bundle: Path, tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50_000_000))
    zipped = zip_of(tiny_bundle, tmp_path / "x.zip")
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("inner.zip", inner.getvalue())

    def work() -> None:
        with pytest.raises(BundleFileExtraError, match=r"inner\.zip is not named"):
            read_bundle(zipped)

    assert peak(work) < 5_000_000


def test_two_files_that_share_their_bytes_count_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory may name the same compressed bytes again and again."""
    raw = zlib.compressobj(wbits=-15)
    body = raw.compress(bytes(1_000_000)) + raw.flush()
    crc = zlib.crc32(bytes(1_000_000))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(body), 1_000_000, 1, 0)
    entries = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 8, 0, 0, crc, len(body),
                    1_000_000, 1, 0, 0, 0, 0, 0, 0) + str(n).encode() for n in range(9)
    )  # fmt: skip
    at = len(local) + 1 + len(body)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, len(entries), at, 0)
    (tmp_path / "x.zip").write_bytes(local + b"0" + body + entries + end)
    monkeypatch.setattr(bundle_files, "_LARGEST", 8_000_000)
    assert peak(refused(tmp_path / "x.zip", "9,000,000 bytes are more than")) < 1_000_000


# Folders


def test_a_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(b"{}")
    (tmp_path / "model.tflite").symlink_to("/etc/passwd")
    with pytest.raises(BundleFormatError, match=r"model\.tflite is a link"):
        read_files(tmp_path, holding="bundle.json")


def test_a_folder_with_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(b"{}")
    os.mkfifo(tmp_path / "model.tflite")
    with pytest.raises(BundleFormatError, match=r"model\.tflite is a link, a pipe"):
        read_files(tmp_path, holding="bundle.json")


def test_a_folder_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_files, "_MOST_FILES", 3)
    for name in ("bundle.json", "a", "b", "c"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(BundleFormatError, match=r"it has more than 3 files"):
        read_files(tmp_path, holding="bundle.json")


def test_a_link_to_a_bundle_is_followed(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tiny_bundle)
    assert read_bundle(tmp_path / "link").digest == read_bundle(tiny_bundle).digest


def test_a_zip_file_of_other_things_is_not_inflated(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("holiday.png", bytes(50_000_000))

    def work() -> None:
        with pytest.raises(BundleMissingError):
            read_files(tmp_path / "x.zip", holding="bundle.json")

    assert peak(work) < 1_000_000
