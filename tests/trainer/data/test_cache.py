"""Pictures are decoded once, and never taken for others."""

import os
from pathlib import Path

import numpy as np
import pytest

from edge.core.dataset import LabelledPicture
from edge.core.errors import StorageError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from tests.bundles import write_picture
from tests.disks import no_space
from trainer.data import cache
from trainer.data.cache import decode_pictures

pytestmark = pytest.mark.usefixtures("own_cache")

SPEC = InputSpec(height=16, width=16)


def pictures(folder: Path, count: int = 4) -> list[LabelledPicture]:
    files = [folder / f"{number}.png" for number in range(count)]
    for number, file in enumerate(files):
        write_picture(file, (40 * number, 90, 200), height=30 + number)
    return [LabelledPicture(file, "can") for file in files]


@pytest.fixture
def decoded_files(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every file content that is decoded from now on."""
    seen: list[bytes] = []
    real = cache.decode_image

    def counting(content: bytes, *, name: str) -> np.ndarray:
        seen.append(content)
        return real(content, name=name)

    monkeypatch.setattr(cache, "decode_image", counting)
    return seen


def test_the_tensors_are_what_the_device_will_see(tmp_path: Path) -> None:
    given = pictures(tmp_path)
    found = decode_pictures(given, SPEC)
    for picture, tensor in zip(found.pictures, found.tensors, strict=True):
        assert np.array_equal(tensor, preprocess(read_image(picture.path), SPEC))


def test_a_second_time_nothing_is_decoded(tmp_path: Path, decoded_files: list[bytes]) -> None:
    given = pictures(tmp_path)
    first = decode_pictures(given, SPEC)
    assert len(decoded_files) == 4
    again = decode_pictures(given, SPEC)
    assert len(decoded_files) == 4
    assert all(map(np.array_equal, first.tensors, again.tensors))


@pytest.mark.parametrize("change", ["content", "size", "order"])
def test_a_change_is_never_answered_from_the_cache(tmp_path: Path, change: str) -> None:
    given, spec = pictures(tmp_path), SPEC
    decode_pictures(given, spec)
    if change == "content":
        before = given[0].path.stat()
        write_picture(given[0].path, (250, 250, 250), height=30)
        os.utime(given[0].path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "size":
        spec = InputSpec(height=16, width=24)
    else:
        given = given[::-1]
    found = decode_pictures(given, spec)
    assert np.array_equal(found.tensors[0], preprocess(read_image(given[0].path), spec))


def test_what_cannot_be_read_is_named_and_left_out(
    tmp_path: Path, decoded_files: list[bytes]
) -> None:
    given = pictures(tmp_path)
    given[1].path.write_bytes(b"")
    whole = given[2].path.read_bytes()
    given[2].path.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):  # from the files, then from the cache
        found = decode_pictures(given, SPEC)
        assert [picture.path for picture in found.pictures] == [given[0].path, given[3].path]
        assert len(found.tensors) == len(found.digests) == 2
        assert np.array_equal(found.tensors[1], preprocess(read_image(given[3].path), SPEC))
        assert [line.partition(":")[0] for line in found.skipped] == [
            str(given[1].path),
            str(given[2].path),
        ]
        assert "no bytes" in found.skipped[0]
        assert "cut short" in found.skipped[1]


def test_a_file_that_is_gone_is_skipped(tmp_path: Path) -> None:
    given = pictures(tmp_path)
    given[0].path.unlink()
    found = decode_pictures(given, SPEC)
    assert len(found.pictures) == 3
    assert "cannot be opened: No such file" in found.skipped[0]


def test_more_pictures_decode_only_themselves(tmp_path: Path, decoded_files: list[bytes]) -> None:
    given = pictures(tmp_path, count=6)
    decode_pictures(given[1:4], SPEC)
    found = decode_pictures(given, SPEC)
    assert len(decoded_files) == 6
    assert np.array_equal(found.tensors[5], preprocess(read_image(given[5].path), SPEC))


def test_the_cache_takes_no_more_than_its_limit(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = pictures(tmp_path)
    monkeypatch.setenv("PILAH_CACHE_GB", "0.00005")
    for width in range(16, 24):
        decode_pictures(given, InputSpec(height=16, width=width))
    # Each takes a block for the tensors, the keys and the failures.
    assert 1 <= len(list((own_cache / "tensors").iterdir())) <= 5


def test_a_full_disk_says_so_and_spoils_nothing(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = pictures(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", no_space)
        with pytest.raises(StorageError, match="free some space"):
            decode_pictures(given, SPEC)
    assert not any(file.stat().st_size for file in (own_cache / "tensors").rglob("*.bin"))
    assert len(decode_pictures(given, SPEC).pictures) == 4
