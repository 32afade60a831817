"""Arrays of pictures become the picture files that everything else reads."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import PictureSetError
from edge.model.image_file import read_image
from edge.pictures import read_picture_set
from trainer.data.arrays import unpacked

GREY = np.random.default_rng(0).integers(0, 256, (6, 9, 12), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (4, 9, 12, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))


def write_npz(path: Path, **changes: np.ndarray) -> Path:
    arrays = {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:3], "y_test": LABELS[:3]}
    np.savez(path, **(arrays | changes))
    return path


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, *, packed: bool = False) -> Path:
    folder.mkdir()
    for start, count in {"train": 6, "t10k": 3}.items():
        for name, array in {
            f"{start}-images-idx3-ubyte": GREY[:count],
            f"{start}-labels-idx1-ubyte": LABELS[:count].astype(np.uint8),
        }.items():
            content = idx(array)
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder


def test_an_npz_file_is_a_divided_set(tmp_path: Path) -> None:
    found = read_picture_set(unpacked(write_npz(tmp_path / "set.npz")))
    assert found.classes == ("0", "1", "2")
    assert sorted(p.part or "" for p in found.pictures) == ["test"] * 3 + ["train"] * 6
    for picture in found.pictures:
        image = cv2.cvtColor(read_image(picture.path), cv2.COLOR_BGR2GRAY)
        number = int(picture.path.stem) - 1
        assert np.array_equal(image, GREY[number])
        assert picture.label == str(LABELS[number])


def test_colours_come_in_their_order(tmp_path: Path) -> None:
    file = write_npz(tmp_path / "c.npz", x_train=COLOUR, y_train=LABELS[:4])
    image = read_image(unpacked(file) / "train" / "1" / "000002.png")
    assert np.array_equal(image[..., ::-1], COLOUR[1])


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_the_same_pictures(tmp_path: Path, packed: bool) -> None:
    assert unpacked(write_idx(tmp_path / "idx", packed=packed)) == unpacked(
        write_npz(tmp_path / "set.npz")
    )


def test_labels_may_stand_beside_it(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("can\njar\nbag\n", encoding="utf-8")
    found = read_picture_set(unpacked(write_npz(tmp_path / "set.npz")))
    assert found.classes == ("bag", "can", "jar")


def test_a_second_time_nothing_is_written(tmp_path: Path) -> None:
    folder = unpacked(write_npz(tmp_path / "set.npz"))
    (folder / "train" / "0" / "000001.png").unlink()
    assert unpacked(tmp_path / "set.npz") == folder
    assert not (folder / "train" / "0" / "000001.png").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_is_no_array_stays_as_it_is(tmp_path: Path) -> None:
    assert unpacked(tmp_path) == tmp_path
    assert unpacked(tmp_path / "list.csv") == tmp_path / "list.csv"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_train": LABELS[:5]}, "a whole number for each of 6 pictures"),
        ({"y_train": LABELS / 2}, "a whole number for each of 6 pictures"),
        ({"x_train": GREY / 255}, "expected uint8 .* Received: float64"),
        ({"x_train": GREY[0]}, r"Received: uint8 \(9, 12\)"),
    ],
)
def test_arrays_that_are_no_pictures_are_told(
    tmp_path: Path, changes: dict[str, np.ndarray], words: str
) -> None:
    with pytest.raises(PictureSetError, match=words):
        unpacked(write_npz(tmp_path / "set.npz", **changes))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=GREY)
    with pytest.raises(PictureSetError, match="has no array y_train"):
        unpacked(tmp_path / "a.npz")
    (write_idx(tmp_path / "idx") / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(PictureSetError, match="t10k-labels-idx1-ubyte is missing"):
        unpacked(tmp_path / "idx")
    (tmp_path / "idx" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x09ab")
    with pytest.raises(PictureSetError, match="not a whole idx file"):
        unpacked(tmp_path / "idx")
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04rubbish")
    with pytest.raises(PictureSetError, match="not a NumPy file"):
        unpacked(tmp_path / "b.npz")
